"""A template as a file: an object with the fields of `inspections.template` by their names, numbers as they
are shown, and the items of a section in it, in order.

    {"name": "旁站记录", "name_en": …, "code": …, "scheme": "none", "about": …,
     "sections": [{"key": "s1", "title": …, "title_en": …, "group": …, "weight": 10, "repeat": true,
                   "items": [{"key": "a1", "text": …, "kind": "score", "full": 10,
                              "deductions": ["2-10|未编制方案|No scheme"], …}]}]}

What a field may hold is its declaration's matter; here only what that cannot say. A wrong file comes back
as faults, each with its place in the file and a code that has words in the locales (`page.template.<code>`, or
`reason.<code>` for a value that does not fit its field).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from server.core.declaration import Kind
from server.core.field import Field
from server.core.value import Value
from server.modules.inspections.template import Item, Section, Values, read_template

Document = dict[str, Any]
HEAD: Final = ("name", "name_en", "code", "scheme", "about")
KEY: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
KEY_MAX: Final = 28
"""`<item>__<part>` must still be a key, and a part's has ten signs."""
DEDUCTION: Final = re.compile(r"\d+(\.\d)?( ?- ?\d+(\.\d)?)?( each| per person)?\|[^|\n]+(\|[^|\n]+)?")
OPTION: Final = re.compile(r"\s*[a-z][a-z0-9_]*\s*=[^;；|=]+(\|[^;；|=]+)?\s*")
SECTIONS_MAX: Final = 100
ITEMS_MAX: Final = 500
ORDER_STEP: Final = 10
FAULTS_MAX: Final = 100


@dataclass(frozen=True)
class Fault:
    """`at`: `sections[2].items[0].full`, or a sheet and cell. `code` as above."""

    at: str
    code: str


@dataclass
class Reading:
    """What was read so far: the values of a template's record, and what is wrong."""

    kind: Kind
    values: dict[str, Value] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def blame(self, at: str, code: str) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(at, code))

    def take(self, at: str, path: str, field: Field, value: Any) -> None:
        """A value of the file, into the record."""
        stored = _stored(field, value)
        if isinstance(stored, Unfit):
            self.blame(at, stored.code)
        elif stored is not None:
            reason = field.reason(stored)
            self.values[path] = stored
            if reason is not None:
                self.blame(at, reason)


@dataclass(frozen=True)
class Unfit:
    code: str


def read_document(document: Any, kind: Kind) -> Reading:
    """The values of a draft that says what the file says; use them only if there are no faults."""
    found = Reading(kind)
    if not isinstance(document, dict):
        found.blame("$", "type")
        return found
    _unknown(found, "", document, {*HEAD, "sections"})
    for name in HEAD:
        found.take(name, name, kind.fields[name], document.get(name))
    if not document.get("name"):
        found.blame("name", "required")
    sections = document.get("sections")
    if not isinstance(sections, list) or not sections:
        found.blame("sections", "empty")
        return found
    items = list(_take_sections(found, sections[:SECTIONS_MAX]))
    if len(sections) > SECTIONS_MAX or len(items) > ITEMS_MAX:
        found.blame("sections", "too_many")
    elif not items:
        found.blame("sections", "empty")
    _unique(found, items)
    keys = {row.get("key"): row for _, row in items}
    for at, row in items:
        _check_item(found, at, row, keys)
    return found


Placed = tuple[str, dict[str, Any]]  # where in the file, and what stands there


def _take_sections(found: Reading, sections: Sequence[Any]) -> Iterator[Placed]:
    heads: list[Placed] = []
    for i, section in enumerate(sections):
        at = f"sections[{i}]"
        if not isinstance(section, dict):
            found.blame(at, "type")
            continue
        heads.append((at, section))
        key = _key(found, at, section)
        _take_row(found, at, "sections", key, section, (i + 1) * ORDER_STEP)
        items = section.get("items", [])
        if not isinstance(items, list):
            found.blame(f"{at}.items", "type")
            continue
        for j, item in enumerate(items[: ITEMS_MAX + 1]):
            here = f"{at}.items[{j}]"
            if not isinstance(item, dict):
                found.blame(here, "type")
                continue
            own = _key(found, here, item)
            _take_row(found, here, "items", own, item, (j + 1) * ORDER_STEP)
            found.values[f"items.{own}.section"] = key
            yield here, item
    _unique(found, heads)


def _key(found: Reading, at: str, row: Mapping[str, Any]) -> str:
    key = row.get("key")
    if isinstance(key, str) and KEY.fullmatch(key) and len(key) <= KEY_MAX:
        return key
    found.blame(f"{at}.key", "required" if not key else "key")
    return "x"


