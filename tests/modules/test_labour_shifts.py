"""Shifts, definition by definition (the numbers are those in server/modules/labour/shift.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.declaration import load
from server.core.merge import Record, Stamp, fold
from server.modules.labour.entry import Entry, entry_of
from server.modules.labour.shift import MINUTE_MS, SHIFT_MS_MAX, Paired, Shift, pair

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
BERLIN: Final = ZoneInfo("Europe/Berlin")
KINDS: Final = load(Path("shared/modules")).kinds
HOUR_MS: Final = 60 * MINUTE_MS


def ms(text: str, zone: ZoneInfo = SHANGHAI, fold: int = 0) -> int:
    """`2026-03-02 07:00` on the wall of the site → instant."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp() * 1000)


def tap(direction: str, at: str | int, r: str = "", zone: ZoneInfo = SHANGHAI, **more: Any) -> Entry:
    instant = ms(at, zone) if isinstance(at, str) else at
    return Entry(r=r or f"{direction}-{instant}", worker="w1", direction=direction, at=instant, **more)


def paired(*entries: Entry, zone: ZoneInfo = SHANGHAI) -> list[Shift]:
    return list(pair(entries, zone).shifts)


def only(*entries: Entry, zone: ZoneInfo = SHANGHAI) -> Shift:
    shifts = paired(*entries, zone=zone)
    assert len(shifts) == 1, shifts
    return shifts[0]


def record(values: dict[str, Any], et: int, later: Sequence[tuple[str, Any, int]] = ()) -> Record:
    """A check-in as the engine makes it; `later` are edits (field, value, et) by another phone."""
    records: dict[str, Record] = {}
    r = "0198aaaa-0000-7000-8000-000000000001"
    new = {"k": "new", "c": "labour.checkin", "r": r, "set": values}
    fold(records, [new], Stamp(1, "phone", 0, et, "w1", 2), KINDS)
    for seq, (path, value, when) in enumerate(later, start=2):
        edit = {"k": "set", "c": "labour.checkin", "r": r, "f": path, "v": value}
        fold(records, [edit], Stamp(seq, "desk", seq - 1, when, "o1", 2), KINDS)
    return records[r]


def effective(values: dict[str, Any], et: int, later: Sequence[tuple[str, Any, int]] = ()) -> Entry:
    return entry_of(record({"worker": "w1", "direction": "in", **values}, et, later))


# 1 what counts


@pytest.mark.parametrize("reason", ["deleted", "returned", "unreadable"])
def test_1_what_does_not_count_is_named_with_its_reason(reason: str) -> None:
    gone = tap("in", "2026-03-02 07:00", "gone", left_out=reason)
    result = pair([gone, tap("out", "2026-03-02 17:00")], SHANGHAI)
    assert result.left_out == {"gone": reason}
    assert [shift.flags for shift in result.shifts] == [{"missing_in"}]


def test_1_a_returned_check_in_is_left_out_until_it_is_submitted_again() -> None:
    one = record({"worker": "w1", "direction": "in", "at": 1000}, 1000)
    one["state"] = "returned"
    assert entry_of(one).left_out == "returned"
    one["state"] = "submitted"
    assert entry_of(one).left_out is None


def test_1_a_deleted_check_in_is_left_out_and_one_edited_unaware_of_it_counts_again() -> None:
    one = record({"worker": "w1", "direction": "in", "at": 1000}, 1000)
    records = {one["r"]: one}
    deletion = {"k": "del", "c": "labour.checkin", "r": one["r"]}
    fold(records, [deletion], Stamp(2, "desk", 1, 2000, "o1", 2), KINDS)
    assert entry_of(one).left_out == "deleted"
    edit = {"k": "set", "c": "labour.checkin", "r": one["r"], "f": "note", "v": "gate 2"}
    fold(records, [edit], Stamp(3, "other", 1, 2500, "w1", 2), KINDS)
    assert entry_of(one).left_out is None


# 2 when it happened


def test_2_a_clock_known_to_be_three_hours_fast_is_set_right_and_flagged() -> None:
    seven = ms("2026-03-02 07:00")
    entry = effective({"at": seven + 3 * HOUR_MS, "device_skew_ms": 3 * HOUR_MS}, et=seven)
    assert (entry.at, entry.clock_was_wrong) == (seven, True)


