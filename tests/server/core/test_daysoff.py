"""Days off the rule out of lists, calendar files and the State Council's notice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.core.daysoff import DaysOff, read_days

SHIPPED = Path(__file__).parents[3] / "shared" / "calendars"
NOTICE = """国务院办公厅关于2026年部分节假日安排的通知
现将放假调休日期的具体安排通知如下。
一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
三、清明节：4月4日（周六）至6日（周一）放假，共3天。
四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
五、端午节：6月19日（周五）至21日（周日）放假，共3天。
六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。
2025年11月4日
"""
FILE = """BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260501
DTEND;VALUE=DATE:20260503
SUMMARY:劳动节
  假期
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260509
SUMMARY:劳动节（班）
END:VEVENT
END:VCALENDAR
"""


def days(found: DaysOff) -> list[tuple[str, bool, str]]:
    return [(one.day, one.works, one.name) for _, one in sorted(found.days.items())]


def test_the_notice_says_what_is_shipped() -> None:
    found = read_days(NOTICE)
    shipped = json.loads((SHIPPED / "cn-2026.json").read_text("utf-8"))["days"]
    assert found.faults == []
    assert days(found) == [(one["day"], one["works"], one["name"]) for one in shipped]
    assert (len(shipped), sum(one["works"] for one in shipped)) == (39, 6)


LABOUR_DAY = [("2026-05-01", False, "劳动节"), ("2026-05-02", False, "劳动节"), ("2026-05-09", True, "劳动节")]


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-01~2026-05-02 休 劳动节\n2026-05-09 班 劳动节",
        "日期,类型,名称\n2026/5/1,放假,劳动节\n2026/5/2,放假,劳动节\n2026/5/9,上班,劳动节\n",
        "\ufeff2026年5月1日至2026年5月2日\t劳动节\r\n\r\n# 调休\r\n20260509\twork\t劳动节",
        "2026.5.1 - 2026.5.2 劳动节\n2026.5.9 劳动节 调休上班",
        "date;works;name\n2026-05-01,2026-05-02,off,劳动节\n2026-05-09;working;劳动节",
    ],
)
def test_a_list_is_read_as_people_write_it(text: str) -> None:
    found = read_days(text)
    assert found.faults == []
    assert days(found) == LABOUR_DAY


def test_a_calendar_file_is_read_with_its_folded_lines() -> None:
    found = read_days(FILE)
    assert found.faults == []
    assert days(found) == [
        ("2026-05-01", False, "劳动节 假期"),
        ("2026-05-02", False, "劳动节 假期"),
        ("2026-05-09", True, "劳动节（班）"),
    ]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("2026-05-01 休\n五一放假", [(2, "no_date")]),
        ("2026-02-30 休", [(1, "wrong_date")]),
        ("2026-05-05~2026-05-01", [(1, "wrong_order")]),
        ("2026-05-01~2026-12-01", [(1, "too_long")]),
        ("2026-05-01 休\n2026-05-01 班", [(2, "twice")]),
        ("一、元旦：1月1日放假。", [(1, "no_year")]),
        ("关于2026年的通知\n一、元旦：13月1日放假。", [(2, "wrong_date")]),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR", [(2, "wrong_date")]),
        (" \n", [(1, "nothing")]),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, faults: list[tuple[int, str]]) -> None:
    assert [(fault.line, fault.code) for fault in read_days(text).faults] == faults
