"""A project's own ladder: which alerts climb it, what it gathers, and that a change alters nothing that is begun."""

from __future__ import annotations

import time
import uuid
from typing import Any

from server.core.worktime import WEEKDAYS
from tests.server.alerts.outside import Outside
from tests.server.alerts.test_ladder_climbs import fire, hour_of_the_site, later, subscribed, told
from tests.server.web.kit import Phone, Town

FIVE_O_CLOCK = 17 * 60
HOUR_MIN = 60


async def ladder(town: Town, manager: Phone, rungs: list[tuple[int, str]], **more: Any) -> str:
    """Phones are told so many minutes after the beginning, in this order; answers the ladder's record."""
    r = str(uuid.uuid4())
    rows: dict[str, Any] = {}
    for n, (after, who) in enumerate(rungs):
        rows |= {f"rungs.r{n}.after_min": after, f"rungs.r{n}.channel": "push", f"rungs.r{n}.who": who}
    op = {"k": "new", "c": "alerts.ladder", "r": r, "set": {"kind": "alarm.fire", **rows, **more}}
    answer = (await manager.push(town.one, [op])).json()
    assert answer["results"][0]["status"] == "applied", answer
    await town.site.sync.settle()
    return r


def names(world: Outside) -> list[str]:
    return [asked.path.removeprefix("/push/") for asked in world.asked]


async def test_two_small_things_become_one_message_at_the_digests_time(town: Town, world: Outside) -> None:
    manager, receiver = await subscribed(town, world, "manager")
    await ladder(town, manager, [(0, "manager")], level="general", digest_at=FIVE_O_CLOCK)
    town.clock.ms = hour_of_the_site(9)
    first = await fire(town, await town.phone("worker"), level="general")
    await later(town, 2 * HOUR_MIN)
    second = await fire(town, await town.phone("worker"), level="general")
    await later(town, 5 * HOUR_MIN)
    assert world.asked == [], "nothing before five"
    await later(town, HOUR_MIN)
    await later(town, 1)
    (asked,) = world.asked
    said = receiver.read(asked)
    assert "2" in said["title"]
    assert said["body"] == "起火：一般 × 2"
    assert said["path"] == f"/alerts?project={town.one}"
    for r in (first, second):
        attempts = (await told(manager, town, r))["attempts"]
        assert [a["status"] for a in attempts if a["channel"] == "push"] == ["sent"]
    await later(town, 24 * HOUR_MIN)
    assert len(world.asked) == 1


async def test_what_is_answered_before_the_digest_is_not_in_it(town: Town, world: Outside) -> None:
    manager, _ = await subscribed(town, world, "manager")
    await ladder(town, manager, [(0, "manager")], level="general", digest_at=FIVE_O_CLOCK)
    town.clock.ms = hour_of_the_site(9)
    r = await fire(town, await town.phone("worker"), level="general")
    one = await told(manager, town, r)
    await manager.http.post(f"/api/alerts/{one['id']}/answer", json={"answer": "seen"})
    await later(town, 9 * HOUR_MIN)
    assert world.asked == []


async def test_what_is_urgent_waits_for_no_digest(town: Town, world: Outside) -> None:
    manager, _ = await subscribed(town, world, "manager")
    await ladder(town, manager, [(0, "manager")], level="major", digest_at=FIVE_O_CLOCK, quiet_from=0, quiet_to=1439)
    town.clock.ms = hour_of_the_site(9)
    await fire(town, await town.phone("worker"), level="major")
    assert names(world) == ["manager"]


async def test_the_ladder_of_the_level_goes_before_that_of_the_kind_and_both_before_the_shipped_one(
    town: Town, world: Outside
) -> None:
    manager, _ = await subscribed(town, world, "manager")
    for name in ("supervisor", "office", "inspector"):
        await subscribed(town, world, name)
    town.clock.ms = hour_of_the_site(9)
    worker = await town.phone("worker")
    await fire(town, worker, level="general")
    assert names(world) == ["inspector"], "as shipped"
    world.asked.clear()
    await ladder(town, manager, [(0, "office")])
    await fire(town, worker, level="general")
    assert names(world) == ["office"], "the kind's"
    world.asked.clear()
    await ladder(town, manager, [(0, "supervisor")], level="general")
    await fire(town, worker, level="general")
    assert names(world) == ["supervisor"], "the level's"
    world.asked.clear()
    await fire(town, worker, level="major")
    assert names(world) == ["office"], "another level has the kind's"


