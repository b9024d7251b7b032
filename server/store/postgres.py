"""PostgreSQL: any number of server processes; each has one writer connection, group commit.

The rows of the projects and devices of a round are locked first, in order of their ids, so
that seq stays gapless and no two processes wait for each other in a ring (P8). Everybody
hears of a commit through NOTIFY, sent in the same transaction.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg

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
POOL_MAX: Final = 8
TRIES_MAX: Final = 5
LOST: Final = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.OperatorInterventionError,  # being restarted
)
LISTEN_AGAIN_S: Final = 1.0
CHANNEL: Final = "gongbu"

HEADS = "SELECT id, head FROM project WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"
DEVICES = "SELECT id, last_n, revoked FROM device WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"
RECORDS = (
    "SELECT record.project, record.r, body FROM unnest($1::text[], $2::text[]) AS w (project, r)"
    " JOIN record ON record.project = w.project AND record.r = w.r"
)
APPLIED = (
    "SELECT w.device, w.n, seq, outcome FROM unnest($1::text[], $2::bigint[]) AS w (device, n)"
    " JOIN batch ON batch.device = w.device AND batch.n = w.n AND batch.device <> 'server'"
)
REFUSED = (
    "SELECT w.device, w.n, outcome FROM unnest($1::text[], $2::bigint[]) AS w (device, n)"
    " JOIN refused ON refused.device = w.device AND refused.n = w.n"
)
PUT_BATCH = (
    "INSERT INTO batch SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[],"
    " $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[])"
)
PUT_REFUSED = (
    "INSERT INTO refused SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[],"
    " $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[])"
)
PUT_RECORD = (
    "INSERT INTO record (project, r, c, seq, aud, day, grp, deleted, body)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[],"
    " $7::text[], $8::smallint[], $9::text[])"
    " ON CONFLICT (project, r) DO UPDATE SET c = excluded.c, seq = excluded.seq, aud = excluded.aud,"
    " day = excluded.day, grp = excluded.grp, deleted = excluded.deleted, body = excluded.body"
)
PUT_TOUCH = "INSERT INTO touch SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING"
PUT_MOVED = (
    "INSERT INTO moved SELECT DISTINCT ON (project, r, day) * FROM"
    " unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS w (project, r, day, seq)"
    " ORDER BY project, r, day, seq DESC"
    " ON CONFLICT (project, r, day) DO UPDATE SET seq = excluded.seq"
)
PUT_PHOTO_USE = "INSERT INTO photo_use SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING"
PUT_HEAD = (
    "UPDATE project SET head = w.head FROM unnest($1::text[], $2::bigint[]) AS w (id, head) WHERE project.id = w.id"
)
PUT_DEVICE = "UPDATE device SET last_n = w.n FROM unnest($1::text[], $2::bigint[]) AS w (id, n) WHERE device.id = w.id"
ASK_COMPUTE = (
    "INSERT INTO job (key, kind, args, due)"
    " SELECT 'compute:' || project || ':' || kind, 'compute',"
    " json_build_object('project', project, 'kind', kind)::text, $3"
    " FROM unnest($1::text[], $2::text[]) AS w (project, kind) ORDER BY project, kind"
    " ON CONFLICT (key) DO UPDATE SET asked = job.asked + 1, dead = 0"
)
NOTIFY = (
    "SELECT pg_notify('gongbu', 'head ' || id || ' ' || head) FROM unnest($1::text[], $2::bigint[]) AS w (id, head)"
)

PULSE = "SELECT n, (SELECT head FROM project WHERE id = $1) FROM revision"
RECENT = (
    "WITH site AS (SELECT head FROM project WHERE id = $1)"
    " SELECT site.head, near.seq, near.r, near.aud, near.body FROM site LEFT JOIN LATERAL"
    " (SELECT seq, r, aud, body FROM record WHERE project = $1 AND seq > $2 ORDER BY seq LIMIT $3) AS near ON true"
    " ORDER BY near.seq"
)


class PostgresDatabase:
    """See `Database`."""

    dialect = "postgres"

    def __init__(self, url: str, declarations: Declarations, watch: Watch) -> None:
        self.url, self.declarations, self.watch = url, declarations, watch
        self.committed: Committed = ignore
        self._waiting: asyncio.Queue[tuple[Push, asyncio.Future[Any]] | None] = asyncio.Queue()
        self._closed = False

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pool = await asyncpg.create_pool(self.url, min_size=1, max_size=POOL_MAX)
        self._writer = asyncio.create_task(self._write(), name="writer")
        self._listener = asyncio.create_task(self._listen(), name="listener")

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._waiting.put_nowait(None)
        await self._writer
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        await self._pool.close()

    # reading

    async def rows(self, sql: str, *args: Any) -> list[Row]:
        return [tuple(row) for row in await self._fetch(numbered(sql), *args)]

    async def look(self, sql: str, *args: Any) -> list[Row]:
        return await self.rows(sql, *args)

    async def pulse(self, project: str) -> tuple[int, int | None]:
        row = (await self._fetch(PULSE, project))[0]
        return row[0], row[1]

    async def page(self, project: str, labels: frozenset[str], after: int, limit: int, fresh: bool) -> Page:
        sql, args = page_query(project, labels, after, limit)
        found = await self._fetch(sql, *args)
        head = found[0][0] if found else 0
        rows = [(row[1], row[2], row[3].encode()) for row in found if row[1] is not None]
        return cut(rows, limit, head, fresh=fresh)

    async def recent(self, project: str, after: int, limit: int) -> tuple[int, list[Recent]]:
        found = await self._fetch(RECENT, project, after, limit)
        rows = [Recent(row[1], row[2], row[3], row[4].encode()) for row in found if row[1] is not None]
        return (found[0][0] if found else 0), rows

    async def tell(self, project: str, head: int) -> None:
        await self._fetch(NOTIFY, [project], [head])

    async def _fetch(self, sql: str, *args: Any) -> Any:
        try:
            return await self._pool.fetch(sql, *args)
        except LOST as error:
            raise Problem("unavailable", retry_after=5) from error

    # writing

    async def append(self, push: Push) -> list[Answer]:
        if self._closed:
            raise Problem("unavailable", retry_after=5)
        future: asyncio.Future[list[Answer]] = self._loop.create_future()
        self._waiting.put_nowait((push, future))
        return await future

    async def change(self, statements: Sequence[Statement]) -> list[list[Row]]:
        if self._closed:
            raise Problem("unavailable", retry_after=5)
        rows: list[list[Row]] = await self._again(functools.partial(self._change, statements))
        return rows

    async def _change(self, statements: Sequence[Statement]) -> list[list[Row]]:
        async with self._pool.acquire() as connection, connection.transaction():
            return [[tuple(row) for row in await connection.fetch(numbered(sql), *args)] for sql, args in statements]

    async def _write(self) -> None:
        ends = False
        while not ends:
            entries, ends = await self._take()
            if entries:
                await self._settle(entries)

    async def _take(self) -> tuple[list[tuple[Push, asyncio.Future[Any]]], bool]:
        entries: list[tuple[Push, asyncio.Future[Any]]] = []
        ops, entry = 0, await self._waiting.get()
        while entry is not None:
            entries.append(entry)
            ops += weight(entry[0])
            if len(entries) >= PUSHES_IN_ROUND_MAX or ops >= OPS_IN_ROUND_MAX or self._waiting.empty():
                return entries, False
            entry = self._waiting.get_nowait()
        return entries, True

    async def _settle(self, entries: list[tuple[Push, asyncio.Future[Any]]]) -> None:
        pushes = [push for push, _ in entries]
        try:
            outcomes = await self._again(functools.partial(self._round, pushes))
        except Exception as error:
            if len(entries) > 1:
                # One of several is at fault: each by itself, so that only that one fails.
                for entry in entries:
                    await self._settle([entry])
                return
            outcomes = [error]
        for (_, future), outcome in zip(entries, outcomes, strict=True):
            if future.done():  # the caller has gone; the commit stands
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    async def _round(self, pushes: list[Push]) -> list[Outcome]:
        async with self._pool.acquire() as connection, connection.transaction():
            loaded = await _load(connection, pushes)
            batch = Round(loaded, self.declarations, self.watch)
            outcomes = batch.settle(pushes)
            await _save(connection, batch.saves, pushes[-1].received)
        return outcomes

    async def _again(self, work: Callable[[], Any]) -> Any:
        """Once more after a deadlock or a lost connection that undid the transaction."""
        tries = 0
        while True:
            tries += 1
            try:
                return await work()
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if tries == TRIES_MAX:
                    raise
            except asyncpg.UniqueViolationError as error:
                raise Clash(str(error)) from error
            except LOST as error:
                raise Problem("unavailable", retry_after=5) from error

    # hearing

    async def _listen(self) -> None:
        """One dedicated connection; a poke lost while it is away only costs time (P7)."""
        while True:
            try:
                connection = await asyncpg.connect(self.url)
                try:
                    lost = asyncio.Event()
                    connection.add_termination_listener(lambda _, lost=lost: lost.set())
                    await connection.add_listener(CHANNEL, self._hear)
                    await self._catch_up()
                    await lost.wait()
                finally:
                    await connection.close()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, Problem):
                log.info("listener lost its connection")
            await asyncio.sleep(LISTEN_AGAIN_S)

    async def _catch_up(self) -> None:
        self.committed(dict(await self.rows("SELECT id, head FROM project")))

    def _hear(self, _connection: Any, _pid: int, _channel: str, text: Any) -> None:
        words = str(text).split(" ")
        if words[0] == "head":
            self.committed({words[1]: int(words[2])})
        else:
            self.committed({})  # rights changed


@functools.lru_cache(maxsize=512)
def numbered(sql: str) -> str:
    """`?` placeholders as PostgreSQL wants them. No `?` may stand in a literal."""
    first, *rest = sql.split("?")
    return first + "".join(f"${i}{part}" for i, part in enumerate(rest, 1))


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


async def _load(connection: Any, pushes: list[Push]) -> Loaded:
    loaded = Loaded(
        dict(await connection.fetch(HEADS, projects_of(pushes))),
        {row[0]: Place(row[1], row[2] is not None) for row in await connection.fetch(DEVICES, devices_of(pushes))},
    )
    if again := repeats(pushes, loaded.devices):
        for device, n, seq, outcome in await connection.fetch(APPLIED, *_columns(again)):
            loaded.answers[device, n] = applied(n, seq, outcome)
        for device, n, outcome in await connection.fetch(REFUSED, *_columns(again)):
            loaded.answers[device, n] = decode(outcome)
    if pairs := [(project, r) for project, records in wanted(pushes, loaded).items() for r in records]:
        for project, r, body in await connection.fetch(RECORDS, *_columns(pairs)):
            loaded.records.setdefault(project, {})[r] = decode(body)
    return loaded


async def _save(connection: Any, saves: Saves, now: int) -> None:
    for sql, rows in (
        (PUT_BATCH, saves.batches),
        (PUT_RECORD, saves.made + saves.records),
        (PUT_REFUSED, saves.refused),
        (PUT_TOUCH, saves.touches),
        (PUT_MOVED, saves.moved),
        (PUT_PHOTO_USE, sorted(saves.photos)),
        (PUT_HEAD, list(saves.heads.items())),
        (PUT_DEVICE, list(saves.devices.items())),
    ):
        if rows:
            await connection.execute(sql, *_columns(rows))
    if saves.computes:
        await connection.execute(ASK_COMPUTE, *_columns(sorted(saves.computes)), now + COMPUTE_DELAY_MS)
    for sql, args in saves.also:
        await connection.execute(numbered(sql), *args)
    if saves.heads:
        await connection.execute(NOTIFY, *_columns(list(saves.heads.items())))


def page_query(project: str, labels: frozenset[str], after: int, limit: int) -> tuple[str, tuple[Any, ...]]:
    """Who sees nearly all reads by seq; who sees little reads his own labels' index only."""
    exact, classes = labels_of(labels)
    args: list[Any] = [project, after, limit + PAGE_SLACK]
    mine = "project = $1 AND seq > $2"
    if labels >= EVERYTHING:
        inner = f"SELECT seq, deleted, body FROM record WHERE {mine} ORDER BY seq LIMIT $3"
    else:
        args.append(exact)
        bounds = []
        for name in classes:
            args += [name, after_class(name)]
            bounds.append(f"aud >= ${len(args) - 1} AND aud < ${len(args)}")
        if "person:" in classes:
            within = " OR ".join(["aud = ANY($4)", *bounds])
            inner = f"SELECT seq, deleted, body FROM record WHERE {mine} AND ({within}) ORDER BY seq LIMIT $3"
        else:
            near = (
                f"SELECT near.* FROM unnest($4::text[]) AS label CROSS JOIN LATERAL (SELECT seq, deleted, body"
                f" FROM record WHERE {mine} AND aud = label ORDER BY seq LIMIT $3) AS near"
            )
            for bound in bounds:
                near += f" UNION ALL SELECT seq, deleted, body FROM record WHERE {mine} AND {bound}"
            inner = f"SELECT * FROM ({near}) AS near ORDER BY seq LIMIT $3"
    return (
        f"WITH site AS (SELECT head FROM project WHERE id = $1)"
        f" SELECT site.head, page.seq, page.deleted, page.body FROM site"
        f" LEFT JOIN LATERAL ({inner}) AS page ON true ORDER BY page.seq",
        tuple(args),
    )
