"""Every test that asks for `store`, `sync` or `site` runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from server.store.store import Store, open_store
from server.sync.sync import Sync
from tests.postgres import fresh_database, postgres_server
from tests.server.site import COMPUTED, DECLARATIONS, Clock, Site


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def database_url(dialect: str, request: pytest.FixtureRequest) -> AsyncIterator[str | None]:
    """None stands for SQLite in the test's own folder."""
    if dialect == "sqlite":
        yield None
        return
    async with fresh_database(request.getfixturevalue("postgres_url")) as url:
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
