"""The processes that decode photos: few, made when needed, renewed after a while, gone when idle.

A photo gets as long as TIME_S_MAX; a process that dies or hangs over one is replaced, and the photo is
told to be damaged. One photo at a time in each, so that memory has a bound.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

log: Final = logging.getLogger("gongbu.photos")
TIME_S_MAX: Final = 60.0
IDLE_S_MAX: Final = 20.0
PHOTOS_EACH: Final = 200
LINE_BYTES_MAX: Final = 64 * 1024
HOME: Final = Path(__file__).resolve().parents[2]  # where the package `server` lies
Answer = dict[str, Any]


class PhotoPool:
    """`most` processes at once; `decoded_bytes_max` is each one's room for pixels."""

    def __init__(self, most: int, decoded_bytes_max: int) -> None:
        self._room = asyncio.Semaphore(most)
        self._decoded_bytes_max = decoded_bytes_max
        self._idle: list[_Worker] = []
        self._going: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def develop(self, path: Path, out: Path) -> Answer:
        """What the worker answers, or the code of what is wrong."""
        async with self._room:
            worker = self._idle.pop() if self._idle else await _Worker.start(self._decoded_bytes_max)
            try:
                answer = await asyncio.wait_for(worker.ask({"path": str(path), "out": str(out)}), TIME_S_MAX)
            except BaseException as error:  # it died, it hangs, or nobody waits any more
                await worker.end()
                if isinstance(error, TimeoutError | OSError | EOFError | ValueError):
                    log.error("a photo could not be decoded", exc_info=error)
                    return {"code": "damaged_photo", "reason": "decoder"}
                raise
            await self._give_back(worker)
            return answer

    async def _give_back(self, worker: _Worker) -> None:
        if worker.done >= PHOTOS_EACH or self._is_closed:
            await worker.end()
            return
        self._idle.append(worker)
        task = asyncio.create_task(self._end_when_idle(worker, worker.done))
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def _end_when_idle(self, worker: _Worker, done: int) -> None:
        await asyncio.sleep(IDLE_S_MAX)
        if worker in self._idle and worker.done == done:
            self._idle.remove(worker)
            await worker.end()

    async def close(self) -> None:
        self._is_closed = True
        for task in self._going:
            task.cancel()
        while self._idle:
            await self._idle.pop().end()


class _Worker:
    def __init__(self, process: Process) -> None:
        self.process, self.done = process, 0

    @classmethod
    async def start(cls, decoded_bytes_max: int) -> _Worker:
        command = [sys.executable, "-m", "server.store.photo_worker", str(decoded_bytes_max)]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=HOME,
            env={**os.environ, "MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "1000000"},
            stdin=PIPE,
            stdout=PIPE,
            limit=LINE_BYTES_MAX,
            start_new_session=True,
        )
        return cls(process)

    async def ask(self, asked: Answer) -> Answer:
        """Raises EOFError when the process dies over it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(msgspec.json.encode(asked) + b"\n")
        await self.process.stdin.drain()
        line = await self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the decoder died")
        self.done += 1
        answer: Answer = msgspec.json.decode(line)
        return answer

    async def end(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
