"""An inspection from the first tap to the last: two people fill one with no network and nothing is lost, a failed item
becomes a defect, it is handed in, returned with remarks, handed in again, approved; what came late is held."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from server.core.value import Value
from tests.browser.axe import grave
from tests.browser.camera import SEEN, done, open_camera, shoot, shutter
from tests.browser.chrome import NARROW, WIDE, Language, Phone, Theme
from tests.browser.conftest import NewPhone
from tests.browser.desk import Desk
from tests.browser.flows import enrol, invite, said, sent, sign_in
from tests.browser.site import DEMO, Site
from tests.browser.test_poster import filmed
from tests.browser.test_screens import choose, look
from tests.browser.wait import until

PLACE = "7# 楼 3 层东"
NAME = "楼层小查"
NOTE = "钢管占道，约 3 米"
SECTIONS: dict[str, list[dict[str, Value]]] = {
    "入口": [
        {"key": "gate", "kind": "check", "text": "门口有人值守", "text_en": "The gate is manned"},
        {"key": "road", "kind": "check", "text": "通道畅通", "text_en": "The way is clear", "clause": "JGJ 146"},
        {"key": "light", "kind": "number", "text": "通道照度", "unit": "lx", "low": 30_000, "high": 500_000},
        {"key": "lift", "kind": "choice", "text": "今天有吊装吗", "options": "yes=有|Yes;no=没有|No"},
        {"key": "rope", "kind": "check", "text": "吊索具完好", "when_item": "lift", "when_is": "yes", "required": True},
    ],
    "临边": [
        {"key": "edge", "kind": "check", "text": "临边栏杆牢固"},
        {"key": "hole", "kind": "check", "text": "洞口盖板固定"},
    ],
}


def test_two_people_fill_one_inspection_with_no_network_and_it_goes_all_the_way_to_approved(
    site: Site, new_phone: NewPhone
) -> None:
    Desk(site, "office").template(NAME, SECTIONS)
    inspector, colleague = new_phone("inspector"), new_phone("colleague")
    supervisor = new_phone("supervisor", language="en")
    sign_in(inspector, "inspector")
    inspector.settle_in()
    enrol(colleague, invite(site, "--project", DEMO, "--role", "inspector"), "周同查")
    sign_in(supervisor, "supervisor")

    inspector.open("/inspections/start")
    inspector.page.get_by_label(inspector.say("inspections.where")).fill(PLACE)
    inspector.page.get_by_role("button", name=re.compile(NAME)).click()
    inspector.page.wait_for_url(re.compile("/inspections/fill/"))
    r = inspector.page.url.rpartition("/")[2]
    in_hand(inspector, "门口有人值守")
    assert grave(inspector.page) == []
    until(lambda: site.rows("SELECT 1 FROM record WHERE r = ?", r), "the new inspection is not sent")
    colleague.open(f"/r/{r}")
    in_hand(colleague, "门口有人值守")
    for phone in (inspector, colleague):
        phone.installed()
        phone.airplane()

    # One goes from the top: passes, fails with a note and a defect, measures, answers what a condition hangs on.
    answer(inspector, "pass")
    answer(inspector, "fail")
    panel(inspector).get_by_role("button", name=inspector.say("inspections.note"), exact=True).click()
    inspector.page.get_by_label(inspector.say("inspections.note")).last.fill(NOTE)
    inspector.tap("inspections.open_defect")
    defect = inspector.link("inspections.see_defect")
    expect(defect).to_be_visible()
    assert grave(inspector.page) == []
    next_item(inspector)
    inspector.page.get_by_label(inspector.say("inspections.measured")).fill("25")
    expect(panel(inspector).get_by_role("status")).to_have_text(inspector.say("inspections.fail"))
    inspector.page.get_by_label(inspector.say("inspections.measured")).fill("90")
    expect(panel(inspector).get_by_role("status")).to_have_text(inspector.say("inspections.pass"))
    next_item(inspector)
    expect(line(inspector, "吊索具完好")).to_have_count(0)
    panel(inspector).get_by_role("button", name="有", exact=True).click()
    in_hand(inspector, "吊索具完好")
    answer(inspector, "pass")

    # The other fills the end, and by mistake the first item too, otherwise.
    line(colleague, "门口有人值守").click()
    answer(colleague, "fail")
    line(colleague, "临边栏杆牢固").click()
    answer(colleague, "pass")
    answer(colleague, "fail")

    # A killed app loses nothing of what was tapped.
    kept(inspector)
    inspector.kill()
    inspector.buried()
    inspector.open("/")
    colleague.airplane(False)
    for phone in (inspector, colleague):
        sent(phone)
        phone.open(f"/r/{r}")
    for phone in (inspector, colleague):
        expect(progress(phone)).to_contain_text("7/7")
        line(phone, "门口有人值守").click()
        expect(panel(phone).get_by_text(phone.say("inspections.differ"))).to_be_visible()
    assert grave(inspector.page) == []
    mine = panel(inspector).get_by_role("button").filter(has_text=inspector.say("conflict.pick"))
    mine.filter(has_text=re.compile(f"^{inspector.say('inspections.pass')}")).click()
    expect(panel(inspector).get_by_text(inspector.say("inspections.differ"))).to_have_count(0)
    answers = {path: value for path, value in values_of(site, r).items() if path.startswith("answers.")}
    assert answers["answers.road.note"] == NOTE
    found = site.rows("SELECT body FROM record WHERE c = 'quality.defect' AND body LIKE ?", f"%{r}%")
    assert [NOTE in body and PLACE in body for (body,) in found] == [True]

    hand_in(inspector)
    sent(inspector)
    look_through_and_return(supervisor, r)

    # Remarks come first for who gets it back.
    inspector.open("/")
    inspector.page.get_by_role("link", name=re.compile(f"{inspector.say('inspections.came_back')}.*{PLACE}")).click()
    in_hand(inspector, "通道畅通")
    expect(panel(inspector)).to_contain_text("Show a photo")
    next_item(inspector)
    answer(inspector, "pass", item="通道畅通")
    hand_in(inspector)
    sent(inspector)

    # The colleague's phone does not know of the approval when he changes an answer.
    colleague.open(f"/r/{r}")
    expect(progress(colleague)).to_contain_text("7/7")
    colleague.tap("inspections.menu")
    colleague.tap("inspections.change")
    colleague.airplane()
    line(colleague, "洞口盖板固定").click()
    answer(colleague, "pass")
    supervisor.open(f"/r/{r}")
    supervisor.tap("inspections.approve")
    supervisor.sees(supervisor.say("inspections.approved"))
    sent(supervisor)
    colleague.airplane(False)
    sent(colleague)
    assert values_of(site, r)["answers.hole.result"] == "fail"
    supervisor.open(f"/r/{r}")
    supervisor.sees(supervisor.say("detail.held"))
    assert grave(supervisor.page) == []
    supervisor.tap("approve.accept")
    supervisor.sees_no(supervisor.say("detail.held"))
    sent(supervisor)
    assert values_of(site, r)["answers.hole.result"] == "pass"
    assert record_of(site, r)["state"] == "approved"


def test_begun_at_the_poster_it_repeats_last_time_and_what_fails_is_photographed_again_from_the_same_spot(
    site: Site, new_phone: NewPhone, tmp_path: Path, screenshots: Path
) -> None:
    sql = "SELECT p.id, t.id, t.code, t.name FROM place t JOIN project p ON p.id = t.project WHERE p.name = ?"
    project, place, code, name = site.rows(sql, DEMO)[0]
    poster = filmed(f"gongbu:place:{project}:{place}:{code}", tmp_path / "gate.mjpeg")
    desk = Desk(site, "inspector")
    template = desk.template(NAME, SECTIONS)
    before: dict[str, Value] = {
        "answers.gate.result": "pass",
        "answers.road.result": "fail",
        "answers.road.note": NOTE,
        "answers.light.value": 90_000,
    }
    desk.inspection(template, str(name), before)
    phone = new_phone(
        "inspector",
        permissions=SEEN,
        arguments=("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={poster}"),
    )
    sign_in(phone, "inspector")
    phone.sees(phone.say("sync.online"))
    found: list[str] = []

    phone.open("/inspections/start")
    phone.tap("scan.title")
    expect(phone.page.get_by_label(phone.say("inspections.where"))).to_have_value(str(name))
    phone.page.get_by_role("list", name=phone.say("inspections.which")).get_by_role("button", name=NAME).click()
    phone.page.wait_for_url(re.compile("/inspections/fill/"))

    # What was said last time is proposed item by item, and taken with one tap.
    in_hand(phone, "门口有人值守")
    expect(panel(phone)).to_contain_text(phone.say("inspections.last_time", answer=phone.say("inspections.pass")))
    phone.tap("inspections.same")
    in_hand(phone, "通道畅通")
    expect(panel(phone)).to_contain_text(NOTE)
    phone.tap("inspections.same")
    expect(line(phone, "通道畅通")).to_contain_text(phone.say("inspections.fail"))
    found += look(phone, "inspection-failed-again", screenshots / "inspections")

    # A photo of what fails goes into the defect; the one after is taken with its ghost over the finder.
    open_camera(phone)
    shoot(phone, 1)
    done(phone)
    phone.tap("inspections.open_defect")
    phone.link("inspections.see_defect").click()
    phone.page.wait_for_url(re.compile("/r/"))
    defect = phone.page.url.rpartition("/")[2]
    sent(phone)
    (team,) = site.rows("SELECT id FROM team WHERE project = ?", project)[0]
    desk.push(
        {"k": "set", "c": "quality.defect", "r": defect, "f": "team", "v": team},
        {"k": "act", "c": "quality.defect", "r": defect, "act": "assign"},
    )
    phone.open(f"/r/{defect}")
    phone.button("photo.same_spot").click()
    expect(shutter(phone)).to_be_enabled()
    ghost = phone.page.get_by_role("dialog", name=phone.say("photo.camera")).locator(".ghost")
    shown_whole(ghost.locator("img"))
    phone.page.get_by_label(phone.say("photo.ghost")).fill("80")
    expect(ghost).to_have_css("opacity", "0.8")
    found += look(phone, "photo-ghost", screenshots / "inspections")
    shoot(phone, 1)
    done(phone)
    photos = phone.page.get_by_role("main").get_by_role("button", name=said(phone, "photo.of_time"))
    expect(photos).to_have_count(2)
    photos.last.click()
    phone.button("photo.compare").click()
    slide = phone.page.get_by_label(phone.say("photo.compare_slide"))
    compared = phone.page.get_by_role("dialog").locator(".compare")
    for words in ("photo.before", "photo.after"):
        shown_whole(compared.get_by_role("img", name=phone.say(words)))
    slide.fill("20")
    expect(compared.locator(".after")).to_have_css("clip-path", re.compile("20%"))
    found += look(phone, "photo-compare", screenshots / "inspections")
    sent(phone)
    until(lambda: any(path.startswith("after.") for path in values_of(site, defect)), "the second photo is not sent")
    (before_it,) = [path for path in values_of(site, defect) if path.startswith("photos.")]
    (after_it,) = [value for path, value in values_of(site, defect).items() if path.startswith("after.")]
    assert f"photos.{after_it['pair']}" == before_it
    assert found == []


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    [("zh-CN", NARROW, "paper"), ("en", NARROW, "night"), ("zh-CN", WIDE, "sunlight"), ("en", WIDE, "paper")],
    ids=["zh-narrow", "en-narrow-night", "zh-wide-sunlight", "en-wide"],
)
def test_an_inspection_a_template_and_a_defect_are_legible_and_accessible(
    language: Language, size: tuple[int, int], theme: Theme, site: Site, new_phone: NewPhone, screenshots: Path
) -> None:
    phone = new_phone("looker", language=language, size=size)
    sign_in(phone, "supervisor")
    phone.sees(phone.say("sync.online"))
    choose(phone, theme)
    folder = screenshots / f"{language}-{size[0]}x{size[1]}-{theme}"
    newest = "SELECT r FROM record WHERE c = ? AND deleted = 0 AND json_extract(body, '$.state') = ? ORDER BY seq DESC"
    found: list[str] = []
    for name, path, kind, state in (
        ("inspections-today", "/", "", ""),
        ("inspection-open", "/r/{r}", "inspections.inspection", "open"),
        ("inspection-approved", "/r/{r}", "inspections.inspection", "approved"),
        ("template-draft", "/r/{r}", "inspections.template", "draft"),
        ("defect", "/r/{r}", "quality.defect", "recheck"),
    ):
        (r,) = site.rows(newest, kind, state)[0] if kind else ("",)
        phone.open(path.replace("{r}", r))
        expect(phone.page.get_by_role("main").get_by_role("heading").nth(0)).to_be_visible()
        found += look(phone, name, folder)
    # A heading of the list that lies half under the bar above it is no finding.
    assert [one for one in found if "target-size: .block" not in one] == []


def look_through_and_return(supervisor: Phone, r: str) -> None:
    supervisor.open("/approve")
    row = supervisor.page.get_by_role("article").filter(has_text=PLACE)
    expect(row).to_contain_text("2.2")
    assert grave(supervisor.page) == []
    supervisor.open(f"/r/{r}")
    line(supervisor, "The way is clear").click()
    panel(supervisor).get_by_role("button", name=supervisor.say("inspections.remark"), exact=True).click()
    supervisor.page.get_by_label(supervisor.say("inspections.remark_for")).fill("Show a photo from the stairs")
    supervisor.tap("inspections.return_n", n=1)
    dialog = supervisor.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("See the remark")
    dialog.get_by_role("button", name="Return", exact=True).click()
    supervisor.sees(supervisor.say("inspections.returned"))
    sent(supervisor)


def panel(phone: Phone) -> Locator:
    return phone.page.get_by_role("region", name=phone.say("inspections.in_hand"))


def line(phone: Phone, words: str) -> Locator:
    return phone.page.get_by_role("list", name=phone.say("inspections.items")).get_by_role("button", name=words)


def in_hand(phone: Phone, words: str) -> None:
    expect(panel(phone)).to_contain_text(words)


def progress(phone: Phone) -> Locator:
    return phone.page.get_by_role("main").get_by_role("status").first


def answer(phone: Phone, result: str, item: str | None = None) -> None:
    """One tap at the thumb; ends when it is shown."""
    if item is not None:
        line(phone, item).click()
        in_hand(phone, item)
    here = phone.page.locator("[data-item][aria-current]").get_attribute("data-item")
    panel(phone).get_by_role("button", name=phone.say(f"inspections.{result}"), exact=True).click()
    expect(phone.page.locator(f"[data-item={here}]")).to_contain_text(phone.say(f"inspections.{result}"))


def shown_whole(picture: Locator) -> None:
    until(lambda: picture.evaluate("one => one.naturalWidth") > 0, "the picture does not come")


def next_item(phone: Phone) -> None:
    panel(phone).get_by_role("button", name=phone.say("inspections.next"), exact=True).first.click()


def hand_in(phone: Phone) -> None:
    phone.page.get_by_role("main").get_by_role("button", name=phone.say("inspections.hand_in"), exact=True).click()
    dialog = phone.page.get_by_role("dialog")
    sheet = dialog.get_by_role("img", name=re.compile(phone.say("inspections.signature")))
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None
    phone.page.mouse.move(box["x"] + 30, box["y"] + 40)
    phone.page.mouse.down()
    for step in range(1, 9):
        phone.page.mouse.move(box["x"] + 30 + step * 20, box["y"] + 40 + step % 3 * 15)
    phone.page.mouse.up()
    expect(dialog.get_by_text(phone.say("form.signed"), exact=True)).to_be_visible()
    dialog.get_by_role("button", name=phone.say("inspections.hand_in"), exact=True).click()
    phone.sees(phone.say("inspections.handed_in"))


def kept(phone: Phone) -> None:
    """Until nothing that was tapped is in the journal alone."""
    journal = "Object.keys(localStorage).filter((key) => key.includes(':hand/')).length"
    until(lambda: phone.page.evaluate(journal) == 0, "what was tapped is not in the outbox")


def record_of(site: Site, r: str) -> dict[str, Any]:
    ((body,),) = site.rows("SELECT body FROM record WHERE r = ?", r)
    record: dict[str, Any] = json.loads(body)
    return record


def values_of(site: Site, r: str) -> dict[str, Any]:
    record = record_of(site, r)
    return {**record["set"], **{path: writes[-1][5] for path, writes in record["f"].items()}}
