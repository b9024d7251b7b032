"""The hazards' ledger: its columns, what the filters leave of it, and the page to print."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.server.web.kit import Phone, Town, town

HEAD = [
    "序号", "检查日期", "填写人单位", "填写人", "检查项目", "部位", "隐患描述", "隐患类型", "隐患级别", "整改措施",
    "整改期限", "责任单位", "责任人", "完成日期", "状态",
]  # fmt: skip
DAY_MS = 86_400_000


@pytest.fixture(name="site")
async def a_site(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path, real=True) as built:
        yield built


async def report(phone: Phone, site: Town, what: str, **more: Any) -> str:
    r = str(uuid.uuid4())
    said = {"level": "general", "description": what, "found_on": "2026-11-20", "item": "fall", "place": "3 层", **more}
    answer = (await phone.push(site.one, [{"k": "new", "c": "safety.hazard", "r": r, "set": said}])).json()
    assert answer["results"][0]["status"] == "applied", answer
    return r


async def table(phone: Phone, site: Town, **asked: str) -> list[list[str]]:
    answer = await phone.http.get("/api/export/safety.hazard.csv", params={"project": site.one, "lang": "zh", **asked})
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_the_ledger_has_the_columns_of_the_paper_one_and_keeps_what_is_filtered(site: Town) -> None:
    worker, inspector = await site.phone("worker"), await site.phone("inspector")
    now = site.clock()
    await report(worker, site, "临边无护栏", sort="thing")
    late = await report(inspector, site, "洞口无盖板")
    settled = {
        "team": site.team_a, "person": site.people["foreman"], "due": now - DAY_MS, "standard": "JGJ 80",
        "measure": "加盖板",
    }  # fmt: skip
    writes = [{"k": "set", "c": "safety.hazard", "r": late, "f": name, "v": value} for name, value in settled.items()]
    issue = {"k": "act", "c": "safety.hazard", "r": late, "act": "issue"}
    answer = (await inspector.push(site.one, [*writes, issue], base=10**6)).json()
    assert answer["results"][0]["status"] == "applied", answer

    head, *rows = await table(worker, site)
    assert head == HEAD
    assert [row[0] for row in rows] == ["1", "2"]
    by_what = {row[6]: row for row in rows}
    assert by_what["临边无护栏"][3:9] == ["worker", "高处坠落", "3 层", "临边无护栏", "物的不安全状态", "一般隐患"]
    assert by_what["洞口无盖板"][2] == "质检安全员"
    assert by_what["洞口无盖板"][9] == "加盖板"
    assert by_what["洞口无盖板"][12:] == ["foreman", "", "已下达"]
    for asked, kept in (
        ({"state": "overdue"}, ["洞口无盖板"]),
        ({"state": "reported"}, ["临边无护栏"]),
        ({"state": "not_closed"}, ["临边无护栏", "洞口无盖板"]),
        ({"state": "not_closed", "team": site.team_a}, ["洞口无盖板"]),
        ({"from": "2026-11-21"}, []),
    ):
        assert sorted(row[6] for row in (await table(worker, site, **asked))[1:]) == sorted(kept), asked

    asked = {"project": site.one, "lang": "zh", "state": "overdue"}
    paper = await inspector.http.get("/print/table/safety.hazard", params=asked)
    assert "隐患台账" in paper.text
    assert "洞口无盖板" in paper.text
    assert "临边无护栏" not in paper.text
    book = await inspector.http.get("/api/export/safety.hazard.xlsx", params=asked)
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert sheet is not None
    assert [cell.value for cell in sheet[1]] == HEAD
    assert sheet.max_row == 2
