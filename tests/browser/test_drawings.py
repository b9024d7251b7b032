"""A plan from the office to the cellar and back: uploaded, kept on the phone, opened without a network, a defect put
on it by a held finger, and the supervisor finds the pin."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from server.demo.plan import floor_plan
from tests.browser.chrome import NARROW, WIDE, Phone
from tests.browser.conftest import NewPhone
from tests.browser.flows import sign_in
from tests.browser.site import Site
from tests.browser.test_screens import look
from tests.browser.wait import until

PLANS = "/k/drawings.plan"
NAME = "地下二层建筑平面图"


def test_a_plan_is_uploaded_kept_opened_offline_and_a_defect_put_on_it_is_found(
    site: Site, new_phone: NewPhone, tmp_path: Path, screenshots: Path
) -> None:
    found: list[str] = []
    desk = new_phone("office", size=WIDE)
    sign_in(desk, "office")
    upload(desk, tmp_path)

    phone = new_phone("inspector", size=NARROW)
    sign_in(phone, "inspector")
    open_plan(phone)
    phone.sees(phone.say("drawings.kept"))
    until(lambda: kept_pages(phone) == 2, "the pages were not kept")
    phone.installed()
    phone.airplane()
    phone.open(PLANS)
    open_plan(phone, tapped_only=True)
    found += look(phone, "plan-offline", screenshots)
    phone.page.get_by_role("combobox").select_option("2")  # never looked at before
    drawn(phone)
    phone.page.get_by_role("combobox").select_option("1")
    drawn(phone)
    hold_on_the_plan(phone, 0.5, 0.4)
    found += look(phone, "plan-new", screenshots)
    phone.page.get_by_role("dialog").get_by_role("button", name="质量整改").click()
    phone.page.get_by_role("textbox", name="问题描述").fill("墙面空鼓")
    expect(phone.page.locator(".crop img").first).to_be_visible()
    found += look(phone, "plan-form", screenshots)
    phone.tap("do.save")
    phone.sees(phone.say("state.local"))
    phone.airplane(False)
    until(lambda: site.entries_of(who(phone), "quality.defect") >= 1, "the defect did not arrive")

    boss = new_phone("supervisor", size=WIDE, language="en")
    sign_in(boss, "supervisor")
    open_plan(boss)
    pin = boss.page.get_by_role("button", name=re.compile("墙面空鼓.*Open"))
    pin.click()
    found += look(boss, "plan-pin", screenshots)
    boss.page.get_by_role("article").get_by_role("link", name=boss.say("drawings.pin_open")).click()
    boss.sees("墙面空鼓")
    assert not found, "\n".join(found)


def upload(desk: Phone, folder: Path) -> None:
    file = folder / "A-101.pdf"
    file.write_bytes(floor_plan())
    desk.sees(desk.say("sync.online"))
    desk.open(f"{PLANS}/new")
    desk.page.get_by_role("textbox", name="图名").fill(NAME)
    desk.page.get_by_role("textbox", name="部位").fill("B2")
    desk.page.locator("input[type=file]").set_input_files(file)
    desk.sees("A-101.pdf")
    desk.tap("do.save")
    expect(desk.page.get_by_role("application")).to_be_visible()


def open_plan(phone: Phone, *, tapped_only: bool = False) -> None:
    if not tapped_only:
        phone.sees(phone.say("sync.online"))
        phone.open(PLANS)
    phone.page.get_by_role("link", name=re.compile(NAME)).click()
    drawn(phone)


def drawn(phone: Phone) -> None:
    """Tiles stand on the screen, decoded."""
    shown = "[...document.querySelectorAll('.leaflet-tile-loaded img')].some(one => one.naturalWidth > 0)"
    until(lambda: phone.page.evaluate(shown), "no tile was drawn")


WHOLE_FOLDERS = """async () => {
  const name = (await indexedDB.databases()).map((one) => one.name).find((one) => one.startsWith('gongbu-kept-'));
  const opening = indexedDB.open(name);
  await new Promise((done) => { opening.onsuccess = done; });
  const asked = opening.result.transaction('folders').objectStore('folders').getAll();
  await new Promise((done) => { asked.onsuccess = done; });
  opening.result.close();
  return asked.result.filter((folder) => folder.isWhole).length;
}"""


def kept_pages(phone: Phone) -> int:
    return int(phone.page.evaluate(WHOLE_FOLDERS))


def hold_on_the_plan(phone: Phone, x: float, y: float) -> None:
    """A finger that stays where it is, as a browser reports it."""
    box = phone.page.get_by_role("application").bounding_box()
    assert box is not None
    at = {"x": box["x"] + box["width"] * x, "y": box["y"] + box["height"] * y}
    assert phone.context is not None
    touch = phone.context.new_cdp_session(phone.page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    expect(phone.page.locator(".pin.spot")).to_be_visible()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(phone.page.get_by_role("dialog")).to_be_visible()


def who(phone: Phone) -> str:
    return str(phone.page.evaluate("fetch('/api/me').then(answer => answer.json()).then(me => me.person.name)"))
