"""The ledger on a wide screen, by keyboard: choose, approve, export."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.chrome import WIDE, Language
from tests.browser.conftest import NewPhone
from tests.browser.flows import said, sent, sign_in
from tests.browser.site import Site


def test_a_supervisor_approves_from_the_keyboard(site: Site, new_phone: NewPhone) -> None:
    desk = new_phone("desk", size=WIDE)
    sign_in(desk, "supervisor")
    approved = "SELECT count(*) FROM record WHERE c = 'labour.checkin' AND json_extract(body, '$.state') = 'approved'"
    ((before,),) = site.rows(approved)
    desk.open("/office/labour.checkin")
    desk.page.get_by_label(desk.say("office.state")).select_option(label="待审核")
    rows = desk.page.get_by_role("row").filter(has_text="待审核")
    expect(rows.first).to_be_visible()
    for key in ("j", "x", "j", "x", "a"):
        desk.page.keyboard.press(key)
    desk.sees(said(desk, "approve.approved", n=2))
    sent(desk)
    ((after,),) = site.rows(approved)
    assert after == before + 2


def test_the_office_takes_the_ledger_away_as_xlsx(site: Site, new_phone: NewPhone, tmp_path: Path) -> None:
    desk = new_phone("office", size=WIDE)
    sign_in(desk, "office")
    desk.open("/office/labour.checkin")
    with desk.page.expect_download() as download:
        desk.tap("office.xlsx")
    saved = tmp_path / "ledger.xlsx"
    download.value.save_as(saved)
    sheet = load_workbook(saved, read_only=True).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert "工人" in rows[0]
    assert len(rows) > 100


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_sheets_print_as_people_sign_them(
    language: Language, site: Site, new_phone: NewPhone, screenshots: Path
) -> None:
    desk = new_phone("office", size=WIDE, language=language)
    sign_in(desk, "office")
    desk.sees(desk.say("sync.online"))
    for name, press in {
        "month": desk.link("labour.sheets_print"),
        "day": desk.link("labour.sheets_print_day"),
        "poster": desk.page.locator("a[href*='/poster']").first,
    }.items():
        desk.open("/labour/sheets")
        press.click()
        desk.page.wait_for_url("**/print/**")
        assert grave(desk.page) == []
        desk.page.screenshot(path=screenshots / f"print-{name}-{language}.png", full_page=True)
        if name == "month":
            desk.sees("签字" if language == "zh-CN" else "Signature")
