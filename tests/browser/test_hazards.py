"""A hazard from three taps without a network to its closing; alerts answered in the app and from a notification."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.camera import SEEN, done, film, shutter
from tests.browser.chrome import Phone
from tests.browser.conftest import NewPhone
from tests.browser.flows import sent, sign_in
from tests.browser.site import Site
from tests.browser.wait import until

HAZARD = "safety.hazard"
WORDS = "3 层洞口没有盖板"


def test_a_hazard_reported_offline_in_three_taps_alerts_the_inspector_and_is_fixed_and_closed(
    site: Site, new_phone: NewPhone, tmp_path: Path
) -> None:
    camera = {"arguments": film(tmp_path), "permissions": SEEN}
    worker, inspector = new_phone("worker", **camera), new_phone("inspector")
    foreman = new_phone("foreman", language="en", **camera)
    for phone, name in ((worker, "worker"), (inspector, "inspector"), (foreman, "foreman")):
        sign_in(phone, name)
    worker.settle_in()
    expect(worker.link("hazard.report")).to_be_visible()
    worker.airplane()

    worker.tap("hazard.report")
    expect(shutter(worker)).to_be_enabled()
    shutter(worker).click()
    worker.page.get_by_role("button", name="重大隐患", exact=True).click()
    worker.sees(worker.say("hazard.is_major"))
    r = worker.page.url.rsplit("/", 1)[1]
    assert grave(worker.page) == []
    worker.airplane(False)
    sent(worker)

    banner = inspector.page.get_by_role("region", name=inspector.say("alert.title"))
    expect(banner).to_contain_text("新隐患")
    assert grave(inspector.page) == []
    banner.get_by_role("button", name=inspector.say("alert.seen")).click()
    expect(banner).to_have_count(0)
    until(lambda: answers(site, r) == [("seen", "app")], "the answer has not come")

    issue(inspector, r)
    sent(inspector)
    fix(foreman, r)
    inspector.open(f"/r/{r}")
    inspector.page.get_by_role("button", name="复查合格，销号").click()
    inspector.sees("已销号")
    sent(inspector)
    assert state(site, r) == "closed"


def issue(inspector: Phone, r: str) -> None:
    inspector.open(f"/r/{r}")
    page = inspector.page
    page.get_by_role("button", name="停工", exact=True).click()
    page.get_by_role("button", name="已上报", exact=True).click()
    page.get_by_role("button", name="下达整改", exact=True).click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("button", name="下达整改").click()
    expect(sheet.get_by_text(inspector.say("hazard.missing"), exact=True).first).to_be_visible()
    for label, choice in (("责任班组", "钢筋一班"), ("责任人", "赵铁柱")):
        sheet.get_by_role("group", name=label).get_by_role("button").first.click()
        page.get_by_role("dialog").last.get_by_role("button", name=choice).first.click()
    expect(sheet.get_by_label("整改期限")).not_to_have_value("")
    sheet.get_by_label("整改标准").fill("JGJ 80-2016")
    sheet.get_by_label("整改措施").fill("加盖板并固定")
    sheet.get_by_role("button", name="下达整改").click()
    expect(page.get_by_text("已下达").first).to_be_visible()


def fix(foreman: Phone, r: str) -> None:
    foreman.open(f"/r/{r}")
    foreman.page.get_by_role("button", name="Start", exact=True).click()
    foreman.button("photo.same_spot").click()
    expect(shutter(foreman)).to_be_enabled()
    shutter(foreman).click()
    foreman.sees(foreman.say("photo.taken", n=1))
    done(foreman)
    foreman.page.get_by_role("button", name="Fixed", exact=True).click()
    foreman.sees("To recheck")
    sent(foreman)


def answers(site: Site, r: str) -> list[tuple[str, str]]:
    sql = "SELECT answer, via FROM alert_answer JOIN alert ON alert.id = alert WHERE r = ?"
    return [(str(answer), str(via)) for answer, via in site.rows(sql, r)]


def state(site: Site, r: str) -> str:
    ((body,),) = site.rows("SELECT body FROM record WHERE r = ?", r)
    return str(json.loads(body)["state"])
