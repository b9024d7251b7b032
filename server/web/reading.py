"""A record in words, as the phone's lists and ledgers show it: what a person searches in, and reads in tables.

The twin of `pwa/src/ui/generic/words.ts`; `shared/vectors/words.json` holds what both must say. What only one
module says of its own fields is not known here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.core.declaration import Kind
from server.core.field import Field, Label
from server.core.merge import Record, conflicts
from server.core.value import Value, canonical
from server.web.language import Language, Words

COLUMNS_MAX: Final = 4  # of a kind that declares none
MINUTE_MS: Final = 60_000
Values = Mapping[str, Value]


class Reader:
    """Who reads: a language, the site's zone, and what ids are called."""

    def __init__(self, lang: Language, zone: ZoneInfo, names: Mapping[str, str]) -> None:
        self.lang, self.zone, self.names = lang, zone, names

    @cached_property
    def t(self) -> Words:
        return Words(self.lang)

    def said(self, label: Label | None, otherwise: str = "") -> str:
        return (label or {}).get(self.lang) or otherwise

    def text(self, field: Field, value: Value) -> str:
        """A value as text; none is empty, and one that its field could not hold (M9) stands as it is."""
        if value is None:
            return ""
        try:
            return self._text(field, value)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return value if isinstance(value, str) else canonical(value).decode()

    def cell(self, kind: Kind, record: Record, values: Values, path: str) -> str:
        """What stands in a column of a list or table."""
        if path == "state":
            return self.standing(kind, record)
        if path == "by":
            return self.name(record["by"])
        field = kind.fields[path]
        if field.type in ("photos", "files", "rows"):
            n = count(values, path)
            return self.t("list.count", n=n) if n else ""
        value = in_language(values, path, self.lang)
        if field.type == "instant" and type(value) is int and kind.day is not None:
            return self.moment(value, values.get(kind.day))
        return self.text(field, value)

    def title(self, kind: Kind, values: Values) -> str:
        """The fields that name a record, in a line; never empty."""
        words = [self.text(kind.fields[path], in_language(values, path, self.lang)) for path in kind.title]
        return " · ".join(word for word in words if word) or self.said(kind.label, kind.c)

    def standing(self, kind: Kind, record: Record) -> str:
        if conflicts(record, kind):
            return self.t("state.conflict")
        state = kind.states.get(record["state"] or "")
        return self.said(state.label) if state else self.t("state.sent")

    def name(self, id: str) -> str:
        return self.names.get(id, id)

    def moment(self, at: int, day: Value) -> str:
        """The clock alone on the record's own day, else month and day too."""
        text = self.wall(at)
        return text[11:] if text[:10] == day else text[5:]

    def wall(self, at: int) -> str:
        return f"{dt.datetime.fromtimestamp(at / 1000, self.zone):%Y-%m-%d %H:%M}"

    def _text(self, field: Field, value: Any) -> str:
        match field.type:
            case "number":
                return self._number(field, value)
            case "money":
                return f"¥ {grouped(scaled(value, 2, fixed=True))}"
            case "minutes":
                return f"{'-' if value < 0 else ''}{abs(value) // 60}:{abs(value) % 60:02}"
            case "bool":
                return self.t("form.yes" if value is True else "form.no")
            case "choice":
                return self._option(field, value)
            case "multi_choice":
                return ("、" if self.lang == "zh" else ", ").join(self._option(field, one) for one in value)
            case "date":
                return self._day(value)
            case "instant":
                return self.wall(value)
            case "place":
                return self._place(value)
            case "person" | "ref":
                return self.name(value)
            case "pin":
                return self.name(value["plan"]) + ("" if value["page"] == 1 else f" · {value['page']}")
            case "signature":
                return self.t("form.signed")
        return value if isinstance(value, str) else canonical(value).decode()

    def _number(self, field: Field, value: int) -> str:
        unit = self.said(field.unit)
        if (field.unit or {}).get("en") == "ms" and abs(value) >= MINUTE_MS:
            return self._long_time(value)
        return f"{grouped(scaled(value, field.scale))}{' ' if unit and unit != '°' else ''}{unit}"

    def _long_time(self, ms: int) -> str:
        """From a minute on, in hours and minutes; half a minute is one."""
        hours, minutes = divmod((abs(ms) + MINUTE_MS // 2) // MINUTE_MS, 60)
        sign = "−" if ms < 0 else ""
        if not hours:
            return sign + self.t("time.minutes", n=minutes)
        if not minutes:
            return sign + self.t("time.hours", n=hours)
        return sign + self.t("time.hours_minutes", hours=hours, minutes=minutes)

    def _option(self, field: Field, value: str) -> str:
        option = (field.options or {}).get(value)
        if option is not None:
            return str(getattr(option, self.lang))
        return value if field.options else self.name(value)

    def _day(self, text: str) -> str:
        day = dt.date.fromisoformat(text)
        return self.t("page.day_short", weekday=self.t(f"page.day_short_{day.isoweekday()}"), day=day.day,
                      month=self.t(f"page.month_short_{day.month}"))  # fmt: skip

    def _place(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        accuracy, age = value.get("accuracy_m"), value.get("fix_age_s")
        words = [value["code"]] if "code" in value else []
        words.append(self.t("form.place_known") if accuracy is None else self.t("form.place_accuracy", m=accuracy))
        if age is not None and age >= 60:
            words.append(self.t("form.place_age", min=(age + 30) // 60))
        return " · ".join(words)


def columns_of(kind: Kind) -> list[str]:
    """The columns of the ledger: the table's, else the list's, else the title's fields."""
    views = {view.as_: view.columns for view in reversed(kind.views) if view.columns}
    columns = views.get("table") or views.get("list")
    if columns:
        return columns
    return [*(kind.title or [*kind.fields][:COLUMNS_MAX]), *(["state"] if kind.states else [])]


def count(values: Values, name: str) -> int:
    """How many photos, files or rows a record has."""
    return len({path.split(".")[1] for path in values if path.startswith(f"{name}.")})


def in_language(values: Values, path: str, lang: Language) -> Value:
    """What is written in both languages stands twice: `name`, and in English `name_en`."""
    other = values.get(f"{path}_en") if lang == "en" else None
    return values.get(path) if other is None else other


def scaled(value: int, places: int, *, fixed: bool = False) -> str:
    """A whole number at a scale → `12.5`; `fixed` keeps the last zeros, as money does."""
    digits = str(abs(value)).rjust(places + 1, "0")
    whole, part = (digits[:-places], digits[-places:]) if places else (digits, "")
    part = part if fixed else part.rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' if part else ''}{part}"


def grouped(text: str) -> str:
    """`1234567.5` → `1,234,567.5`."""
    whole, point, part = text.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{point}{part}"
