"""Passwords: argon2id with 19 MiB, two passes, one lane, off the event loop, two at a time.

A name that does not exist costs the same time as a wrong password, so the clock tells nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from server.core.problem import Problem

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LENGTH_MIN: Final = 8
LENGTH_MAX: Final = 200
WAITING_MAX: Final = 64
P = ParamSpec("P")
T = TypeVar("T")


@cache
def hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_now(password: str) -> str:
    """The stored form of a password; blocks for some 35 ms."""
    return hasher().hash(password)


@cache
def nobody() -> str:
    return hash_now("a password that nobody has")


def is_right_now(password: str, stored: str | None) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return hasher().verify(stored or nobody(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


class Passwords:
    """Two threads and a bounded queue, one for each server. Raises `unavailable` when it is full."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(2, "password")
        self.waiting = 0

    async def is_right(self, password: str, stored: str | None) -> bool:
        return await self._run(is_right_now, password, stored)

    async def hash(self, password: str) -> str:
        return await self._run(hash_now, password)

    async def _run(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        if self.waiting >= WAITING_MAX:
            raise Problem("unavailable", retry_after=2)
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, partial(work, *args, **named))
        finally:
            self.waiting -= 1

    def close(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
