"""How minutes, 工 and dates are written on the sheets, and the words that several of them share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from server.modules.labour.sheet import MISSING, Sums
from server.web.language import Words

SIGNERS: Final = ("prepared_by", "foreman", "labour_clerk", "project_manager", "date")
TOTALS: Final = ("sum_days", "hours", "sum_man_days", "sum_not_approved", "sum_missing")


def hours(minutes: int) -> str:
    """570 → `9.5`: hours to two places, half up, without trailing zeros."""
    hundredths = (minutes * 100 + 30) // 60
    return hundredths_text(hundredths)


def tenths(minutes: int) -> str:
    """629 → `10.5`: hours to one place, half up, for the narrow cell of a day."""
    return hundredths_text((minutes * 10 + 30) // 60 * 10)


def hundredths_text(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".")


def weekday(day: date, t: Words) -> str:
    """One letter, for the narrow head of a column."""
    return t(f"page.weekday_{day.isoweekday()}")


def month_title(first: str, t: Words) -> str:
    day = date.fromisoformat(first)
    return t("page.month_title", month=t(f"page.month_{day.month}"), year=day.year)


def day_title(day: date, t: Words) -> str:
    month, name = t(f"page.month_{day.month}"), t(f"page.day_{day.isoweekday()}")
    return t("page.day_title", day=day.day, month=month, year=day.year, weekday=name)


def clock(at: int | None, day: str, zone: ZoneInfo) -> str:
    """An instant on the wall of the site; `+1` where it is after the day it is printed under."""
    if at is None:
        return ""
    local = datetime.fromtimestamp(at / 1000, zone)
    days = (local.date() - date.fromisoformat(day)).days
    return f"{local:%H:%M}" + (f" {days:+}" if days else "")


def total_heads(t: Words) -> list[str]:
    return [t(f"page.{name}") for name in TOTALS]


def mark(sums: Sums, t: Words) -> str:
    """What stands in a day without minutes."""
    return t("page.mark_missing" if sums.flags & MISSING else "page.mark_on_site")


def legend(day_minutes: int, t: Words) -> str:
    hours_a_day = hundredths_text((day_minutes * 100 + 30) // 60)
    return t("page.legend", hours=hours_a_day, missing=t("page.mark_missing"), on_site=t("page.mark_on_site"))


def signers(t: Words) -> list[str]:
    return [t(f"page.{name}") for name in SIGNERS]
