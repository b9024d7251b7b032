"""Holidays come as a pasted list or a file, and what is wrong in it is told with its line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from io import BytesIO

import pytest
import pytest_asyncio
from openpyxl import Workbook

from tests.server.web.kit import Town, town


@pytest_asyncio.fixture(name="whole", scope="module", loop_scope="module")
async def a_whole_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("calendar"), real=True) as built:
        yield built


def workbook() -> bytes:
    book, out = Workbook(), BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in (["日期", "类型", "名称"], [date(2026, 5, 1), "休", "劳动节"], ["2026-05-09", "班", "劳动节"]):
        sheet.append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("content", [workbook(), "2026-05-01 休 劳动节\n2026-05-09 班 劳动节".encode("gb18030")])
async def test_a_workbook_and_an_old_text_file_are_read(whole: Town, content: bytes) -> None:
    office = await whole.phone("office")
    answer = await office.http.post("/api/calendar/read", params={"project": whole.one}, content=content)
    assert answer.json() == {
        "days": [
            {"day": "2026-05-01", "works": False, "name": "劳动节"},
            {"day": "2026-05-09", "works": True, "name": "劳动节"},
        ]
    }


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("content", "line", "code"), [(b"2026-05-01 x\n?", 2, "no_date"), (b"PK\x03\x04", 1, "file")])
async def test_a_fault_has_its_line_a_code_and_words(whole: Town, content: bytes, line: int, code: str) -> None:
    office = await whole.phone("office")
    answer = await office.http.post("/api/calendar/read", params={"project": whole.one}, content=content)
    assert (answer.status_code, answer.json()["code"]) == (422, "wrong_file")
    (fault,) = answer.json()["faults"]
    assert (fault["line"], fault["code"]) == (line, code)
    assert fault["message"] not in ("", code)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_official_calendar_comes_along_with_its_source(whole: Town) -> None:
    worker = await whole.phone("worker")
    (one,) = (await worker.http.get("/api/calendar", params={"project": whole.one})).json()["calendars"]
    assert "国务院办公厅" in one["source"]
    assert len(one["days"]) == 39
