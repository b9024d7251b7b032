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
    """One lane: its jobs are done one after the other. `kinds`: what to run for each kind of job (a
    plain word or two), given its arguments; `is_busy`: whether it is a bad moment for what can wait;
    `timed`: they are done at their time, not when there is leisure."""

    def __init__(
        self,
        store: Store,
        kinds: Mapping[str, Run],
        now: Callable[[], int] = now_ms,
        is_busy: Callable[[], bool] = lambda: False,
        *,
        timed: bool = False,
    ) -> None:
        self._store, self.kinds, self._now, self._is_busy = store, dict(kinds), now, is_busy
        self._timed = timed
        self._lock = " FOR UPDATE SKIP LOCKED" if store.dialect == "postgres" else ""
        self.turn = asyncio.Lock()

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

    async def run(self) -> None:
        """Until cancelled; a job in hand is finished first."""
        while True:
            try:
                while await asyncio.shield(self.work(self._due())):
                    pass
            except Exception:
                log.exception("jobs could not be looked at")
            await asyncio.sleep(LOOK_EVERY_S)

    def _due(self) -> int:
        """While phones are sending, work that can wait does, for a while."""
        return self._now() - (PATIENCE_MS if self._is_busy() else 0)

    async def settle(self) -> None:
        """Run all that there is, due or not (of timers what is due), until nothing is left. Raises what a
        job raises."""
        while await self.work(self._now() if self._timed else FOREVER, strict=True):
            pass

    async def work(self, due: int, *, strict: bool = False) -> int:
        """Run some of the jobs that are due; answers how many."""
        async with self.turn:
            if not self.kinds:
                return 0
            now = self._now()
            # A timer may be set for next week: there, a far time is meant.
            far = FOREVER if self._timed else now + BACK_OFF_MS_MAX
            waiting = (due, far, now, now + LEASE_MS)
            if not await self._store.look(f"SELECT 1 FROM job WHERE {self._mine} LIMIT 1", *waiting):
                return 0
            claimed = await self._store.change([(self._claim, (now + LEASE_MS, *waiting, CLAIM_MAX))])
            jobs = [Job(*row) for row in claimed[0]]
            in_hand = {job.key for job in jobs}
            holding = asyncio.create_task(self._hold(in_hand))
            try:
                # The mirror first: what is computed reads it.
                for job in sorted(jobs, key=lambda job: job.kind != "mirror"):
                    await self._one(job, in_hand, strict=strict)
            finally:
                holding.cancel()
            return len(jobs)

    async def _hold(self, in_hand: set[str]) -> None:
        """However long they take, no other process begins what this one has in hand."""
        while True:
            await asyncio.sleep(RENEW_S)
            lease = self._now() + LEASE_MS
            await self._store.change([("UPDATE job SET lease = ? WHERE key = ?", (lease, key)) for key in in_hand])

    async def _one(self, job: Job, in_hand: set[str], *, strict: bool) -> None:
        began = time.monotonic()
        try:
            await self.kinds[job.kind](msgspec.json.decode(job.args))
        except Exception as error:
            in_hand.discard(job.key)
            await self._failed(job, error)
            if strict:
                raise
            return
        took_ms = int((time.monotonic() - began) * 1000)
        in_hand.discard(job.key)
        again = self._now() + max(AGAIN_MS_MIN, took_ms * REST_FACTOR)
        await self._store.change(
            [
                ("DELETE FROM job WHERE key = ? AND asked = ?", (job.key, job.asked)),
                ("UPDATE job SET lease = 0, tries = 0, due = ? WHERE key = ?", (again, job.key)),
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
