"""Every test that asks for `store`, `sync` or `site` runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.store.store import Store, open_store
from server.sync.sync import Sync
from tests.postgres import fresh_database, make_template, postgres_server
from tests.server.site import COMPUTED, DECLARATIONS, Clock, Site


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """A migrated database; copying it is quicker than migrating for each test."""

    async def prepare(url: str) -> None:
        await (await open_store(url, Path(), DECLARATIONS)).close()

    with ThreadPoolExecutor(1) as aside:  # a loop may be running here
        return aside.submit(lambda: asyncio.run(make_template(postgres_url, prepare))).result()


@pytest.fixture(params=["sqlite", "postgres"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def database_url(dialect: str, request: pytest.FixtureRequest) -> AsyncIterator[str | None]:
    """None stands for SQLite in the test's own folder."""
    if dialect == "sqlite":
        yield None
        return
    server, template = (request.getfixturevalue(name) for name in ("postgres_url", "postgres_template"))
    async with fresh_database(server, template) as url:
        yield url


@pytest.fixture
async def store(database_url: str | None, tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(database_url, tmp_path, DECLARATIONS)
    yield store
    await store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sync(store: Store, clock: Clock) -> AsyncIterator[Sync]:
    """The exchange without its background tasks: tests call `settle` themselves."""
    sync = Sync(store, DECLARATIONS, COMPUTED, now=clock)
    sync.attach()
    yield sync
    await sync.stop()


@pytest.fixture
async def site(sync: Sync, clock: Clock) -> Site:
    """A site with a worker, a foreman, a supervisor, an office and a stranger, a phone each."""
    return await Site.build(sync, clock)
