"""A template typed into a table, back from XLSX: the document that it says, and the cells that are wrong.

What comes is a stranger's file: it is unpacked only if what it says of its size is small, XML with a document
type is refused, and only so many rows and columns are looked at. Headings may be in either language, or the
fields' own names; the order of the rows is the order of the paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import Any, Final

from server.core.declaration import Kind
from server.core.field import Field
from server.modules.inspections.document import HEAD, ITEMS_MAX, SECTIONS_MAX, Document, Fault, Reading, read_document
from server.modules.inspections.workbook import ITEM_COLUMNS, KEY, SECTION_COLUMNS, SHEETS
from server.web.workbook import package_fault

SHEETS_MAX: Final = 100
ROWS_MAX: Final = {"template": 50, "sections": SECTIONS_MAX + 1, "items": ITEMS_MAX + 1}
COLUMNS_MAX: Final = 40
CELL_LENGTH_MAX: Final = 20_000
YES: Final = frozenset({"是", "yes", "y", "true", "√", "✓", "1", "x"})
NO: Final = frozenset({"否", "no", "n", "false", "×", "0"})


class Unreadable(Exception):
    """The file is no workbook that can be looked into; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class _Table:
    """A sheet: its name in the file, and its rows of cells with the numbers that people see."""

    name: str
    rows: list[tuple[int, Sequence[Any]]]


@dataclass
class _Found:
    """`where` leads from a place in the document to its cell."""

    document: Document = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_workbook(content: bytes, kind: Kind) -> Reading:
    """As `read_document`, faults at cells (`检查项!C12`). Raises Unreadable."""
    tables = _tables(content)
    found = _Found()
    if "items" not in tables:
        raise Unreadable("sheet")
    if "template" in tables:
        _read_head(found, tables["template"], kind)
    _read_sections(found, tables.get("sections"), kind)
    _read_items(found, tables["items"], kind)
    reading = read_document(found.document, kind)
    placed = [Fault(_cell_of(fault.at, found.where, tables), fault.code) for fault in reading.faults]
    blamed = {fault.at for fault in found.faults}  # an unreadable cell is not also an empty one
    reading.faults = [*found.faults, *(fault for fault in placed if fault.at not in blamed)]
    return reading


def _cell_of(at: str, where: Mapping[str, str], tables: Mapping[str, _Table]) -> str:
    """The cell of a place, or what stands nearest around it."""
    while at not in where and at:
        at = at.rpartition(".")[0]
    return where.get(at) or tables["items"].name


def _tables(content: bytes) -> dict[str, _Table]:
    from openpyxl import load_workbook

    if code := package_fault(content):
        raise Unreadable(code)
    try:
        book = load_workbook(BytesIO(content), read_only=True, data_only=False, keep_links=False)
        found = {}
        for sheet in book.worksheets[:SHEETS_MAX]:
            word = _sheet_word(sheet.title)
            if word is not None and word not in found:
                rows = sheet.iter_rows(max_row=ROWS_MAX[word] + 1, max_col=COLUMNS_MAX)
                found[word] = _Table(sheet.title, list(enumerate(map(tuple, rows), 1)))
    except Exception as error:  # whatever its reader chokes on, the file is no workbook
        raise Unreadable("file") from error
    if any(len(table.rows) > ROWS_MAX[word] for word, table in found.items()):
        raise Unreadable("too_many")
    return found


def _sheet_word(title: str) -> str | None:
    said = title.strip().lower()
    return next(
        (word for word, label in SHEETS.items() if said in (word, *(name.lower() for name in label.values()))), None
    )


def _read_head(found: _Found, table: _Table, kind: Kind) -> None:
    names = _headings(HEAD, kind.fields)
    for number, row in table.rows:
        name = names.get(_word(row[0].value)) if row else None
        if name is not None and len(row) > 1:
            _put(found, found.document, name, row[1], f"{table.name}!B{number}", name, kind.fields[name])


def _read_sections(found: _Found, table: _Table | None, kind: Kind) -> None:
    sections: list[Document] = []
    for number, columns, row in _table_rows(found, table, SECTION_COLUMNS, kind.fields["sections"].fields or {}):
        at = f"sections[{len(sections)}]"
        section: Document = {"items": []}
        _put_row(found, section, row, columns, f"{table.name if table else ''}!", number, at)
        section.setdefault("key", f"s{len(sections) + 1}")
        sections.append(section)
    found.document["sections"] = sections


