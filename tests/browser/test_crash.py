"""An empty battery at the worst moment: killed at every step of saving, and at every step of sending.

Whatever the moment: what the app said was saved is there, nothing is there twice, and everything still goes out.
"""

from __future__ import annotations

from tests.browser.conftest import NewPhone
from tests.browser.crash import Crash
from tests.browser.flows import enrol, invite, sent, tap_in_or_out, waiting
from tests.browser.site import DEMO, Site

STEPS_MAX = 30
WORKER = "孙电池"


def test_P1_killed_at_any_step_of_saving_an_entry_is_whole_or_not_there(site: Site, new_phone: NewPhone) -> None:
    phone = new_phone("worker", place=None)
    crash = Crash(phone)
    enrol(phone, invite(site, "--project", DEMO, "--role", "worker"), WORKER)
    phone.settle_in()
    site.kill()
    saved, moments = 0, []
    for step in range(1, STEPS_MAX):
        phone.open("/")
        crash.arm(step)
        told = 0
        with crash.may_happen():
            tap_in_or_out(phone)
            told = 1
        if crash.happened:
            moments.append(crash.at)
            phone.buried()
        now = waiting(phone)
        assert saved + told <= now <= saved + 1, f"killed at step {step} ({crash.at}): {saved} before, {now} after"
        saved = now
        if not crash.happened:
            break
    print("killed at:", moments)
    assert "committed" in moments
    assert len(moments) >= 2, "nothing was interrupted"
    site.start()
    sent(phone)
    assert site.entries_of(WORKER) == saved


def test_P1_killed_at_any_step_of_sending_an_entry_arrives_once(site: Site, new_phone: NewPhone) -> None:
    phone = new_phone("worker", place=None)
    crash = Crash(phone)
    enrol(phone, invite(site, "--project", DEMO, "--role", "worker"), WORKER)
    phone.settle_in()
    made, moments = 0, []
    for step in range(1, STEPS_MAX):
        site.kill()
        phone.open("/")
        tap_in_or_out(phone)
        made += 1
        phone.open("/outbox")
        crash.arm(step)
        site.start()
        with crash.may_happen():
            phone.tap("outbox.send")
            sent(phone)
        if not crash.happened:
            break
        moments.append(crash.at)
        phone.buried()
        phone.open("/outbox")
        sent(phone)
    print("killed at:", moments)
    # What the k-th step is shifts from one start to the next; the exchange itself is always among them.
    assert {"about to send", "answer on its way"} & set(moments)
    assert len(set(moments)) >= 3, "killed at one and the same thing"
    assert site.entries_of(WORKER) == made
