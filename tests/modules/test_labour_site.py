"""Labour on a whole server: phones push, shifts follow, each caller gets the lines that he may see."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from openpyxl import load_workbook

from server.core.merge import shown
from server.modules.labour.computed import shifts, zone_of
from server.sync.computed import Inputs
from tests.modules.kit import apply, approve, check_in, labour_town, ms, send
from tests.postgres import fresh_database
from tests.server.web.kit import Phone, Town

MONTH: Final = "2026-09"
DAY: Final = "2026-09-21"


async def a_day_of_work(town: Town) -> None:
    """Worker (team a) ten hours, approved; foreman nine and a half; mate (team b) without an out."""
    worker, foreman, mate = [await town.phone(name) for name in ("worker", "foreman", "mate")]
    who = town.people
    taps = [
        check_in(who["worker"], "in", f"{DAY} 07:00", team=town.team_a),
        check_in(who["worker"], "out", f"{DAY} 17:00", team=town.team_a),
    ]
    await apply(worker, town.one, *taps)
    await apply(
        foreman,
        town.one,
        check_in(who["foreman"], "in", f"{DAY} 07:00", team=town.team_a, method="own"),
        check_in(who["foreman"], "out", f"{DAY} 16:30", team=town.team_a, method="own"),
    )
    await apply(mate, town.one, check_in(who["mate"], "in", f"{DAY} 01:00", team=town.team_b))
    await apply(await town.phone("supervisor"), town.one, *map(approve, taps))
    await town.site.sync.settle()


async def shifts_seen_by(phone: Phone, project: str) -> dict[str, dict[str, Any]]:
    """Worker → the values of his shift."""
    records = (await phone.pull(project))[1:]
    found = [shown(one, None) for one in records if one["c"] == "labour.shift"]
    return {values["worker"]: values for values in found}


async def lines(phone: Phone, **asked: str) -> list[str]:
    """The names on the month's XLSX."""
    answer = await phone.http.get("/api/labour/month.xlsx", params={"month": MONTH, **asked})
    assert answer.status_code == 200, answer.text
    book = load_workbook(BytesIO(answer.content))
    tabs = [tab for tab in book.worksheets if tab["A3"].value == "No." and tab["B3"].value == "Name"]
    return [str(row[1].value) for tab in tabs for row in tab.iter_rows(min_row=5) if isinstance(row[0].value, int)]


async def test_the_shift_follows_the_check_ins_and_says_what_is_approved(town: Town) -> None:
    await a_day_of_work(town)
    seen = await shifts_seen_by(await town.phone("supervisor"), town.one)
    who = town.people
    assert (seen[who["worker"]]["minutes"], seen[who["worker"]]["approved_minutes"]) == (600, 600)
    assert (seen[who["foreman"]]["minutes"], seen[who["foreman"]]["approved_minutes"]) == (570, 0)
    assert (seen[who["mate"]]["minutes"], seen[who["mate"]]["flags"]) == (0, ["missing_out"])
    assert seen[who["worker"]]["work_date"] == DAY


async def test_a_returned_check_in_takes_its_shift_along_and_submitting_it_again_brings_it_back(town: Town) -> None:
    worker, supervisor = await town.phone("worker"), await town.phone("supervisor")
    me = town.people["worker"]
    came = check_in(me, "in", f"{DAY} 07:00")
    await apply(worker, town.one, came, check_in(me, "out", f"{DAY} 17:00"))
    back = {"k": "act", "c": "labour.checkin", "r": came["r"], "act": "return", "note": "not in the gate book"}
    await apply(supervisor, town.one, back)
    await town.site.sync.settle()
    assert (await shifts_seen_by(worker, town.one))[me]["flags"] == ["missing_in"]
    await apply(worker, town.one, {"k": "act", "c": "labour.checkin", "r": came["r"], "act": "submit"})
    await town.site.sync.settle()
    assert (await shifts_seen_by(worker, town.one))[me]["minutes"] == 600


