"""Piccolo's engine for the ordinary rows: pooled SQLite, or PostgreSQL.

Piccolo's own SQLite engine opens a connection and a thread for each query and sets no pragma.
This one keeps a few, with WAL, FULL, a busy timeout and foreign keys, once `start` was called;
before that it opens one per use. What writes in one process takes turns, in the writer's own queue
once the store is open, since SQLite lets waiters poll, and unfairly. What a database refuses is
told as on the writer's path: `Clash`, or `unavailable`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import aiosqlite
from piccolo.engine.base import Engine
from piccolo.engine.sqlite import SQLiteEngine, SQLiteTransaction, TransactionType, dict_factory

from server.core.problem import Problem
from server.store.database import Clash

DATABASE_FILE: Final = "gongbu.db"
CONNECTIONS_MAX: Final = 4
BUSY_MS_MAX: Final = 10_000
PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # phones delete what was acknowledged
    f"PRAGMA busy_timeout = {BUSY_MS_MAX}",
    "PRAGMA foreign_keys = 1",
)
PASSING: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def engine_for(database_url: str | None, folder: Path) -> Engine[Any]:
    """PostgreSQL if there is an address, else the SQLite file of the data folder."""
    if database_url:
        from server.store.postgres_engine import PooledPostgresEngine

        return PooledPostgresEngine(database_url)
    return PooledSQLiteEngine(str(folder / DATABASE_FILE))


class Loan:
    """A pooled connection as Piccolo wants it: `close` gives it back."""

    def __init__(self, connection: aiosqlite.Connection, engine: PooledSQLiteEngine) -> None:
        self._connection, self._engine = connection, engine

    def execute(self, sql: str, args: Sequence[Any] = ()) -> Any:
        return self._connection.execute(sql, args)

    async def close(self) -> None:
        await self._engine.give_back(self._connection)

    async def discard(self) -> None:
        """For one whose state is not known; what it had not committed is undone."""
        await self._engine.throw_away(self._connection)


class ImmediateTransaction(SQLiteTransaction):
    """Waits for its turn, and lets go of its connection however it ends."""

    __slots__ = ("_turn",)
    engine: PooledSQLiteEngine
    connection: Loan
    _parent: Any

    async def __aenter__(self) -> Any:
        if self._parent is not None:
            return self._parent
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(self.engine.turn())
            self.connection = await self.engine.get_connection()
            await self._do("BEGIN IMMEDIATE")
            self._turn = turn.pop_all()
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, exception_type: Any, exception: Any, traceback: Any) -> bool:
        if self._parent is not None:
            return exception is None
        self.engine.current_transaction.reset(self.context)
        async with self._turn:
            if exception is None:
                await self._do("COMMIT")
                await self.connection.close()
            else:
                await self.connection.discard()
        return exception is None

    async def _do(self, sql: str) -> None:
        try:
            with told():
                await self.connection.execute(sql)
        except BaseException:
            await self.connection.discard()
            raise


class PooledSQLiteEngine(SQLiteEngine):
    """SQLite with a small pool; `transaction` is IMMEDIATE, since a deferred one that reads and
    then writes fails as soon as two meet. `turn` is what a write of this process waits for."""

    __slots__ = ("_idle", "_room", "pooled", "turn")

    def __init__(self, path: str) -> None:
        super().__init__(path, detect_types=0)
        self._idle: list[aiosqlite.Connection] = []
        self._room = asyncio.Semaphore(CONNECTIONS_MAX)
        alone = asyncio.Lock()
        self.turn: Callable[[], AbstractAsyncContextManager[None]] = lambda: alone
        self.pooled = False

    async def start_connection_pool(self) -> None:
        self.pooled = True

    async def close_connection_pool(self) -> None:
        self.pooled = False
        while self._idle:
            await self._idle.pop().close()

    async def get_connection(self) -> Any:
        await self._room.acquire()
        try:
            return Loan(self._idle.pop() if self._idle else await self._connect(), self)
        except BaseException:
            self._room.release()
            raise

    async def give_back(self, connection: aiosqlite.Connection) -> None:
        if not self.pooled:
            await self.throw_away(connection)
            return
        self._idle.append(connection)
        self._room.release()

    async def throw_away(self, connection: aiosqlite.Connection) -> None:
        self._room.release()
        await connection.close()

    async def _connect(self) -> aiosqlite.Connection:
        connection = aiosqlite.connect(**self.connection_kwargs)
        connection._thread.daemon = True  # a pool that nobody closed must not keep the process
        await connection
        connection.row_factory = dict_factory  # type: ignore[assignment]
        for pragma in PRAGMAS:
            await connection.execute(pragma)
        return connection

    async def _run_in_new_connection(
        self, query: str, args: list[Any] | None = None, query_type: str = "generic", table: Any = None
    ) -> Any:
        if query.lstrip().upper().startswith("SELECT"):
            return await self._run_alone(query, args)
        async with self.turn():
            return await self._run_alone(query, args)

    async def _run_alone(self, query: str, args: list[Any] | None) -> Any:
        async with self._lent() as loan:
            return await self._run_in_existing_connection(loan, query, args)

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Loan]:
        loan = await self.get_connection()
        try:
            yield loan
        except Clash:
            await loan.close()
            raise
        except BaseException:
            await loan.discard()
            raise
        await loan.close()

    async def _run_in_existing_connection(
        self,
        connection: Any,
        query: str,
        args: list[Any] | None = None,
        query_type: str = "generic",
        table: Any = None,
    ) -> Any:
        with told():
            async with connection.execute(query, args or []) as cursor:
                return await cursor.fetchall()

    def transaction(
        self, transaction_type: TransactionType = TransactionType.immediate, allow_nested: bool = True
    ) -> SQLiteTransaction:
        return ImmediateTransaction(self, transaction_type=transaction_type, allow_nested=allow_nested)


@contextmanager
def told() -> Iterator[None]:
    """What SQLite refuses, in the words of the store."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise Clash(str(error)) from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in PASSING:
            raise Problem("unavailable", retry_after=5) from error
        raise


def connect(path: Path | str, *, check_same_thread: bool = True) -> sqlite3.Connection:
    """A plain connection with the same settings, in autocommit."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=check_same_thread, cached_statements=256)
    for pragma in PRAGMAS[1:]:
        connection.execute(pragma)
    return connection
