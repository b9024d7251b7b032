"""The service worker's side of push in Chromium, whose own push service cannot be had here: what the server sends
is taken at the service's address, decrypted with the phone's key, and handed to the worker as the browser would.
"""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Worker, expect

from server.sync.alert.channel.push import payload
from server.sync.alert.notice import Notice
from tests.browser.chrome import Phone
from tests.browser.conftest import NewPhone
from tests.browser.flows import sign_in
from tests.browser.pushservice import PushService
from tests.browser.site import Site
from tests.browser.wait import until
from tests.server.alerts.outside import Receiver

CHANNEL = "chromium"
SUBSCRIBES = """
(() => {
  const said = %s;
  const key = Uint8Array.fromBase64(%s, {alphabet: "base64url"}).buffer;
  const one = {options: {applicationServerKey: key}, toJSON: () => said, unsubscribe: async () => true};
  PushManager.prototype.subscribe = async () => (localStorage.setItem("said yes", "1"), one);
  PushManager.prototype.getSubscription = async () => (localStorage.getItem("said yes") ? one : null);
})();
"""
ACTIVE = "navigator.serviceWorker.ready.then(({active}) => active.state === 'activated')"
# Asking Chromium for what is shown, a moment after it was, makes it forget that; so the worker keeps count.
KEEPS_COUNT = """
(() => {
  self.shown = {};
  const {registration} = self;
  const show = registration.showNotification.bind(registration);
  registration.showNotification = async (title, options) => {
    await show(title, options);
    self.shown[options.tag] = {...options, title};
  };
})()
"""
TAPPED = """
async ([tag, action]) => {
  const notification = {...self.shown[tag], close() {}};
  const done = [];
  const waitUntil = (work) => done.push(work);
  self.dispatchEvent(Object.assign(new Event("notificationclick"), {notification, action, waitUntil}));
  await Promise.allSettled(done);  // no tap of the test's own may bring a window to the front
}
"""


def test_one_to_me_shows_each_step_and_where_it_got_stuck(
    site: Site, new_phone: NewPhone, service: PushService, screenshots: Path
) -> None:
    receiver = Receiver(f"{service.url}/push/{CHANNEL}")
    phone = subscriber(site, service, new_phone, receiver)
    page = phone.page
    steps = page.get_by_role("listitem").filter(has=page.get_by_text(phone.say("notify.step_allowed")))

    allow(phone, "denied")
    phone.open("/settings")
    phone.sees(phone.say("notify.state_blocked"))
    expect(phone.button("notify.test")).to_have_count(0)
    allow(phone, "prompt")
    page.reload()
    phone.sees(phone.say("notify.state_off"))
    expect(phone.button("notify.test")).to_have_count(0)
    allow(phone, "granted")
    phone.tap("notify.turn_on")
    phone.sees(phone.say("notify.state_on"))

    service.answers[f"/push/{CHANNEL}"] = [(403, {}, b"")]
    phone.tap("notify.test")
    phone.sees(f"{phone.say('notify.test_failed')} · http 403")
    expect(steps).to_have_count(1)

    phone.tap("notify.test")
    until(lambda: len(service.asked) == 2, "the server sends nothing")
    deliver(phone, json.dumps(receiver.read(service.asked[-1])))
    phone.sees(phone.say("notify.test_arrived"))
    shown(phone, "test", phone.say("alert.test_title"))
    page.screenshot(path=screenshots / "notify-test.png")

    page.clock.install()
    phone.tap("notify.test")
    lost = page.get_by_text(phone.say("notify.test_lost"))

    def waited_in_vain() -> bool:
        page.clock.fast_forward(10_000)
        return lost.is_visible()

    until(waited_in_vain, "the app waits for ever")
    page.screenshot(path=screenshots / "notify-lost.png")