def test_2_a_clock_known_to_be_three_hours_slow_is_set_right() -> None:
    seven = ms("2026-03-02 07:00")
    entry = effective({"at": seven - 3 * HOUR_MS, "device_skew_ms": -3 * HOUR_MS}, et=seven)
    assert (entry.at, entry.clock_was_wrong) == (seven, True)


def test_2_a_clock_two_minutes_off_is_taken_for_right() -> None:
    seven = ms("2026-03-02 07:00")
    entry = effective({"at": seven, "device_skew_ms": -120_000}, et=seven)
    assert (entry.at, entry.clock_was_wrong) == (seven, False)


def test_2_a_time_after_the_servers_own_is_never_counted_even_if_the_error_is_unknown() -> None:
    seven = ms("2026-03-02 07:00")
    entry = effective({"at": seven + 400 * 24 * HOUR_MS}, et=seven)
    assert (entry.at, entry.clock_was_wrong) == (seven, True)


def test_2_a_second_too_late_is_cut_without_a_flag() -> None:
    seven = ms("2026-03-02 07:00")
    assert effective({"at": seven + 1000}, et=seven).at == seven
    assert not effective({"at": seven + 1000}, et=seven).clock_was_wrong


def test_2_a_time_that_a_person_set_right_later_is_not_corrected_a_second_time() -> None:
    seven = ms("2026-03-02 07:00")
    values = {"at": seven + 3 * HOUR_MS, "device_skew_ms": 3 * HOUR_MS}
    entry = effective(values, et=seven, later=[("at", seven, seven + HOUR_MS)])
    assert (entry.at, entry.clock_was_wrong) == (seven, False)


@pytest.mark.parametrize("skew", [2**53 - 1, -(2**53) + 1])
@pytest.mark.parametrize("et", [-(2**48), ms("2026-03-02 07:00")])
@pytest.mark.parametrize("at", [0, 253_402_300_799_999])
def test_2_a_clock_gone_mad_makes_no_instant_that_a_calendar_lacks(at: int, et: int, skew: int) -> None:
    entry = effective({"worker": "w", "direction": "in", "at": at, "device_skew_ms": skew}, et)
    assert 0 <= entry.at <= max(0, et)
    assert paired(entry)


def test_2_a_late_entry_of_an_early_time_keeps_its_time() -> None:
    seven = ms("2026-03-02 07:00")
    assert effective({"at": seven, "method": "manual"}, et=seven + 48 * HOUR_MS).at == seven


# 3 the order


def test_3_the_order_of_arrival_plays_no_part() -> None:
    taps = [tap("out", "2026-03-02 17:30"), tap("in", "2026-03-02 13:00"), tap("out", "2026-03-02 12:00")]
    taps.append(tap("in", "2026-03-02 07:00"))
    assert paired(*taps) == paired(*reversed(taps))
    assert [shift.minutes for shift in paired(*taps)] == [300, 270]


def test_3_out_and_in_at_one_instant_end_one_shift_and_begin_the_next() -> None:
    noon = ms("2026-03-02 12:00")
    taps = [tap("in", "2026-03-02 07:00"), tap("in", noon, "b"), tap("out", noon, "a"), tap("out", "2026-03-02 17:00")]
    assert [shift.minutes for shift in paired(*taps)] == [300, 300]


# 4 repeats


def test_4_two_taps_within_ten_minutes_are_one_arrival() -> None:
    shift = only(tap("in", "2026-03-02 07:00", "a"), tap("in", "2026-03-02 07:09", "b"), tap("out", "2026-03-02 17:00"))
    assert (shift.minutes, shift.repeats) == (600, ["b"])
    assert shift.flags == {"duplicate"}


def test_4_eleven_minutes_later_is_no_repeat() -> None:
    shifts = paired(tap("in", "2026-03-02 07:00"), tap("in", "2026-03-02 07:11"), tap("out", "2026-03-02 17:00"))
    assert [shift.minutes for shift in shifts] == [0, 589]


def test_4_a_chain_of_taps_is_measured_from_its_first() -> None:
    shifts = paired(*(tap("in", f"2026-03-02 07:{minute:02}") for minute in (0, 8, 16)))
    assert [len(shift.events[0].entries) for shift in shifts] == [2, 1]


