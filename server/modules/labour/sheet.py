"""Day and month sheets (考勤表): shifts summed up per person, team and project, as plain data.

Sums are in minutes; 工 is minutes by the project's rule (`day_minutes`, 480 unless it says
otherwise) in hundredths, rounded half up from the sum itself and never added up from rounded parts.
A shift is counted for the team that it was worked for, so each minute stands on exactly one line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Final

NO_TEAM: Final = ""
DAY_MINUTES: Final = 480
STILL_ON_SITE_MS: Final = 16 * 60 * 60_000
MISSING: Final = frozenset({"missing_in", "missing_out"})


@dataclass(frozen=True, slots=True)
class Worked:
    """One shift as the sheets read it (a record of kind labour.shift)."""

    worker: str
    work_date: str
    team: str | None = None
    start: int | None = None
    end: int | None = None
    minutes: int = 0
    approved_minutes: int = 0
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Crew:
    """A team and who belongs to it now, in the order in which they are printed."""

    id: str
    name: str
    trade: str = ""
    employer: str = ""
    foreman: str = ""
    members: Sequence[str] = ()


@dataclass(frozen=True)
class Sums:
    """What any group of shifts comes to."""

    worked: Sequence[Worked]
    day_minutes: int = DAY_MINUTES

    @cached_property
    def minutes(self) -> int:
        return sum(shift.minutes for shift in self.worked)

    @cached_property
    def approved_minutes(self) -> int:
        return sum(shift.approved_minutes for shift in self.worked)

    @property
    def unapproved_minutes(self) -> int:
        return self.minutes - self.approved_minutes

    @property
    def man_days(self) -> int:
        """工 in hundredths."""
        return man_days(self.minutes, self.day_minutes)

    @cached_property
    def days_present(self) -> int:
        """Days on which a person came at all, an open shift included; per person."""
        return len({(shift.worker, shift.work_date) for shift in self.worked})

    @cached_property
    def missing(self) -> int:
        """Shifts that lack an in or an out, those of people still on site aside."""
        return sum(1 for shift in self.worked if shift.flags & MISSING)

    @cached_property
    def flags(self) -> frozenset[str]:
        return frozenset().union(*(shift.flags for shift in self.worked))


@dataclass(frozen=True)
class Line(Sums):
    """One person on one sheet."""

    person: str = ""
    name: str = ""

    @cached_property
    def days(self) -> Mapping[str, Sums]:
        """Date → what was worked on it, only days with shifts."""
        by_day: dict[str, list[Worked]] = defaultdict(list)
        for shift in self.worked:
            by_day[shift.work_date].append(shift)
        return {day: Sums(shifts, self.day_minutes) for day, shifts in sorted(by_day.items())}


@dataclass(frozen=True)
class Page(Sums):
    """One team's sheet."""

    crew: Crew = field(default_factory=lambda: Crew(NO_TEAM, ""))
    lines: Sequence[Line] = ()


@dataclass(frozen=True)
class Sheet(Sums):
    """A project's sheet for a period: one page a team."""

    project: str = ""
    first: str = ""
    last: str = ""
    pages: Sequence[Page] = ()

    @property
    def people(self) -> int:
        return len({line.person for page in self.pages for line in page.lines})

    @cached_property
    def dates(self) -> Sequence[date]:
        first, last = date.fromisoformat(self.first), date.fromisoformat(self.last)
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def man_days(minutes: int, day_minutes: int) -> int:
    """Minutes → 工 in hundredths, half up."""
    return (minutes * 200 + day_minutes) // (2 * day_minutes)


def month_of(month: str) -> tuple[str, str]:
    """`2026-02` → its first and last date. Raises ValueError."""
    first = date.fromisoformat(f"{month}-01")
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first.isoformat(), (following - timedelta(days=1)).isoformat()


def still_on_site(worked: Iterable[Worked], now: int) -> list[Worked]:
    """The same shifts; who came in less than 16 hours ago is on site, not missing an out."""
    return [_with_open_end(shift, now) for shift in worked]


def _with_open_end(shift: Worked, now: int) -> Worked:
    is_open = shift.start is not None and shift.end is None and "wrong_date" not in shift.flags
    if not is_open or now - (shift.start or 0) > STILL_ON_SITE_MS or "double_in" in shift.flags:
        return shift
    return Worked(
        shift.worker, shift.work_date, shift.team, shift.start, None, 0, 0, shift.flags - MISSING | {"on_site"}
    )


def sheet(
    project: str,
    first: str,
    last: str,
    worked: Iterable[Worked],
    crews: Sequence[Crew],
    names: Mapping[str, str],
    day_minutes: int = DAY_MINUTES,
) -> Sheet:
    """Every shift of the period on the line of its person, on the page of its team.

    Members without a shift have an empty line; people without a team share a last page.
    """
    shifts = [shift for shift in worked if first <= shift.work_date <= last]
    home = {person: crew.id for crew in reversed(crews) for person in crew.members}
    known = {crew.id for crew in crews}
    on_page: dict[str, dict[str, list[Worked]]] = {crew.id: {p: [] for p in crew.members} for crew in crews}
    for shift in sorted(shifts, key=lambda shift: (shift.work_date, shift.start or shift.end or 0)):
        team = shift.team if shift.team in known else home.get(shift.worker, NO_TEAM)
        on_page.setdefault(team or NO_TEAM, {}).setdefault(shift.worker, []).append(shift)
    crew_by_id = {crew.id: crew for crew in crews}
    pages = [
        _page(crew_by_id.get(team, Crew(NO_TEAM, "")), by_person, names, day_minutes)
        for team, by_person in on_page.items()
        if by_person
    ]
    return Sheet(shifts, day_minutes, project, first, last, pages)


def _page(crew: Crew, by_person: Mapping[str, Sequence[Worked]], names: Mapping[str, str], day_minutes: int) -> Page:
    lines = [Line(shifts, day_minutes, person, names.get(person, person)) for person, shifts in by_person.items()]
    return Page([shift for line in lines for shift in line.worked], day_minutes, crew, lines)
