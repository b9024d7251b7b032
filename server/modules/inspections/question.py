"""The questions that an inspection asks: which, in what order, and what each answer comes to.

Same answers as `question.ts`. A repeated section's plain keys are its first time; every row of
`parts` that names the section asks it once more, at `<item>__<part>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from server.core.value import Value
from server.modules.inspections.template import LAST, Item, Section, Template, Values, rows

Verdict = Literal["pass", "fail", "na"]
JUDGED: Final = frozenset({"check", "score", "number"})  # the kinds that can fail


@dataclass(frozen=True)
class Question:
    """An item, asked once. `key` is where its answer stands: `answers.<key>.…`."""

    key: str
    item: Item
    section: Section
    part: str | None


def asked(template: Template, values: Values) -> list[Question]:
    """What is asked as the answers stand now, in the order of the paper."""
    pictured = photo_items(values)
    return [
        Question(key_of(item, part), item, section, part)
        for section in template.sections
        for part in (None, *parts_of(section, values))
        for item in section.items
        if _is_asked(template, item, part, values, pictured, ())
    ]


def key_of(item: Item, part: str | None) -> str:
    return item.key if part is None else f"{item.key}__{part}"


def parts_of(section: Section, values: Values) -> list[str]:
    """The further times that a section is gone through. (A part named like its section only
    names the first time.)"""
    if not section.repeat:
        return []
    found = [
        (order if type(order := row.get("order")) is int else LAST, key)
        for key, row in rows(values, "parts").items()
        if row.get("section") == section.key and key != section.key
    ]
    return [key for _, key in sorted(found)]


def judge(question: Question, values: Values) -> Verdict | None:
    """What an answer comes to; None while there is none."""
    return judge_item(question.item, question.key, values, photo_items(values))


def photo_items(values: Values) -> frozenset[str]:
    """The answers that have a photo."""
    return frozenset(
        item
        for path, photo in values.items()
        if path.startswith("photos.") and isinstance(photo, Mapping) and isinstance(item := photo.get("item"), str)
    )


def judge_item(item: Item, key: str, values: Values, pictured: frozenset[str]) -> Verdict | None:
    at = f"answers.{key}."
    result = values.get(at + "result")
    if result == "na":
        return "na"
    match item.kind:
        case "check":
            return "pass" if result == "pass" else "fail" if result == "fail" else None
        case "score":
            points = values.get(at + "points")
            return None if type(points) is not int else "fail" if points > 0 else "pass"
        case "number":
            value = values.get(at + "value")
            return None if type(value) is not int else "pass" if _is_within(item, value) else "fail"
        case "photo":
            return "pass" if key in pictured else None
        case _:
            return "pass" if _is_given(values.get(at + item.kind)) else None


def needs_photo(item: Item, verdict: Verdict | None) -> bool:
    return (item.photo == "always" and verdict in ("pass", "fail")) or (item.photo == "on_fail" and verdict == "fail")


def _is_within(item: Item, value: int) -> bool:
    return (item.low is None or value >= item.low) and (item.high is None or value <= item.high)


def _is_given(value: Value) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


def _is_asked(
    template: Template, item: Item, part: str | None, values: Values, pictured: frozenset[str], behind: tuple[str, ...]
) -> bool:
    """Its condition holds, and what it is asked after is asked itself. A condition that leads
    nowhere, or round in a circle, hides nothing."""
    first = template.item_by_key.get(item.when_item)
    if first is None or item.key in behind:
        return True
    same = part if first.section == item.section else None
    if not _is_asked(template, first, same, values, pictured, (*behind, item.key)):
        return False
    key = key_of(first, same)
    answers = {judge_item(first, key, values, pictured), values.get(f"answers.{key}.choice")}
    return any(word.strip() in answers for word in item.when_is.split(","))
