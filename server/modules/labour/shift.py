"""Shifts: one worker's check-ins, paired in and out (出勤).

The definitions, each tested under its number:

 1. A check-in counts unless it is deleted, returned, or does not say who, which way and when;
    what does not count is named as left out, with the reason.
 2. It happened at its `at`; less `device_skew_ms` where the clock of the phone was known to be
    more than 2 minutes off and `at` still stands as that phone wrote it; and never later than
    the effective time (M7) of that write. Where this moved it by more than 2 minutes: flag clock.
 3. Check-ins are taken in the order in which they happened (an out before an in of the same
    instant); in which order they arrived plays no part.
 4. Check-ins of one direction with none of the other between them, within 10 minutes of the
    first of them (60 where one was made by the foreman and the other was not), are one event:
    the earliest approved one stands for it, else the earliest; the rest are its repeats, and the
    shift is flagged duplicate.
 5. An out closes the open in if at most 16 hours lie between them: one shift.
 6. An in that no out closes is a shift of 0 minutes, flagged missing_out; an out that closes no
    in is a shift of 0 minutes, flagged missing_in. Nothing is guessed: a person settles it.
 7. An in within 16 hours of one that is open leaves the first without an out, and both shifts
    are flagged double_in; an out within 16 hours of the out before it, with no in between, is
    flagged double_out.
 8. Minutes are the whole minutes that passed between in and out, by the instants: the hour that
    a change to or from summer time skips or repeats is counted as it was worked.
 9. Shifts of one worker share no minute.
10. A shift belongs to the date, in the project's zone, of its in (of its out, if it has no in).
11. But an in before 06:00, and a lone out before 12:00, belong to the day before where the
    check-in was given that day as its work date, or where the shift before began on that day and
    ended at most 3 hours earlier (an in after a break in the night).
12. A check-in whose given work date lies more than a day from its own date is paired with none:
    it stands alone on the given date, flagged wrong_date, for a person to settle.
13. A shift is approved when every check-in it stands on is approved; then its approved minutes
    are its minutes, otherwise 0.
14. Flags: night, a part of it lies on another date than the one it belongs to · outside, one of
    its check-ins was outside the fence · crew, one was made by the foreman · manual, one was
    entered later · clock, see 2 · other_zone, the phone's offset was not the project
    zone's at that instant · conflict, two people wrote different times and none is settled.
15. The team of a shift is that of its in, else of its out.
16. Every check-in that counts is the arrival, the departure or a repeat of exactly one shift.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from server.modules.labour.entry import Entry

MINUTE_MS: Final = 60_000
REPEAT_MS_MAX: Final = 10 * MINUTE_MS
CREW_REPEAT_MS_MAX: Final = 60 * MINUTE_MS
SHIFT_MS_MAX: Final = 16 * 60 * MINUTE_MS
BREAK_MS_MAX: Final = 3 * 60 * MINUTE_MS
NIGHT_IN_BEFORE: Final = time(6)
NIGHT_OUT_BEFORE: Final = time(12)
ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Event:
    """One arrival or departure: the check-in that stands for it, and its repeats (4)."""

    entry: Entry
    repeats: tuple[Entry, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (self.entry, *self.repeats)


@dataclass(frozen=True, slots=True)
class Shift:
    """One stretch of work of one worker. `start` and `end` are instants in ms."""

    worker: str
    work_date: str
    arrival: Event | None
    departure: Event | None
    minutes: int
    approved_minutes: int
    flags: Set[str]

    @property
    def key(self) -> str:
        """Stable while the check-in that it begins with stays the same."""
        return self.events[0].entry.r

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(event for event in (self.arrival, self.departure) if event is not None)

    @property
    def repeats(self) -> list[str]:
        return sorted(entry.r for event in self.events for entry in event.repeats)

    @property
    def start(self) -> int | None:
        return self.arrival.entry.at if self.arrival else None

    @property
    def end(self) -> int | None:
        return self.departure.entry.at if self.departure else None

    @property
    def team(self) -> str | None:
        """Definition 15."""
        return next((event.entry.team for event in self.events if event.entry.team), None)


@dataclass(frozen=True, slots=True)
class Paired:
    """All shifts of one worker, in order, and the check-ins left out: r → reason (1)."""

    shifts: Sequence[Shift]
    left_out: Mapping[str, str] = field(default_factory=dict)


def pair(entries: Iterable[Entry], zone: ZoneInfo) -> Paired:
    """The shifts of one worker's check-ins."""
    everything = sorted(entries, key=_order)
    left_out = {entry.r: entry.left_out for entry in everything if entry.left_out is not None}
    counted = [entry for entry in everything if entry.left_out is None]
    astray = [entry for entry in counted if _is_astray(entry, zone)]
    at_home = [entry for entry in counted if not _is_astray(entry, zone)]
    shifts = [*_dated(_couples(_events(at_home)), zone), *(_alone(entry, zone) for entry in astray)]
    return Paired(sorted(shifts, key=lambda shift: shift.events[0].entry.at), left_out)


def _order(entry: Entry) -> tuple[int, bool, str]:
    """Definition 3."""
    return entry.at, entry.direction == "in", entry.r


def _events(entries: Sequence[Entry]) -> Iterator[Event]:
    """Definition 4: runs of one direction, close together, become one event."""
    run: list[Entry] = []
    for entry in entries:
        if run and not _is_repeat(run[0], entry):
            yield _event(run)
            run = []
        run.append(entry)
    if run:
        yield _event(run)


