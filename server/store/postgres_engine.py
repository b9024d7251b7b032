"""Piccolo's PostgreSQL engine, with a small pool, and with the store's words for what is refused.

Transactions of ordinary rows take turns, over all processes, as they do on SQLite: each begins
by taking one advisory lock, so that what it read still holds when it writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.querystring import QueryString

from server.core.problem import Problem
from server.store.database import Clash
from server.store.postgres import LOST, TRIES_MAX

CONNECTIONS_MAX: Final = 4
TURN: Final = 0x676F6E68  # any number, the same in every process


class TurnTransaction(PostgresTransaction):
    """Waits for its turn, and lets go of its connection however it ends."""

    __slots__ = ()
    engine: PooledPostgresEngine
    connection: Any
    transaction: Any
    _parent: Any

    async def __aenter__(self) -> Any:
        if self._parent is not None:
            return self._parent
        with told():
            self.connection = await self.engine.lend()
            self.transaction = self.connection.transaction()
            try:
                await self.transaction.start()
                await self.connection.execute("SELECT pg_advisory_xact_lock($1)", TURN)
            except BaseException:
                await self._let_go()
                raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, exception_type: Any, exception: Any, traceback: Any) -> bool:
        if self._parent is not None:
            return exception is None
        try:
            with told():
                await (self.transaction.rollback() if exception else self.transaction.commit())
        finally:
            self.engine.current_transaction.reset(self.context)
            await self._let_go()
        return exception is None

    async def _let_go(self) -> None:
        """What was not committed is undone: the pool resets a connection, the end of one does too."""
        if self.engine.pool:
            await self.engine.pool.release(self.connection)
        else:
            await self.connection.close()


class PooledPostgresEngine(PostgresEngine):
    """See above."""

    def __init__(self, url: str) -> None:
        super().__init__({"dsn": url})

    async def get_version(self) -> float:
        return 0.0  # not known; asking would cost a connection at every start

    async def start_connection_pool(self, **kwargs: Any) -> None:
        await super().start_connection_pool(min_size=1, max_size=CONNECTIONS_MAX)

    async def close_connection_pool(self) -> None:
        if self.pool:
            await super().close_connection_pool()

    async def lend(self) -> Any:
        return await (self.pool.acquire() if self.pool else self.get_new_connection())

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any:
        """A statement by itself is tried again after a deadlock; in a transaction, all of it is undone."""
        tries = 1 if self.current_transaction.get() else TRIES_MAX
        while True:
            tries -= 1
            try:
                with told():
                    return await super().run_querystring(querystring, in_pool)
            except Problem as problem:
                if not tries or not isinstance(problem.__cause__, AGAIN):
                    raise

    def transaction(self, allow_nested: bool = True) -> PostgresTransaction:
        return TurnTransaction(self, allow_nested=allow_nested)


AGAIN: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


@contextmanager
def told() -> Iterator[None]:
    """What PostgreSQL refuses, in the words of the store."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise Clash(str(error)) from error
    except (*LOST, *AGAIN) as error:
        raise Problem("unavailable", retry_after=5) from error
