"""The OpenAPI: it describes every address, and whatever is asked by it or against it, nothing answers 500."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from server.app import App
from server.config import ROOT, Settings
from server.web.schema import whole
from tests.server.web.access import ACCESS, OPEN
from tests.server.web.kit import FROM_APP, Town, town

EXAMPLES: Final = int(os.environ.get("GONGBU_SCHEMA_EXAMPLES", "10"))
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
ENDLESS: Final = ("GET", "/api/live")
ENDS_THE_SESSION: Final = ("POST", "/api/logout")


def described() -> dict[str, Any]:
    app = App(Settings(data=ROOT))
    return whole(app.framework.openapi_schema.to_schema())


SCHEMA: Final = described()
OPERATIONS: Final = sorted(
    (method.upper(), path) for path, item in SCHEMA["paths"].items() for method in item if method != "parameters"
)


def test_the_schema_describes_every_address_that_answers_with_data() -> None:
    assert set(ACCESS) - set(OPERATIONS) - {("GET", "/api/schema")} == set()
    modules = {file.stem for file in (ROOT / "shared" / "modules").glob("*.json")}
    assert set(OPERATIONS) - set(ACCESS) - OPEN <= {one for one in OPERATIONS if modules & set(one[1].split("/"))}


def test_every_operation_has_a_summary_and_a_group() -> None:
    found = [(one, SCHEMA["paths"][one[1]][one[0].lower()]) for one in OPERATIONS]
    bare = [one for one, operation in found if not (operation.get("summary") and operation.get("tags"))]
    assert bare == []


class Served(Thread):
    """The real site on a free port, in a thread of its own, because schemathesis asks and waits."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.ready = folder, Event()
        self.url, self.session = "", requests.Session()
        self.ids: dict[str, str] = {}

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with town(self.folder, real=True) as built:
            manager = await built.phone("manager")
            self.session.cookies.set("gongbu", manager.http.cookies["gongbu"])
            self.ids = {"project": built.one, "team": built.team_a, "person": built.people["worker"], "id": built.one}
            self.session.headers.update({**FROM_APP, "Accept-Language": "en"})
            self.server = Server(self, uvicorn.Config(built.app, port=0, lifespan="off", log_config=None))
            await self.server.serve()


class Server(uvicorn.Server):
    def __init__(self, served: Served, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.served = served

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.served.url = f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"
        self.served.ready.set()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    thread = Served(tmp_path_factory.mktemp("schema"))
    thread.start()
    assert thread.ready.wait(30)
    yield thread
    thread.server.should_exit = True
    thread.join(20)


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one not in (ENDLESS, ENDS_THE_SESSION)], ids=" ".join
)
def test_nothing_that_can_be_asked_answers_500(served: Served, operation: tuple[str, str]) -> None:
    method, path = operation
    found = schemathesis.openapi.from_dict(SCHEMA)[path][method]
    right = found.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = found.as_strategy(generation_mode=GenerationMode.NEGATIVE) if takes_anything(found) else right

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(right, wrong), st.booleans())
    def ask(case: Any, is_real: bool) -> None:
        if is_real:
            name_the_site(case, served.ids)
        answer = case.call(base_url=served.url, session=served.session, timeout=30)
        assert answer.status_code < 500, (answer.status_code, answer.text[:500])
        case.validate_response(answer, checks=[content_type_conformance, response_schema_conformance])

    ask()


def name_the_site(case: Any, ids: dict[str, str]) -> None:
    """Put real ids where invented ones would be turned away at the door."""
    for part in (case.query, case.path_parameters, case.body):
        if isinstance(part, dict):
            part.update({name: id for name, id in ids.items() if name in part})


def takes_anything(operation: Any) -> bool:
    return bool(operation.body) or any(True for _ in operation.iter_parameters())


async def test_the_schema_is_served(town: Town) -> None:
    answer = await (await town.client()).get("/api/schema")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.")
    assert "/api/push" in answer.json()["paths"]


async def test_a_listener_hears_of_a_new_batch(town: Town) -> None:
    """In process: the stream is read until the poke comes, then closed from this end."""
    worker = await town.phone("worker")
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    leave = asyncio.Event()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/live",
        "raw_path": b"/api/live",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"cookie", f"gongbu={worker.http.cookies['gongbu']}".encode())],
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "http_version": "1.1",
        "root_path": "",
    }

    async def receive() -> dict[str, Any]:
        await leave.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        heard.put_nowait(message.get("body", b""))

    listening = asyncio.create_task(town.app(scope, receive, send))
    text = b""
    while b"event: poke" not in text:
        text += await asyncio.wait_for(heard.get(), 10)
    leave.set()
    await asyncio.wait_for(listening, 10)
    assert town.one.encode() in text
