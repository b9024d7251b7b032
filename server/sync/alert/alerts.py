"""Alerts as the rest of the server sees them. Five jobs, each safe to repeat.

    alert         a record changed or a time came: begin what its declaration says, end what is over
    alert climb   take one step: write down whom it means and how, and ask for the next one
    alert send    send what a step wrote down; again later what could not be taken
    alert digest  send what was gathered for the digest, one message to each phone
    alert tell    put the alert's state into the log, so that phones show it, offline too

Nothing is sent inside a transaction and nothing is decided outside of one: a step exists once
(`alert_step`), an attempt exists once, and a message sent twice carries the same tag.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from server.core.declaration import Declarations
from server.store.alert import Alert
from server.store.store import Store, now_ms
from server.sync.alert.answer import answer, tell
from server.sync.alert.begin import look
from server.sync.alert.climb import climb
from server.sync.alert.ground import Ground, Outside
from server.sync.alert.notice import Notice, Target, Told
from server.sync.alert.send import digest, send
from server.sync.jobs import Run

Job = Callable[[Ground, Mapping[str, Any]], Awaitable[None]]


class Alerts:
    """One per process. `jobs` belong into a lane of their own: they wait for other people's servers."""

    def __init__(
        self,
        store: Store,
        declarations: Declarations,
        outside: Outside,
        now: Callable[[], int] = now_ms,
        is_busy: Callable[[], bool] = bool,
    ) -> None:
        self.outside = outside
        self._ground = Ground(store, declarations, outside, now, is_busy)

    @property
    def jobs(self) -> dict[str, Run]:
        jobs: dict[str, Job] = {
            "alert": look, "alert climb": climb, "alert send": send, "alert digest": digest, "alert tell": tell,
        }  # fmt: skip
        return {name: partial(job, self._ground) for name, job in jobs.items()}

    async def send(self, target: Target, notice: Notice) -> Told:
        """One message, now."""
        return await self._ground.send(target, notice)

    async def answer(self, id: str, person: str, said: str, via: str) -> Alert:
        """Somebody has seen it, is safe, needs help. Raises Problem `not_found`."""
        return await answer(self._ground, id, person, said, via)

    async def close(self) -> None:
        await self.outside.wire.close()
        await self.outside.push.close()
