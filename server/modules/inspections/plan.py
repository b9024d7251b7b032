"""A recurring plan: on which days it asks for an inspection, and what came of each. Same as `plan.ts`.

Each occurrence stays open until the day before the next one; the last one as long as the plan, one that
is asked for once only on its day. A month that has no such day asks on its last one. After that it is missed.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any, Final, Literal

from server.core.value import Value

TOLD_DAYS: Final = 92
"""What was missed longer ago is not told any more."""
OCCURRENCES_MAX: Final = 1100
STEP_DAYS: Final = {"day": 1, "week": 7, "month": 31}
UNFINISHED: Final = frozenset({"open", "returned"})


@dataclass(frozen=True)
class Duty:
    """What was due on a day: `until` is its last day; `open` is begun, but not handed in."""

    due: str
    until: str
    status: Literal["done", "open", "due", "missed"]
    inspection: str | None


@dataclass(frozen=True)
class Made:
    """An inspection that was made for a plan: its id and state, and the day that it was due."""

    r: str
    state: str
    due: str


def occurrences(plan: Mapping[str, Value], first_day: str, last_day: str) -> list[str]:
    """The days first_day..last_day, each included, on which the plan asks."""
    if not isinstance(plan.get("first"), str):
        return []
    until = plan.get("until")
    last = until if isinstance(until, str) and until < last_day else last_day
    found: list[str] = []
    for n in count(_before(plan, first_day)):
        day = _nth(plan, n)
        if day is None or day > last or len(found) == OCCURRENCES_MAX:
            return found
        if day >= first_day:
            found.append(day)
    raise AssertionError("unreachable")


def duties(plan: Mapping[str, Value], inspections: Sequence[Made], today: str) -> list[Duty]:
    """What the plan has asked for up to today, oldest first."""
    first = plan.get("first")
    if not isinstance(first, str):
        return []
    made: dict[str, Made] = {}
    for one in inspections:
        known = made.get(one.due)
        if known is None or (known.state in UNFINISHED and one.state not in UNFINISHED):
            made[one.due] = one
    since = _shifted(today, -TOLD_DAYS) if plan.get("every") in STEP_DAYS else first
    return [_duty(plan, due, made.get(due), today) for due in occurrences(plan, since, today)]


def _duty(plan: Mapping[str, Value], due: str, one: Made | None, today: str) -> Duty:
    last = _last_day(plan, due)
    if one is not None:
        return Duty(due, last, "open" if one.state in UNFINISHED else "done", one.r)
    return Duty(due, last, "due" if today <= last else "missed", None)


def _last_day(plan: Mapping[str, Value], due: str) -> str:
    """The last day of what was due on a day: the one before the next is."""
    coming = (_nth(plan, n) for n in count(_before(plan, due)))
    following = next(day for day in coming if day is None or day > due)
    until = plan.get("until")
    if following is None:
        return until if isinstance(until, str) else due
    last = _shifted(following, -1)
    return until if isinstance(until, str) and until < last else last


def _nth(plan: Mapping[str, Value], n: int) -> str | None:
    """The n-th day from 0; None where there is none."""
    first, every = str(plan["first"]), plan.get("every")
    if every == "month":
        return _months_later(first, n)
    if every in ("day", "week"):
        return _shifted(first, STEP_DAYS[every] * n)
    return first if n == 0 else None


def _before(plan: Mapping[str, Value], day: str) -> int:
    """A number of an occurrence that is surely not after the first one from a day on."""
    days = (date.fromisoformat(day) - date.fromisoformat(str(plan["first"]))).days
    step: Any = STEP_DAYS.get(str(plan.get("every")))
    return max(0, days // step) if step else 0


def _shifted(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days)).isoformat()


def _months_later(first: str, months: int) -> str:
    start = date.fromisoformat(first)
    years, month = divmod(start.month - 1 + months, 12)
    length = monthrange(start.year + years, month + 1)[1]
    return date(start.year + years, month + 1, min(start.day, length)).isoformat()
