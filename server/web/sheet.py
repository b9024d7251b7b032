"""Tables out: XLSX written row by row to a file (constant memory), CSV as a stream.

A cell that a spreadsheet would take for a formula stays a text: XLSX says so in the file, CSV gets an
apostrophe in front. CSV begins with a byte-order mark, or Excel reads Chinese as noise.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

Cell = str | int | float | bool | dt.date | dt.datetime | dt.timedelta | None
Kind = Literal["text", "number", "money", "date", "instant", "minutes"]
FORMATS: Final[dict[Kind, str]] = {
    "text": "@",
    "number": "General",
    "money": "#,##0.00",
    "date": "yyyy-mm-dd",
    "instant": "yyyy-mm-dd hh:mm",
    "minutes": "[h]:mm",
}
KINDS: Final[dict[str, Kind]] = {kind: kind for kind in FORMATS}
CELL: Final = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#57503F"}
A4: Final = 9
LINE_POINTS, LINES_MAX = 16, 20
WIDE: Final = "\u2e7f"  # letters after it, Chinese ones, are two wide
MARGIN_INCH: Final = 0.4
TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_MAX: Final = 1_048_575
YEAR_MIN: Final = 1900  # a spreadsheet knows no earlier dates
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Column:
    title: str
    kind: Kind = "text"
    width: int = 14


class Xlsx:
    """One sheet with a heading row that stays in view, can be filtered, and is printed on each page.
    `close` gives the file."""

    def __init__(self, title: str, columns: Sequence[Column]) -> None:
        import xlsxwriter

        self.folder = tempfile.TemporaryDirectory(prefix="gongbu-")
        self.file = Path(self.folder.name) / "sheet.xlsx"
        self.columns, self.row = columns, 0
        self.book = xlsxwriter.Workbook(
            str(self.file),
            {
                "constant_memory": True,
                "tmpdir": self.folder.name,
                "strings_to_formulas": False,
                "strings_to_urls": False,
            },
        )
        self.sheet = self.book.add_worksheet(title_of(title))
        self.formats = {kind: self.book.add_format({**CELL, "num_format": code}) for kind, code in FORMATS.items()}
        head = self.book.add_format({**CELL, "bold": True, "bg_color": "#F3F0E8"})
        for at, column in enumerate(columns):
            self.sheet.set_column(at, at, column.width)
            self.sheet.write_string(0, at, column.title, head)
        self.sheet.freeze_panes(1, 0)
        self.sheet.set_paper(A4)
        self.sheet.set_landscape()
        self.sheet.set_margins(MARGIN_INCH, MARGIN_INCH, MARGIN_INCH, MARGIN_INCH)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.repeat_rows(0)

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        for row in rows:
            if self.row >= ROWS_MAX:
                return
            self.row += 1
            lines = max(
                (lines_of(cell, column.width) for cell, column in zip(row, self.columns, strict=True)), default=1
            )
            if lines > 1:
                self.sheet.set_row(self.row, LINE_POINTS * min(lines, LINES_MAX))
            for at, cell in enumerate(row):
                self._write(at, cell)

    def close(self) -> bytes:
        self.sheet.autofilter(0, 0, self.row, max(0, len(self.columns) - 1))
        self.book.close()
        try:
            return self.file.read_bytes()
        finally:
            self.folder.cleanup()

    def _write(self, at: int, cell: Cell) -> None:
        style: Any = self.formats[self.columns[at].kind]
        if isinstance(cell, dt.date) and cell.year < YEAR_MIN:
            cell = cell.isoformat()
        if cell is None:
            self.sheet.write_blank(self.row, at, None, style)
        elif isinstance(cell, str):
            self.sheet.write_string(self.row, at, cell, style)
        elif isinstance(cell, bool):
            self.sheet.write_boolean(self.row, at, cell, style)
        elif isinstance(cell, int | float):
            self.sheet.write_number(self.row, at, cell, style)
        else:
            self.sheet.write_datetime(self.row, at, cell, style)


def lines_of(cell: Cell, width: int) -> int:
    """How many lines a text takes in a column; not every program finds that out by itself."""
    if not isinstance(cell, str):
        return 1
    return sum(max(1, -(-sum(1 + (letter > WIDE) for letter in line) // width)) for line in cell.split("\n"))


def title_of(title: str) -> str:
    """A sheet's name: 31 characters, none of `[]:*?/\\`."""
    return "".join(" " if letter in "[]:*?/\\'" else letter for letter in title)[:31].strip() or "Sheet"


def csv_head(columns: Sequence[Column]) -> bytes:
    return b"\xef\xbb\xbf" + csv_rows([[column.title for column in columns]])


def csv_rows(rows: Iterable[Sequence[Cell]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([plain(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def plain(cell: Cell) -> str | int | float:
    """A cell as CSV shows it; a text that begins like a formula is quoted with an apostrophe."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return "'" + cell if cell.startswith(FORMULA) else cell
    if isinstance(cell, dt.datetime):
        return cell.strftime("%Y-%m-%d %H:%M")
    if isinstance(cell, dt.timedelta):
        minutes = int(cell.total_seconds()) // 60
        return f"{'-' if minutes < 0 else ''}{abs(minutes) // 60}:{abs(minutes) % 60:02}"
    return cell.isoformat() if isinstance(cell, dt.date) else cell
