"""From sign-in to the other phone: login, push, pull, history, refused, export, on both databases."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import openpyxl
import pytest

from server.core.merge import version
from server.store import people
from tests.server.web.kit import Town, note


async def test_an_entry_goes_from_one_phone_to_another(town_on: Town) -> None:
    worker, supervisor = await town_on.phone("worker"), await town_on.phone("supervisor")
    op = note(town_on.people["worker"])
    answer = await worker.push(town_on.one, [op])
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"][0]["status"] == "applied"
    header, *records = await supervisor.pull(town_on.one)
    assert header["more"] is False
    assert [record["set"]["text"] for record in records if record["r"] == op["r"]] == ["hello"]


async def test_a_pull_shows_only_what_the_reader_may_see(town: Town) -> None:
    worker, mate, foreman = [await town.phone(name) for name in ("worker", "mate", "foreman")]
    op = note(town.people["worker"])
    await worker.push(town.one, [op])
    assert op["r"] not in [record["r"] for record in (await mate.pull(town.one))[1:]]
    assert op["r"] in [record["r"] for record in (await foreman.pull(town.one))[1:]]


async def test_core_records_carry_names_teams_and_phones(town: Town) -> None:
    worker = await town.phone("worker")
    await town.site.sync.settle()
    records = {record["r"]: record for record in (await worker.pull(town.one))[1:]}
    me: dict[str, Any] = records[town.people["worker"]]
    shown = me["set"] | {path: writes[-1][5] for path, writes in me["f"].items() if path != "devices"}
    assert shown["name"] == "worker"
    assert shown["teams"] == [town.team_a]


async def test_a_refused_batch_is_answered_in_the_readers_language(town: Town) -> None:
    worker = await town.phone("worker")
    answer = await worker.push(town.one, [note(town.people["mate"])])
    refused = answer.json()["results"][0]
    assert (refused["status"], refused["code"]) == ("refused", "forbidden")
    worker.http.headers["Accept-Language"] = "zh-CN"
    again = await worker.push(town.one, [note(town.people["mate"])])
    assert again.json()["results"][0]["message"] != refused["message"]


async def test_history_tells_who_wrote_what_about_one_record(town: Town) -> None:
    worker = await town.phone("worker")
    op, other = note(town.people["worker"]), note(town.people["worker"], "other")
    head = (await worker.push(town.one, [op, other])).json()["results"][0]["seq"]
    change = {"k": "set", "c": "notes.note", "r": op["r"], "f": "text", "v": "better"}
    await worker.push(town.one, [change], base=head)
    asked = {"project": town.one, "c": "notes.note", "r": op["r"]}
    events = (await worker.http.get("/api/history", params=asked)).json()["history"]
    assert [[step["k"] for step in event["ops"]] for event in events] == [["new"], ["set"]]
    assert [event["name"] for event in events] == ["worker", "worker"]
    mate = await town.phone("mate")
    assert (await mate.http.get("/api/history", params=asked)).status_code == 404


async def test_history_reads_a_batch_of_the_servers_own_whatever_its_size(town: Town) -> None:
    worker = await town.phone("worker")
    ops = [{**note(town.people["worker"], "x" * 600), "k": "put"} for _ in range(500)]
    await town.site.store.put(town.one, ops)
    asked = {"project": town.one, "c": "notes.note", "r": ops[0]["r"]}
    answer = await worker.http.get("/api/history", params=asked)
    assert answer.status_code == 200
    assert [step["k"] for step in answer.json()["history"][0]["ops"]] == ["put"]


async def test_the_manager_reads_what_was_refused(town: Town) -> None:
    worker, manager = await town.phone("worker"), await town.phone("manager")
    await worker.push(town.one, [note(town.people["mate"], "not mine")])
    kept = (await manager.http.get("/api/refused", params={"project": town.one})).json()["refused"]
    assert [(one["name"], one["code"]) for one in kept] == [("worker", "forbidden")]
    stranger, mate = await town.phone("stranger"), await town.phone("mate")
    await stranger.push(town.one, *([note(town.people["stranger"], "noise")] for _ in range(3)))
    await people.end_member(town.site.store, town.one, town.people["mate"], town.clock.ms)
    await mate.push(town.one, [note(town.people["mate"], "my last day")])
    kept = (await manager.http.get("/api/refused", params={"project": town.one})).json()["refused"]
    assert sorted(one["name"] for one in kept) == ["mate", "worker"]
    assert {"not mine", "my last day"} == {json.loads(one["payload"])["ops"][0]["set"]["text"] for one in kept}


async def test_the_export_speaks_the_readers_language_and_guards_formulas(town_on: Town) -> None:
    worker = await town_on.phone("worker")
    full = note(
        town_on.people["worker"],
        '=HYPERLINK("http://x")',
        at=1_788_220_800_000,
        hours=850,
        pay=12345,
        length=510,
        ok=True,
        mood="calm",
        tags=["wet", "hot"],
        place={"lat": 312304167, "lng": 1214737000, "accuracy_m": 12, "fix_age_s": 3},
    )
    answer = await worker.push(town_on.one, [full])
    assert answer.json()["results"][0]["status"] == "applied", answer.text
    got = await worker.http.get("/api/export/notes.note.csv", params={"project": town_on.one})
    assert got.status_code == 200, got.text
    head, row = list(csv.reader(io.StringIO(got.content.decode("utf-8-sig"))))
    assert head[:5] == ["Day", "Owner", "Text", "Time", "Hours (h)"]
    assert row[:8] == [
        "2026-09-01", "worker", '\'=HYPERLINK("http://x")', "2026-09-01 08:00", "8.5", "123.45", "8:30", "Yes",
    ]  # fmt: skip
    assert row[8:] == ["Calm", "Hot, Wet", "31.2304167, 121.4737000 ±12 m", "", "Open", "worker", "", ""]
    book = await worker.http.get("/api/export/notes.note.xlsx", params={"project": town_on.one, "lang": "zh"})
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert sheet is not None
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert cells[0][:3] == ["日期", "本人", "内容"]
    assert (cells[1][2], cells[1][4]) == ('=HYPERLINK("http://x")', 8.5)
    assert sheet["C2"].data_type == "s"


async def test_the_export_holds_what_the_reader_may_see_of_the_days_asked(town: Town) -> None:
    worker, mate = await town.phone("worker"), await town.phone("mate")
    days = ["2026-09-01", "2026-09-02", "2026-09-03"]
    await worker.push(town.one, [note(town.people["worker"], day, day) for day in days])
    asked = {"project": town.one, "from": "2026-09-02", "to": "2026-09-02"}
    lines = (await worker.http.get("/api/export/notes.note.csv", params=asked)).text.splitlines()
    assert len(lines) == 2
    assert "2026-09-02" in lines[1]
    assert len((await mate.http.get("/api/export/notes.note.csv", params={"project": town.one})).text.splitlines()) == 1


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({}, ["calm one", "other day", "approved"]),
        ({"text": "CALM"}, ["calm one"]),
        ({"text": "11月21日"}, ["other day"]),
        ({"text": "one approved"}, []),
        ({"text": "已审核"}, ["approved"]),
        ({"text": "已审核", "lang": "en"}, []),
        ({"text": "Approved", "lang": "en"}, ["approved"]),
        ({"state": "approved"}, ["approved"]),
        ({"state": "open", "to": "2026-11-20"}, ["calm one"]),
        ({"person": "worker"}, ["calm one", "other day", "approved"]),
        ({"person": "mate"}, []),
        ({"team": "anybody: a note names no team"}, ["calm one", "other day", "approved"]),
    ],
    ids=str,
)
async def test_the_export_holds_what_the_ledgers_filters_leave(
    town: Town, asked: dict[str, str], kept: list[str]
) -> None:
    worker, supervisor = await town.phone("worker"), await town.phone("supervisor")
    me = town.people["worker"]
    approved = note(me, "approved", "2026-11-22")
    await worker.push(town.one, [note(me, "calm one", "2026-11-20")], [note(me, "other day", "2026-11-21")], [approved])
    record = await town.site.store.record(town.one, approved["r"])
    assert record is not None
    ver = version(record, town.site.declarations.kind("notes.note"))
    act = {"k": "act", "c": "notes.note", "r": approved["r"], "act": "approve", "ver": ver}
    assert (await supervisor.push(town.one, [act])).json()["results"][0]["status"] == "applied"
    params = {key: town.people.get(value, value) for key, value in asked.items()}
    if "team" in params:
        params["team"] = "t-1"
    params = {"project": town.one, "lang": "zh"} | params
    got = await supervisor.http.get("/api/export/notes.note.csv", params=params)
    assert got.status_code == 200, got.text
    assert [row[2] for row in csv.reader(io.StringIO(got.content.decode("utf-8-sig")))][1:] == kept
    stranger = await town.phone("stranger")
    assert (await stranger.http.get("/api/export/notes.note.csv", params=params)).status_code in (403, 404)


async def test_the_export_names_other_records_by_their_titles_where_the_reader_may_see_them(town: Town) -> None:
    worker, mate = await town.phone("worker"), await town.phone("mate")
    me = town.people["worker"]
    plan, hidden = note(me, "ground floor"), note(town.people["mate"], "mate's own")
    await mate.push(town.one, [hidden])
    spot = {"plan": plan["r"], "page": 2, "x": 250_000, "y": 731_000}
    await worker.push(town.one, [plan], [note(me, "a", other=plan["r"], spot=spot)], [note(me, "b", other=hidden["r"])])
    got = await worker.http.get("/api/export/notes.note.csv", params={"project": town.one})
    rows = {row[2]: row[-2:] for row in csv.reader(io.StringIO(got.content.decode("utf-8-sig")))}
    assert rows["a"] == ["ground floor", "ground floor · 2 (25.0%, 73.1%)"]
    assert rows["b"] == [hidden["r"], ""]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
async def test_one_record_beyond_every_calendar_does_not_keep_the_others_from_the_export(
    town: Town, suffix: str
) -> None:
    worker, me = await town.phone("worker"), town.people["worker"]
    mad = [note(me, at=253_402_300_799_999), note(me, length=2**53 - 1), note(me, day="0001-01-01")]
    results = (await worker.push(town.one, [*mad, note(me, "＝1+1")])).json()["results"]
    assert results[0]["status"] == "applied"
    got = await worker.http.get(f"/api/export/notes.note.{suffix}", params={"project": town.one})
    assert got.status_code == 200
    if suffix == "csv":
        text = got.content.decode("utf-8-sig")
        assert "253402300799999" in text
        assert "'＝1+1" in text
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(got.content)).active
        assert sheet is not None
        assert sheet.max_row == 5
        assert "0001-01-01" in {cell.value for cell in sheet["A"]}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "malformed"),
        ({"project": "no such project"}, "malformed"),
        ({"project": "nowhere"}, "forbidden"),
        ({"project": "one", "cursor": "-1"}, "malformed"),
        ({"project": "one", "cursor": "99999999999999999"}, "malformed"),
        ({"project": "one", "cursor": "900719"}, "cursor_expired"),
        ({"project": "one", "limit": "0"}, "malformed"),
        ({"project": "one", "epoch": "x"}, "malformed"),
    ],
)
async def test_a_pull_that_cannot_be_answered_says_why(town: Town, asked: dict[str, str], code: str) -> None:
    worker = await town.phone("worker")
    if asked.get("project") == "one":
        asked = {**asked, "project": town.one}
    answer = await worker.http.get("/api/pull", params=asked)
    assert answer.json()["code"] == code


async def test_a_push_body_has_a_limit(town: Town) -> None:
    worker = await town.phone("worker")
    answer = await worker.http.post("/api/push", content=b" " * (9 * 1024 * 1024))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
