"""One phone, two people: a notebook each, nothing mixed, nothing lost by taking turns or signing out."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.chrome import Phone
from tests.browser.conftest import NewPhone
from tests.browser.flows import at_today, check_in, enrol, invite, sent, waiting
from tests.browser.site import DEMO, Site

FIRST, SECOND = "周先来", "郑后到"


def test_two_people_on_one_phone_keep_their_own_entries_apart(site: Site, new_phone: NewPhone) -> None:
    phone = new_phone("shared")
    code = invite(site, "--project", DEMO, "--role", "worker", "--uses", "2")
    enrol(phone, code, FIRST)
    enrol(phone, code, SECOND)
    phone.installed()

    site.kill()
    check_in(phone)
    assert waiting(phone) == 1

    take_turn(phone, FIRST)
    assert waiting(phone) == 0, "the other's entry is not shown"
    phone.open("/")
    check_in(phone)
    sign_out_keeping(phone)
    phone.sees(FIRST)

    site.start()
    take_turn(phone, SECOND)
    sent(phone)
    assert site.entries_of(SECOND) == 1
    assert site.entries_of(FIRST) == 0, "only he himself can send it"

    enrol_again(phone, site, FIRST)
    sent(phone)
    assert site.entries_of(FIRST) == 1
    devices = site.rows(
        "SELECT DISTINCT json_extract(body, '$.born[2]') FROM record WHERE c = 'labour.checkin'"
        " AND json_extract(body, '$.by') IN (SELECT id FROM person WHERE name IN (?, ?))",
        FIRST,
        SECOND,
    )
    assert len(devices) == 2, "each has a key of his own"


def take_turn(phone: Phone, name: str) -> None:
    phone.open("/people")
    phone.page.get_by_role("listitem").filter(has_text=name).get_by_role("button").first.click()
    at_today(phone)
    expect(phone.page.get_by_text(name).first).to_be_visible()


def sign_out_keeping(phone: Phone) -> None:
    """What is not sent stays, whatever one chooses."""
    phone.open("/me")
    phone.tap("me.sign_out")
    dialog = phone.page.get_by_role("dialog")
    expect(dialog).to_contain_text(phone.say("signout.waiting", n=1))
    dialog.get_by_role("button", name=phone.say("signout.keep")).click()


def enrol_again(phone: Phone, site: Site, name: str) -> None:
    """Signed out with something unsent: a new invite for the same person brings him back to the same notebook."""
    code = invite(site, "--project", DEMO, "--person", name)
    phone.open(f"/enrol?code={code}")
    phone.fill("enrol.name", name)
    phone.tap("enrol.submit")
    at_today(phone)
