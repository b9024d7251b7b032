"""A template as XLSX, for people who would rather type in a table: a sheet each for the template, its
sections and its items, one row each, with the declaration's own words as headings.

What a cell holds is a text or a number, never a formula. `book_reading` takes such a file back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from server.core.declaration import Kind
from server.core.field import Field
from server.modules.inspections.document import HEAD, Document
from server.web.language import Language

Label = Mapping[str, str]
SHEETS: Final[Mapping[str, Label]] = {
    "template": {"zh": "检查表", "en": "Template"},
    "sections": {"zh": "章节", "en": "Sections"},
    "items": {"zh": "检查项", "en": "Items"},
}
KEY: Final[Label] = {"zh": "代号", "en": "Key"}
YES: Final[Label] = {"zh": "是", "en": "yes"}
WIDTHS: Final = {"text": 44, "text_en": 44, "title": 30, "title_en": 30, "deductions": 60, "help": 40, "help_en": 40}
SECTION_COLUMNS: Final = ("key", "title", "title_en", "group", "weight", "repeat")
ITEM_COLUMNS: Final = (
    "section", "key", "text", "text_en", "kind", "full", "unit", "low", "high", "options", "deductions", "required",
    "photo", "guarantee", "veto", "weight", "clause", "help", "help_en", "when_item", "when_is", "doubt",
)  # fmt: skip


def template_workbook(document: Document, kind: Kind, lang: Language) -> bytes:
    """The bytes of an .xlsx file."""
    out = BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(out, plain) as book:
        looks = {
            "head": book.add_format({"bold": True, "bottom": 1, "bg_color": "#F1EEE6", "text_wrap": True}),
            "cell": book.add_format({"text_wrap": True, "valign": "top"}),
        }
        _template(book.add_worksheet(SHEETS["template"][lang]), document, kind, lang, looks)
        sections: list[dict[str, Any]] = document["sections"]
        fields = kind.fields["sections"].fields or {}
        _table(book.add_worksheet(SHEETS["sections"][lang]), SECTION_COLUMNS, sections, fields, lang, looks)
        items = [{"section": section["key"], **item} for section in sections for item in section["items"]]
        fields = kind.fields["items"].fields or {}
        _table(book.add_worksheet(SHEETS["items"][lang]), ITEM_COLUMNS, items, fields, lang, looks)
    return out.getvalue()


def _template(tab: Worksheet, document: Document, kind: Kind, lang: Language, looks: dict[str, Any]) -> None:
    tab.set_column(0, 0, 20)
    tab.set_column(1, 1, 80)
    for at, name in enumerate(HEAD):
        tab.write_string(at, 0, kind.fields[name].label[lang], looks["head"])
        _write(tab, at, 1, kind.fields[name], document.get(name), lang, looks["cell"])


def _table(
    tab: Worksheet,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    fields: Mapping[str, Field],
    lang: Language,
    looks: dict[str, Any],
) -> None:
    for at, name in enumerate(columns):
        tab.set_column(at, at, WIDTHS.get(name, 12))
        tab.write_string(0, at, KEY[lang] if name == "key" else fields[name].label[lang], looks["head"])
    tab.freeze_panes(1, 2)
    for down, row in enumerate(rows, 1):
        for at, name in enumerate(columns):
            _write(tab, down, at, fields.get(name), row.get(name), lang, looks["cell"])


def _write(tab: Worksheet, row: int, at: int, field: Field | None, value: Any, lang: Language, look: Any) -> None:
    if value is None:
        return
    if field is not None and field.type == "choice":
        option = (field.options or {}).get(value)
        value = getattr(option, lang) if option else value
    if value is True:
        value = YES[lang]
    if isinstance(value, list):
        value = "\n".join(value)
    if isinstance(value, int | float):
        tab.write_number(row, at, value, look)
    else:
        tab.write_string(row, at, str(value), look)
