"""The alerts of the demo's weeks, as they went: begun, climbed and answered by the clock of that time.

The jobs are the real ones, only their clock is set back. Nothing of it leaves the server: no phone on the site takes
notifications, and it has no other channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from server.core.batch import Op
from server.demo.hazards import Heard
from server.demo.weeks import Sent
from server.store import alert as rows
from server.store.alert import OPEN
from server.sync.alert.alerts import Alerts
from server.sync.jobs import Jobs
from server.sync.make import make
from server.web.site import Site

CLIMBED_MS = 1_000


@contextmanager
def at_rest(*lanes: Jobs) -> Iterator[None]:
    """What is asked for meanwhile is done afterwards."""
    kinds = [lane.kinds for lane in lanes]
    for lane in lanes:
        lane.kinds = {}
    try:
        yield
    finally:
        for lane, own in zip(lanes, kinds, strict=True):
            lane.kinds = own


class Replay:
    """`heard`: what people answered, and when it was time for an alert by itself, in the order of time."""

    def __init__(self, site: Site, project: str, ids: Mapping[str, str], heard: list[Heard]) -> None:
        self._site, self._project, self._ids, self._heard, self._now = site, project, ids, heard, 0
        self._alerts = Alerts(site.store, site.declarations, site.alerts.outside, self.now)
        # Each record is looked at in its own time; what a batch asked for beside that can wait.
        climbing = {kind: run for kind, run in self._alerts.jobs.items() if kind != "alert"}
        self._jobs = Jobs(site.store, climbing, self.now, timed=True)

    def now(self) -> int:
        return self._now

    async def until(self, at: int) -> None:
        """Up to the next batches."""
        await self._live(self._heard_until(at))

    async def after(self, sent: Sequence[Sent]) -> None:
        """What came of batches that have just been taken in."""
        looks = {op["r"]: Heard(one.received, op["r"]) for one in sent for op in one.ops if self._calls(op)}
        await self._live([*looks.values(), *self._heard_until(sent[-1].received)])

    async def rest(self) -> None:
        await self._live(self._heard)

    def _heard_until(self, at: int) -> list[Heard]:
        due = [one for one in self._heard if one.at <= at]
        del self._heard[: len(due)]
        return due

    async def _live(self, heard: Sequence[Heard]) -> None:
        for said in sorted(heard, key=lambda one: one.at):
            made = await make(self._site.store, self._site.declarations, self._project, said.r)
            one = said if made is None else replace(said, r=made)
            self._now = one.at
            if one.by is None:
                await self._alerts.jobs["alert"]({"project": self._project, "r": one.r})
            else:
                await self._answer(one, self._ids[one.by.name])
            self._now += CLIMBED_MS
            await self._jobs.settle()

    async def _answer(self, one: Heard, person: str) -> None:
        for alert in await rows.alerts_of(self._site.store, self._project, one.r):
            if alert.state == OPEN:
                await self._alerts.answer(alert.id, person, one.said, "app")

    def _calls(self, op: Op) -> bool:
        kind = self._site.declarations.kind(op["c"])
        return kind is not None and (bool(kind.alerts) or kind.makes is not None)
