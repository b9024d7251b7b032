"""The month sheet as XLSX: the paper 考勤表, one worksheet a team, a summary before them.

Numbers are numbers (hours), sums are formulas with their answer beside them, so that the office
can go on calculating. A4 landscape, one page wide, head repeated, ready to print and sign.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from server.modules.labour.sheet import MISSING, Line, Page, Sheet, Sums
from server.modules.labour.words import legend, mark, month_title, signers, total_heads, weekday
from server.web.language import Words

A4: Final = 9
NAME_COLUMN: Final = 1
FIRST_DAY_COLUMN: Final = 2
HEAD_ROWS: Final = 4  # title, facts, two rows of column heads
PERSON_ROW_PT: Final = 24
INK, RULE, PAPER, WEEKEND, GREY, RED = "#1F2933", "#8A8F98", "#FFFFFF", "#F1EEE6", "#7A7F87", "#B42318"


@dataclass
class Pen:
    """The workbook's formats, each made once."""

    book: Workbook
    made: dict[tuple[tuple[str, Any], ...], Format] = field(default_factory=dict)

    def __call__(self, **look: Any) -> Format:
        key = tuple(sorted(look.items()))
        if key not in self.made:
            base = {"font_name": "SimSun", "font_size": 10, "font_color": INK, "valign": "vcenter", "align": "center"}
            self.made[key] = self.book.add_format(base | look)
        return self.made[key]

    def boxed(self, **look: Any) -> Format:
        return self(border=1, border_color=RULE, **look)


def month_workbook(sheet: Sheet, project: str, t: Words) -> bytes:
    """The sheet of a month as the bytes of an .xlsx file."""
    out = BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": f"{project} {t('page.month_sheet', month=month_title(sheet.first, t))}"})
        pen = Pen(book)
        if len(sheet.pages) != 1:
            _summary(book.add_worksheet(t("page.summary")), pen, sheet, project, t)
        taken: set[str] = set()
        for page in sheet.pages:
            _team(book.add_worksheet(_tab_name(page, taken, t)), pen, sheet, page, project, t)
    return out.getvalue()


def _tab_name(page: Page, taken: set[str], t: Words) -> str:
    """Excel allows 31 characters, none of []:*?/\\, and no name twice."""
    wanted = re.sub(r"[\[\]:*?/\\']", " ", page.crew.name or t("page.no_team")).strip()[:28] or "-"
    name, n = wanted, 2
    while name.lower() in taken:
        name, n = f"{wanted[:26]} {n}", n + 1
    taken.add(name.lower())
    return name


def _print_setup(tab: Worksheet, head_rows: int, t: Words) -> None:
    tab.set_paper(A4)
    tab.set_landscape()
    tab.fit_to_pages(1, 0)
    tab.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    tab.center_horizontally()
    tab.repeat_rows(0, head_rows - 1)
    tab.set_footer(t("page.sheet_foot"))
    tab.hide_gridlines(2)


# One team


def _team(tab: Worksheet, pen: Pen, sheet: Sheet, page: Page, project: str, t: Words) -> None:
    dates = sheet.dates
    totals = FIRST_DAY_COLUMN + len(dates)
    last_column = totals + 5
    _print_setup(tab, HEAD_ROWS, t)
    tab.freeze_panes(HEAD_ROWS, FIRST_DAY_COLUMN)
    tab.set_column(0, 0, 4.5)
    tab.set_column(NAME_COLUMN, NAME_COLUMN, 10)
    tab.set_column(FIRST_DAY_COLUMN, totals - 1, 4.4)
    tab.set_column(totals, totals + 4, 6.5)
    tab.set_column(last_column, last_column, 12)
    _title(tab, pen, last_column, t("page.month_sheet", month=month_title(sheet.first, t)))
    _facts(tab, pen, last_column, page, project, t)
    _heads(tab, pen, dates, totals, t)
    for i, line in enumerate(page.lines):
        _person(tab, pen, HEAD_ROWS + i, i + 1, line, dates, totals, t)
    foot = HEAD_ROWS + len(page.lines)
    _totals(tab, pen, foot, page, dates, totals, t)
    _legend(tab, pen, foot + 1, last_column, sheet.day_minutes, t)
    _signatures(tab, pen, foot + 2, last_column, t)
    tab.print_area(0, 0, foot + 2, last_column)


