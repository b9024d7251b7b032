"""Push, end to end: a real Firefox and a push service that speaks its language; nothing in between is pretended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.camera import SEEN, film, shutter
from tests.browser.chrome import Phone
from tests.browser.conftest import NewPhone
from tests.browser.flows import invite, sent, sign_in
from tests.browser.fox import Fox
from tests.browser.pushservice import PushService
from tests.browser.site import DEMO, Site
from tests.browser.tray import Tray, allow, is_asking
from tests.browser.wait import until

INSPECTOR = "周火狐"


@pytest.fixture
def fox(firefox: str, site: Site, service: PushService, tmp_path: Path) -> Iterator[Fox]:
    fox = Fox(firefox, tmp_path / "firefox", site.url, preferences=service.preferences)
    fox.inside("Services.prefs.setBoolPref('dom.push.connection.enabled', true)")  # remote control turns it off
    yield fox
    fox.close()


def test_an_alert_rings_on_a_firefox_and_is_answered_there_whatever_its_push_service_does(
    site: Site, fox: Fox, service: PushService, new_phone: NewPhone, tmp_path: Path, screenshots: Path
) -> None:
    tray = Tray(fox)
    fox.open(f"/enrol?code={invite(site, '--project', DEMO, '--role', 'inspector')}")
    fox.fill(fox.say("enrol.name"), INSPECTOR)
    fox.tap(fox.say("enrol.submit"))
    fox.sees(fox.say("today.title"))
    fox.run("navigator.serviceWorker.ready.then(() => true)")
    worker = new_phone("worker", arguments=film(tmp_path), permissions=SEEN)
    sign_in(worker, "worker")

    first = report(worker, "一层电箱没有门")
    fox.open(f"/r/{first}")
    fox.sees(fox.say("notify.ask_why"))
    assert (is_asking(fox), fox.run("Notification.permission"), service.keys) == (False, "default", {})
    fox.screenshot(screenshots / "firefox" / "notify-ask.png")
    fox.tap(fox.say("notify.turn_on"))
    allow(fox)
    fox.until(lambda: len(endpoints(site)) == 1, "the server knows no subscription")

    second = report(worker, "二层临边没有护栏")
    fox.until(lambda: tray.has("二层临边没有护栏"), "Firefox shows no notification")
    (shown,) = tray.shown
    assert (shown["title"], shown["stays"], shown["actions"]) == ("新隐患：重大隐患", True, [["seen", "看到了"]])
    tray.tap("二层临边没有护栏", "seen")
    until(lambda: answers(site, second) == [("seen", "notification")], "the answer has not come")
    assert climbs_on(site, second) is False
    assert climbs_on(site, first) is True, "nobody has answered that one"
    fox.until(lambda: tray.shown == [], "an answered notification stays")

    service.shut()
    third = report(worker, "三层料台超载")
    until(lambda: attempts(site, third) == [("waiting", True)], "the server has not tried")
    service.open()
    fox.until(lambda: tray.has("三层料台超载"), "what could not be taken is lost")
    until(lambda: attempts(site, third) == [("sent", True)], "nobody wrote down that it went")
    site.kill()
    tray.tap("三层料台超载", "seen")
    fox.until(lambda: tray.shown == [], "the tap does nothing")
    site.start()
    assert len([said for said in tray.rang if "三层料台超载" in said]) == 1, "it rang more than once"
    fox.open("/settings")
    until(lambda: answers(site, third) == [("seen", "notification")], "the answer that waited was not sent")

    (old,) = endpoints(site)
    service.gone.add(old.rsplit("/", 1)[1])
    fourth = report(worker, "四层洞口没有盖板")
    until(lambda: attempts(site, fourth) == [("gone", True)], "the server does not see that it is gone")
    fox.open("/settings")
    until(lambda: [one != old for one in endpoints(site)] == [True], "the phone did not subscribe anew")
    fox.tap(fox.say("notify.test"))
    fox.sees(fox.say("notify.test_arrived"))
    fox.screenshot(screenshots / "firefox" / "notify-test.png")

    last = report(worker, "五层钢管堆在楼梯口")
    fox.until(lambda: tray.has("五层钢管堆在楼梯口"), "Firefox shows no notification")
    tray.tap("五层钢管堆在楼梯口")
    fox.until(lambda: f"/r/{last}?" in fox.address, "a tap leads nowhere")
    fox.sees("五层钢管堆在楼梯口")


def report(phone: Phone, words: str) -> str:
    """A major hazard with a photo, sent; its id."""
    phone.open("/")
    phone.tap("hazard.report")
    expect(shutter(phone)).to_be_enabled()
    shutter(phone).click()
    expect(shutter(phone)).to_have_count(0)
    phone.page.get_by_label("隐患描述").first.fill(words)
    phone.page.get_by_role("button", name="重大隐患", exact=True).click()
    phone.sees(phone.say("hazard.is_major"))
    r = phone.page.url.rsplit("/", 1)[1]
    sent(phone)
    return r


def endpoints(site: Site) -> list[str]:
    return [str(endpoint) for (endpoint,) in site.rows("SELECT endpoint FROM subscription ORDER BY created")]


def answers(site: Site, r: str) -> list[tuple[str, str]]:
    sql = "SELECT answer, via FROM alert_answer JOIN alert ON alert.id = alert WHERE r = ?"
    return [(str(answer), str(via)) for answer, via in site.rows(sql, r)]


def attempts(site: Site, r: str) -> list[tuple[str, bool]]:
    """How each message to a phone stands, and whether it was tried."""
    sql = (
        "SELECT alert_attempt.status, tries > 0 FROM alert_attempt JOIN alert ON alert.id = alert"
        " WHERE r = ? AND channel = 'push' AND alert_attempt.status <> 'no_way'"
    )
    return [(str(status), bool(tried)) for status, tried in site.rows(sql, r)]


def climbs_on(site: Site, r: str) -> bool:
    ((id, next_at),) = site.rows("SELECT id, next FROM alert WHERE r = ?", r)
    timers = site.rows("SELECT key FROM job WHERE kind = 'alert climb' AND key LIKE ?", f"alert climb:{id}:%")
    assert bool(timers) is (next_at is not None)
    return bool(timers)
