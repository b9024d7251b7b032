"""Day and month sheets: the sums, and how they are written as XLSX and as text."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from server.modules.labour import words
from server.modules.labour.sheet import Crew, Line, Sheet, Worked, man_days, month_of, sheet, still_on_site
from server.modules.labour.workbook import month_workbook
from server.web.language import Words

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
HOUR_MS: Final = 3_600_000
NAMES: Final = {"w1": "王小军", "w2": "李满仓", "f1": "赵铁柱", "x": "外来"}
CREWS: Final = [
    Crew("t1", "钢筋一班", "钢筋工", "恒建劳务", "赵铁柱", ["f1", "w1"]),
    Crew("t2", "木工二班", "模板工", "皖中劳务", "褚卫东", ["w2"]),
]


def worked(worker: str, day: str, minutes: int, approved: int = 0, team: str | None = "t1", *flags: str) -> Worked:
    return Worked(worker, day, team, 0, minutes * 60_000, minutes, approved, frozenset(flags))


def month(*shifts: Worked, day_minutes: int = 480) -> Sheet:
    return sheet("site", *month_of("2026-02"), shifts, CREWS, NAMES, day_minutes)


def line(made: Sheet, person: str, page: int = 0) -> Line:
    return next(line for line in made.pages[page].lines if line.person == person)


def test_a_line_sums_minutes_days_missing_and_what_nobody_approved_yet() -> None:
    made = month(
        worked("w1", "2026-02-02", 570, 570),
        worked("w1", "2026-02-03", 300, 300),
        worked("w1", "2026-02-03", 240),
        worked("w1", "2026-02-04", 0, 0, "t1", "missing_out"),
    )
    mine = line(made, "w1")
    assert (mine.minutes, mine.approved_minutes, mine.unapproved_minutes) == (1110, 870, 240)
    assert (mine.days_present, mine.missing, mine.man_days) == (3, 1, 231)
    assert {day: sums.minutes for day, sums in mine.days.items()} == {
        "2026-02-02": 570, "2026-02-03": 540, "2026-02-04": 0,
    }  # fmt: skip


def test_the_sums_of_pages_and_of_the_project_are_those_of_their_lines() -> None:
    made = month(
        worked("w1", "2026-02-02", 480), worked("f1", "2026-02-02", 480), worked("w2", "2026-02-02", 60, 60, "t2")
    )
    assert [page.minutes for page in made.pages] == [960, 60]
    assert (made.minutes, made.days_present, made.man_days) == (1020, 3, 213)


def test_members_without_a_shift_have_an_empty_line() -> None:
    assert [(one.name, one.minutes) for one in month().pages[0].lines] == [("赵铁柱", 0), ("王小军", 0)]


def test_a_shift_counts_for_the_team_it_was_worked_for_not_for_the_team_of_today() -> None:
    made = month(worked("w1", "2026-02-02", 480, 0, "t2"), worked("w1", "2026-02-03", 60, 0, "t1"))
    assert line(made, "w1", 0).minutes == 60
    assert line(made, "w1", 1).minutes == 480


def test_a_shift_without_a_team_goes_to_the_workers_own_and_else_to_a_page_of_its_own() -> None:
    made = month(worked("w2", "2026-02-02", 480, 0, None), worked("x", "2026-02-02", 60, 0, None))
    assert line(made, "w2", 1).minutes == 480
    assert [(page.crew.name, page.minutes) for page in made.pages][-1] == ("", 60)


def test_shifts_outside_the_month_are_left_out() -> None:
    made = month(worked("w1", "2026-01-31", 480), worked("w1", "2026-02-28", 60), worked("w1", "2026-03-01", 480))
    assert made.minutes == 60


@pytest.mark.parametrize(
    ("minutes", "rule", "hundredths"),
    [(480, 480, 100), (0, 480, 0), (570, 480, 119), (570, 540, 106), (600, 600, 100), (2, 480, 0), (3, 480, 1)],
)
def test_a_man_day_is_the_projects_rule_rounded_half_up(minutes: int, rule: int, hundredths: int) -> None:
    assert man_days(minutes, rule) == hundredths


@pytest.mark.parametrize(
    ("asked", "last"), [("2026-02", "2026-02-28"), ("2028-02", "2028-02-29"), ("2026-12", "2026-12-31")]
)
def test_a_month_has_its_days(asked: str, last: str) -> None:
    assert month_of(asked) == (f"{asked}-01", last)


def test_who_came_in_within_sixteen_hours_is_on_site_and_later_is_missing_an_out() -> None:
    opened = Worked("w1", "2026-02-02", "t1", 0, None, 0, 0, frozenset({"missing_out", "crew"}))
    assert still_on_site([opened], 16 * HOUR_MS)[0].flags == {"on_site", "crew"}
    assert still_on_site([opened], 16 * HOUR_MS + 1)[0].flags == {"missing_out", "crew"}


def test_a_second_in_and_a_wrong_date_are_never_taken_for_on_site() -> None:
    for flag in ("double_in", "wrong_date"):
        shift = Worked("w1", "2026-02-02", "t1", 0, None, 0, 0, frozenset({"missing_out", flag}))
        assert still_on_site([shift], HOUR_MS) == [shift]


shifts: Final = st.lists(
    st.builds(
        lambda worker, day, minutes, approved, team: worked(
            worker, f"2026-02-{day:02}", minutes, minutes if approved else 0, team
        ),
        st.sampled_from([*NAMES]), st.integers(1, 28), st.integers(0, 960), st.booleans(),
        st.sampled_from(["t1", "t2", None, "gone"]),
    ),
    max_size=40,
)  # fmt: skip


@given(shifts)
def test_every_minute_stands_on_exactly_one_line(some: list[Worked]) -> None:
    made = month(*some)
    lines = [one for page in made.pages for one in page.lines]
    assert sum(one.minutes for one in lines) == sum(one.minutes for one in some)
    assert sum(one.approved_minutes for one in lines) == sum(one.approved_minutes for one in some)
    assert sum(sums.minutes for one in lines for sums in one.days.values()) == made.minutes


# words


@pytest.mark.parametrize(("minutes", "text"), [(570, "9.5"), (480, "8"), (0, "0"), (1, "0.02"), (629, "10.48")])
def test_hours_are_written_short(minutes: int, text: str) -> None:
    assert words.hours(minutes) == text


def test_a_time_is_written_as_on_the_wall_and_says_when_it_is_the_day_after() -> None:
    at = 1_772_402_400_000  # 2026-03-01 22:00 UTC
    assert words.clock(at, "2026-03-02", SHANGHAI) == "06:00"
    assert words.clock(at, "2026-03-01", SHANGHAI) == "06:00 +1"
    assert words.clock(None, "2026-03-01", SHANGHAI) == ""


def test_days_and_months_are_named_in_both_languages() -> None:
    zh, en = Words("zh"), Words("en")
    assert (words.month_title("2026-02-01", zh), words.month_title("2026-02-01", en)) == ("2026年2月", "February 2026")
    assert words.day_title(date(2026, 3, 2), zh) == "2026年3月2日（星期一）"
    assert words.day_title(date(2026, 3, 2), en) == "Monday 2 March 2026"


# XLSX


def opened(made: Sheet, lang: str = "zh") -> Workbook:
    return load_workbook(BytesIO(month_workbook(made, "滨江花园 [三期]: 2#/楼", Words(lang))))


def full_month() -> Sheet:
    return month(
        worked("w1", "2026-02-02", 570, 570),
        worked("w1", "2026-02-03", 500),
        worked("w1", "2026-02-04", 0, 0, "t1", "missing_out"),
        worked("w1", "2026-02-05", 0, 0, "t1", "on_site"),
        worked("w2", "2026-02-02", 600, 600, "t2"),
    )


def row_of(tab: Any, name: str) -> list[Any]:
    return next([cell.value for cell in row] for row in tab.iter_rows() if row[1].value == name)


def test_the_workbook_has_a_summary_and_a_tab_for_each_team() -> None:
    book = opened(full_month())
    assert book.sheetnames == ["汇总", "钢筋一班", "木工二班"]
    assert opened(full_month(), "en").sheetnames[0] == "Summary"


def test_one_team_alone_needs_no_summary() -> None:
    alone = sheet("site", *month_of("2026-02"), [], CREWS[:1], NAMES)
    assert opened(alone).sheetnames == ["钢筋一班"]


def test_a_tab_looks_like_the_paper_sheet() -> None:
    tab = opened(full_month())["钢筋一班"]
    assert tab["A1"].value == "2026年2月考勤表"
    assert "工程名称：滨江花园 [三期]: 2#/楼" in tab["A2"].value
    assert "用工单位：恒建劳务" in tab["A2"].value
    assert [tab.cell(3, column).value for column in range(3, 31)] == list(range(1, 29))
    assert [tab.cell(4, column).value for column in range(3, 10)] == ["日", "一", "二", "三", "四", "五", "六"]
    assert tab.cell(3, 36).value == "本人签字"
    assert tab.freeze_panes == "C5"
    assert (tab.page_setup.orientation, tab.page_setup.paperSize) == ("landscape", 9)
    assert tab.page_setup.fitToHeight == 0  # one page wide, as long as it gets
    assert tab.print_title_rows == "$1:$4"


def test_hours_are_numbers_and_sums_are_formulas() -> None:
    mine = row_of(opened(full_month())["钢筋一班"], "王小军")
    assert mine[3:7] == [9.5, pytest.approx(500 / 60), "缺", "在"]
    assert mine[30] == 4  # days present
    assert mine[31] == "=SUM(C6:AD6)"
    assert mine[32] == "=ROUND(AF6/(480/60),2)"
    assert mine[33:35] == [pytest.approx(500 / 60), 1]


def test_the_answers_stand_beside_the_formulas_for_readers_that_do_not_calculate() -> None:
    content = BytesIO(month_workbook(full_month(), "site", Words("zh")))
    mine = row_of(load_workbook(content, data_only=True)["钢筋一班"], "王小军")
    assert mine[31] == pytest.approx(1070 / 60)
    assert mine[32] == 2.23


def test_team_names_that_excel_cannot_have_become_names_that_it_can() -> None:
    crews = [
        Crew("a", "班[1]:*?/\\" + "很长" * 20, members=["w1"]),
        Crew("b", "班[1]:*?/\\" + "很长" * 20, members=["w2"]),
    ]
    made = sheet("site", *month_of("2026-02"), [], crews, NAMES)
    names = opened(made).sheetnames
    assert len(set(names)) == 3
    assert all(len(name) <= 31 for name in names)


def test_a_name_that_looks_like_a_formula_stays_a_name() -> None:
    made = sheet("site", *month_of("2026-02"), [], [Crew("a", "=1+1", members=["w1"])], {"w1": "=HYPERLINK(1)"})
    tab = opened(made).worksheets[0]
    assert tab["B5"].value == "=HYPERLINK(1)"
    assert tab["B5"].data_type == "s"
