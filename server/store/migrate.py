"""Bring a database to the newest schema: the files of `migrations/`, each once, in order.

Any number of processes may start at once: one runs them, inside one transaction, the others
wait and find them done. With nothing to do it costs one query.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncpg

from server.store.engine import BUSY_MS_MAX, connect

FOLDER: Final = Path(__file__).parent.parent.parent / "migrations"
LOCK: Final = 0x676F6E67  # any number, the same in every process
TABLE: Final = "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, ran BIGINT NOT NULL)"


class NewerDatabase(Exception):
    """The database was made by a newer version of this program."""


async def migrate(database_url: str | None, path: Path) -> list[str]:
    """Run what is missing; answers the names of what was run. Raises NewerDatabase."""
    if database_url:
        return await migrate_postgres(database_url)
    return await asyncio.to_thread(migrate_sqlite, path)


def names() -> list[str]:
    return sorted(file.stem for file in FOLDER.glob("*.sql"))


def script(name: str, dialect: str) -> str:
    """The sections of a migration that are meant for `sqlite` or `postgres`."""
    kept, wanted = [], False
    for line in (FOLDER / f"{name}.sql").read_text("utf-8").splitlines():
        if line.startswith("--:"):
            wanted = line[3:].strip() in ("both", dialect)
        elif wanted:
            kept.append(line)
    return "\n".join(kept)


def statements(text: str) -> Iterator[str]:
    """SQLite text, statement by statement: `executescript` would commit in between."""
    waiting = ""
    for line in text.splitlines():
        if not waiting and (not line.strip() or line.startswith("--")):
            continue
        waiting += line + "\n"
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""
    if waiting.strip():
        raise ValueError(f"unfinished statement: {waiting[:80]}")


def migrate_sqlite(path: Path) -> list[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # for nobody else's eyes; what SQLite puts beside it takes after it
    connection = connect(path)
    try:
        if not _missing(_ran(connection)):
            return []
        _use_wal(connection)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(TABLE)
        missing = _missing(_ran(connection))
        for name in missing:
            for statement in statements(script(name, "sqlite")):
                connection.execute(statement)
            connection.execute("INSERT INTO migration VALUES (?, ?)", (name, int(time.time() * 1000)))
        connection.execute("COMMIT")
        return missing
    finally:
        connection.close()


def _ran(connection: sqlite3.Connection) -> list[str]:
    try:
        return [name for (name,) in connection.execute("SELECT name FROM migration")]
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise


def _use_wal(connection: sqlite3.Connection) -> None:
    """The change to WAL does not wait for others as ordinary statements do."""
    patience = time.monotonic() + BUSY_MS_MAX / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > patience:
                raise
            time.sleep(0.02)


async def migrate_postgres(database_url: str) -> list[str]:
    connection = await asyncpg.connect(database_url)
    try:
        if not _missing(await _ran_postgres(connection)):
            return []
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            await connection.execute(TABLE)
            missing = _missing(await _ran_postgres(connection))
            for name in missing:
                await connection.execute(script(name, "postgres"))
                await connection.execute("INSERT INTO migration VALUES ($1, $2)", name, int(time.time() * 1000))
        return missing
    finally:
        await connection.close()


async def _ran_postgres(connection: asyncpg.Connection) -> list[str]:
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return []
    return [row[0] for row in await connection.fetch("SELECT name FROM migration")]


def _missing(ran: list[str]) -> list[str]:
    known = names()
    if unknown := set(ran) - set(known):
        raise NewerDatabase(f"the database knows migrations that this version lacks: {sorted(unknown)}")
    return [name for name in known if name not in ran]
