"""Processes of our own that do one kind of work: few, made when needed, renewed after a while, gone when idle.

A module with a `main` that answers each line of JSON on its input with one on its output. A process that dies or
hangs over something is ended, and another takes the next; it ends by itself when nobody holds its input any more.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

HOME: Final = Path(__file__).resolve().parents[2]  # where the package `server` lies
IDLE_S_MAX: Final = 20.0
TIME_S_MAX: Final = 60.0
LINE_BYTES_MAX: Final = 1024 * 1024


class Failed(Exception):
    """The process could not be begun, died over it, was too long about it, or said what cannot be read."""


class Processes:
    """`most` at once of `python -m module args`, each renewed after it has answered `each` times."""

    def __init__(
        self,
        module: str,
        args: Sequence[str] = (),
        *,
        env: Mapping[str, str] | None = None,
        most: int = 1,
        each: int | None = None,
        idle_s_max: float = IDLE_S_MAX,
    ) -> None:
        self._command, self._env = (sys.executable, "-m", module, *args), {**os.environ, **(env or {})}
        self._each, self._idle_s_max = each, idle_s_max
        self._room = asyncio.Semaphore(most)
        self._idle: list[_One] = []
        self._going: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def ask(self, asked: Any) -> Any:
        """What one of them answers. Raises Failed."""
        async with self._room:
            try:
                one = self._idle.pop() if self._idle else await _One.start(self._command, self._env)
                answer = await one.answer(asked)
            except (TimeoutError, OSError, EOFError, ValueError) as error:
                raise Failed(f"{self._command[2]}: {type(error).__name__}") from error
            await self._give_back(one)
            return answer

    async def _give_back(self, one: _One) -> None:
        if one.done == self._each or self._is_closed:
            await one.end()
            return
        self._idle.append(one)
        task = asyncio.create_task(self._end_when_idle(one, one.done))
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def _end_when_idle(self, one: _One, done: int) -> None:
        await asyncio.sleep(self._idle_s_max)
        if one in self._idle and one.done == done:
            self._idle.remove(one)
            await one.end()

    async def close(self) -> None:
        self._is_closed = True
        for task in self._going:
            task.cancel()
        while self._idle:
            await self._idle.pop().end()


class _One:
    def __init__(self, process: Process) -> None:
        self.process, self.done = process, 0

    @classmethod
    async def start(cls, command: Sequence[str], env: Mapping[str, str]) -> _One:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=HOME, env=env, stdin=PIPE, stdout=PIPE, limit=LINE_BYTES_MAX, start_new_session=True
        )
        return cls(process)

    async def answer(self, asked: Any) -> Any:
        """Ends the process if it dies over it, if it hangs, or if nobody waits any more; raises what it was."""
        try:
            return await asyncio.wait_for(self._ask(asked), TIME_S_MAX)
        except BaseException:
            await self.end()
            raise

    async def _ask(self, asked: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(msgspec.json.encode(asked) + b"\n")
        await self.process.stdin.drain()
        line = await self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError("it died")
        self.done += 1
        return msgspec.json.decode(line)

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
