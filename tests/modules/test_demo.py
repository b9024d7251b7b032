"""The demo site: it came in the real way, it is believable, and it is made once."""

from __future__ import annotations

import asyncio
from bisect import bisect
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from server import demo
from server.app import App, NotHere
from server.config import ROOT, Settings
from server.core.declaration import load
from server.core.merge import Stamp, conflicts, fold, shown, version
from server.demo import Demo, cast, set_up
from server.demo.hazards import Heard, six_weeks_of_hazards
from server.demo.weeks import DAYS, Sent, Weeks, six_weeks
from server.store.round import decode
from server.sync.signature import is_signed
from server.web.site import Site
from tests.modules.kit import ZONE, ms
from tests.server.web.kit import Clock, Phone, Town

NOW: Final = ms("2026-03-12 10:20")  # a Thursday
ALERTS: Final = (
    "SELECT name, state, c, begun, (SELECT count(DISTINCT person) FROM alert_attempt WHERE alert = alert.id),"
    " (SELECT count(*) FROM alert_answer WHERE alert = alert.id) FROM alert"
)
RECORDS: Final = "SELECT body FROM record WHERE project = ? AND c = ? AND deleted = 0"


@dataclass(frozen=True)
class Facts:
    """What there is after `gongbu serve --demo` came up once."""

    demo: Demo
    checkins: list[dict[str, Any]]
    shifts: list[dict[str, Any]]
    batches: list[tuple[Any, ...]]  # device, key, payload, sig, received
    refused: int
    signed_in: Mapping[str, int]  # sign-in name → status
    projects_of_stranger: list[str]
    kinds: Mapping[str, Any]
    photos: Mapping[str, int]  # state → how many have arrived
    hazards: list[dict[str, Any]]
    alerts: list[tuple[Any, ...]]  # name, state, kind, begun, how many it means and how many have answered
    attempts: set[str]  # how they ended
    again: Demo
    heads: tuple[int, int]  # before and after the second set-up


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return asyncio.run(_facts(tmp_path_factory.mktemp("demo")))


async def _facts(folder: Path) -> Facts:
    app = App(Settings(data=folder, demo=True), Clock(NOW))
    async with app.lifespan() as site, AsyncExitStack() as stack:
        assert app.demo is not None
        project, head = app.demo.project, await _head(site)
        again = await set_up(site)
        heads = (head, await _head(site))
        town = Town(app, site, Clock(NOW), open=stack)
        status, own = await _sign_in(town, [login for login, _, _ in app.demo.logins])
        return Facts(
            demo=app.demo,
            checkins=[decode(body) for (body,) in await site.store.rows(RECORDS, project, "labour.checkin")],
            shifts=[decode(body) for (body,) in await site.store.rows(RECORDS, project, "labour.shift")],
            batches=await site.store.rows(
                "SELECT b.device, d.key, b.payload, b.sig, b.received FROM batch b JOIN device d ON d.id = b.device"
            ),
            refused=(await site.store.rows("SELECT count(*) FROM refused"))[0][0],
            signed_in=status,
            projects_of_stranger=own,
            kinds=site.declarations.kinds,
            photos=dict(await site.store.rows("SELECT state, count(*) FROM photo GROUP BY state")),
            hazards=[decode(body) for (body,) in await site.store.rows(RECORDS, project, "safety.hazard")],
            alerts=await site.store.rows(ALERTS),
            attempts={how for (how,) in await site.store.rows("SELECT DISTINCT status FROM alert_attempt")},
            again=again,
            heads=heads,
        )


async def _head(site: Site) -> int:
    return int((await site.store.rows("SELECT sum(head) FROM project"))[0][0])


async def _sign_in(town: Town, logins: list[str]) -> tuple[dict[str, int], list[str]]:
    status, own = {}, []
    for login in [*logins, "李满仓", "nobody"]:
        answer = await Phone(await town.client()).login(login, cast.PASSWORD)
        status[login] = answer.status_code
        if login == "stranger":
            own = [project["id"] for project in answer.json()["projects"]]
    return status, own