async def test_returning_needs_a_note_and_nobody_approves_or_returns_his_own(town: Town) -> None:
    supervisor, manager = await town.phone("supervisor"), await town.phone("manager")
    own = check_in(town.people["supervisor"], "in", f"{DAY} 07:00")
    await apply(supervisor, town.one, own)
    back = {"k": "act", "c": "labour.checkin", "r": own["r"], "act": "return"}
    assert (await send(supervisor, town.one, approve(own)))["code"] == "forbidden"
    assert (await send(supervisor, town.one, back | {"note": "why not"}))["code"] == "forbidden"
    refused = await send(manager, town.one, back)
    assert (refused["code"], refused["field"]) == ("invalid", "note")
    await apply(manager, town.one, approve(own))


@pytest.mark.parametrize(
    ("name", "for_whom", "is_allowed"),
    [
        ("worker", "worker", True), ("worker", "mate", False),
        ("foreman", "worker", True), ("foreman", "mate", False),
        ("office", "mate", True), ("manager", "mate", True),
        ("supervisor", "worker", False), ("inspector", "worker", False), ("client", "worker", False),
        ("stranger", "worker", False), ("stranger", "stranger", False),
    ],
)  # fmt: skip
async def test_who_may_check_whom_in(town: Town, name: str, for_whom: str, is_allowed: bool) -> None:
    phone = await town.phone(name)
    result = await send(phone, town.one, check_in(town.people[for_whom], "in", f"{DAY} 07:00"))
    assert (result["status"] == "applied") == is_allowed, result
    assert is_allowed or result["code"] == "forbidden"


@pytest.mark.parametrize(
    ("name", "is_allowed"),
    [(name, name in ("supervisor", "manager")) for name in
     ("worker", "foreman", "inspector", "supervisor", "manager", "office", "client", "mate", "stranger")],
)  # fmt: skip
async def test_who_may_approve(town: Town, name: str, is_allowed: bool) -> None:
    made = check_in(town.people["worker"], "in", f"{DAY} 07:00")
    await apply(await town.phone("worker"), town.one, made)
    result = await send(await town.phone(name), town.one, approve(made))
    assert (result["status"] == "applied") == is_allowed, result


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("worker", ["worker"]),
        ("mate", ["mate"]),
        ("foreman", ["foreman", "worker"]),
        ("supervisor", ["mate", "foreman", "worker"]),
        ("manager", ["mate", "foreman", "worker"]),
        ("office", ["mate", "foreman", "worker"]),
        ("inspector", []),
        ("client", []),
    ],
)
async def test_the_month_sheet_holds_the_lines_that_the_caller_may_see(
    town: Town, name: str, expected: list[str]
) -> None:
    await a_day_of_work(town)
    assert await lines(await town.phone(name), project=town.one) == expected


ADDRESSES: Final = [
    ("/api/labour/month.xlsx", {"month": MONTH}),
    ("/print/labour/month", {"month": MONTH}),
    ("/print/labour/day", {"day": DAY}),
]


@pytest.mark.parametrize(("address", "asked"), ADDRESSES)
async def test_the_stranger_is_refused_and_so_is_nobody_at_all(town: Town, address: str, asked: dict[str, str]) -> None:
    await a_day_of_work(town)
    stranger = await town.phone("stranger")
    answer = await stranger.http.get(address, params={"project": town.one, **asked})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    nobody = await town.client()
    answer = await nobody.get(address, params={"project": town.one, **asked})
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")


@pytest.mark.parametrize(
    ("name", "may", "may_not"),
    [
        ("worker", ["worker"], ["foreman", "mate"]),
        ("foreman", ["foreman", "worker"], ["mate"]),
        ("office", ["worker", "mate"], []),
        ("supervisor", ["worker", "mate"], []),
        ("manager", ["worker", "mate"], []),
        ("client", ["client"], ["worker"]),
    ],
)
async def test_the_sheet_of_somebody_out_of_sight_is_refused(
    town: Town, name: str, may: list[str], may_not: list[str]
) -> None:
    phone = await town.phone(name)
    for address, asked in ADDRESSES:
        for whose, status in [*((one, 200) for one in may), *((one, 403) for one in may_not)]:
            params = {"project": town.one, "person": town.people[whose], **asked}
            assert (await phone.http.get(address, params=params)).status_code == status, (address, whose)


