"""SQLite: one writer thread with plain sqlite3, group commit, FULL; readers beside it (WAL).

Pushes that wait while a commit is being written to the disk are all in the next one, so the
cost of a durable commit is shared; while many are sending, the next round waits a moment for as
many as were in the last. Each round is a constant number of statements.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from server.core.declaration import Declarations
from server.core.problem import Problem
from server.store.database import (
    COMPUTE_DELAY_MS,
    EVERYTHING,
    OPS_IN_ROUND_MAX,
    PAGE_SLACK,
    PUSHES_IN_ROUND_MAX,
    Clash,
    Committed,
    Page,
    Recent,
    Row,
    after_class,
    cut,
    ignore,
    labels_of,
)
from server.store.engine import connect
from server.store.round import (
    Answer,
    Loaded,
    Outcome,
    Place,
    Push,
    Round,
    Saves,
    Statement,
    Watch,
    applied,
    decode,
    devices_of,
    projects_of,
    repeats,
    wanted,
    weight,
)

log: Final = logging.getLogger("gongbu.store")
READERS_MAX: Final = 3
SWITCH_S: Final = 0.0005
CROWD: Final = 4  # so many in a round are a crowd …
GATHER_S: Final = 0.002  # … which is waited for so long: a fifth of what a push costs is saved
PULSE_S: Final = 0.01  # what this process changes is felt at once, what another does this much later

HEADS = "SELECT id, head FROM project WHERE id IN (SELECT value FROM json_each(?))"
DEVICES = "SELECT id, last_n, revoked FROM device WHERE id IN (SELECT value FROM json_each(?))"
RECORDS = (
    "SELECT record.project, record.r, body FROM json_each(?) AS p CROSS JOIN json_each(p.value) AS w"
    " CROSS JOIN record ON record.project = p.key AND record.r = w.value"
)
APPLIED = (
    "SELECT device, n, seq, outcome FROM json_each(?) AS w JOIN batch"
    " ON device = w.value->>0 AND n = w.value->>1 AND device <> 'server'"
)
REFUSED = "SELECT device, n, outcome FROM json_each(?) AS w JOIN refused ON device = w.value->>0 AND n = w.value->>1"
PUT_BATCH = "INSERT INTO batch VALUES (?,?,?,?,?,?,?,?,?,?)"
PUT_REFUSED = "INSERT INTO refused VALUES (?,?,?,?,?,?,?,?,?)"
MAKE_RECORD = "INSERT INTO record (project, r, c, seq, aud, day, grp, deleted, body) VALUES (?,?,?,?,?,?,?,?,?)"
PUT_RECORD = (
    f"{MAKE_RECORD} ON CONFLICT (project, r) DO UPDATE SET c = excluded.c, seq = excluded.seq, aud = excluded.aud,"
    " day = excluded.day, grp = excluded.grp, deleted = excluded.deleted, body = excluded.body"
)
PUT_TOUCH = "INSERT OR IGNORE INTO touch VALUES (?,?,?)"
PUT_MOVED = "INSERT INTO moved VALUES (?,?,?,?) ON CONFLICT (project, r, day) DO UPDATE SET seq = excluded.seq"
PUT_PHOTO_USE = "INSERT OR IGNORE INTO photo_use VALUES (?,?,?)"
PUT_HEAD = "UPDATE project SET head = ? WHERE id = ?"
PUT_DEVICE = "UPDATE device SET last_n = ? WHERE id = ?"
ASK_COMPUTE = (
    "INSERT INTO job (key, kind, args, due)"
    " VALUES ('compute:' || ?1 || ':' || ?2, 'compute', json_object('project', ?1, 'kind', ?2), ?3)"
    " ON CONFLICT (key) DO UPDATE SET asked = asked + 1, dead = 0"
)

PULSE = "SELECT n, (SELECT head FROM project WHERE id = ?) FROM revision"
HEAD = "SELECT head FROM project WHERE id = ?"
BODY = "seq, deleted, CAST(body AS BLOB)"
PAGE_ALL = f"SELECT {BODY} FROM record WHERE project = ? AND seq > ? ORDER BY seq LIMIT ?"
RECENT = "SELECT seq, r, aud, CAST(body AS BLOB) FROM record WHERE project = ? AND seq > ? ORDER BY seq LIMIT ?"


class Change(msgspec.Struct, frozen=True):
    """Statements that belong together."""

    statements: Sequence[Statement]


class Pause(msgspec.Struct, frozen=True):
    """The writer stands still until somebody else has written."""

    is_over: threading.Event


Work: TypeAlias = Push | Change | Pause
Entry: TypeAlias = tuple[Work, asyncio.Future[Any]]
Result: TypeAlias = tuple[asyncio.Future[Any], Any]
T = TypeVar("T")


class SqliteDatabase:
    """See `Database`."""

    dialect = "sqlite"

    def __init__(self, path: Path, declarations: Declarations, watch: Watch) -> None:
        self.path, self.declarations, self.watch = path, declarations, watch
        self.committed: Committed = ignore
        self._waiting: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)
        self._readers = ThreadPoolExecutor(READERS_MAX, "reader", initializer=self._open_reader)
        self._reader = threading.local()
        self._closed = False
        self._last_round = 1
        self._felt: dict[str, tuple[int, int | None]] = {}
        self._felt_until = 0.0

    async def start(self) -> None:
        # A look at the database hands the interpreter to the writer; the event loop should not
        # wait the usual 5 ms to get it back.
        sys.setswitchinterval(SWITCH_S)
        self._loop = asyncio.get_running_loop()
        self._eye = connect(self.path, check_same_thread=False)
        self._writer.start()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._writer.join)
        self._readers.shutdown()
        self._eye.close()

    # reading

    async def rows(self, sql: str, *args: Any) -> list[Row]:
        return await self._read(lambda reader: reader.execute(sql, args).fetchall())

    async def look(self, sql: str, *args: Any) -> list[Row]:
        self._must_be_open()
        return self._eye.execute(sql, args).fetchall()

    async def pulse(self, project: str) -> tuple[int, int | None]:
        """Asked several times by each of a hundred woken phones: one look serves for a moment."""
        self._must_be_open()
        now = time.monotonic()
        if now >= self._felt_until:
            self._felt.clear()
            self._felt_until = now + PULSE_S
        if project not in self._felt:
            self._felt[project] = self._eye.execute(PULSE, (project,)).fetchone()
        return self._felt[project]

    async def page(self, project: str, labels: frozenset[str], after: int, limit: int, fresh: bool) -> Page:
        sql, args = page_query(project, labels, after, limit)
        return await self._read(lambda reader: _page(reader, project, sql, args, limit, fresh))

    async def recent(self, project: str, after: int, limit: int) -> tuple[int, list[Recent]]:
        self._must_be_open()
        with _Snapshot(self._eye):
            head = self._eye.execute(HEAD, (project,)).fetchone()
            rows = self._eye.execute(RECENT, (project, after, limit)).fetchall()
        return (head[0] if head else 0), [Recent(*row) for row in rows]

    async def tell(self, project: str, head: int) -> None:
        self.committed({project: head})

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            return work(self._reader.connection)

        self._must_be_open()
        return await self._loop.run_in_executor(self._readers, run)

    def _open_reader(self) -> None:
        self._reader.connection = connect(self.path)

    def _must_be_open(self) -> None:
        if self._closed:
            raise Problem("unavailable", retry_after=5)

    # writing

    async def append(self, push: Push) -> list[Answer]:
        answers: list[Answer] = await self._ask(push)
        return answers

    async def change(self, statements: Sequence[Statement]) -> list[list[Row]]:
        rows: list[list[Row]] = await self._ask(Change(statements))
        return rows

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Leave for Piccolo to write: it waits in the same queue as all that is written here."""
        pause = Pause(threading.Event())
        try:
            await self._ask(pause)
            yield
        finally:
            self._felt_until = 0.0
            pause.is_over.set()

    async def _ask(self, work: Work) -> Any:
        self._must_be_open()
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.put((work, future))
        return await future

    def _write(self) -> None:
        connection = connect(self.path)
        try:
            ends = False
            while not ends:
                entries, ends = self._take()
                self._last_round = len(entries)
                for part in _parts(entries):
                    if isinstance(part[0][0], Pause):
                        self._stand_still(part[0][0], part[0][1])
                        continue
                    results, heads = self._settle(connection, part)
                    self._loop.call_soon_threadsafe(self._deliver, results, heads, _is_calm(part))
        finally:
            connection.close()

    def _stand_still(self, pause: Pause, begun: asyncio.Future[Any]) -> None:
        self._loop.call_soon_threadsafe(self._deliver, [(begun, None)], {}, True)
        pause.is_over.wait()

    def _take(self) -> tuple[list[Entry], bool]:
        """Everything that waits, within the limits of a round; and whether it was the last."""
        entries: list[Entry] = []
        ops, entry = 0, self._waiting.get()
        while entry is not None:
            entries.append(entry)
            ops += _weight(entry[0])
            if len(entries) >= PUSHES_IN_ROUND_MAX or ops >= OPS_IN_ROUND_MAX:
                return entries, False
            try:
                entry = self._next(len(entries))
            except queue.Empty:
                return entries, False
        return entries, True

    def _next(self, taken: int) -> Entry | None:
        """Raises queue.Empty when nothing more is to be waited for."""
        if self._last_round >= CROWD and taken <= self._last_round:
            return self._waiting.get(timeout=GATHER_S)
        return self._waiting.get_nowait()

    def _settle(
        self, connection: sqlite3.Connection, entries: list[Entry], *, boldly: bool = True
    ) -> tuple[list[Result], dict[str, int]]:
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcomes, heads = self._work(connection, [work for work, _ in entries], boldly=boldly)
            connection.execute("COMMIT")
            return [(future, outcome) for (_, future), outcome in zip(entries, outcomes, strict=True)], heads
        except Exception as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if boldly and isinstance(error, sqlite3.IntegrityError):  # something new was there after all
                return self._settle(connection, entries, boldly=False)
            if len(entries) == 1:
                return [(entries[0][1], _told(error))], {}
        # One of several is at fault: each by itself, so that only that one fails.
        results: list[Result] = []
        heads = {}
        for entry in entries:
            result, head = self._settle(connection, [entry], boldly=False)
            results += result
            heads |= head
        return results, heads

    def _work(
        self, connection: sqlite3.Connection, works: list[Work], *, boldly: bool
    ) -> tuple[Sequence[Any], dict[str, int]]:
        if isinstance(works[0], Change):
            return [_change(connection, work) for work in works if isinstance(work, Change)], {}
        return self._round(connection, [work for work in works if isinstance(work, Push)], boldly=boldly)

    def _round(
        self, connection: sqlite3.Connection, pushes: list[Push], *, boldly: bool
    ) -> tuple[list[Outcome], dict[str, int]]:
        loaded = _load(connection, pushes, boldly=boldly)
        batch = Round(loaded, self.declarations, self.watch)
        outcomes = batch.settle(pushes)
        _save(connection, batch.saves, pushes[-1].received)
        return outcomes, batch.saves.heads

    def _deliver(self, results: list[Result], heads: dict[str, int], calm: bool) -> None:
        if not calm:
            self._felt_until = 0.0
        for project in heads.keys() & self._felt.keys():
            revision, head = self._felt[project]
            self._felt[project] = revision, max(head or 0, heads[project])
        for future, outcome in results:
            if future.done():  # the caller has gone; the commit stands
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        if heads:
            self.committed(heads)