def values(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [shown(record, None) for record in records]


def test_forty_people_in_four_teams_and_a_stranger_elsewhere() -> None:
    assert sum(len(team.everybody) for team in cast.TEAMS) + len(cast.OFFICE) == 40
    everybody = [m for team in cast.TEAMS for m in team.everybody] + [*cast.OFFICE, cast.STRANGER]
    everybody += cast.OTHER_TEAM.everybody
    assert len({member.name for member in everybody}) == 43


def test_the_named_people_can_sign_in_and_nobody_else(facts: Facts) -> None:
    named = ["worker", "foreman", "inspector", "supervisor", "manager", "office", "client", "stranger"]
    assert sorted(login for login, _, _ in facts.demo.logins) == sorted(named)
    assert facts.signed_in == {**dict.fromkeys(named, 200), "李满仓": 401, "nobody": 401}


def test_the_stranger_is_on_another_site(facts: Facts) -> None:
    assert len(facts.projects_of_stranger) == 1
    assert facts.projects_of_stranger != [facts.demo.project]


def test_every_batch_carries_the_signature_of_its_phone_and_none_was_refused(facts: Facts) -> None:
    assert facts.refused == 0
    assert len(facts.batches) > 2_000
    assert all(is_signed(payload.encode(), sig, key) for _, key, payload, sig, _ in facts.batches[::25])
    assert len({device for device, *_ in facts.batches}) > 25


def test_its_photos_and_its_drawing_have_arrived(facts: Facts) -> None:
    assert facts.photos["file"] == 1
    assert sum(facts.photos.values()) > 12
    assert facts.photos.keys() <= {"file", "arrived", "ready"}


def test_hazards_stand_in_every_state_with_photos_before_and_after(facts: Facts) -> None:
    states = Counter(record["state"] for record in facts.hazards)
    assert states == {"closed": 6, "fixing": 3, "recheck": 1, "issued": 2, "reported": 2}
    shown_hazards = values(facts.hazards)
    assert Counter(one["level"] for one in shown_hazards) == {"general": 12, "major": 2}
    assert all(one["stop_work"] and one["reported_up"] for one in shown_hazards if one["level"] == "major")
    assert sum(one.get("due", NOW) < NOW for r, one in zip(facts.hazards, shown_hazards, strict=True)
               if r["state"] in ("issued", "fixing")) == 2  # fmt: skip
    (tip,) = [record for record in facts.hazards if shown(record, None).get("from_tip")]
    assert tip["by"] == "server"
    assert all(one["found_on"] for one in shown_hazards)
    for record, one in zip(facts.hazards, shown_hazards, strict=True):
        before = {path.split(".")[1] for path in one if path.startswith("photos.")}
        after = {value["pair"] for path, value in one.items() if path.startswith("after.")}
        assert after <= before
        assert bool(after) == (record["state"] in ("recheck", "closed") or "盖板未固定" in one["description"])
    assert len([one for one in shown_hazards if "pin" in one]) == 13


def test_one_alert_is_unanswered_one_call_had_two_silent_and_nobody_was_sent_anything(facts: Facts) -> None:
    assert [(name, c) for name, state, c, *_ in facts.alerts if state == "open"] == [("overdue", "safety.hazard")]
    assert [meant - said for _, _, c, _, meant, said in facts.alerts if c == "safety.broadcast"] == [2]
    assert all(begun < NOW for _, _, _, begun, _, _ in facts.alerts)
    (called,) = [begun for _, _, c, begun, _, _ in facts.alerts if c == "safety.broadcast"]
    assert called >= ms("2026-03-06 09:45")
    assert facts.attempts == {"no_way"}


def test_nothing_lies_after_now_and_it_goes_back_six_weeks(facts: Facts) -> None:
    assert max(received for *_, received in facts.batches) < NOW
    days = sorted({one["work_date"] for one in values(facts.checkins)})
    assert (date.fromisoformat(days[-1]) - date.fromisoformat(days[0])).days == DAYS - 1
    assert days[-1] == datetime.fromtimestamp(NOW / 1000, ZONE).date().isoformat()


def test_every_seal_is_of_the_content_that_was_approved(facts: Facts) -> None:
    kind = facts.kinds["labour.checkin"]
    sealed = [record for record in facts.checkins if record["seal"]]
    assert len(sealed) > 2_000
    assert all(record["seal"]["ver"] == version(record, kind) for record in sealed)


def test_most_is_approved_some_was_returned_and_the_last_days_wait(facts: Facts) -> None:
    states = Counter(record["state"] for record in facts.checkins)
    assert states["approved"] > 2_000
    assert 60 < states["submitted"] < 400
    assert 1 <= states["returned"] < 20
    waiting = {shown(r, None)["work_date"] for r in facts.checkins if r["state"] == "submitted"}
    assert min(waiting) >= "2026-03-07"
    assert any(r["state"] == "approved" and r["f"].get("note") for r in facts.checkins), "returned, answered, approved"


def test_the_usual_mess_is_there(facts: Facts) -> None:
    flags = Counter(flag for one in values(facts.shifts) for flag in one.get("flags", []))
    for flag, least in {
        "missing_out": 20, "missing_in": 5, "outside": 20, "night": 20, "clock": 40, "crew": 100, "manual": 1,
        "conflict": 1,
    }.items():  # fmt: skip
        assert flags[flag] >= least, (flag, flags)
    assert {one.get("fence") for one in values(facts.checkins)} == {"inside", "outside", "unknown", None}
    assert any(one.get("fence") == "outside" and one.get("note") for one in values(facts.checkins))
    assert any(abs(one.get("device_skew_ms", 0)) > 10_000_000 for one in values(facts.checkins))


def test_there_is_a_conflict_to_settle_and_a_late_edit_to_decide_on(facts: Facts) -> None:
    kind = facts.kinds["labour.checkin"]
    assert [conflicts(record, kind) for record in facts.checkins if conflicts(record, kind)] == [["at"]]
    assert [len(record["held"]) for record in facts.checkins if record["held"]] == [1]


def test_the_hours_are_those_of_a_building_site(facts: Facts) -> None:
    whole = [one["minutes"] for one in values(facts.shifts) if one["minutes"]]
    assert len(whole) > 1_000
    assert sorted(whole)[len(whole) // 10] > 3 * 60
    assert max(whole) < 13 * 60


def test_setting_it_up_again_changes_nothing(facts: Facts) -> None:
    assert facts.again == facts.demo
    assert facts.heads[0] == facts.heads[1]


def whole(now: int) -> tuple[list[Sent], list[Heard]]:
    """Six weeks of hazards alone, without a photo."""
    names = [member.name for member in demo._everybody(cast.TEAMS, cast.OFFICE)] + [team.name for team in cast.TEAMS]
    weeks = Weeks({name: f"id{i}" for i, name in enumerate(names)}, now, Random(7))
    heard = six_weeks_of_hazards(weeks, lambda _: {"sha": "a" * 64})
    return weeks.sent, list(heard)


@pytest.mark.parametrize("time", ["2026-03-08 00:30", "2026-03-09 09:30", "2026-03-12 17:30", "2026-03-13 23:50"])
def test_whenever_the_demo_is_made_each_hazard_is_written_by_one_phone_in_half_a_day(time: str) -> None:
    """Phones push side by side; who follows another must come after him."""
    now = ms(time)
    sent, heard = whole(now)
    assert whole(now) == (sent, heard)
    assert all(one.made <= one.received < now for one in sent)
    assert all(one.at < now for one in heard)
    writers: dict[tuple[object, ...], set[str]] = {}
    for one in sent:
        for op in one.ops:
            writers.setdefault((op["r"], *demo.half_day(one, now)), set()).add(one.by.name)
    assert all(len(names) == 1 for names in writers.values())


def plan(now: int = NOW, seed: int = 7) -> list[Sent]:
    names = [member.name for team in cast.TEAMS for member in team.everybody] + [team.name for team in cast.TEAMS]
    return six_weeks({name: f"id{i}" for i, name in enumerate(names)}, now, seed)


def test_the_same_seed_and_clock_give_the_same_six_weeks() -> None:
    assert plan() == plan()
    assert plan(seed=8) != plan()


@pytest.mark.parametrize("hour", range(0, 24, 3))
@pytest.mark.parametrize("day", ["2026-03-08", "2026-03-11"])  # a Sunday, the morning after a night
def test_at_any_hour_of_any_day_nothing_is_in_the_future(day: str, hour: int) -> None:
    now = ms(f"{day} {hour:02}:30")
    sent = plan(now)
    assert all(one.made <= one.received < now for one in sent)
    made = {op["r"] for one in sent for op in one.ops if op["k"] == "new"}
    assert {op["r"] for one in sent for op in one.ops} == made


async def test_a_set_up_that_was_broken_off_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any) -> list[Sent]:
        return []

    async def broken_off(*_: Any) -> None:
        raise OSError("the plug was pulled")

    monkeypatch.setattr(demo, "six_weeks", nothing)
    with monkeypatch.context() as cut:
        cut.setattr(demo, "_open_doors", broken_off)
        with pytest.raises(OSError, match="plug"):
            async with App(Settings(data=tmp_path, demo=True), Clock(NOW)).lifespan():
                pass
    app = App(Settings(data=tmp_path, demo=True), Clock(NOW))
    async with app.lifespan() as site:
        assert app.demo is not None
        assert (await site.store.rows("SELECT count(*) FROM person WHERE login IS NOT NULL"))[0][0] == 8
        assert await demo._there() == app.demo.project


async def test_without_the_flag_there_is_no_demo_and_a_demo_folder_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with App(Settings(data=tmp_path / "real"), Clock(NOW)).lifespan() as site:
        assert await site.store.rows("SELECT id FROM project") == []
    monkeypatch.setattr(demo, "six_weeks", lambda *_: [])
    async with App(Settings(data=tmp_path / "demo", demo=True), Clock(NOW)).lifespan():
        pass
    with pytest.raises(NotHere):
        async with App(Settings(data=tmp_path / "demo"), Clock(NOW)).lifespan():
            pass


assert ZoneInfo(cast.ZONE) == ZONE


EVENING: Final = [f"{18 + minute // 60}:{minute % 60:02}" for minute in range(0, 80, 5)]  # the supervisor is at it


@pytest.mark.parametrize("time", [*(f"{hour:02}:10" for hour in range(0, 24, 3)), *EVENING])
def test_at_whatever_hour_the_demo_is_made_each_approval_is_of_what_was_there(time: str) -> None:
    ids = {member.name: member.name for team in cast.TEAMS for member in team.everybody}
    ids |= {team.name: team.name for team in cast.TEAMS} | {member.name: member.name for member in cast.OFFICE}
    kinds = load(ROOT / "shared" / "modules").kinds
    records: dict[str, Any] = {}
    now = ms(f"2026-03-12 {time}")
    sent = six_weeks(ids, now, demo.SEED)
    received = [one.received for one in sent]
    for seq, one in enumerate(sent, 1):
        base = bisect(received, one.made, hi=seq - 1)
        for op in one.ops:
            if op.get("act") == "approve":
                assert version(records[op["r"]], kinds[op["c"]]) == op["ver"], one
        fold(records, one.ops, Stamp(seq, one.by.name, base, one.received, one.by.name, 1), kinds)