def _title(tab: Worksheet, pen: Pen, last_column: int, title: str) -> None:
    tab.set_row(0, 34)
    tab.merge_range(0, 0, 0, last_column, title, pen(font_size=20, bold=True))


def _facts(tab: Worksheet, pen: Pen, last_column: int, page: Page, project: str, t: Words) -> None:
    crew = page.crew
    facts = [
        (t("page.project"), project),
        (t("page.team"), crew.name or t("page.no_team")),
        (t("page.trade"), crew.trade),
        (t("page.employer"), crew.employer),
        (t("page.foreman"), crew.foreman),
    ]
    line = "      ".join(f"{name}{t('page.colon')}{value}" for name, value in facts if value)
    tab.set_row(1, 22)
    tab.merge_range(1, 0, 1, last_column, line, pen(align="left", font_size=11))


def _heads(tab: Worksheet, pen: Pen, dates: Sequence[date], totals: int, t: Words) -> None:
    head = pen.boxed(bold=True, text_wrap=True)
    tab.set_row(2, 18)
    tab.set_row(3, 18)
    singles = [(0, t("page.number")), (NAME_COLUMN, t("page.name"))]
    singles += [(totals + n, word) for n, word in enumerate(total_heads(t))]
    for column, word in [*singles, (totals + 5, t("page.signature"))]:
        tab.merge_range(2, column, 3, column, word, head)
    for n, day in enumerate(dates):
        look = pen.boxed(bold=True, bg_color=_ground(day))
        tab.write_number(2, FIRST_DAY_COLUMN + n, day.day, look)
        tab.write_string(3, FIRST_DAY_COLUMN + n, weekday(day, t), pen.boxed(bg_color=_ground(day), font_color=GREY))


def _ground(day: date) -> str:
    return WEEKEND if day.weekday() >= 5 else PAPER


def _person(
    tab: Worksheet, pen: Pen, row: int, number: int, line: Line, dates: Sequence[date], totals: int, t: Words
) -> None:
    tab.set_row(row, PERSON_ROW_PT)
    tab.write_number(row, 0, number, pen.boxed())
    tab.write_string(row, NAME_COLUMN, line.name, pen.boxed(font_size=11, shrink=True))
    for n, day in enumerate(dates):
        _day(tab, pen, row, FIRST_DAY_COLUMN + n, day, line.days.get(day.isoformat()), t)
    first, last = xl_rowcol_to_cell(row, FIRST_DAY_COLUMN), xl_rowcol_to_cell(row, totals - 1)
    _sums(tab, pen, row, totals, line, f"=SUM({first}:{last})", bold=False)
    tab.write_blank(row, totals + 5, None, pen.boxed())


def _day(tab: Worksheet, pen: Pen, row: int, column: int, day: date, sums: Sums | None, t: Words) -> None:
    """Hours of a day; grey italics while not approved; a word where nothing can be counted."""
    ground = _ground(day)
    if sums is None:
        tab.write_blank(row, column, None, pen.boxed(bg_color=ground))
        return
    look: dict[str, Any] = {"bg_color": ground, "font_size": 9, "num_format": "0.0", "shrink": True}
    if sums.flags & MISSING:
        look |= {"font_color": RED, "bold": True}
    elif sums.unapproved_minutes:
        look |= {"font_color": GREY, "italic": True}
    if sums.minutes:
        tab.write_number(row, column, sums.minutes / 60, pen.boxed(**look))
    else:
        tab.write_string(row, column, mark(sums, t), pen.boxed(**look))


def _sums(tab: Worksheet, pen: Pen, row: int, column: int, sums: Sums, formula: str, *, bold: bool) -> None:
    plain = {"bold": bold}
    hours_cell = xl_rowcol_to_cell(row, column + 1)
    days = f"{sums.day_minutes}/60"
    tab.write_number(row, column, sums.days_present, pen.boxed(**plain))
    tab.write_formula(row, column + 1, formula, pen.boxed(num_format="0.0#", **plain), sums.minutes / 60)
    man_days = f"=ROUND({hours_cell}/({days}),2)"
    tab.write_formula(row, column + 2, man_days, pen.boxed(num_format="0.00", bold=True), sums.man_days / 100)
    unapproved = sums.unapproved_minutes / 60
    tab.write_number(row, column + 3, unapproved, pen.boxed(num_format="0.0#;;", font_color=GREY, **plain))
    tab.write_number(row, column + 4, sums.missing, pen.boxed(num_format="0;;", font_color=RED, **plain))


