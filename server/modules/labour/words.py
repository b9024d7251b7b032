"""The words of the sheets in both languages, and how minutes, 工 and dates are written on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from server.modules.labour.sheet import MISSING, Sums

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


def total_heads(t: Pick) -> list[str]:
    return [
        t("出勤\n天数", "Days"), t("工时", "Hours"), t("工数", "Man-\ndays"),
        t("未审\n工时", "Not yet\nappr."), t("缺卡", "Miss-\ning"),
    ]  # fmt: skip


def mark(sums: Sums, t: Pick) -> str:
    """What stands in a day without minutes."""
    return t(*MARKS["missing" if sums.flags & MISSING else "on_site"])


def legend(day_minutes: int, t: Pick) -> str:
    one = hundredths_text((day_minutes * 100 + 30) // 60)
    missing, on_site = t(*MARKS["missing"]), t(*MARKS["on_site"])
    zh = [
        "说明：日栏为工时（小时，合计按分钟计算），斜体灰字尚未审核",
        f"“{missing}”为缺上班卡或下班卡，不计工时",
        f"“{on_site}”为仍在工地",
        f"{one} 小时 = 1 个工",
        "夜班计入开始之日。",
    ]
    en = [
        "Day columns are hours (sums are of minutes), grey italics not yet approved",
        f"{missing} a check-in or check-out is missing, not counted",
        f"{on_site} still on site",
        f"{one} hours = 1 man-day",
        "a night shift counts for the day it began.",
    ]
    return t("；".join(zh), "; ".join(en))


def signers(t: Pick) -> list[str]:
    return [
        t("制表人", "Prepared by"), t("班组长", "Foreman"), t("劳资员", "Labour clerk"),
        t("项目经理", "Project manager"), t("日期", "Date"),
    ]  # fmt: skip
