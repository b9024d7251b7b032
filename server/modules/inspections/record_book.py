"""An inspection as XLSX, laid out as its paper form: the head, every question, the sums, ready to print on A4."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

from server.web.report import Opened
from server.web.sheet import title_of

WIDTHS: Final = (6, 46, 18, 9, 9, 34)


def record_book(one: Opened, values: Mapping[str, Any]) -> bytes:
    """`values` are those of the page (`report.record_values`)."""
    import xlsxwriter

    out, t = io.BytesIO(), one.reader.t
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(title_of(values["name"]))
    cell = {"border": 1, "text_wrap": True, "valign": "top", "font_size": 10}
    plain, bold = book.add_format(cell), book.add_format({**cell, "bold": True, "bg_color": "#F3F0E8"})
    failed = book.add_format({**cell, "bold": True, "font_color": "#9D1C10"})
    heading = book.add_format({"bold": True, "font_size": 16})
    for at, width in enumerate(WIDTHS):
        sheet.set_column(at, at, width)
    sheet.write_string(0, 0, values["name"], heading)
    sheet.write_string(1, 0, f"{one.project_name} {values['code']}")
    row = 3
    for names in (("date", "place"), ("lead", "people")):
        for at, name in zip((0, 3), names, strict=True):
            sheet.write_string(row, at, one.label(name), bold)
            sheet.write_string(row, at + 1, one.text(name), plain)
        row += 1
    if values["total"]:
        sheet.write_string(row, 0, t("page.score"), bold)
        sheet.write_string(row, 1, f"{values['total']} {values['grade']}", bold)
    row += 2
    heads = ("number", "item", "result", "full", "deducted", "remark")
    for at, word in enumerate(heads):
        sheet.write_string(row, at, t(f"page.{word}"), bold)
    sheet.repeat_rows(row)
    for section in values["sections"]:
        row = _section(sheet, row + 1, section, plain, bold, failed)
    row += 2
    sheet.write_string(row, 1, one.label("conclusion"), bold)
    sheet.write_string(row, 2, one.text("conclusion"))
    for word in values["signers"]:
        row += 1
        sheet.write_string(row, 1, word, bold)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    book.close()
    return out.getvalue()


def _section(sheet: Any, row: int, section: Mapping[str, Any], plain: Any, bold: Any, failed: Any) -> int:
    """Its heading with the sums, then its lines; answers the last row."""
    sums = section["table"]
    title = section["title"] + (f"  {sums['got']} / {sums['full']} = {sums['score']}" if sums else "")
    for at in range(len(WIDTHS)):
        sheet.write_string(row, at, title if at == 1 else "", bold)
    for number, line in enumerate(section["lines"], 1):
        row += 1
        style = failed if line["verdict"] == "fail" else plain
        remark = "\n".join(filter(None, (line["note"], line["remark"])))
        clause = f"\n{line['clause']}" if line["clause"] else ""
        sheet.write_number(row, 0, number, plain)
        for at, text in enumerate((line["text"] + clause, line["said"], line["full"], line["points"], remark), 1):
            sheet.write_string(row, at, str(text), style if at in (2, 4) else plain)
    return row
