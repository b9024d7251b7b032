"""The main job, whole: a crew member joins by invite, checks in with no network, the entry arrives and is approved as
seen; what he changed without knowing of the approval becomes an amendment that the supervisor decides."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.chrome import Phone
from tests.browser.conftest import NewPhone
from tests.browser.flows import check_in, enrol, invite, said, sent
from tests.browser.site import DEMO, Site

WORKER = "赵新来"
NOTE = "东门堵车，绕西门进场"


def test_P11_M10_A2_A3_from_an_invite_to_an_accepted_amendment(site: Site, new_phone: NewPhone) -> None:
    worker, supervisor = new_phone("worker"), new_phone("supervisor", language="en")
    enrol(worker, invite(site, "--project", DEMO, "--role", "worker"), WORKER)
    enrol(supervisor, invite(site, "--project", DEMO, "--role", "supervisor"), "Qian Jian")

    # No network at all: the server is dead, and the phone is in airplane mode.
    worker.installed()
    supervisor.installed()
    worker.airplane()
    site.kill()
    worker.open("/")
    check_in(worker)
    worker.open("/k/labour.checkin")
    worker.sees(worker.say("state.local"))

    site.start()
    worker.airplane(False)
    sent(worker)

    # He changes the note with no network, while the supervisor approves what he sees.
    worker.airplane()
    write_note(worker, NOTE)
    approve(supervisor, WORKER)
    sent(supervisor)
    worker.airplane(False)
    sent(worker)
    worker.open("/k/labour.checkin")
    worker.sees(worker.say("state.held"))

    accept_late_change(supervisor, NOTE)
    sent(supervisor)
    open_own_entry(worker)
    worker.sees(NOTE)
    worker.sees("已审核")
    worker.sees_no(worker.say("detail.held"))


def open_own_entry(phone: Phone) -> None:
    phone.open("/k/labour.checkin")
    phone.page.get_by_role("main").get_by_role("link").filter(has_text=WORKER).first.click()


def write_note(phone: Phone, text: str) -> None:
    open_own_entry(phone)
    phone.tap("detail.edit")
    phone.page.get_by_label("说明").last.fill(text)
    phone.tap("do.save")
    phone.sees(said(phone, "form.saved"))


def approve(phone: Phone, who: str) -> None:
    phone.open("/approve")
    phone.tap_in_list(phone.page.get_by_role("button", name=re.compile(f"^Approve: .*{who}")))
    phone.sees(said(phone, "approve.approved", n=1))


def accept_late_change(phone: Phone, text: str) -> None:
    phone.open("/approve")
    phone.sees(phone.say("approve.held"))
    expect(phone.page.get_by_text(text)).to_be_visible()
    phone.tap("approve.accept")
    phone.sees(said(phone, "approve.accepted"))
