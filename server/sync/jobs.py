"""Jobs: what is done after a commit, at least once, each safe to repeat.

One table in the same database, written in the same transaction as what asks for the work. A
job is leased while it runs, tried again later when it fails, and after too many tries left
for people to see (`dead`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from server.store.store import Store, now_ms

log: Final = logging.getLogger("gongbu.jobs")
LEASE_MS: Final = 60_000  # so long a job rests whose process has died
RENEW_S: Final = LEASE_MS / 1000 / 4
CLAIM_MAX: Final = 10
TRIES_MAX: Final = 12
BACK_OFF_MS_MAX: Final = 60 * 60_000
LOOK_EVERY_S: Final = 0.25
AGAIN_MS_MIN: Final = 1_000
REST_FACTOR: Final = 4  # a job that is asked for all the time may take a fifth of it
PATIENCE_MS: Final = 15_000
FOREVER: Final = 2**53 - 1

# Nothing is put off or leased for longer than the two longest times: it was, by a clock since set back.
WAITING: Final = "dead = 0 AND (due <= ? OR due > ?) AND (lease <= ? OR lease > ?)"

Run = Callable[[Mapping[str, Any]], Awaitable[object]]


class Job(msgspec.Struct, frozen=True):
    key: str
    kind: str
    args: str
    asked: int
    tries: int


class Jobs:
    """One lane: its jobs are done one after the other, or `at_once`, so that one that waits for
    somebody else's server keeps no other. `kinds`: what to run for each kind of job (a plain word or
    two), given its arguments; `is_busy`: whether it is a bad moment for what can wait; `timed`: they
    are done at their time, not when there is leisure."""

    def __init__(
        self,
        store: Store,
        kinds: Mapping[str, Run],
        now: Callable[[], int] = now_ms,
        is_busy: Callable[[], bool] = lambda: False,
        *,
        timed: bool = False,
        at_once: int = 1,
    ) -> None:
        self._store, self.kinds, self._now, self._is_busy = store, dict(kinds), now, is_busy
        self._timed, self._at_once = timed, at_once
        self._lock = " FOR UPDATE SKIP LOCKED" if store.dialect == "postgres" else ""
        self._turn, self._woken = asyncio.Lock(), asyncio.Event()
        self._in_hand: set[str] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._holding: asyncio.Task[None] | None = None

    @property
    def _mine(self) -> str:
        """Other lanes leave these alone, and this one theirs."""
        return f"{WAITING} AND kind IN ({', '.join(repr(kind) for kind in self.kinds)})"

    @property
    def _claim(self) -> str:
        return (
            "UPDATE job SET lease = ?, tries = tries + 1 WHERE key IN (SELECT key FROM job"
            f" WHERE {self._mine} ORDER BY due LIMIT ?{self._lock})"
            " RETURNING key, kind, args, asked, tries"
        )

    async def take_back(self) -> None:
        """SQLite belongs to one process: what is leased when it starts was in the hands of one that died."""
        if self._store.dialect == "sqlite":
            await self._store.change([("UPDATE job SET lease = 0 WHERE lease > 0", ())])

    def wake(self) -> None:
        """There may be something to do: look now, not only after a while."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled; `finish` waits for what is in hand then."""
        while True:
            self._woken.clear()
            try:
                while await asyncio.shield(self.work(self._due())):
                    pass
            except Exception:
                log.exception("jobs could not be looked at")
            # Not `wait_for`: before Python 3.12 it forgets a cancel that comes together with the wake.
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._woken.wait()

    def _due(self) -> int:
        """While phones are sending, work that can wait does, for a while."""
        return self._now() - (PATIENCE_MS if self._is_busy() and not self._timed else 0)

    async def finish(self) -> None:
        """Wait for what is in hand. Raises what a job raises whose failure is not to be kept."""
        async with self._turn:
            pass
        while self._running:
            await asyncio.gather(*self._running)

    async def settle(self) -> None:
        """Run all that there is, due or not (of timers what is due), until nothing is left. Raises what a
        job raises."""
        while await self.work(self._now() if self._timed else FOREVER, strict=True) or self._running:
            await self.finish()

    async def work(self, due: int, *, strict: bool = False) -> int:
        """Run some of the jobs that are due, or begin them where several go at once; answers how many."""
        async with self._turn:
            jobs = await self._claimed(due)
            self._hold_on({job.key for job in jobs})
            # The mirror first: what is computed reads it.
            for job in sorted(jobs, key=lambda job: job.kind != "mirror"):
                if self._at_once == 1:
                    await self._one(job, strict=strict)
                else:
                    self._begin(job, strict=strict)
            return len(jobs)

    async def _claimed(self, due: int) -> list[Job]:
        room = CLAIM_MAX if self._at_once == 1 else min(CLAIM_MAX, self._at_once - len(self._running))
        if not self.kinds or not room:
            return []
        now = self._now()
        # A timer may be set for next week: there, a far time is meant.
        far = FOREVER if self._timed else now + BACK_OFF_MS_MAX
        waiting = (due, far, now, now + LEASE_MS)
        if not await self._store.look(f"SELECT 1 FROM job WHERE {self._mine} LIMIT 1", *waiting):
            return []
        claimed = await self._store.change([(self._claim, (now + LEASE_MS, *waiting, room))])
        # A clock that is set forward ends a lease before its time: what is in hand stays where it is.
        return [job for row in claimed[0] if (job := Job(*row)).key not in self._in_hand]

    def _begin(self, job: Job, *, strict: bool) -> None:
        task = asyncio.create_task(self._one(job, strict=strict))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a job was left in the middle", exc_info=error)
        self.wake()  # for what it asked for, and for the room

    def _hold_on(self, keys: set[str]) -> None:
        """However long they take, no other process begins what this one has in hand."""
        self._in_hand |= keys
        if self._in_hand and self._holding is None:
            self._holding = asyncio.create_task(self._hold())

    def _let_go(self, key: str) -> None:
        self._in_hand.discard(key)
        if not self._in_hand and self._holding is not None:
            self._holding.cancel()
            self._holding = None

    async def _hold(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            lease = self._now() + LEASE_MS
            keys = sorted(self._in_hand)
            await self._store.change([("UPDATE job SET lease = ? WHERE key = ?", (lease, key)) for key in keys])

    async def _one(self, job: Job, *, strict: bool) -> None:
        began = time.monotonic()
        try:
            await self.kinds[job.kind](msgspec.json.decode(job.args))
        except Exception as error:
            self._let_go(job.key)
            await self._failed(job, error)
            if strict:
                raise
            return
        except BaseException:
            self._let_go(job.key)
            raise
        took_ms = int((time.monotonic() - began) * 1000)
        self._let_go(job.key)
        again = self._now() + max(AGAIN_MS_MIN, 0 if self._timed else took_ms * REST_FACTOR)
        await self._store.change(
            [
                ("DELETE FROM job WHERE key = ? AND asked = ?", (job.key, job.asked)),
                (
                    "UPDATE job SET lease = 0, tries = 0, due = CASE WHEN due > ? THEN due ELSE ? END WHERE key = ?",
                    (again, again, job.key),
                ),
            ]
        )

    async def _failed(self, job: Job, error: Exception) -> None:
        log.error("job failed", exc_info=error, extra={"job": job.key, "tries": job.tries})
        wait = min(1_000 * 2**job.tries, BACK_OFF_MS_MAX)
        dead = int(job.tries >= TRIES_MAX)
        await self._store.change(
            [
                (
                    "UPDATE job SET lease = 0, due = ?, dead = ?, error = ? WHERE key = ?",
                    (self._now() + wait, dead, f"{type(error).__name__}: {error}"[:500], job.key),
                )
            ]
        )
