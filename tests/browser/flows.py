"""What people do, step by step, by the words that they see. Each step ends when its outcome is on the screen."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser import words
from tests.browser.chrome import Phone
from tests.browser.site import Site

PASSWORD = "gongbu-demo"


def sign_in(phone: Phone, name: str, password: str = PASSWORD) -> None:
    phone.open("/sign-in")
    phone.fill("signin.name", name)
    phone.fill("signin.password", password)
    phone.tap("signin.submit")
    at_today(phone)


def enrol(phone: Phone, code: str, name: str) -> None:
    """By the link that an invite's QR code holds."""
    phone.open(f"/enrol?code={code}")
    phone.fill("enrol.name", name)
    phone.tap("enrol.submit")
    at_today(phone)


def at_today(phone: Phone) -> None:
    expect(phone.page.get_by_role("heading", name=re.compile(re.escape(phone.say("today.title"))))).to_be_visible()


def invite(site: Site, *options: str) -> str:
    """The code of a new invite, made on the server's command line."""
    told = site.gongbu("invite", "new", *options)
    found = re.search(r"[Cc]ode (\S+),", told)
    assert found, told
    return found[1]


def check_in(phone: Phone) -> None:
    """One tap on Today; ends when it is durably on the phone."""
    phone.tap("labour.in")
    saved(phone).wait_for()


def saved(phone: Phone) -> Locator:
    """What stands in the place of the button right after a tap."""
    words = re.compile(f"({phone.say('labour.in')}|{phone.say('labour.out')}).*", re.DOTALL)
    return phone.page.get_by_role("main").get_by_role("status").filter(has_text=words).first


def tap_in_or_out(phone: Phone) -> None:
    """The one strong button of Today, whatever it offers now; ends when the app says that it is saved."""
    strong = ready(phone, "labour.in").or_(ready(phone, "labour.out"))
    strong.or_(saved(phone)).first.wait_for()
    if saved(phone).is_visible():  # right after a tap a second one must be meant
        phone.button("labour.instead_in").or_(phone.button("labour.instead_out")).click()
    strong.click()
    saved(phone).wait_for()


def ready(phone: Phone, key: str) -> Locator:
    return phone.page.get_by_role("button", name=phone.say(key), exact=True, disabled=False)


def said(phone: Phone, key: str, **values: object) -> re.Pattern[str]:
    return words.pattern(phone.language, key, **values)


def waiting(phone: Phone) -> int:
    """How many new entries the phone says it still has to send."""
    phone.open("/outbox")
    page = phone.page
    none = page.get_by_text(phone.say("outbox.sent_all"), exact=True)
    some = page.get_by_text(said(phone, "outbox.summary"))
    expect(none.or_(some).first).to_be_visible()
    return page.get_by_role("listitem").filter(has_text=said(phone, "op.new")).count()


def sent(phone: Phone) -> None:
    """Until nothing waits any more."""
    if "/outbox" not in phone.page.url:
        phone.open("/outbox")
    expect(phone.page.get_by_text(phone.say("outbox.sent_all"), exact=True)).to_be_visible(timeout=30_000)


def row(phone: Phone, *words: str) -> Locator:
    """The list row that holds all of these words."""
    rows = phone.page.get_by_role("listitem")
    for word in words:
        rows = rows.filter(has_text=word)
    return rows.first
