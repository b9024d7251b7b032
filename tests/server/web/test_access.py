"""Every address × every role, a stranger and nobody, read from the tables in `access.py`."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from litestar.routes import HTTPRoute

from server.app import App
from server.config import ROOT, Settings
from server.web import uploads
from server.web.exchange import HANDLERS, PATHS
from tests.server.web.access import ACCESS, OPEN, Row
from tests.server.web.kit import EVERYBODY, Phone, Town, town


def tables() -> dict[tuple[str, str], Row]:
    """The engine's rows and those of every module."""
    found = dict(ACCESS)
    for file in sorted((ROOT / "tests" / "modules").rglob("access.py")):
        spec = importlib.util.spec_from_file_location(f"access_of_{file.parent.name}", file)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found |= module.ACCESS
    return found


TABLE = tables()


def addresses(app: App) -> Iterator[tuple[str, str]]:
    yield from ((method.upper(), path) for path, item in {**PATHS, **uploads.PATHS}.items() for method in item)
    for route in app.framework.routes:
        path = "/" + "/".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in route.path_components)
        if isinstance(route, HTTPRoute):
            yield from ((method, path) for method in route.methods if method != "OPTIONS")


def test_what_the_edge_serves_by_itself_is_described() -> None:
    assert HANDLERS.keys() == PATHS.keys()


def test_every_address_has_a_row(tmp_path: Path) -> None:
    app = App(Settings(data=tmp_path))
    assert set(addresses(app)) - set(TABLE) - OPEN == set()
    assert set(TABLE) - set(addresses(app)) == set(), "rows for addresses that are gone"


@pytest.fixture(name="whole")
async def a_whole_town(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path, real=True) as built:
        yield built


@pytest.mark.parametrize("address", sorted(TABLE), ids=" ".join)
async def test_only_who_may_is_answered(whole: Town, address: tuple[str, str]) -> None:
    row, (method, _) = TABLE[address], address
    nobody = Phone(await whole.client())
    answer = await nobody.http.request(method, **await row.ask(whole, nobody))
    assert answer.status_code == row.nobody, ("nobody", answer.text[:300])
    seen = {}
    for name in EVERYBODY:
        phone = await whole.phone(name)
        answer = await phone.http.request(method, **await row.ask(whole, phone))
        seen[name] = answer.status_code
    wrong = {
        name: status
        for name, status in seen.items()
        if (status >= 400 if name in row.allowed else status not in row.others)
    }
    assert wrong == {}