def test_4_the_foremans_entry_and_the_workers_own_within_an_hour_are_one() -> None:
    shift = only(
        tap("in", "2026-03-02 06:40", "own", method="own"),
        tap("in", "2026-03-02 07:30", "crew", method="crew"),
        tap("out", "2026-03-02 17:00"),
    )
    assert (shift.key, shift.repeats, shift.flags) == ("own", ["crew"], {"duplicate"})


def test_4_the_approved_one_stands_for_the_rest() -> None:
    shift = only(
        tap("in", "2026-03-02 07:00", "a"),
        tap("in", "2026-03-02 07:05", "b", state="approved"),
        tap("out", "2026-03-02 17:00", state="approved"),
    )
    assert (shift.key, shift.repeats, shift.minutes, shift.approved_minutes) == ("b", ["a"], 595, 595)


def test_4_an_out_between_two_ins_keeps_them_apart() -> None:
    taps = [tap("in", "2026-03-02 07:00"), tap("out", "2026-03-02 07:03"), tap("in", "2026-03-02 07:06")]
    shifts = paired(*taps, tap("out", "2026-03-02 17:06"))
    assert [shift.minutes for shift in shifts] == [3, 600]


# 5 to 7 pairing


def test_5_sixteen_hours_are_one_shift_and_a_minute_more_are_two() -> None:
    assert only(tap("in", "2026-03-02 06:00"), tap("out", "2026-03-02 22:00")).minutes == 960
    shifts = paired(tap("in", "2026-03-02 06:00"), tap("out", "2026-03-02 22:01"))
    assert [shift.flags for shift in shifts] == [{"missing_out"}, {"missing_in"}]


def test_6_an_in_alone_counts_nothing_and_says_so() -> None:
    shift = only(tap("in", "2026-03-02 07:00"))
    assert (shift.minutes, shift.end, shift.flags) == (0, None, {"missing_out"})


def test_6_an_out_alone_counts_nothing_and_says_so() -> None:
    shift = only(tap("out", "2026-03-02 17:00"))
    assert (shift.minutes, shift.start, shift.flags, shift.work_date) == (0, None, {"missing_in"}, "2026-03-02")


def test_6_a_forgotten_out_does_not_swallow_the_next_day() -> None:
    shifts = paired(tap("in", "2026-03-02 07:00"), tap("in", "2026-03-03 07:00"), tap("out", "2026-03-03 17:00"))
    assert [(shift.work_date, shift.minutes) for shift in shifts] == [("2026-03-02", 0), ("2026-03-03", 600)]
    assert [shift.flags for shift in shifts] == [{"missing_out"}, set()]


def test_7_a_second_in_leaves_the_first_without_an_out_and_flags_both() -> None:
    shifts = paired(tap("in", "2026-03-02 07:00"), tap("in", "2026-03-02 13:00"), tap("out", "2026-03-02 17:00"))
    assert [(shift.minutes, shift.flags) for shift in shifts] == [
        (0, {"missing_out", "double_in"}),
        (240, {"double_in"}),
    ]


def test_7_a_second_out_is_flagged_and_adds_nothing() -> None:
    shifts = paired(tap("in", "2026-03-02 07:00"), tap("out", "2026-03-02 12:00"), tap("out", "2026-03-02 17:00"))
    assert [(shift.minutes, shift.flags) for shift in shifts] == [(300, set()), (0, {"missing_in", "double_out"})]


# 8 and 9 minutes


def test_8_the_night_that_springs_forward_is_an_hour_shorter() -> None:
    shift = only(tap("in", "2026-03-28 22:00", zone=BERLIN), tap("out", "2026-03-29 06:00", zone=BERLIN), zone=BERLIN)
    assert (shift.minutes, shift.work_date) == (7 * 60, "2026-03-28")


def test_8_the_night_that_falls_back_is_an_hour_longer() -> None:
    shift = only(tap("in", "2026-10-24 22:00", zone=BERLIN), tap("out", "2026-10-25 06:00", zone=BERLIN), zone=BERLIN)
    assert (shift.minutes, shift.work_date) == (9 * 60, "2026-10-24")


def test_8_the_hour_that_comes_twice_is_told_apart() -> None:
    first, second = ms("2026-10-25 02:30", BERLIN, fold=0), ms("2026-10-25 02:30", BERLIN, fold=1)
    assert only(tap("in", first), tap("out", second), zone=BERLIN).minutes == 60