def test_whatever_comes_is_shown_and_a_tap_leads_to_what_it_is_about(
    site: Site, new_phone: NewPhone, service: PushService
) -> None:
    phone = subscriber(site, service, new_phone, Receiver(f"{service.url}/push/{CHANNEL}"), "notifications")
    for notice in (
        told("hazard", "New hazard: Major", (("seen", "Seen"),), urgent=True),
        told("call", "Safety notice: Roll call", (("safe", "I am safe"), ("help", "I need help")), urgent=True),
        told("digest", "3 alerts to look at", ()),
        told("hazard", "Hazard overdue: Major", (("seen", "Seen"),)),
    ):
        deliver(phone, payload(notice).decode())
        one = shown(phone, notice.tag, notice.title)
        assert (one["body"], one["lang"]) == (f"{notice.body}\n{notice.site}", "en")
        assert (one["requireInteraction"], one["renotify"]) == (notice.urgent, True)
        assert [(button["action"], button["title"]) for button in one["actions"]] == list(notice.actions)

    for strange in ("not json", "", "null", "7", '{"title": "half"}', '{"title": "half", "actions": {}}'):
        worker(phone).evaluate("self.shown = {}")
        deliver(phone, strange)
        shown(phone, "gongbu", "工簿 Gongbu")
    tap(phone, "gongbu")
    until(lambda: phone.page.url == f"{site.url}/", "a tap on the strange one leads nowhere")

    deliver(phone, payload(told("digest", "3 alerts to look at", ())).decode())
    shown(phone, "digest", "3 alerts to look at")
    tap(phone, "digest")
    until(lambda: phone.page.url == f"{site.url}/alerts?of=digest", "a tap leads nowhere")


def subscriber(site: Site, service: PushService, new_phone: NewPhone, receiver: Receiver, *allowed: str) -> Phone:
    """An English supervisor's phone whose browser can subscribe once it is allowed to."""
    with urllib.request.urlopen(f"{site.url}/api/hello") as hello:
        vapid = json.load(hello)["vapid"]
    service.keys[CHANNEL], service.browser_of[CHANNEL] = vapid, "none"
    script = SUBSCRIBES % (json.dumps(receiver.to_json()), json.dumps(vapid))
    phone = new_phone("supervisor", language="en", before=[script], permissions=("geolocation", *allowed))
    sign_in(phone, "supervisor")
    phone.installed()
    until(lambda: phone.page.evaluate(ACTIVE), "the worker does not get ready")
    worker(phone).evaluate(KEEPS_COUNT)
    return phone


def told(tag: str, title: str, actions: tuple[tuple[str, str], ...], *, urgent: bool = False) -> Notice:
    return Notice(
        tag=tag, title=title, body="On the third floor", path=f"/alerts?of={tag}", link="", site="Riverside 3",
        project="", language="en", urgent=urgent, actions=actions,
    )  # fmt: skip


def deliver(phone: Phone, text: str) -> None:
    """As a push whose text this is."""
    assert phone.context is not None
    cdp = phone.context.new_cdp_session(phone.page)
    registrations: list[dict[str, Any]] = []
    cdp.on("ServiceWorker.workerRegistrationUpdated", lambda told: registrations.extend(told["registrations"]))
    cdp.send("ServiceWorker.enable")
    until(lambda: registrations or phone.page.evaluate("0"), "no service worker")
    of = registrations[0]["registrationId"]
    cdp.send("ServiceWorker.deliverPushMessage", {"origin": phone.url, "registrationId": of, "data": text})


def worker(phone: Phone) -> Worker:
    assert phone.context is not None
    return phone.context.service_workers[0]


def shown(phone: Phone, tag: str, title: str) -> dict[str, Any]:
    """The notification of this tag, once the worker has shown it with this title."""

    def there() -> dict[str, Any] | None:
        one: dict[str, Any] | None = worker(phone).evaluate("(tag) => self.shown[tag] ?? null", tag)
        return one if one is not None and one["title"] == title else None

    found = until(there, f"no notification {title}")
    assert found is not None
    return found


def tap(phone: Phone, tag: str, action: str = "") -> None:
    worker(phone).evaluate(TAPPED, [tag, action])


def allow(phone: Phone, setting: str) -> None:
    assert phone.context is not None
    cdp = phone.context.new_cdp_session(phone.page)
    permission = {"permission": {"name": "notifications"}, "setting": setting, "origin": phone.url}
    cdp.send("Browser.setPermission", permission)
    said = "default" if setting == "prompt" else setting
    until(lambda: phone.page.evaluate("Notification.permission") == said, "the page does not know")