async def test_a_changed_ladder_does_not_alter_an_alert_that_climbs(town: Town, world: Outside) -> None:
    manager, _ = await subscribed(town, world, "manager")
    await subscribed(town, world, "office")
    town.clock.ms = hour_of_the_site(9)
    await ladder(town, manager, [(0, "office"), (30, "manager")])
    await fire(town, await town.phone("worker"), level="general")
    await ladder(town, manager, [(0, "office"), (5, "office")], level="general")
    await later(town, 10)
    assert names(world) == ["office"]
    await later(town, 21)
    assert names(world) == ["office", "manager"]
    await fire(town, await town.phone("worker"), level="general")
    await later(town, 6)
    assert names(world)[2:] == ["office", "office"], "the next one climbs the new ladder"


async def calendar(town: Town, manager: Phone, **week: Any) -> None:
    """The site's week, and the day after tomorrow off."""
    day = time.strftime("%Y-%m-%d", time.gmtime(hour_of_the_site(9) / 1000 + 86_400))
    ops: list[dict[str, Any]] = [
        {"k": "new", "c": "alerts.week", "r": str(uuid.uuid4()), "set": week},
        {"k": "new", "c": "alerts.holiday", "r": str(uuid.uuid4()), "set": {"day": day, "works": False}},
    ]
    answer = (await manager.push(town.one, ops)).json()
    assert answer["results"][0]["status"] == "applied", answer


async def test_a_ladder_that_counts_working_time_waits_over_the_night_and_the_holiday(
    town: Town, world: Outside
) -> None:
    manager, _ = await subscribed(town, world, "manager")
    await calendar(town, manager, **dict.fromkeys(WEEKDAYS, True), starts=8 * 60, ends=18 * 60)
    await ladder(town, manager, [(0, "inspector"), (120, "manager")], level="general", worktime=True)
    town.clock.ms = hour_of_the_site(17)
    await fire(town, await town.phone("worker"), level="general")
    await later(town, 15 * HOUR_MIN + 30)
    assert world.asked == [], "half past eight of a day that is not worked"
    await later(town, 24 * HOUR_MIN + 29)
    assert world.asked == []
    await later(town, 2)
    assert names(world) == ["manager"], "one hour of the first day, one of the third"


async def test_what_is_due_on_a_holiday_is_late_after_the_working_day_that_follows(town: Town, world: Outside) -> None:
    await subscribed(town, world, "inspector")
    manager = await town.phone("manager")
    await calendar(town, manager, **dict.fromkeys(WEEKDAYS, True), starts=8 * 60, ends=18 * 60)
    town.clock.ms = hour_of_the_site(9)
    holiday = time.strftime("%Y-%m-%d", time.gmtime(town.clock.ms / 1000 + 86_400))
    r = await fire(town, await town.phone("worker"), level="general", report_on=holiday)

    async def begun() -> list[str]:
        told = await manager.http.get("/api/alerts", params={"project": town.one, "r": r})
        return sorted(one["name"] for one in told.json()["alerts"])

    await later(town, (24 + 15) * HOUR_MIN + 1)
    assert await begun() == ["broken_out"], "the holiday is over"
    await later(town, 24 * HOUR_MIN)
    assert await begun() == ["broken_out", "no_report"]


async def test_only_managers_write_ladders(town: Town) -> None:
    for name in ("worker", "foreman", "supervisor", "stranger"):
        phone = await town.phone(name)
        op = {"k": "new", "c": "alerts.ladder", "r": str(uuid.uuid4()), "set": {"kind": "alarm.fire"}}
        answer = await phone.push(town.one, [op])
        assert answer.status_code >= 400 or answer.json()["results"][0]["status"] != "applied", (name, answer.text)