def _is_repeat(first: Entry, entry: Entry) -> bool:
    if first.direction != entry.direction:
        return False
    by_two = (first.method == "crew") != (entry.method == "crew")
    return entry.at - first.at <= (CREW_REPEAT_MS_MAX if by_two else REPEAT_MS_MAX)


def _event(run: Sequence[Entry]) -> Event:
    standing = next((entry for entry in run if entry.approved), run[0])
    return Event(standing, tuple(entry for entry in run if entry is not standing))


Couple = tuple[Event | None, Event | None, frozenset[str]]  # arrival, departure, flags of pairing


def _couples(events: Iterable[Event]) -> Iterator[Couple]:
    """Definitions 5 to 7: what belongs together, before it is dated."""
    opened: tuple[Event, frozenset[str]] | None = None
    closed_by: Event | None = None  # the event just before, if it was an out
    for event in events:
        if event.entry.direction == "in":
            flags: frozenset[str] = frozenset()
            if opened is not None:
                flags = frozenset({"double_in"}) if _is_soon(opened[0], event) else flags
                yield opened[0], None, opened[1] | flags | {"missing_out"}
            opened, closed_by = (event, flags), None
            continue
        if opened is not None and _is_soon(opened[0], event):
            yield opened[0], event, opened[1]
        else:
            if opened is not None:
                yield opened[0], None, opened[1] | {"missing_out"}
            twice = closed_by is not None and _is_soon(closed_by, event)
            yield None, event, frozenset({"missing_in", "double_out"} if twice else {"missing_in"})
        opened, closed_by = None, event
    if opened is not None:
        yield opened[0], None, opened[1] | {"missing_out"}


def _is_soon(before: Event, after: Event) -> bool:
    return after.entry.at - before.entry.at <= SHIFT_MS_MAX


def _is_astray(entry: Entry, zone: ZoneInfo) -> bool:
    """Definition 12: its given date has nothing to do with its time."""
    stated = _date(entry.stated)
    return stated is not None and abs(stated - _local(entry, zone).date()) > ONE_DAY


def _alone(entry: Entry, zone: ZoneInfo) -> Shift:
    event = Event(entry)
    is_in = entry.direction == "in"
    flags = _flags([event], zone) | {"wrong_date", "missing_out" if is_in else "missing_in"}
    arrival, departure = (event, None) if is_in else (None, event)
    return Shift(entry.worker, entry.stated or "", arrival, departure, 0, 0, flags)


def _dated(couples: Iterable[Couple], zone: ZoneInfo) -> Iterator[Shift]:
    """Definitions 8 to 14: dates, minutes and flags, each shift knowing the one before."""
    before: Shift | None = None
    for arrival, departure, flags in couples:
        events = [event for event in (arrival, departure) if event is not None]
        day = _day_of(events[0].entry, before, zone)
        minutes = _minutes(arrival, departure)
        night = any(_local(event.entry, zone).date() != day for event in events)
        before = Shift(
            worker=events[0].entry.worker,
            work_date=day.isoformat(),
            arrival=arrival,
            departure=departure,
            minutes=minutes,
            approved_minutes=minutes if all(event.entry.approved for event in events) else 0,
            flags=flags | _flags(events, zone) | ({"night"} if night else set()),
        )
        yield before


def _minutes(arrival: Event | None, departure: Event | None) -> int:
    """Definition 8."""
    if arrival is None or departure is None:
        return 0
    return (departure.entry.at - arrival.entry.at) // MINUTE_MS


def _day_of(entry: Entry, before: Shift | None, zone: ZoneInfo) -> date:
    """Definitions 10 and 11: the date that a shift beginning with this check-in belongs to."""
    local = _local(entry, zone)
    own, eve = local.date(), local.date() - ONE_DAY
    is_in = entry.direction == "in"
    if local.time() >= (NIGHT_IN_BEFORE if is_in else NIGHT_OUT_BEFORE):
        return own
    if _date(entry.stated) == eve or (is_in and _continues(entry, before, eve)):
        return eve
    return own


def _continues(entry: Entry, before: Shift | None, eve: date) -> bool:
    """Whether an in follows a break of a night that began the day before."""
    if before is None or before.end is None or before.start is None:
        return False
    return before.work_date == eve.isoformat() and entry.at - before.end <= BREAK_MS_MAX


def _flags(events: Iterable[Event], zone: ZoneInfo) -> frozenset[str]:
    """Definition 14 (night aside): what a person should know of its check-ins."""
    found: set[str] = set()
    for event in events:
        entry = event.entry
        if event.repeats:
            found.add("duplicate")
        if entry.fence == "outside":
            found.add("outside")
        if entry.method in ("crew", "manual"):
            found.add(entry.method)
        if entry.clock_was_wrong:
            found.add("clock")
        if entry.in_conflict:
            found.add("conflict")
        if entry.offset_min is not None and entry.offset_min != offset_min(entry.at, zone):
            found.add("other_zone")
    return frozenset(found)


def offset_min(at: int, zone: ZoneInfo) -> int:
    """The zone's distance from UTC at an instant, in minutes."""
    distance = datetime.fromtimestamp(at / 1000, zone).utcoffset()
    return 0 if distance is None else int(distance.total_seconds() // 60)


def _local(entry: Entry, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(entry.at // 1000, UTC).astimezone(zone)


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