def test_8_a_begun_minute_does_not_count() -> None:
    seven = ms("2026-03-02 07:00")
    assert only(tap("in", seven), tap("out", seven + HOUR_MS - 1)).minutes == 59


# 10 to 12 the date


def test_10_a_night_shift_belongs_to_the_day_it_began() -> None:
    shift = only(tap("in", "2026-03-02 20:00"), tap("out", "2026-03-03 04:00"))
    assert (shift.work_date, shift.minutes, shift.flags) == ("2026-03-02", 480, {"night"})


def test_10_the_date_is_that_of_the_projects_zone_not_of_utc() -> None:
    shift = only(tap("in", "2026-03-02 06:30"), tap("out", "2026-03-02 11:00"))
    assert shift.work_date == "2026-03-02"  # still the first of March in UTC


def test_10_the_last_night_of_a_month_belongs_to_that_month() -> None:
    assert only(tap("in", "2026-03-31 20:00"), tap("out", "2026-04-01 04:00")).work_date == "2026-03-31"


def test_11_the_second_half_of_a_night_belongs_to_the_evening_before() -> None:
    shifts = paired(
        tap("in", "2026-03-02 19:00"), tap("out", "2026-03-02 23:30"),
        tap("in", "2026-03-03 00:30"), tap("out", "2026-03-03 05:00"),
    )  # fmt: skip
    assert [shift.work_date for shift in shifts] == ["2026-03-02", "2026-03-02"]
    assert [shift.flags for shift in shifts] == [set(), {"night"}]


def test_11_an_early_start_after_a_long_rest_is_a_day_of_its_own() -> None:
    shifts = paired(
        tap("in", "2026-03-02 07:00"), tap("out", "2026-03-02 19:00"),
        tap("in", "2026-03-03 05:00"), tap("out", "2026-03-03 12:00"),
    )  # fmt: skip
    assert [shift.work_date for shift in shifts] == ["2026-03-02", "2026-03-03"]


def test_11_a_lone_out_in_the_morning_follows_the_date_that_it_was_given() -> None:
    assert only(tap("out", "2026-03-03 04:00", stated="2026-03-02")).work_date == "2026-03-02"
    assert only(tap("out", "2026-03-03 04:00", stated="2026-03-03")).work_date == "2026-03-03"
    assert only(tap("out", "2026-03-03 12:00", stated="2026-03-02")).work_date == "2026-03-03"


def test_11_a_late_arrival_after_midnight_follows_the_date_that_it_was_given() -> None:
    assert only(tap("in", "2026-03-03 00:20", stated="2026-03-02")).work_date == "2026-03-02"
    assert only(tap("in", "2026-03-03 00:20")).work_date == "2026-03-03"


def test_12_a_date_far_from_the_time_is_paired_with_none_and_flagged() -> None:
    shifts = paired(
        tap("in", "2026-03-02 07:00", "far", stated="2026-02-20"), tap("out", "2026-03-02 17:00", stated="2026-03-02")
    )
    assert [(shift.work_date, shift.minutes) for shift in shifts] == [("2026-02-20", 0), ("2026-03-02", 0)]
    assert shifts[0].flags == {"wrong_date", "missing_out"}


# 13 approval


@pytest.mark.parametrize(
    ("first", "second", "minutes"),
    [("approved", "approved", 600), ("approved", "submitted", 0), ("submitted", "approved", 0)],
)
def test_13_minutes_are_approved_when_both_ends_are(first: str, second: str, minutes: int) -> None:
    shift = only(tap("in", "2026-03-02 07:00", state=first), tap("out", "2026-03-02 17:00", state=second))
    assert (shift.minutes, shift.approved_minutes) == (600, minutes)


# 14 and 15 flags, team


@pytest.mark.parametrize(
    ("more", "flag"),
    [
        ({"fence": "outside"}, "outside"),
        ({"method": "crew"}, "crew"),
        ({"method": "manual"}, "manual"),
        ({"clock_was_wrong": True}, "clock"),
        ({"in_conflict": True}, "conflict"),
        ({"offset_min": 420}, "other_zone"),
    ],
)
def test_14_what_a_person_should_know_of_either_end_is_flagged(more: dict[str, Any], flag: str) -> None:
    plain_in, plain_out = tap("in", "2026-03-02 07:00"), tap("out", "2026-03-02 17:00")
    assert only(tap("in", "2026-03-02 07:00", **more), plain_out).flags == {flag}
    assert only(plain_in, tap("out", "2026-03-02 17:00", **more)).flags == {flag}
    assert only(plain_in, plain_out).flags == set()


