"""What the printed sheets show: the values of templates/labour/{month,day}.html."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from server.core.declaration import Kind
from server.modules.labour import words
from server.modules.labour.sheet import MISSING, Line, Page, Sheet, Sums, Worked
from server.modules.labour.words import legend, mark, signers, total_heads
from server.web.language import Words


def month_values(sheet: Sheet, project: str, t: Words) -> dict[str, Any]:
    return _shared(sheet, project, t) | {
        "title": t("page.month_sheet", month=words.month_title(sheet.first, t)),
        "summary": t("page.month_summary", month=words.month_title(sheet.first, t)),
        "days": [_day_head(day, t) for day in sheet.dates],
        "totals": total_heads(t),
        "cell": lambda sums: words.tenths(sums.minutes) if sums.minutes else mark(sums, t),
        "look": _look,
        "total_of": _total_of,
        "legend": legend(sheet.day_minutes, t),
    }


def day_values(sheet: Sheet, project: str, zone: ZoneInfo, shift_kind: Kind, t: Words) -> dict[str, Any]:
    day = date.fromisoformat(sheet.first)
    return _shared(sheet, project, t) | {
        "title": t("page.day_sheet"),
        "date": words.day_title(day, t),
        "clock": lambda at, on: words.clock(at, on, zone),
        "loop_index": lambda page, line: page.lines.index(line) + 1,
        "remarks": lambda shift: remarks(shift, shift_kind, t),
    }


def remarks(shift: Worked, shift_kind: Kind, t: Words) -> str:
    """The words of a shift's flags, in the order of the declaration; what the times say already is left out."""
    options = shift_kind.fields["flags"].options or {}
    said = [str(getattr(option, t.lang)) for key, option in options.items() if key in shift.flags - MISSING]
    return t("page.comma").join(said)


def _shared(sheet: Sheet, project: str, t: Words) -> dict[str, Any]:
    return {
        "sheet": sheet,
        "project": project,
        "colon": t("page.colon"),
        "hours": words.hours,
        "man_days": lambda sums: words.hundredths_text(sums.man_days),
        "signers": signers(t),
    }


def _day_head(day: date, t: Words) -> Mapping[str, Any]:
    return {"iso": day.isoformat(), "number": day.day, "weekday": words.weekday(day, t), "rest": day.weekday() >= 5}


def _look(sums: Sums) -> str:
    if sums.flags & MISSING:
        return "missing"
    return "waits" if sums.unapproved_minutes else "done"


def _total_of(page: Page, day: str) -> str:
    lines: Sequence[Line] = page.lines
    minutes = sum(line.days[day].minutes for line in lines if day in line.days)
    return words.tenths(minutes) if minutes else ""
