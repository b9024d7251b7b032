"""The process dies between any two statements of a step, and a new one goes on: each step once, nobody forgotten."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from server.app import App
from server.store.alert import ROWS_MAX
from server.store.engine import DATABASE_FILE
from server.sync.alert.ground import ALERT
from server.sync.computed import record_id
from server.sync.jobs import LEASE_MS
from tests.bench.alerts import admitted, all_of, came, op_of, site_with_phones
from tests.bench.town import served
from tests.server.alerts.outside import Asked, Outside, Receiver
from tests.server.alerts.test_ladder_climbs import later, subscribed
from tests.server.web.kit import Phone, Town

FIVE_MIN_MS: Final = 5 * 60_000
LIFE_MAX: Final = 200
STATEMENTS_MIN: Final = 12
PHONES: Final = 400
RECEIVERS: Final = ("manager", "supervisor")


class Death(BaseException):
    """The process is gone. No `except Exception` outlives it."""


class Mortal:
    """Counts what reaches the disk or the wire; dies before or after the one that is named, and stays dead."""

    def __init__(self, town: Town, at: int, *, before: bool) -> None:
        self.town, self.at, self.before = town, at, before
        self.count, self.is_dead = 0, False
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> Mortal:
        store, wire = self.town.site.store, self.town.site.alerts.outside.wire
        for owner, name in ((store, "change"), (store, "put"), (wire, "post")):
            real = getattr(owner, name)
            setattr(owner, name, self._counted(real))
            self._undo.append(partial(delattr, owner, name))
        return self

    def __exit__(self, *_: object) -> None:
        for undo in self._undo:
            undo()

    def _counted(self, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **more: Any) -> Any:
            self.count += 1
            mine = self.count == self.at
            if self.is_dead or (mine and self.before):
                self._die()
            answer = await real(*args, **more)
            if self.is_dead or mine:
                self._die()
            return answer

        return call

    def _die(self) -> None:
        self.is_dead = True
        raise Death


async def alone(town: Town) -> None:
    """Jobs are done when the test says so, and only then."""
    running = town.site.sync._running
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def reborn(town: Town) -> AsyncIterator[None]:
    """Another process on the same database, for as long as it lives."""
    app = App(town.app.settings, town.clock, [])
    async with app.lifespan() as site:
        old = town.app, town.site
        town.app, town.site = app, site
        try:
            await alone(town)
            yield
        finally:
            town.app, town.site = old


async def life(town: Town) -> None:
    """Look, climb, send; and phones are told a moment later. Who dies does nothing afterwards."""
    try:
        await town.site.sync.settle()
        await later(town, 0.01)
    finally:
        await asyncio.gather(*town.site.sync.outside._running, return_exceptions=True)


async def after_death(town: Town) -> None:
    """What the dead one had in hand is free again when its lease is over; then the next step has its time."""
    town.clock.pass_s(LEASE_MS / 1000 + 1)
    await life(town)
    await later(town, 5.1)
    await later(town, 0.5)  # what was asked for twice rests in between, the longer the slower the machine


async def begun(town: Town, phone: Phone) -> str:
    """A fire is in the log, and nothing was done about it yet."""
    r = str(uuid.uuid4())
    op = {"k": "new", "c": "alarm.fire", "r": r, "set": {"text": "三层木方堆起火", "level": "major"}}
    answer = (await phone.push(town.one, [op])).json()
    assert answer["results"][0]["status"] == "applied", answer
    return r


def said_by(world: Outside, receivers: dict[str, Receiver], alert: str) -> dict[tuple[str, int], list[Asked]]:
    """(phone, step) → what it was sent of this alert."""
    found: dict[tuple[str, int], list[Asked]] = {}
    for name, receiver in receivers.items():
        for asked in world.at(f"/push/{name}"):
            said = receiver.read(asked)
            if said["alert"] == alert:
                found.setdefault((name, said["step"]), []).append(asked)
    return found


async def is_whole(town: Town, world: Outside, receivers: dict[str, Receiver], r: str, seen: str) -> int:
    """Steps 0 and 1 were taken once, each phone was told of each, and the ladder goes on. How many messages
    went out twice."""
    rows = town.site.store.rows
    ((alert, begun, state, step, next_ms),) = await rows(
        "SELECT id, begun, state, step, next FROM alert WHERE r = ?", r
    )
    assert (state, step) == ("open", 2), seen
    steps = await rows("SELECT step, due, taken FROM alert_step WHERE alert = ? ORDER BY step", alert)
    assert [step for step, _, _ in steps] == [0, 1], seen
    assert all(due <= taken for _, due, taken in steps), seen
    assert steps[1][2] >= begun + FIVE_MIN_MS, seen
    assert next_ms == max(begun + 2 * FIVE_MIN_MS, steps[1][2] + 1), seen
    kept = await rows("SELECT step, target, status FROM alert_attempt WHERE alert = ? AND status <> 'no_way'", alert)
    assert len({(step, target) for step, target, _ in kept}) == len(kept) == 2 * len(receivers), seen
    assert {status for _, _, status in kept} == {"sent"}, seen
    said = said_by(world, receivers, alert)
    assert set(said) == {(name, step) for name in receivers for step in (0, 1)}, seen
    assert all(len(copies) <= 2 for copies in said.values()), seen
    twice = sum(len(copies) - 1 for copies in said.values())
    assert twice <= len(receivers), f"{seen}: only what was in the air goes out again"
    assert len({asked.headers["topic"] for copies in said.values() for asked in copies}) == 1, seen
    jobs = await rows("SELECT kind, due FROM job WHERE dead = 0 AND key LIKE ?", f"alert %{alert}%")
    assert sorted(jobs) == [("alert climb", next_ms)], seen
    record = await town.site.store.record(town.one, record_id(town.one, ALERT, alert))
    assert record is not None, seen
    assert (record["set"]["step"], record["set"]["status"]) == (2, "open"), seen
    return twice


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
async def test_death_at_any_statement_of_a_step_loses_nobody_and_takes_no_step_twice(
    town: Town, world: Outside, *, before: bool
) -> None:
    receivers = {name: (await subscribed(town, world, name))[1] for name in RECEIVERS}
    phone = await town.phone("worker")
    await alone(town)
    twice, deaths = 0, 0
    for at in itertools.count(1):
        town.clock.pass_s(60)
        r = await begun(town, phone)
        world.asked.clear()
        with Mortal(town, at, before=before) as mortal, suppress(Death):
            await life(town)
        if mortal.is_dead:
            deaths += 1
            async with reborn(town):
                await after_death(town)
                twice += await is_whole(town, world, receivers, r, f"death {'before' if before else 'after'} {at}")
        else:
            await after_death(town)
            assert await is_whole(town, world, receivers, r, "a life without death") == 0
        await town.site.store.change([("UPDATE alert SET state = 'ended'", ()), ("DELETE FROM job", ())])
        if not mortal.is_dead:
            break
        assert at < LIFE_MAX
    assert deaths >= STATEMENTS_MIN, "a life has at least so many statements"
    assert twice > 0, "who dies after sending and before writing it down sends again"


def test_kill_9_in_the_middle_of_a_fan_out_and_the_next_process_goes_on_at_once() -> None:
    with site_with_phones(PHONES, "inspector") as (server, town, port):
        asyncio.run(
            admitted(server, town.workers[0], op_of("safety.hazard", level="major", description="临边防护缺失"))
        )
        first = asyncio.run(all_of(port, PHONES // 4))
        server.kill()
        first += asyncio.run(came(port))
        assert len(first) < PHONES, "it was killed in the middle"
        with served(server.folder) as next_one:
            then = asyncio.run(all_of(port, PHONES - len(first)))
            wait_until_written(next_one.folder)
            then += asyncio.run(came(port))
    copies = Counter(one.path for one in (*first, *then))
    assert len(copies) == PHONES, "nobody was forgotten"
    assert max(copies.values()) <= 2
    assert sum(copies.values()) - PHONES <= ROWS_MAX, "only the page that was in the air went out again"
    assert len({one.topic for one in (*first, *then)}) == 1


def wait_until_written(data: Path) -> None:
    with closing(sqlite3.connect(data / DATABASE_FILE)) as there:
        for _ in range(200):
            rows = there.execute("SELECT status, count(*) FROM alert_attempt WHERE channel = 'push' GROUP BY status")
            found = dict(rows.fetchall())
            if found.get("waiting", 0) == 0 and found.get("sent") == PHONES:
                return
            time.sleep(0.05)
    raise AssertionError(found)