def _parts(entries: list[Entry]) -> list[list[Entry]]:
    """Neighbouring pushes together, neighbouring changes together, each pause alone."""
    parts: list[list[Entry]] = []
    for entry in entries:
        if parts and not isinstance(entry[0], Pause) and type(entry[0]) is type(parts[-1][-1][0]):
            parts[-1].append(entry)
        else:
            parts.append([entry])
    return parts


def _is_calm(entries: list[Entry]) -> bool:
    """Only logs have grown: who may do what stands as it stood."""
    return all(isinstance(work, Push) and not work.also for work, _ in entries)


def _weight(work: Work) -> int:
    if isinstance(work, Push):
        return weight(work)
    return len(work.statements) if isinstance(work, Change) else 1


def _told(error: Exception) -> Exception:
    if isinstance(error, sqlite3.IntegrityError):
        return Clash(str(error))
    if isinstance(error, sqlite3.OperationalError):  # locked for long, disk full
        log.error("the database did not take a commit", exc_info=error)
        problem = Problem("unavailable", retry_after=5)
        problem.__cause__ = error
        return problem
    return error


def _change(connection: sqlite3.Connection, change: Change) -> list[list[Row]]:
    return [connection.execute(sql, args).fetchall() for sql, args in change.statements]


def _load(connection: sqlite3.Connection, pushes: list[Push], *, boldly: bool) -> Loaded:
    def by(sql: str, keys: Collection[Any]) -> list[Row]:
        return connection.execute(sql, (_json(keys),)).fetchall() if keys else []

    loaded = Loaded(
        dict(by(HEADS, projects_of(pushes))),
        {id: Place(last_n, revoked is not None) for id, last_n, revoked in by(DEVICES, devices_of(pushes))},
    )
    if again := repeats(pushes, loaded.devices):
        for device, n, seq, outcome in by(APPLIED, again):
            loaded.answers[device, n] = applied(n, seq, outcome)
        for device, n, outcome in by(REFUSED, again):
            loaded.answers[device, n] = decode(outcome)
    for project, r, body in by(RECORDS, wanted(pushes, loaded, boldly=boldly)):
        loaded.records.setdefault(project, {})[r] = decode(body)
    return loaded


