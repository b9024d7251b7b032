"""Bring a database to the newest schema: Piccolo's migrations in `migrations/`, each once, in order.

Any number of processes may start at once: one runs them, inside one transaction, the others
wait and find them done. With nothing to do it costs one query.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import sqlite3
import sys
import time
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any, Final

from server.store.engine import BUSY_MS_MAX, connect, engine_for

FOLDER: Final = Path(__file__).parent.parent.parent / "migrations"
ID: Final = re.compile(r'^ID = "(.+)"$', re.MULTILINE)
RAN: Final = "SELECT name FROM migration"
UNDEFINED_TABLE: Final = "42P01"
PAGE_BYTES: Final = 8192


class NewerDatabase(Exception):
    """The database was made by a newer version of this program."""


async def migrate(database_url: str | None, path: Path) -> list[str]:
    """Run what is missing; answers the ids of what was run. Raises NewerDatabase."""
    if not database_url:
        await asyncio.to_thread(prepare, path)
    engine: Any = engine_for(database_url, path.parent)
    if not missing(await ran(engine)):
        return []
    forwards = machinery(engine)
    async with engine.transaction():
        await forwards.create_migration_table()
        wanted = missing(await ran(engine))
        if wanted:
            await run(forwards)
        return wanted


def ids() -> list[str]:
    """Those of the files, read without importing them."""
    found = (ID.search(file.read_text("utf-8")) for file in FOLDER.glob("*.py"))
    return sorted(match[1] for match in found if match)


def missing(ran: list[str]) -> list[str]:
    known = ids()
    if unknown := set(ran) - set(known):
        raise NewerDatabase(f"the database knows migrations that this version lacks: {sorted(unknown)}")
    return [id for id in known if id not in ran]


async def ran(engine: Any) -> list[str]:
    try:
        return [row["name"] for row in await engine.run_ddl(RAN)]
    except Exception as error:
        if "no such table" in str(error) or getattr(error, "sqlstate", "") == UNDEFINED_TABLE:
            return []
        raise


def machinery(engine: Any) -> Any:
    """Piccolo's, working on this engine. Imported only now: a start with nothing to do is to be quick."""
    from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager
    from piccolo.apps.migrations.tables import Migration

    from server.store import piccolo_conf

    os.environ["PICCOLO_CONF"] = piccolo_conf.__name__  # where each migration looks for its engine
    piccolo_conf.DB = Migration._meta.db = engine
    return ForwardsMigrationManager("gongbu")


async def run(forwards: Any) -> None:
    from piccolo.conf.apps import AppConfig

    path = list(sys.path)
    try:
        with redirect_stdout(io.StringIO()):  # it talks
            result = await forwards.run_migrations(AppConfig("gongbu", FOLDER))
    finally:
        sys.path[:] = path
    if not result.success:
        raise RuntimeError(result.message)


def prepare(path: Path) -> None:
    """The file, for nobody else's eyes (what SQLite puts beside it takes after it), in WAL, a change
    that does not wait for others as ordinary statements do. A new one gets larger pages
    than usual: a round of pushes writes half as many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    patience = time.monotonic() + BUSY_MS_MAX / 1000
    with closing(connect(path)) as connection:
        while True:
            try:
                connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > patience:
                    raise
                time.sleep(0.02)
