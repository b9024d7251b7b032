"""A town where fires break out, on both databases, with the outside world on the loopback address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from server.config import ROOT
from tests.postgres import fresh_database
from tests.server.alerts.outside import Outside, outside
from tests.server.web.kit import Town, town

DECLARED = (Path(__file__).with_name("alarm.json"), ROOT / "shared" / "modules" / "alerts.json")


@pytest.fixture(name="world")
async def a_world() -> AsyncIterator[Outside]:
    async with outside() as world:
        yield world


@pytest.fixture(name="town", params=["sqlite", "postgres"])
async def a_town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        url = ""
        if request.param == "postgres":
            url = await stack.enter_async_context(fresh_database(request.getfixturevalue("postgres_url")))
        yield await stack.enter_async_context(town(tmp_path, url, declared=DECLARED, private_addresses=True))