def _save(connection: sqlite3.Connection, saves: Saves, now: int) -> None:
    connection.executemany(PUT_BATCH, saves.batches)
    connection.executemany(MAKE_RECORD, saves.made)
    connection.executemany(PUT_RECORD, saves.records)
    connection.executemany(PUT_HEAD, [(head, project) for project, head in saves.heads.items()])
    connection.executemany(PUT_DEVICE, [(n, device) for device, n in saves.devices.items()])
    if saves.refused:
        connection.executemany(PUT_REFUSED, saves.refused)
    if saves.touches:
        connection.executemany(PUT_TOUCH, saves.touches)
    if saves.moved:
        connection.executemany(PUT_MOVED, saves.moved)
    if saves.photos:
        connection.executemany(PUT_PHOTO_USE, sorted(saves.photos))
    if saves.computes:
        connection.executemany(
            ASK_COMPUTE, [(project, kind, now + COMPUTE_DELAY_MS) for project, kind in saves.computes]
        )
    for sql, args in saves.also:
        connection.execute(sql, args)


def page_query(project: str, labels: frozenset[str], after: int, limit: int) -> tuple[str, tuple[Any, ...]]:
    """Who sees nearly all reads by seq; who sees little reads his own labels' index only."""
    exact, classes = labels_of(labels)
    most = limit + PAGE_SLACK
    if labels >= EVERYTHING:
        return PAGE_ALL, (project, after, most)
    within = " OR ".join(["aud IN (SELECT value FROM json_each(?))", *["aud >= ? AND aud < ?" for _ in classes]])
    bounds = [bound for name in classes for bound in (name, after_class(name))]
    if "person:" in classes:
        sql = f"SELECT {BODY} FROM record WHERE project = ? AND seq > ? AND ({within}) ORDER BY seq LIMIT ?"
        return sql, (project, after, _json(exact), *bounds, most)
    near = (
        "SELECT record.rowid AS id, seq FROM json_each(?) AS label CROSS JOIN record INDEXED BY record_aud"
        " WHERE project = ? AND aud = label.value AND seq > ?"
    )
    args: list[Any] = [_json(exact), project, after]
    for name in classes:
        near += (
            " UNION ALL SELECT record.rowid, seq FROM record INDEXED BY record_aud"
            " WHERE project = ? AND aud >= ? AND aud < ? AND seq > ?"
        )
        args += [project, name, after_class(name), after]
    sql = (
        f"WITH near AS MATERIALIZED ({near} ORDER BY seq LIMIT ?) SELECT record.seq, deleted, CAST(body AS BLOB)"
        " FROM near CROSS JOIN record ON record.rowid = near.id ORDER BY near.seq"
    )
    return sql, (*args, most)


def _page(reader: sqlite3.Connection, project: str, sql: str, args: tuple[Any, ...], limit: int, fresh: bool) -> Page:
    with _Snapshot(reader):
        head = reader.execute(HEAD, (project,)).fetchone()
        rows = reader.execute(sql, args)
        page = rows.fetchmany(limit + 1)
        while len(page) > limit and (row := rows.fetchone()) is not None:
            page.append(row)
            if row[0] != page[limit - 1][0]:
                break
        rows.close()
    return cut(page, limit, head[0] if head else 0, fresh=fresh)


class _Snapshot:
    """Several reads that see one state."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN")

    def __exit__(self, *_: object) -> None:
        self._connection.execute("COMMIT")


def _json(values: Any) -> str:
    return msgspec.json.encode(values).decode()