def _read_items(found: _Found, table: _Table, kind: Kind) -> None:
    """An item stands in the section that it names, by its key or its title; or below the one above it."""
    sections: list[Document] = found.document["sections"]
    named = {str(name): i for i, one in enumerate(sections) for name in (one.get("title"), one["key"]) if name}
    current = 0
    rows = _table_rows(found, table, ITEM_COLUMNS, kind.fields["items"].fields or {})
    for count, (number, columns, row) in enumerate(rows, 1):
        item: Document = {}
        said = next((cell.value for name, _, cell in _cells(columns, row) if name == "section"), None)
        if said is not None:
            if str(said).strip() not in named:
                named[str(said).strip()] = len(sections)
                sections.append({"key": f"s{len(sections) + 1}", "title": str(said).strip(), "items": []})
            current = named[str(said).strip()]
        elif not sections:
            sections.append({"key": "s1", "items": []})
        at = f"sections[{current}].items[{len(sections[current]['items'])}]"
        _put_row(found, item, row, columns, f"{table.name}!", number, at)
        item.pop("section", None)
        item.setdefault("key", f"i{count}")
        sections[current]["items"].append(item)


Columns = Sequence[tuple[str, Field | None]]  # per column: the field's name, "" for none


def _table_rows(
    found: _Found, table: _Table | None, names: Sequence[str], fields: Mapping[str, Field]
) -> Iterator[tuple[int, Columns, Sequence[Any]]]:
    """The rows that say something, below the headings. A heading that nobody knows is a fault."""
    if table is None or not table.rows:
        return
    known = _headings(names, fields)
    columns: list[tuple[str, Field | None]] = []
    for cell in table.rows[0][1]:
        word = _word(cell.value)
        name = known.get(word, "")
        if word and not name:
            found.faults.append(Fault(f"{table.name}!{cell.coordinate}", "column"))
        columns.append((name, fields.get(name)))
    for number, row in table.rows[1:]:
        if any(cell.value not in (None, "") for _, _, cell in _cells(columns, row)):
            yield number, columns, row


def _cells(columns: Columns, row: Sequence[Any]) -> Iterator[tuple[str, Field | None, Any]]:
    for (name, declared), cell in zip(columns, row, strict=False):
        if name:
            yield name, declared, cell


def _headings(names: Sequence[str], fields: Mapping[str, Field]) -> dict[str, str]:
    found = {name: name for name in names}
    for name in names:
        for word in (KEY if name == "key" else fields[name].label).values():
            found[_word(word)] = name
    return found


def _word(value: Any) -> str:
    return "" if value is None else str(value).strip().lower()


def _put_row(
    found: _Found, into: Document, row: Sequence[Any], columns: Columns, sheet: str, number: int, at: str
) -> None:
    found.where[at] = f"{sheet}A{number}"
    for name, declared, cell in _cells(columns, row):
        column = getattr(cell, "column_letter", "A")
        _put(found, into, name, cell, f"{sheet}{column}{number}", f"{at}.{name}", declared)


def _put(found: _Found, into: Document, name: str, cell: Any, here: str, at: str, field: Field | None) -> None:
    value = cell.value
    found.where[at] = here
    if value is None or value == "":
        return
    if cell.data_type == "f":
        found.faults.append(Fault(here, "formula"))
    elif cell.data_type == "e":
        found.faults.append(Fault(here, "type"))
    elif isinstance(value, str) and len(value) > CELL_LENGTH_MAX:
        found.faults.append(Fault(here, "long"))
    else:
        read = _value(field, value)
        if read is None:
            found.faults.append(Fault(here, "not_a_number" if field is not None and field.type == "number" else "type"))
        else:
            into[name] = read


def _value(field: Field | None, value: Any) -> Any:
    """What a cell says, for a field; None if it says nothing that the field can hold."""
    kind = "text" if field is None else field.type
    if kind == "number":
        return _number(value)
    if kind == "bool":
        said = _word(value)
        return True if said in YES else False if said in NO else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = _text(value)
    if field is not None and kind == "choice":
        return next((key for key, one in (field.options or {}).items() if text in (key, one.zh, one.en)), text)
    return text


def _text(value: str | int | float) -> str:
    """A number in a cell for text is what it looks like: 1, not 1.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("\r\n", "\n").replace("_x000D_", "").strip()


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
