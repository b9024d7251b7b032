"""The words of the sheets in both languages, and how minutes, 工 and dates are written on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

Pick = Callable[[str, str], str]  # (zh, en) → the reader's

WEEKDAYS: Final = (("一", "M"), ("二", "T"), ("三", "W"), ("四", "T"), ("五", "F"), ("六", "S"), ("日", "S"))
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MARKS: Final = {
    "missing": ("缺", "?"),
    "on_site": ("在", "…"),
}


def pick(lang: str) -> Pick:
    return lambda zh, en: zh if lang == "zh" else en


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


def weekday(day: date, t: Pick) -> str:
    return t(*WEEKDAYS[day.weekday()])


def month_title(first: str, t: Pick) -> str:
    day = date.fromisoformat(first)
    return t(f"{day.year}年{day.month}月", f"{MONTHS[day.month - 1]} {day.year}")


def day_title(day: date, t: Pick) -> str:
    zh = f"{day.year}年{day.month}月{day.day}日（星期{WEEKDAYS[day.weekday()][0]}）"
    return t(zh, f"{day:%A} {day.day} {MONTHS[day.month - 1]} {day.year}")


def clock(at: int | None, day: str, zone: ZoneInfo) -> str:
    """An instant on the wall of the site; `+1` where it is after the day it is printed under."""
    if at is None:
        return ""
    local = datetime.fromtimestamp(at / 1000, zone)
    days = (local.date() - date.fromisoformat(day)).days
    return f"{local:%H:%M}" + (f" {days:+}" if days else "")
