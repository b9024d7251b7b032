"""Days off the rule, read from what people have: a list, a calendar file (ICS), or the notice of the State Council.

A list has one day or range a line, with a word whether it is worked and a name, in any order:
`2026-05-01~2026-05-05 休 劳动节`, `2026/5/9,上班,劳动节`. Without such a word it is a day off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

DAYS_MAX: Final = 1000
RANGE_DAYS_MAX: Final = 60
NAME_LENGTH_MAX: Final = 60
WORKED: Final = frozenset({"上班", "班", "补班", "调休上班", "工作", "工作日", "work", "working", "workday"})
OFF: Final = frozenset({"休", "休息", "放假", "假", "假期", "放假调休", "节假日", "off", "holiday", "rest"})
HEADINGS: Final = frozenset({"日期", "date", "day", "works", "上班", "名称", "name", "类型", "type", "开始", "结束"})

DAY: Final = r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?:\s*日)?|\b(\d{4})(\d{2})(\d{2})\b"
RANGE: Final = re.compile(rf"(?:{DAY})(?:\s*(?:~|～|至|到|—|–|\.\.|\sto\s|\s-\s|[,，\t])\s*(?:{DAY}))?")
NOTICE: Final = re.compile(r"^\s*[一二三四五六七八九十]+、\s*([^：:]+)[：:](.+)$")
MONTH_DAY: Final = re.compile(r"(?:(\d{1,2})月)?(\d{1,2})日(?:至(?:(\d{1,2})月)?(\d{1,2})日)?")
ASIDE: Final = re.compile(r"[（(][^）)]*[）)]")
YEAR: Final = re.compile(r"(20\d\d)年")


@dataclass(frozen=True, slots=True)
class DayOff:
    day: str
    works: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """`line` counts from 1; `code`: no_date wrong_date wrong_order too_long too_many twice no_year nothing."""

    line: int
    code: str


@dataclass
class DaysOff:
    """What was found, by day, and what could not be read."""

    days: dict[str, DayOff] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def put(self, line: int, first: date, last: date, name: str, *, works: bool) -> None:
        length = (last - first).days + 1
        if length < 1 or length > RANGE_DAYS_MAX:
            self.faults.append(Fault(line, "wrong_order" if length < 1 else "too_long"))
            return
        for n in range(length):
            one = DayOff((first + timedelta(days=n)).isoformat(), works, name[:NAME_LENGTH_MAX])
            before = self.days.setdefault(one.day, one)
            if before.works != one.works:
                self.faults.append(Fault(line, "twice"))
                return


def read_days(text: str) -> DaysOff:
    found, lines = DaysOff(), text.lstrip("\ufeff").splitlines()
    if any(line.strip().upper() == "BEGIN:VCALENDAR" for line in lines):
        _read_ics(found, lines)
    elif any(NOTICE.match(line) for line in lines):
        _read_notice(found, text, lines)
    else:
        _read_list(found, lines)
    if len(found.days) > DAYS_MAX:
        found.faults.append(Fault(len(lines), "too_many"))
    if not found.days and not found.faults:
        found.faults.append(Fault(1, "nothing"))
    return found


def _read_list(found: DaysOff, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines, 1):
        dates = RANGE.search(line)
        words = _words(line if dates is None else f"{line[: dates.start()]} {line[dates.end() :]}")
        if dates is None:
            if words and not line.lstrip().startswith("#") and not all(word.lower() in HEADINGS for word in words):
                found.faults.append(Fault(number, "no_date"))
            continue
        first = _date(dates.groups()[:6])
        last = _date(dates.groups()[6:]) if any(dates.groups()[6:]) else first
        if first is None or last is None:
            found.faults.append(Fault(number, "wrong_date"))
            continue
        said = {word.lower() for word in words}
        name = " ".join(word for word in words if word.lower() not in WORKED | OFF)
        found.put(number, first, last, name, works=bool(said & WORKED) or (not said & OFF and _is_worked(name)))


def _read_notice(found: DaysOff, text: str, lines: Sequence[str]) -> None:
    """`二、春节：2月15日至23日放假调休，共9天。2月14日、2月28日上班。`; the year stands in its heading."""
    year = YEAR.search(text)
    for number, line in enumerate(lines, 1):
        part = NOTICE.match(line)
        if part is None:
            continue
        if year is None:
            found.faults.append(Fault(number, "no_year"))
            return
        for sentence in ASIDE.sub("", part[2]).split("。"):
            if not sentence.strip():
                continue
            month, dates = 0, list(MONTH_DAY.finditer(sentence))
            if not dates:
                found.faults.append(Fault(number, "no_date"))
            for one in dates:
                month = int(one[1] or month)
                first = _date((year[1], str(month), one[2]))
                month = int(one[3] or month)
                last = _date((year[1], str(month), one[4])) if one[4] else first
                if first is None or last is None:
                    found.faults.append(Fault(number, "wrong_date"))
                else:
                    found.put(number, first, last, part[1].strip(), works="上班" in sentence)


def _read_ics(found: DaysOff, lines: Sequence[str]) -> None:
    start: str | None = None
    event: dict[str, str] = {}
    for number, line in _unfolded(lines):
        key, _, value = line.partition(":")
        word = key.partition(";")[0].upper()
        if (word, value.strip().upper()) == ("BEGIN", "VEVENT"):
            event, start = {}, str(number)
        elif (word, value.strip().upper()) == ("END", "VEVENT") and start is not None:
            _put_event(found, int(start), event)
            start = None
        elif start is not None:
            event.setdefault(word, value.strip())


def _put_event(found: DaysOff, number: int, event: dict[str, str]) -> None:
    first = _date(_figures(event.get("DTSTART", "")))
    if first is None:
        found.faults.append(Fault(number, "wrong_date"))
        return
    end = event.get("DTEND", "")
    after = _date(_figures(end)) if end else first + timedelta(days=1)
    if after is None:
        found.faults.append(Fault(number, "wrong_date"))
        return
    last = after if len(end) > len("20260501") else after - timedelta(days=1)  # with a clock the end is its day
    name = event.get("SUMMARY", "").replace("\\,", ",").replace("\\;", ";")
    found.put(number, first, max(first, last), name, works=_is_worked(name))


def _unfolded(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """A line that begins with a space goes on the one before."""
    whole, at = "", 1
    for number, line in enumerate(lines, 1):
        if line[:1] in (" ", "\t"):
            whole += line[1:]
            continue
        yield at, whole
        whole, at = line, number
    yield at, whole


def _is_worked(name: str) -> bool:
    """As calendars name it: `劳动节（班）`, `春节调休上班`, `补班`."""
    return any(word in name for word in ("上班", "补班", "（班", "(班")) or "workday" in name.lower()


def _figures(text: str) -> tuple[str, str, str]:
    return text[:4], text[4:6], text[6:8]


def _words(line: str) -> list[str]:
    return [word for part in re.split(r"[,，;；\t|]|\s+", line) if (word := part.strip().strip("\"'"))]


def _date(parts: Sequence[str | None]) -> date | None:
    try:
        year, month, day = (int(part) for part in parts if part)
        return date(year, month, day)
    except ValueError:
        return None