def _take_row(found: Reading, at: str, name: str, key: str, row: Mapping[str, Any], order: int) -> None:
    fields = found.kind.fields[name].fields or {}
    told = fields.keys() - {"order", "section"}
    _unknown(found, f"{at}.", row, {*told, "key", *(["items"] if name == "sections" else [])})
    for sub in told & row.keys():
        value = row[sub]
        if sub == "deductions" and isinstance(value, list):
            value = "\n".join(map(str, value))
        found.take(f"{at}.{sub}", f"{name}.{key}.{sub}", fields[sub], value)
    found.values[f"{name}.{key}.order"] = order


def _unknown(found: Reading, at: str, row: Mapping[str, Any], known: Iterable[str]) -> None:
    for name in row.keys() - set(known):
        found.blame(f"{at}{name}"[:80], "unknown")


def _unique(found: Reading, rows: Iterable[Placed]) -> None:
    seen: set[Any] = set()
    for at, row in rows:
        key = row.get("key")
        if isinstance(key, str) and key in seen:
            found.blame(f"{at}.key", "twice")
        seen.add(key if isinstance(key, str) else None)


def _check_item(found: Reading, at: str, row: Mapping[str, Any], keys: Mapping[Any, Any]) -> None:
    kind = row.get("kind")
    if not row.get("text"):
        found.blame(f"{at}.text", "required")
    if kind is None:
        found.blame(f"{at}.kind", "required")
    if kind == "score" and not row.get("full"):
        found.blame(f"{at}.full", "required")
    if kind == "choice" and not row.get("options"):
        found.blame(f"{at}.options", "required")
    low, high = (row.get(name) for name in ("low", "high"))
    if _is_number(low) and _is_number(high) and Decimal(str(low)) > Decimal(str(high)):
        found.blame(f"{at}.low", "limits")
    if row.get("when_item") and (row["when_item"] not in keys or row["when_item"] == row.get("key")):
        found.blame(f"{at}.when_item", "no_item")
    deductions, options = row.get("deductions"), row.get("options")
    lines = deductions.split("\n") if isinstance(deductions, str) else deductions or ()
    if isinstance(lines, Sequence) and not all(DEDUCTION.fullmatch(str(line).strip()) for line in lines if line):
        found.blame(f"{at}.deductions", "deduction")
    if isinstance(options, str) and not all(OPTION.fullmatch(one) for one in re.split("[;；]", options) if one.strip()):
        found.blame(f"{at}.options", "options")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and isfinite(value)


def _stored(field: Field, value: Any) -> Value | Unfit:
    """A shown value as a record holds it; None for nothing."""
    if value is None or value == "":
        return None
    if field.type == "number":
        if not _is_number(value):
            return Unfit("not_a_number")
        scaled = Decimal(str(value)).scaleb(field.scale)
        if abs(scaled) > 2**53:
            return Unfit("max")
        return int(scaled) if scaled == int(scaled) else Unfit("decimals")
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    return (value or None) if isinstance(value, bool) else Unfit("type")


def document_of(values: Values, kind: Kind) -> Document:
    """A template's record as a file. Its pictures stay behind: they are photos of their site."""
    template = read_template(values)
    document: Document = {name: values[name] for name in HEAD if values.get(name)}
    document["sections"] = [_section(section, kind) for section in template.sections]
    return document


def _section(section: Section, kind: Kind) -> Document:
    own = _row(section, (kind.fields["sections"].fields or {}))
    if section.group == section.key:
        own.pop("group", None)
    return {"key": section.key or "rest", **own, "items": [_item(item, kind) for item in section.items]}


def _item(item: Item, kind: Kind) -> Document:
    row = _row(item, (kind.fields["items"].fields or {}))
    if row.get("photo") == "never":
        del row["photo"]
    if "deductions" in row:
        row["deductions"] = [line for line in row["deductions"].split("\n") if line.strip()]
    return {"key": item.key, **row}


def _row(row: Item | Section, fields: Mapping[str, Field]) -> Document:
    """What is said of a row, as it is shown; what is not said is left out."""
    found: Document = {}
    for name, sub in fields.items():
        value = getattr(row, name)
        if name in ("order", "section") or value is None or value is False or value == "":
            continue
        found[name] = shown_number(value, sub.scale) if sub.type == "number" else value
    return found


def shown_number(value: int, scale: int) -> int | float:
    shown = Decimal(value).scaleb(-scale)
    return int(shown) if shown == int(shown) else float(shown)