def test_14_the_projects_own_offset_and_inside_the_fence_are_no_flag() -> None:
    shift = only(tap("in", "2026-03-02 07:00", offset_min=480, fence="inside"), tap("out", "2026-03-02 17:00"))
    assert shift.flags == set()


def test_14_two_times_that_nobody_settled_are_flagged() -> None:
    seven = ms("2026-03-02 07:00")
    one = record({"worker": "w1", "direction": "in", "at": seven}, seven)
    records = {one["r"]: one}
    for seq, device in ((2, "a"), (3, "b")):
        edit = {"k": "set", "c": "labour.checkin", "r": one["r"], "f": "at", "v": seven - seq * 1000}
        fold(records, [edit], Stamp(seq, device, 1, seven + seq, "o1", 2), KINDS)
    assert entry_of(one).in_conflict


def test_15_the_team_is_that_of_the_arrival_else_of_the_departure() -> None:
    out = tap("out", "2026-03-02 17:00", team="t2")
    assert only(tap("in", "2026-03-02 07:00", team="t1"), out).team == "t1"
    assert only(tap("in", "2026-03-02 07:00"), out).team == "t2"


# 16 and what must hold of any history

START: Final = ms("2026-03-01 00:00", BERLIN)


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """Up to 24 check-ins of one worker in a fortnight with a change to summer time in it."""
    entries = []
    for index in range(draw(st.integers(0, 24))):
        at = START + draw(st.integers(20 * 24 * 60, 34 * 24 * 60)) * MINUTE_MS + draw(st.integers(0, 59_999))
        day = datetime.fromtimestamp(at / 1000, BERLIN).date() + timedelta(
            days=draw(st.sampled_from([0, 0, 0, -1, 1, 9]))
        )
        entries.append(
            Entry(
                r=f"r{index:02}", worker="w1", direction=draw(st.sampled_from(["in", "out"])), at=at,
                state=draw(st.sampled_from(["submitted", "approved"])),
                stated=draw(st.sampled_from([None, day.isoformat()])),
                method=draw(st.sampled_from([None, "own", "crew", "manual"])),
                left_out=draw(st.sampled_from([None, None, None, None, "returned"])),
            )
        )  # fmt: skip
    return entries


def members(shift: Shift) -> list[str]:
    return [entry.r for event in shift.events for entry in event.entries]


@given(histories(), st.randoms(use_true_random=False))
def test_3_any_order_of_arrival_gives_the_same_shifts(entries: list[Entry], random: Any) -> None:
    shuffled = entries.copy()
    random.shuffle(shuffled)
    assert pair(shuffled, BERLIN) == pair(entries, BERLIN)


@given(histories())
def test_9_no_minute_is_counted_twice(entries: list[Entry]) -> None:
    whole = [shift for shift in paired(*entries, zone=BERLIN) if shift.minutes]
    for before, after in pairwise(whole):
        assert (before.end or 0) <= (after.start or 0)
    assert all(0 <= shift.approved_minutes <= shift.minutes <= SHIFT_MS_MAX // MINUTE_MS for shift in whole)


@given(histories())
def test_16_every_check_in_is_in_exactly_one_shift_or_named_as_left_out(entries: list[Entry]) -> None:
    result: Paired = pair(entries, BERLIN)
    places = sorted([r for shift in result.shifts for r in members(shift)] + list(result.left_out))
    assert places == sorted(entry.r for entry in entries)
    assert len({shift.key for shift in result.shifts}) == len(result.shifts)


@given(histories())
def test_12_a_day_asked_for_alone_is_answered_as_it_is_among_all_days(entries: list[Entry]) -> None:
    """What the engine relies on: two days around a day are enough to answer for it."""
    dated = [entry for entry in entries if entry.stated is not None]
    everything = pair(dated, BERLIN).shifts
    for day in {shift.work_date for shift in everything}:
        middle = datetime.fromisoformat(day)
        first, last = ((middle + timedelta(days=n)).date().isoformat() for n in (-2, 2))
        window = [entry for entry in dated if first <= (entry.stated or "") <= last]
        assert [s for s in pair(window, BERLIN).shifts if s.work_date == day] == [
            s for s in everything if s.work_date == day
        ]