def _totals(tab: Worksheet, pen: Pen, row: int, page: Page, dates: Sequence[date], totals: int, t: Words) -> None:
    tab.set_row(row, PERSON_ROW_PT)
    tab.merge_range(row, 0, row, NAME_COLUMN, t("page.total"), pen.boxed(bold=True))
    by_day: dict[str, int] = {}
    for shift in page.worked:
        by_day[shift.work_date] = by_day.get(shift.work_date, 0) + shift.minutes
    for n, day in enumerate(dates):
        name = xl_col_to_name(FIRST_DAY_COLUMN + n)
        formula = f"=SUM({name}{HEAD_ROWS + 1}:{name}{row})"
        look = pen.boxed(bg_color=_ground(day), font_size=8, num_format="0.0;;", shrink=True)
        tab.write_formula(row, FIRST_DAY_COLUMN + n, formula, look, by_day.get(day.isoformat(), 0) / 60)
    name = xl_col_to_name(totals + 1)
    _sums(tab, pen, row, totals, page, f"=SUM({name}{HEAD_ROWS + 1}:{name}{row})", bold=True)
    tab.write_blank(row, totals + 5, None, pen.boxed())


def _legend(tab: Worksheet, pen: Pen, row: int, last_column: int, day_minutes: int, t: Words) -> None:
    tab.set_row(row, 18)
    look = pen(align="left", font_size=9, font_color=GREY)
    tab.merge_range(row, 0, row, last_column, legend(day_minutes, t), look)


def _signatures(tab: Worksheet, pen: Pen, row: int, last_column: int, t: Words) -> None:
    tab.set_row(row, 36)
    line = " ".join(f"{who}{t('page.colon')}{'_' * 18}" for who in signers(t))
    tab.merge_range(row, 0, row, last_column, line, pen(align="left", font_size=11))


# The project


def _summary(tab: Worksheet, pen: Pen, sheet: Sheet, project: str, t: Words) -> None:
    heads = [
        t("page.number"), t("page.team"), t("page.trade"), t("page.employer"), t("page.people"),
        t("page.days_present"), t("page.hours"), t("page.man_days"),
        t("page.not_approved"), t("page.missing_n"), t("page.foreman_signature"),
    ]  # fmt: skip
    last_column = len(heads) - 1
    _print_setup(tab, 3, t)
    tab.freeze_panes(3, 2)
    for column, width in enumerate([6, 20, 14, 26, 8, 11, 11, 11, 12, 8, 20]):
        tab.set_column(column, column, width)
    _title(tab, pen, last_column, t("page.month_summary", month=month_title(sheet.first, t)))
    tab.set_row(1, 22)
    tab.merge_range(
        1, 0, 1, last_column, f"{t('page.project')}{t('page.colon')}{project}", pen(align="left", font_size=11)
    )
    tab.set_row(2, 26)
    for column, word in enumerate(heads):
        tab.write_string(2, column, word, pen.boxed(bold=True, text_wrap=True))
    for i, page in enumerate(sheet.pages):
        _summary_row(tab, pen, 3 + i, i + 1, page, t)
    row = 3 + len(sheet.pages)
    tab.set_row(row, 28)
    tab.merge_range(row, 0, row, 3, t("page.total"), pen.boxed(bold=True))
    tab.write_number(row, 4, sheet.people, pen.boxed(bold=True))
    _sums(tab, pen, row, 5, sheet, f"=SUM(G4:G{row})", bold=True)
    tab.write_blank(row, last_column, None, pen.boxed())
    _signatures(tab, pen, row + 1, last_column, t)
    tab.print_area(0, 0, row + 1, last_column)


def _summary_row(tab: Worksheet, pen: Pen, row: int, number: int, page: Page, t: Words) -> None:
    tab.set_row(row, 28)
    tab.write_number(row, 0, number, pen.boxed())
    crew = page.crew
    for column, word in enumerate([crew.name or t("page.no_team"), crew.trade, crew.employer], start=1):
        tab.write_string(row, column, word, pen.boxed(align="left", text_wrap=True))
    tab.write_number(row, 4, len(page.lines), pen.boxed())
    _sums(tab, pen, row, 5, page, f"={page.minutes}/60", bold=False)
    tab.write_blank(row, 10, None, pen.boxed())
