"""The board of hazards: a number leads to the hazards that it counted, and those to the same rows of the ledger."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.chrome import WIDE
from tests.browser.conftest import NewPhone
from tests.browser.flows import sign_in


def test_what_is_overdue_is_found_from_the_board_in_the_ledger_and_on_paper(new_phone: NewPhone) -> None:
    desk = new_phone("supervisor", size=WIDE)
    sign_in(desk, "supervisor")
    desk.sees(desk.say("sync.online"))
    desk.open("/safety/board")
    page = desk.page
    page.get_by_role("link", name=re.compile(desk.say("hazard.overdue"))).click()
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("listitem").filter(has_text="六层临边码放钢筋头")).to_be_visible()

    desk.tap("hazard.ledger_office")
    expect(page.get_by_role("row")).to_have_count(3)  # with the heading
    expect(page.get_by_role("combobox", name=desk.say("office.state"))).to_have_value("overdue")

    desk.tap("office.print")
    expect(page.get_by_role("heading", name="隐患台账")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(3)
    expect(page.get_by_role("columnheader").first).to_have_text("序号")