async def test_another_teams_sheet_is_refused_and_an_unknown_one_not_found(town: Town) -> None:
    await a_day_of_work(town)
    foreman, office = await town.phone("foreman"), await town.phone("office")
    assert await lines(foreman, project=town.one, team=town.team_a) == ["foreman", "worker"]
    assert await lines(office, project=town.one, team=town.team_b) == ["mate"]
    for phone, team, status in ((foreman, town.team_b, 403), (foreman, "nowhere", 403), (office, "nowhere", 404)):
        params = {"project": town.one, "month": MONTH, "team": team}
        assert (await phone.http.get("/print/labour/month", params=params)).status_code == status


@pytest.mark.parametrize("month", ["2026-13", "2026-9", "0000-01", "2026-09-01", "", "２０２６-09", "x" * 500])
async def test_a_month_that_there_is_not_is_answered_clearly(town: Town, month: str) -> None:
    phone = await town.phone("office")
    answer = await phone.http.get("/print/labour/month", params={"project": town.one, "month": month})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("day", ["2026-02-30", "2026-00-10", "0000-00-00", "today"])
async def test_a_day_that_there_is_not_is_answered_clearly(town: Town, day: str) -> None:
    phone = await town.phone("office")
    answer = await phone.http.get("/print/labour/day", params={"project": town.one, "day": day})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_the_printed_pages_speak_both_languages_and_carry_no_script_or_style_of_their_own(town: Town) -> None:
    await a_day_of_work(town)
    office = await town.phone("office")
    for address, asked in ADDRESSES[1:]:
        for lang, word in (("zh", "本人签字"), ("en", "Signature")):
            answer = await office.http.get(address, params={"project": town.one, "lang": lang, **asked})
            assert answer.status_code == 200
            assert word in answer.text
            assert "<script" not in answer.text
            assert "<style" not in answer.text
            assert "style=" not in answer.text
            assert "/static/labour.css" in answer.text
    assert (await office.http.get("/static/labour.css")).status_code == 200


async def test_a_name_that_looks_like_html_is_printed_as_it_is_written(town: Town) -> None:
    await town.site.store.change(
        [("UPDATE person SET name = ? WHERE id = ?", ("<b>王</b>", town.people["worker"]))]
    )  # fmt: skip
    office = await town.phone("office")
    answer = await office.http.get("/print/labour/month", params={"project": town.one, "month": MONTH})
    assert "&lt;b&gt;王&lt;/b&gt;" in answer.text
    assert "<b>王" not in answer.text


async def test_who_is_at_work_now_is_on_site_and_not_missing_an_out(town: Town) -> None:
    worker, office = await town.phone("worker"), await town.phone("office")
    await apply(worker, town.one, check_in(town.people["worker"], "in", f"{DAY} 13:00"))
    await town.site.sync.settle()
    params = {"project": town.one, "day": DAY, "lang": "en"}
    assert "on site" in (await office.http.get("/print/labour/day", params=params)).text
    town.clock.ms = ms("2026-09-22 05:01")
    answer = await office.http.get("/print/labour/day", params=params)
    assert "on site" not in answer.text
    assert "missing" in answer.text


async def test_a_check_in_without_a_work_date_is_counted_on_the_day_it_happened(town: Town) -> None:
    worker = await town.phone("worker")
    me = town.people["worker"]
    for direction, wall in (("in", f"{DAY} 07:00"), ("out", f"{DAY} 12:00")):
        op = check_in(me, direction, wall)
        del op["set"]["work_date"]
        await apply(worker, town.one, op)
    await town.site.sync.settle()
    assert (await shifts_seen_by(worker, town.one))[me]["minutes"] == 300


def test_the_function_answers_only_for_the_days_asked_and_knows_china_where_no_zone_is_told() -> None:
    assert str(zone_of([])) == "Asia/Shanghai"
    assert list(shifts(Inputs("p", "w", "2026-09-01", "2026-09-02", [], {}))) == []


async def test_it_is_the_same_on_postgresql(tmp_path: Path, postgres: str) -> None:
    async with fresh_database(postgres) as url, labour_town(tmp_path, database_url=url) as town:
        await test_the_shift_follows_the_check_ins_and_says_what_is_approved(town)
        assert await lines(await town.phone("office"), project=town.one) == ["mate", "foreman", "worker"]
