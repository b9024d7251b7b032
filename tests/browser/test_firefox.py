"""One pass through the main job in Firefox: sign in, no network, check in, come back, it arrives."""

from __future__ import annotations

from pathlib import Path

from tests.browser.axe import TAGS, run, source, told
from tests.browser.flows import invite
from tests.browser.fox import Fox
from tests.browser.site import DEMO, Site

WORKER = "王火狐"


def test_firefox_checks_in_offline_and_sends_when_the_server_is_back(site: Site, fox: Fox, screenshots: Path) -> None:
    fox.open(f"/enrol?code={invite(site, '--project', DEMO, '--role', 'worker')}")
    fox.fill(fox.say("enrol.name"), WORKER)
    fox.tap(fox.say("enrol.submit"))
    fox.find("button", fox.say("labour.in"))
    fox.run("navigator.serviceWorker.ready.then(() => true)")

    site.kill()
    fox.open("/")
    fox.tap(fox.say("labour.in"))
    fox.find("button", fox.say("labour.instead_out"))
    fox.inject(source())
    assert told(fox.run(run(TAGS))) == []
    fox.screenshot(screenshots / "firefox" / "today.png")

    fox.open("/outbox")
    fox.sees(fox.say("state.local"))
    site.start()
    fox.tap(fox.say("outbox.send"))
    fox.sees(fox.say("outbox.sent_all"))
    assert site.entries_of(WORKER) == 1
