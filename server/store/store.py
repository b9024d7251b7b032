"""The store as the rest of the server sees it: open, read, write, close.

A thin front over one of the two databases, with the questions that are the same SQL on both.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

import msgspec

from server.core.batch import OPS_MAX, Op
from server.core.declaration import Declarations
from server.core.merge import Record
from server.core.person import SERVER
from server.store.access import Access
from server.store.database import Clash, Database, Row
from server.store.engine import DATABASE_FILE, engine_for
from server.store.migrate import migrate
from server.store.round import Answer, Push, Statement, Watch, decode
from server.store.tables import bind
from server.store.views import digest, views_of

log: Final = logging.getLogger("gongbu.store")
CHUNK_MAX: Final = 1_000


class Entry(msgspec.Struct, frozen=True):
    """One admitted batch in the history of a record."""

    seq: int
    device: str
    person: str
    received: int
    sent: int
    payload: str
    outcome: str


class Kept(msgspec.Struct, frozen=True):
    """A refused batch, its words kept (P3)."""

    device: str
    n: int
    person: str
    received: int
    sent: int
    payload: str
    outcome: str


class Store:
    """One per process. `access` knows who may. The tables of `tables.py` speak to `engine`."""

    def __init__(self, database: Database, engine: Any) -> None:
        self.database, self.engine = database, engine
        self.access = Access(database)
        self.rows, self.look = database.rows, database.look
        self.pulse = database.pulse

    @property
    def dialect(self) -> str:
        return self.database.dialect

    async def close(self) -> None:
        """Finish the commits in hand, then let go of everything."""
        await self.database.close()
        await self.engine.close_connection_pool()

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Piccolo queries that belong together: all or none. They take turns, so what one has read
        still holds when it writes. Wait for nothing else in it. Raises Clash."""
        transaction: AbstractAsyncContextManager[Any] = self.engine.transaction()
        return transaction

    async def append(self, push: Push) -> list[Answer]:
        """See `Database`."""
        self._must_not_wait_for_itself()
        return await self.database.append(push)

    async def change(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """See `Database`."""
        self._must_not_wait_for_itself()
        return await self.database.change(statements)

    def _must_not_wait_for_itself(self) -> None:
        if self.engine.transaction_exists():
            raise RuntimeError("the writer waits for this transaction of ordinary rows, and it for the writer")

    async def put(self, project: str, ops: Sequence[Op], also: Sequence[Statement] = ()) -> list[Answer]:
        """The server's own batches, at most OPS_MAX ops each; `also` goes with the last."""
        answers: list[Answer] = []
        for start in range(0, max(len(ops), 1), OPS_MAX):
            part, last = ops[start : start + OPS_MAX], start + OPS_MAX >= len(ops)
            now = now_ms()
            push = Push(
                device=SERVER, person=SERVER, received=now, sent=now,
                project=project, ops=part, also=also if last else (),
            )  # fmt: skip
            answers += await self.append(push)
        return answers

    async def renew(self) -> None:
        """After a restored backup: every phone starts its next pull from the beginning, because
        what it has may never have happened here."""
        keep = "INSERT INTO meta (key, value) VALUES ('generation', ?) ON CONFLICT (key) DO UPDATE SET value = ?"
        name = str(uuid.uuid4())
        await self.change([(keep, (name, name)), ("UPDATE revision SET n = n + 1", ())])

    async def history(self, project: str, r: str) -> list[Entry]:
        """Every batch that touched a record, oldest first."""
        found = await self.rows(
            "SELECT body FROM record WHERE project = ? AND r = ?", project, r
        )  # fmt: skip
        if not found:
            return []
        born = decode(found[0][0])["born"][0]
        rows = await self.rows(
            "SELECT seq, device, person, received, sent, payload, outcome FROM batch"
            " WHERE project = ? AND (seq = ? OR seq IN (SELECT seq FROM touch WHERE project = ? AND r = ?))"
            " ORDER BY seq",
            project, born, project, r,
        )  # fmt: skip
        return [Entry(*row) for row in rows]

    async def refused(self, project: str, limit: int = 500) -> list[Kept]:
        """The newest refused batches of those who are or were on a project: no stranger's words
        push theirs out of sight."""
        rows = await self.rows(
            "SELECT device, n, person, received, sent, payload, outcome FROM refused"
            " WHERE project = ? AND person IN (SELECT person FROM member WHERE project = ?)"
            " ORDER BY received DESC, device, n DESC LIMIT ?",
            project, project, limit,
        )  # fmt: skip
        return [Kept(*row) for row in rows]

    async def record(self, project: str, r: str) -> Record | None:
        rows = await self.rows("SELECT body FROM record WHERE project = ? AND r = ?", project, r)
        return decode(rows[0][0]) if rows else None

    async def some(self, project: str, ids: Sequence[str]) -> list[tuple[str, Record]]:
        """Those of these records that there are, with their audiences; at most a chunk of ids."""
        marks = ", ".join("?" * len(ids))
        rows = await self.rows(
            f"SELECT aud, body FROM record WHERE project = ? AND deleted = 0 AND r IN ({marks})", project, *ids
        )
        return [(aud, decode(body)) for aud, body in rows]

    async def records(
        self, project: str, c: str, first: str | None = None, last: str | None = None
    ) -> AsyncIterator[list[tuple[str, str]]]:
        """(audience, JSON text) of all live records of a kind, by day, in chunks.

        With `first` and `last` (YYYY-MM-DD, inclusive) only those of these days. The caller
        leaves out what its reader may not see.
        """
        day, r = first or "", ""
        bound = last or "9999-12-31"
        while True:
            rows = await self.rows(
                "SELECT aud, body, day, r FROM record WHERE project = ? AND c = ? AND deleted = 0"
                " AND (day > ? OR (day = ? AND r > ?)) AND day <= ? ORDER BY day, r LIMIT ?",
                project, c, day, day, r, bound, CHUNK_MAX,
            )  # fmt: skip
            if rows:
                yield [(aud, body) for aud, body, _, _ in rows]
                day, r = rows[-1][2], rows[-1][3]
            if len(rows) < CHUNK_MAX:
                break
        if first is None and last is None:
            async for chunk in self._records_without_day(project, c):
                yield chunk

    async def _records_without_day(self, project: str, c: str) -> AsyncIterator[list[tuple[str, str]]]:
        r = ""
        while True:
            rows = await self.rows(
                "SELECT aud, body, r FROM record WHERE project = ? AND c = ? AND deleted = 0"
                " AND day IS NULL AND r > ? ORDER BY r LIMIT ?",
                project, c, r, CHUNK_MAX,
            )  # fmt: skip
            if rows:
                yield [(aud, body) for aud, body, _ in rows]
                r = rows[-1][2]
            if len(rows) < CHUNK_MAX:
                return


async def open_store(
    database_url: str | None,
    folder: Path,
    declarations: Declarations,
) -> Store:
    """Migrate, make the views, start. From now on the tables of `tables.py` are this database's."""
    path = folder / DATABASE_FILE
    for name in await migrate(database_url, path):
        log.info("migrated", extra={"migration": name})
    engine: Any = engine_for(database_url, folder)
    database: Database
    if database_url:
        from server.store.postgres import PostgresDatabase

        database = PostgresDatabase(database_url, declarations, Watch())
    else:
        from server.store.sqlite import SqliteDatabase

        database = SqliteDatabase(path, declarations, Watch())
        engine.turn = database.turn
    await database.start()
    await engine.start_connection_pool()
    bind(engine)
    store = Store(database, engine)
    await make_views(store, declarations)
    return store


async def make_views(store: Store, declarations: Declarations) -> None:
    """Make the reporting views anew if the declarations are not those they were made from."""
    views = views_of(declarations, store.dialect)
    wanted = digest(views)
    if await store.look("SELECT value FROM meta WHERE key = 'views'") == [(wanted,)]:
        return
    old = await store.look("SELECT value FROM meta WHERE key = 'view names'")
    names = sorted({*(old[0][0].split() if old else ()), *views})
    keep = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    await store.change(
        [
            # The first statement takes the lock, so that processes starting together take turns.
            (keep, ("view names", " ".join(sorted(views)))),
            *((f'DROP VIEW IF EXISTS "{name}"', ()) for name in names),
            *((sql, ()) for sql in views.values()),
            (keep, ("views", wanted)),
        ]
    )


def now_ms() -> int:
    return time.time_ns() // 1_000_000


__all__ = ["Clash", "Entry", "Kept", "Row", "Store", "make_views", "now_ms", "open_store"]
