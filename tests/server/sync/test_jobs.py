"""What is done after a commit: the mirror, computed kinds, and jobs that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from server.core.merge import is_deleted
from server.store.store import Store
from server.sync.computed import ALWAYS, DAYS_MAX, Inputs, Result, pieces_of, shift, spans_of
from server.sync.jobs import TRIES_MAX, Jobs
from server.sync.mirror import mirror_id
from tests.server.site import COMPUTED, Clock, Phone, Site, add, change, entry, new_id, notice


def live(phone: Phone, c: str) -> list[dict[str, Any]]:
    """The set values of the records of a kind that are not deleted."""
    return [r["set"] for r in phone.records.values() if r["c"] == c and not is_deleted(r)]


def totals(phone: Phone) -> dict[str, int]:
    return {str(values["day"]): int(values["count"]) for values in live(phone, "yard.total")}


async def test_people_teams_and_the_site_are_records_that_every_member_gets(site: Site) -> None:
    names = sorted(values["name"] for values in live(site.worker, "core.person"))
    assert names == ["foreman", "office", "supervisor", "worker"]
    person = site.worker.records[site.worker.person]["set"]
    assert person["roles"] == ["worker"]
    assert person["teams"] == [site.team]
    assert person["devices"] == [site.worker.device]
    assert site.worker.records[site.project]["set"]["name"] == "One"
    assert site.worker.records[site.team]["set"]["name"] == "Crew"


async def test_a_changed_row_becomes_a_changed_record_and_an_unchanged_one_is_not_written_again(site: Site) -> None:
    head = await site.head()
    await site.store.change([("UPDATE person SET name = '王建国' WHERE id = ?", (site.worker.person,))])
    await site.sync.settle()
    assert await site.head() == head + 1
    await site.office.pull()
    assert site.office.records[site.worker.person]["set"]["name"] == "王建国"
    await site.store.change([("UPDATE team SET name = name WHERE id = ?", (site.team,))])
    await site.sync.settle()
    assert await site.head() == head + 1


async def test_a_closed_place_is_deleted_on_the_phones(site: Site) -> None:
    place = new_id()
    await site.store.change([add("place", id=place, project=site.project, name="Gate", code="G1")])
    await site.sync.settle()
    await site.office.pull()
    assert [values["name"] for values in live(site.office, "core.place")] == ["Gate"]
    await site.store.change([("UPDATE place SET closed = 1 WHERE id = ?", (place,))])
    await site.sync.settle()
    await site.office.pull()
    assert live(site.office, "core.place") == []


def test_an_id_that_is_no_uuid_gets_a_record_id_of_its_own() -> None:
    id = "0198c0de-0000-7000-8000-000000000001"
    assert mirror_id("p", "core.person", id) == id
    assert mirror_id("p", "core.person", "zhang") != mirror_id("p", "core.team", "zhang")


async def test_a_computed_kind_follows_its_inputs(site: Site) -> None:
    first, second = new_id(), new_id()
    await site.worker.write(
        entry(site.worker.person, "2026-03-01", first), entry(site.worker.person, "2026-03-01", second)
    )
    await site.sync.settle()
    await site.worker.pull()
    assert totals(site.worker) == {"2026-03-01": 2}

    await site.worker.write(change("yard.entry", second, "day", "2026-03-05"))
    await site.sync.settle()
    await site.worker.pull()
    assert totals(site.worker) == {"2026-03-01": 1, "2026-03-05": 1}

    await site.worker.write({"k": "del", "c": "yard.entry", "r": first})
    await site.sync.settle()
    await site.worker.pull()
    assert totals(site.worker) == {"2026-03-05": 1}
    (total,) = [r for r in site.worker.records.values() if r["c"] == "yard.total" and not is_deleted(r)]
    assert (total["by"], total["born"][2], total["aud"]) == ("server", "server", f"person:{site.worker.person}")


async def test_what_is_computed_already_is_not_written_again(site: Site) -> None:
    await site.worker.write(entry(site.worker.person))
    await site.sync.settle()
    head = await site.head()
    await site.store.change([("UPDATE computed SET seq = 0", ())])
    await site.worker.write(entry(site.worker.person, "2026-06-01"))
    await site.sync.settle()
    assert await site.head() == head + 2  # the entry, and the one total that it made


async def test_only_a_group_that_changed_is_computed_again(site: Site) -> None:
    for phone in (site.worker, site.office):
        await site.office.write(entry(phone.person))
    await site.sync.settle()
    await site.worker.write(entry(site.worker.person))
    await site.sync.settle()
    await site.office.pull()
    counts = sorted(values["count"] for values in live(site.office, "yard.total"))
    assert counts == [1, 2]


async def test_an_input_without_a_day_makes_its_whole_group_be_computed(site: Site) -> None:
    r = new_id()
    await site.worker.write(entry(site.worker.person, "2026-03-01"))
    await site.worker.write({"k": "new", "c": "yard.entry", "r": r, "set": {"worker": site.worker.person}})
    await site.sync.settle()
    await site.worker.write(change("yard.entry", r, "day", "2026-03-01"))
    await site.sync.settle()
    await site.worker.pull()
    assert totals(site.worker) == {"2026-03-01": 2}


async def test_the_computed_batch_stands_in_the_log_like_any_other(site: Site) -> None:
    await site.worker.write(entry(site.worker.person))
    await site.sync.settle()
    rows = await site.store.rows(
        "SELECT seq, device, n FROM batch WHERE project = ? ORDER BY seq DESC LIMIT 1", site.project
    )
    head = await site.head()
    assert rows == [(head, "server", head)]


async def test_phones_cannot_write_a_computed_kind(site: Site) -> None:
    values = {"worker": site.worker.person, "day": "2026-03-01", "count": 99}
    answer = await site.worker.write({"k": "new", "c": "yard.total", "r": new_id(), "set": values})
    assert answer["code"] == "forbidden"


def test_touching_spans_become_one() -> None:
    assert spans_of({"2026-03-01", "2026-03-04"}, 1) == [("2026-02-28", "2026-03-05")]
    assert spans_of({"2026-03-01", "2026-03-05"}, 1) == [("2026-02-28", "2026-03-02"), ("2026-03-04", "2026-03-06")]
    assert spans_of({"2026-03-01", None}, 1) == [ALWAYS]
    assert spans_of({"0001-01-01", "9999-12-31"}, 2)[0][0] == "0001-01-01"


def test_a_long_backlog_is_computed_in_parts_that_leave_no_day_out_and_none_twice() -> None:
    seed = Random().randrange(2**32)
    print(f"seed {seed}")
    draw = Random(seed)
    days: set[str | None] = {shift("2020-01-01", draw.randrange(2_000)) for _ in range(draw.randrange(1, 900))}
    spans = spans_of(days, draw.randrange(3))
    pieces = list(pieces_of(spans))
    assert [day for piece in pieces for span in piece for day in days_of(span)] == [
        day for span in spans for day in days_of(span)
    ]
    assert all(piece[-1][1] < shift(piece[0][0], DAYS_MAX) for piece in pieces)
    assert list(pieces_of([ALWAYS])) == [[ALWAYS]]
    assert list(pieces_of([])) == []


def days_of(span: tuple[str, str]) -> list[str]:
    days = [span[0]]
    while days[-1] < span[1]:
        days.append(shift(days[-1], 1))
    return days


async def ask(store: Store, key: str = "x") -> None:
    await store.change(
        [
            (
                "INSERT INTO job (key, kind) VALUES (?, 'try')"
                " ON CONFLICT (key) DO UPDATE SET asked = job.asked + 1, due = 0",
                (key,),
            )
        ]
    )


async def test_a_job_that_fails_is_tried_again_later_and_at_last_left_for_people_to_see(
    store: Store, clock: Clock
) -> None:
    runs = 0

    async def fail(args: Any) -> None:
        nonlocal runs
        runs += 1
        raise RuntimeError("no luck")

    jobs = Jobs(store, {"try": fail}, clock)
    await ask(store)
    assert await jobs.work(clock()) == 1
    assert await jobs.work(clock()) == 0  # not at once
    for _ in range(TRIES_MAX):
        clock.ms += 2 * 3_600_000
        await jobs.work(clock())
    assert runs == TRIES_MAX
    assert await store.rows("SELECT dead, error FROM job") == [(1, "RuntimeError: no luck")]


async def test_a_request_that_comes_while_the_job_runs_is_not_lost(store: Store, clock: Clock) -> None:
    runs = 0

    async def work(args: Any) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            await ask(store)

    jobs = Jobs(store, {"try": work}, clock)
    await ask(store)
    await jobs.settle()
    assert runs == 2
    assert await store.rows("SELECT * FROM job") == []


async def test_two_workers_never_run_one_job_at_the_same_time(store: Store, clock: Clock) -> None:
    running, most, done = 0, 0, 0

    async def work(args: Any) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done += 1

    workers = [Jobs(store, {"try": work}, clock) for _ in range(3)]
    for _ in range(5):
        await ask(store)
        await asyncio.gather(*(jobs.work(clock()) for jobs in workers))
    assert (most, done) == (1, 5)


async def test_a_job_whose_worker_died_is_taken_over_when_its_lease_is_over(store: Store, clock: Clock) -> None:
    ran = asyncio.Event()

    async def work(args: Any) -> None:
        ran.set()

    await ask(store)
    await store.change([("UPDATE job SET lease = ?", (clock() + 1000,))])
    jobs = Jobs(store, {"try": work}, clock)
    assert await jobs.work(clock()) == 0
    clock.ms += 2000
    assert await jobs.work(clock()) == 1
    assert ran.is_set()


async def test_a_server_clock_set_back_by_a_year_holds_no_job_up(store: Store, clock: Clock) -> None:
    ran: list[Any] = []

    async def work(args: Any) -> None:
        ran.append(args)

    jobs = Jobs(store, {"try": work}, clock)
    for column in ("due", "lease"):
        await ask(store)
        await store.change([(f"UPDATE job SET {column} = ?", (clock() + 1000,))])
        assert await jobs.work(clock()) == 0
        clock.ms -= 365 * 86_400_000
        assert await jobs.work(clock()) == 1
    assert len(ran) == 2


async def test_jobs_run_by_themselves_once_the_exchange_has_started(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.sync import jobs

    monkeypatch.setattr(jobs, "LOOK_EVERY_S", 0.01)
    await site.sync.start()
    await site.store.change([("UPDATE project SET name = 'Renamed' WHERE id = ?", (site.project,))])
    async with asyncio.timeout(20):
        while site.office.records[site.project]["set"]["name"] != "Renamed":
            await asyncio.sleep(0.01)
            await site.office.pull()
    await site.worker.write(notice("still works"))


async def test_what_cannot_be_computed_of_one_person_keeps_nobody_elses_sums(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails_for_the_worker(inputs: Inputs) -> Iterable[Result]:
        if inputs.group == site.worker.person:
            raise ValueError("the worker's entries are beyond me")
        return count(inputs)

    count = COMPUTED["yard.totals"].compute
    monkeypatch.setitem(
        site.sync._computed, "yard.total", replace(COMPUTED["yard.totals"], compute=fails_for_the_worker)
    )
    await site.worker.write(entry(site.worker.person))
    await site.foreman.write(entry(site.foreman.person))
    await site.sync.settle()
    await site.office.pull()
    assert [values["worker"] for values in live(site.office, "yard.total")] == [site.foreman.person]
    assert "a group could not be computed" in caplog.text
