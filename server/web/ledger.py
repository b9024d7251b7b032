"""A kind's table on paper: the same rows and columns as its export, as a page to print (A4 on its side).

What a module keeps as a book, such as the hazards' (隐患台账), is signed and filed in this form.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Final

from litestar import Response, get
from litestar.params import PathParameter

from server.core.problem import Problem
from server.store.tables import Project
from server.web.caller import TheCaller
from server.web.export import WHICH, TheAsked, open_book, read_pages
from server.web.page import page
from server.web.sheet import Cell, Column, plain
from server.web.site import TheSite

ROWS_MAX: Final = 2_000  # a thicker book is for XLSX
SHORT_LENGTH: Final = 6  # in Chinese, where lines break anywhere
TEXT_WIDTH: Final = 30
KIND: Final = r"^[a-z][a-z0-9_]{0,39}\.[a-z][a-z0-9_]{0,39}$"
AskedKind = Annotated[str, PathParameter(pattern=KIND, description="`module.kind`")]


@get(
    "/print/table/{kind:str}",
    summary="A kind's table on paper",
    tags=["print"],
    media_type="text/html",
    dependencies=WHICH,
)
async def print_table(caller: TheCaller, site: TheSite, kind: AskedKind, asked: TheAsked) -> Response[str]:
    """What the export with the same filters holds."""
    declared = site.declarations.kinds.get(kind)
    if declared is None or not declared.export:
        raise Problem("not_found")
    book = await open_book(asked.project, declared, caller.lang)
    first, last = asked.first, asked.last
    rows: list[list[Cell]] = []
    async for part in read_pages(site, asked, book):
        rows += part
        if len(rows) > ROWS_MAX:
            break
    said = [[text_of(cell) for cell in one] for one in rows[:ROWS_MAX]]
    (row,) = await Project.select(Project.name).where(Project.id == asked.project)
    return page(
        "ledger.html", lang=caller.lang, project=row["name"], kind=book.reader.said(declared.label),
        columns=[(column.title, look(column, [one[at] for one in said])) for at, column in enumerate(book.columns)],
        rows=said, more=len(rows) > ROWS_MAX, days=f"{first or ''} – {last or ''}".strip() if first or last else "",
        printed=book.reader.wall(site.now()),
    )  # fmt: skip


def look(column: Column, texts: Sequence[str]) -> str:
    """Names and states stay in one line; what is long gets most of the sheet."""
    if column.width > TEXT_WIDTH:
        return f"{column.kind} wide"
    return f"{column.kind} short" if all(len(text) <= SHORT_LENGTH for text in texts) else column.kind


def text_of(cell: Cell) -> str:
    """As CSV has it; an instant without its seconds, nothing quoted."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    return str(plain(cell)) if not isinstance(cell, dt.datetime) else f"{cell:%Y-%m-%d %H:%M}"


routes = [print_table]
