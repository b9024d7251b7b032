"""Working time: on which days a site works, from when to when, and until when something is to be done in it.

Wall times of the site (`YYYY-MM-DDTHH:MM`); which zone they are of, the caller knows. The twin of
`pwa/src/core/worktime.ts`; `shared/vectors/worktime.json` holds what both must answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS_MAX: Final = 800  # so far a day is looked for; a site that never works has none
Span = tuple[int, int]  # minutes of the day


@dataclass(frozen=True, slots=True)
class Worktime:
    """`own`: days that are worked or not whatever weekday they are, holidays and those worked instead."""

    weekdays: frozenset[str] = frozenset(WEEKDAYS[:6])
    spans: tuple[Span, ...] = ((8 * 60, 12 * 60), (13 * 60, 17 * 60))
    own: Mapping[str, bool] = field(default_factory=dict)


USUAL: Final = Worktime()


def worktime_of(week: Mapping[str, Any], days: Iterable[Mapping[str, Any]]) -> Worktime:
    """From the shown values of the site's week (none: the usual one) and of its days off the rule."""
    weekdays = frozenset(name for name in WEEKDAYS if week.get(name) is True)
    own = {day["day"]: day["works"] is True for day in days if "day" in day and "works" in day}
    return Worktime(weekdays or USUAL.weekdays, _spans(week) or USUAL.spans, own)


def _spans(week: Mapping[str, Any]) -> tuple[Span, ...]:
    starts, ends = week.get("starts"), week.get("ends")
    rest, again = week.get("rest_from"), week.get("rest_to")
    if not isinstance(starts, int) or not isinstance(ends, int) or starts >= ends:
        return ()
    if isinstance(rest, int) and isinstance(again, int) and starts < rest < again < ends:
        return ((starts, rest), (again, ends))
    return ((starts, ends),)


def is_worked(worktime: Worktime, day: str) -> bool:
    own = worktime.own.get(day)
    return WEEKDAYS[date.fromisoformat(day).weekday()] in worktime.weekdays if own is None else own


def worked_on(worktime: Worktime, day: str) -> str:
    """The day itself or the next one that is worked: what ends on a holiday ends on the working day after."""
    found = day
    for _ in range(DAYS_MAX):
        if is_worked(worktime, found):
            return found
        found = _next(found)
    return day


def after(worktime: Worktime, wall: str, minutes: int) -> str:
    """So many working minutes later; the clock stands still while nobody works."""
    day, now, left = wall[:10], int(wall[11:13]) * 60 + int(wall[14:16]), minutes
    for _ in range(DAYS_MAX):
        for start, end in worktime.spans if is_worked(worktime, day) else ():
            begin = max(now, start)
            if begin + left <= end:
                return f"{day}T{(begin + left) // 60:02}:{(begin + left) % 60:02}"
            left -= max(0, end - begin)
        day, now = _next(day), 0
    return wall


def _next(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
