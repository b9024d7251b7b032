"""The questions that an inspection asks: which, in what order, and what each answer comes to.

Same answers as `sheet.ts` and `answer.ts` on the phone. A repeated section's plain keys are its first
time; every row of `parts` that names the section asks it once more, at `<item>__<part>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from server.modules.inspections.template import Item, Section, Template, Values, rows

Verdict = Literal["pass", "fail", "na", "done"]
"""`done` is an answer where there is nothing to pass or fail."""


@dataclass(frozen=True)
class Question:
    """An item, asked once. `key` is where its answer stands: `answers.<key>.…`."""

    key: str
    item: Item
    section: Section
    part: str | None


def asked(template: Template, values: Values) -> list[Question]:
    """What is asked as the answers stand now, in the order of the paper."""
    return [
        Question(key_of(item, part), item, section, part)
        for section in template.sections
        for part in (None, *parts_of(section, values))
        for item in section.items
        if _is_asked(template, item, part, values, 0)
    ]


def key_of(item: Item, part: str | None) -> str:
    return item.key if part is None else f"{item.key}__{part}"


def parts_of(section: Section, values: Values) -> list[str]:
    """The further times that a section is gone through."""
    if not section.repeat:
        return []
    found = [
        (order if type(order := row.get("order")) is int else 0, key)
        for key, row in rows(values, "parts").items()
        if row.get("section") == section.key
    ]
    return [key for _, key in sorted(found)]


def photo_items(values: Values) -> frozenset[str]:
    """The answers that have a photo."""
    return frozenset(
        item
        for path, photo in values.items()
        if path.startswith("photos.") and isinstance(photo, Mapping) and isinstance(item := photo.get("item"), str)
    )


def judge(item: Item, key: str, values: Values, has_photo: bool) -> Verdict | None:
    """What an answer comes to; None while there is none."""
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
            return _within(item, value) if type(value) is int else None
        case "photo":
            return "done" if has_photo else None
        case _:
            return "done" if values.get(at + item.kind) not in (None, "") else None


def needs_photo(item: Item, verdict: Verdict | None) -> bool:
    if item.photo == "always":
        return verdict not in (None, "na")
    return item.photo == "on_fail" and verdict == "fail"


def _within(item: Item, value: int) -> Verdict:
    """Against the limits, each included."""
    if item.low is None and item.high is None:
        return "done"
    is_in = (item.low is None or value >= item.low) and (item.high is None or value <= item.high)
    return "pass" if is_in else "fail"


def _is_asked(template: Template, item: Item, part: str | None, values: Values, depth: int) -> bool:
    """What it is asked after is asked itself, and answered so; a photo alone is no answer to wait for.

    A condition on an item that is not there, or one of a circle, hides nothing by that.
    """
    on = template.item_by_key.get(item.when_item)
    if on is None or depth > len(template.item_by_key):
        return True
    there = part if on.section == item.section else None
    return _is_asked(template, on, there, values, depth + 1) and _meets(item.when_is, on, key_of(on, there), values)


def _meets(when_is: str, on: Item, key: str, values: Values) -> bool:
    """One of several answers is enough; where none is named, any will do."""
    verdict = judge(on, key, values, has_photo=False)
    wanted = [word for word in re.split(r"[,，\s]+", when_is) if word]
    if not wanted:
        return verdict is not None
    return verdict in wanted or values.get(f"answers.{key}.choice") in wanted
