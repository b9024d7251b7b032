"""Piccolo's engine for the ordinary rows: pooled SQLite, or PostgreSQL.

Piccolo's own SQLite engine opens a connection and a thread for each query and sets no pragma.
This one keeps a few, with WAL, FULL, a busy timeout and foreign keys, once `start` was called;
before that it opens one per use, because pooled threads would keep a command line from ending.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import aiosqlite
from piccolo.engine.base import Engine
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine, SQLiteTransaction, TransactionType, dict_factory

DATABASE_FILE: Final = "gongbu.db"
CONNECTIONS_MAX: Final = 4
BUSY_MS_MAX: Final = 10_000
PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # phones delete what was acknowledged
    f"PRAGMA busy_timeout = {BUSY_MS_MAX}",
    "PRAGMA foreign_keys = 1",
)


def engine_for(database_url: str | None, folder: Path) -> Engine[Any]:
    """PostgreSQL if there is an address, else the SQLite file of the data folder."""
    if database_url:
        return PostgresEngine({"dsn": database_url})
    return PooledSQLiteEngine(str(folder / DATABASE_FILE))


class Loan:
    """A pooled connection as Piccolo wants it: `close` gives it back."""

    def __init__(self, connection: aiosqlite.Connection, engine: PooledSQLiteEngine) -> None:
        self._connection, self._engine = connection, engine

    def execute(self, sql: str, args: Sequence[Any] = ()) -> Any:
        return self._connection.execute(sql, args)

    async def close(self) -> None:
        await self._engine.give_back(self._connection)


class PooledSQLiteEngine(SQLiteEngine):
    """SQLite with a small pool; `transaction` is IMMEDIATE unless told otherwise, since a
    deferred one that reads and then writes fails as soon as two meet."""

    __slots__ = ("_idle", "_room", "pooled")

    def __init__(self, path: str) -> None:
        super().__init__(path, detect_types=0)
        self._idle: list[aiosqlite.Connection] = []
        self._room = asyncio.Semaphore(CONNECTIONS_MAX)
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
        try:
            if connection.in_transaction:
                await connection.rollback()
            if self.pooled:
                self._idle.append(connection)
            else:
                await connection.close()
        finally:
            self._room.release()

    async def _connect(self) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(**self.connection_kwargs)
        connection.row_factory = dict_factory  # type: ignore[assignment]
        for pragma in PRAGMAS:
            await connection.execute(pragma)
        return connection

    async def _run_in_new_connection(
        self, query: str, args: list[Any] | None = None, query_type: str = "generic", table: Any = None
    ) -> Any:
        loan = await self.get_connection()
        try:
            return await self._run_in_existing_connection(loan, query, args, query_type, table)
        finally:
            await loan.close()

    async def _run_in_existing_connection(
        self,
        connection: Any,
        query: str,
        args: list[Any] | None = None,
        query_type: str = "generic",
        table: Any = None,
    ) -> Any:
        async with connection.execute(query, args or []) as cursor:
            return await cursor.fetchall()

    def transaction(
        self, transaction_type: TransactionType = TransactionType.immediate, allow_nested: bool = True
    ) -> SQLiteTransaction:
        return SQLiteTransaction(self, transaction_type=transaction_type, allow_nested=allow_nested)


def connect(path: Path | str, *, check_same_thread: bool = True) -> sqlite3.Connection:
    """A plain connection with the same settings, in autocommit."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=check_same_thread, cached_statements=256)
    for pragma in PRAGMAS[1:]:
        connection.execute(pragma)
    return connection
