"""A template's life in the office: brought in from a file with its mistakes named, put in order, published, renewed
while somebody fills the one before, retired."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook
from playwright.sync_api import Locator, expect

from tests.browser.axe import grave
from tests.browser.chrome import WIDE, Language, Phone
from tests.browser.conftest import NewPhone
from tests.browser.flows import sent, sign_in
from tests.browser.site import Site
from tests.browser.test_inspections import answer, in_hand, line, progress

NAME, GATE, ROAD, LAMP, HAT = "门口小查", "门口有人值守", "通道畅通", "通道照度", "进场人员戴安全帽"
ITEMS = "检查项"
DOCUMENT = {
    "name": NAME,
    "scheme": "none",
    "sections": [
        {
            "key": "s1",
            "title": "门口",
            "items": [
                {"key": "gate", "text": GATE, "kind": "check"},
                {"key": "road", "text": ROAD, "kind": "check"},
                {"key": "lamp", "text": LAMP, "kind": "number", "unit": "lx", "low": 30},
            ],
        }
    ],
}


def test_a_template_is_brought_in_put_in_order_published_renewed_under_a_draft_and_retired(
    site: Site, new_phone: NewPhone, tmp_path: Path
) -> None:
    office, inspector = new_phone("office", size=WIDE), new_phone("inspector")
    sign_in(office, "office")
    sign_in(inspector, "inspector")

    # A wrong file makes nothing; each mistake is named where it stands, in the language of who looks.
    empty = json.dumps({**DOCUMENT, "sections": [{"key": "s1", "title": "门口", "items": []}]}).encode()
    assert mistakes(office, tmp_path / "empty.json", empty) == {"sections": "至少要有一个章节和一个检查项"}
    wrong = book(kind="看看", low="亮")
    assert mistakes(office, tmp_path / "wrong.xlsx", wrong) == {
        f"{ITEMS}!C3": "没有这个选项",
        f"{ITEMS}!E4": "不是数字",
    }
    assert grave(office.page) == []
    speak(office, "en")
    assert mistakes(office, tmp_path / "wrong.xlsx", wrong)[f"{ITEMS}!E4"] == "Not a number"
    speak(office, "zh-CN")

    # From a table and from JSON comes the same draft.
    bring(office, tmp_path / "gate.xlsx", book())
    stand(office, GATE, ROAD, LAMP)
    bring(office, tmp_path / "gate.json", json.dumps(DOCUMENT).encode())
    stand(office, GATE, ROAD, LAMP)
    draft = office.page.url

    # One more item. It is dragged, then moved by key and by button; beside it stands what a phone will show.
    office.tap("inspections.item_add")
    office.page.get_by_label("检查内容", exact=True).fill(HAT)
    office.page.get_by_label("类型", exact=True).select_option("check")
    stand(office, GATE, ROAD, LAMP, HAT)
    slot(office, HAT).drag_to(slot(office, GATE))
    stand(office, HAT, GATE, ROAD, LAMP)
    slot(office, HAT).click()
    office.page.keyboard.press("Alt+ArrowDown")
    stand(office, GATE, HAT, ROAD, LAMP)
    office.page.keyboard.press("Alt+ArrowDown")
    stand(office, GATE, ROAD, HAT, LAMP)
    office.tap("inspections.move_up")
    stand(office, GATE, HAT, ROAD, LAMP)
    preview = office.page.get_by_role("region", name=office.say("inspections.preview"))
    expect(preview.get_by_role("region")).to_contain_text(HAT)
    preview.get_by_role("button", name=office.say("inspections.pass"), exact=True).click()
    expect(preview.get_by_role("region")).to_contain_text(ROAD)
    assert grave(office.page) == []
    publish(office)

    # A phone begins with it; meanwhile it is renewed. What was begun keeps its version, what begins later has the new.
    begin(inspector, count=1)
    in_hand(inspector, GATE)
    answer(inspector, "pass")
    begun = inspector.page.url
    expect(progress(inspector)).to_contain_text("1/4")
    sent(inspector)
    office.tap("inspections.renew")
    office.page.wait_for_url(lambda url: "/r/" in url and url != draft)
    renewed = office.page.url
    slot(office, HAT).click()
    office.tap("inspections.item_remove")
    stand(office, GATE, ROAD, LAMP)
    publish(office)
    office.open("/inspections/templates")
    expect(part(office, "inspections.in_use").get_by_role("link", name=NAME)).to_contain_text("v2")
    expect(part(office, "inspections.older").get_by_role("link", name=NAME)).to_contain_text("v1")
    begin(inspector, count=1)
    expect(progress(inspector)).to_contain_text("0/3")
    inspector.page.goto(begun)
    expect(progress(inspector)).to_contain_text("1/4")
    expect(line(inspector, HAT)).to_be_visible()

    # Retired, nobody begins with it any more, nor with the version before.
    office.page.goto(renewed)
    retire = office.page.get_by_role("button", name="停用", exact=True)
    retire.click()
    expect(retire).to_have_count(0)
    sent(office)
    begin(inspector, count=0)
    inspector.page.goto(begun)
    expect(progress(inspector)).to_contain_text("1/4")


def book(kind: str = "check", low: object = 30) -> bytes:
    """The same template as a table, the kind of one item and the limit of another as somebody typed them."""
    table = Workbook()
    head = table.active
    assert head is not None
    head.title = "检查表"
    head.append(["名称", NAME])
    sheet = table.create_sheet(ITEMS)
    sheet.append(["所属章节", "检查内容", "类型", "单位", "下限"])
    sheet.append(["门口", GATE, "check"])
    sheet.append([None, ROAD, kind])
    sheet.append([None, LAMP, "number", "lx", low])
    kept = BytesIO()
    table.save(kept)
    return kept.getvalue()


def give(office: Phone, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    office.open("/inspections/templates")
    office.page.get_by_label(office.say("inspections.import")).set_input_files(path)


def bring(office: Phone, path: Path, content: bytes) -> None:
    give(office, path, content)
    office.page.wait_for_url(re.compile("/r/"))


def mistakes(office: Phone, path: Path, content: bytes) -> dict[str, str]:
    """Place in the file → what is wrong there, as it is shown."""
    give(office, path, content)
    rows = office.page.get_by_role("main").get_by_role("listitem").filter(has=office.page.locator("b.mono"))
    expect(rows.first).to_be_visible()
    assert "/inspections/templates" in office.page.url
    told = (row.inner_text().split(" ", 1) for row in rows.all())
    return {at: words.strip() for at, words in told}


def outline(office: Phone) -> Locator:
    return office.page.get_by_role("navigation", name=office.say("inspections.outline"))


def slot(office: Phone, words: str) -> Locator:
    return outline(office).get_by_role("button", name=words)


def stand(office: Phone, *items: str) -> None:
    """The items stand in this order."""
    expect(outline(office).locator("[data-key] .words")).to_have_text(list(items))


def part(office: Phone, key: str) -> Locator:
    heading = office.page.get_by_role("heading", name=office.say(key), exact=True)
    return office.page.get_by_role("main").locator("section").filter(has=heading)


def publish(office: Phone) -> None:
    office.tap("inspections.publish")
    office.sees(office.say("inspections.published"))
    sent_here(office)


def sent_here(office: Phone) -> None:
    """Without leaving the screen for long: the outbox is looked at and the screen opened again."""
    here = office.page.url
    sent(office)
    office.page.goto(here)


def begin(phone: Phone, count: int) -> None:
    """With the template, if it is offered so often."""
    phone.open("/inspections/start")
    choices = phone.page.get_by_role("list", name=phone.say("inspections.which"))
    expect(choices.get_by_role("button", name=NAME)).to_have_count(count)
    if count:
        choices.get_by_role("button", name=NAME).click()
        phone.page.wait_for_url(re.compile("/inspections/fill/"))


def speak(phone: Phone, language: Language) -> None:
    phone.open("/settings")
    phone.page.get_by_text({"zh-CN": "中文", "en": "English"}[language], exact=True).first.click()
    expect(phone.page.locator("html")).to_have_attribute("lang", re.compile(f"^{language[:2]}"))
    phone.language = language
