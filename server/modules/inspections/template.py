"""A template as its record has it: sections in order, each with its items in order.

`read_template` takes the shown values of an `inspections.template` (path → value) and answers the
same as `template.ts`. Nothing gets lost in it: an item whose section is gone stands in one without
a name, at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from server.core.value import Value

Values = Mapping[str, Value]
ITEM_KINDS: Final = frozenset({"check", "score", "number", "choice", "text", "photo", "signature"})
AFTER_ALL: Final = 2**53
TEXTS: Final = (
    "section", "kind", "text", "text_en", "clause", "help", "help_en", "unit", "options", "photo", "when_item",
    "when_is", "deductions", "doubt",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One question. Numbers in stored units: `full` in tenths, `weight` in hundredths, limits in thousandths."""

    key: str
    section: str
    order: int
    kind: str
    text: str
    text_en: str
    clause: str
    help: str
    help_en: str
    full: int | None
    guarantee: bool
    veto: bool
    weight: int | None
    unit: str
    low: int | None
    high: int | None
    options: str
    photo: str
    required: bool
    when_item: str
    when_is: str
    deductions: str
    doubt: str


@dataclass(frozen=True)
class Section:
    """`group` names what is summed up together; a section without one stands for itself."""

    key: str
    order: int
    title: str
    title_en: str
    group: str
    weight: int | None
    repeat: bool
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Template:
    scheme: str
    sections: tuple[Section, ...]
    item_by_key: Mapping[str, Item] = field(repr=False)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        return tuple(item for section in self.sections for item in section.items)


def read_template(values: Values) -> Template:
    items = sorted((_item(key, row) for key, row in rows(values, "items").items()), key=_place)
    heads = rows(values, "sections")
    by_section: dict[str, list[Item]] = {key: [] for key in heads}
    for item in items:
        by_section.setdefault(item.section if item.section in heads else "", []).append(item)
    sections = sorted((_section(key, heads.get(key, {}), found) for key, found in by_section.items()), key=_place)
    scheme = values.get("scheme")
    return Template(scheme if isinstance(scheme, str) else "none", tuple(sections), {item.key: item for item in items})


def rows(values: Values, name: str) -> dict[str, dict[str, Value]]:
    """`name.key.sub` → key → sub → value."""
    found: dict[str, dict[str, Value]] = {}
    for path, value in values.items():
        if path.startswith(name + ".") and value is not None:
            _, key, *sub = path.split(".")
            if sub:
                found.setdefault(key, {})[sub[0]] = value
    return found


def _place(row: Item | Section) -> tuple[int, str]:
    return row.order, row.key


def _section(key: str, row: Mapping[str, Value], items: Iterable[Item]) -> Section:
    return Section(
        key=key, order=_order(row) if key else AFTER_ALL, title=_text(row, "title"), title_en=_text(row, "title_en"),
        group=_text(row, "group") or key, weight=_number(row, "weight"), repeat=row.get("repeat") is True,
        items=tuple(items),
    )  # fmt: skip


def _item(key: str, row: Mapping[str, Value]) -> Item:
    fields: dict[str, Any] = {name: _text(row, name) for name in TEXTS}
    fields |= {name: _number(row, name) for name in ("full", "weight", "low", "high")}
    fields |= {name: row.get(name) is True for name in ("guarantee", "veto", "required")}
    fields["kind"] = fields["kind"] if fields["kind"] in ITEM_KINDS else "check"
    return Item(key=key, order=_order(row), **fields)


def _order(row: Mapping[str, Value]) -> int:
    return _number(row, "order") or 0


def _text(row: Mapping[str, Value], name: str) -> str:
    value: Any = row.get(name)
    return value if isinstance(value, str) else ""


def _number(row: Mapping[str, Value], name: str) -> int | None:
    value: Any = row.get(name)
    return value if type(value) is int else None
