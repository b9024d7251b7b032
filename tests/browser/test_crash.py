"""An empty battery at the worst moment: killed at every step of saving, and at every step of sending.

Whatever the moment: what the app said was saved is there, nothing is there twice, and everything still goes out.
What the k-th step is shifts a little from one start to the next, so the moments that matter most are then met by name.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.browser.conftest import NewPhone
from tests.browser.crash import Crash
from tests.browser.flows import enrol, invite, sent, tap_in_or_out, waiting
from tests.browser.site import DEMO, Site

STEPS_MAX = 30
WORKER = "孙电池"
SAVING = ("put outbox", "committed")
SENDING = ("about to send", "answer on its way", "committed")


def test_P1_killed_at_any_step_of_saving_an_entry_is_whole_or_not_there(site: Site, new_phone: NewPhone) -> None:
    phone = new_phone("worker", place=None)
    crash = Crash(phone)
    enrol(phone, invite(site, "--project", DEMO, "--role", "worker"), WORKER)
    phone.settle_in()
    site.kill()
    saved = 0
    for step, what in each_moment(crash, SAVING):
        phone.open("/")
        crash.arm(step, what)
        told = 0
        with crash.may_happen():
            tap_in_or_out(phone)
            told = 1
        if crash.happened:
            phone.buried()
        now = waiting(phone)
        assert saved + told <= now <= saved + 1, f"killed at {what or step} ({crash.at}): {saved} before, {now} after"
        saved = now
    site.start()
    sent(phone)
    assert site.entries_of(WORKER) == saved


def test_P1_killed_at_any_step_of_sending_an_entry_arrives_once(site: Site, new_phone: NewPhone) -> None:
    phone = new_phone("worker", place=None)
    crash = Crash(phone)
    enrol(phone, invite(site, "--project", DEMO, "--role", "worker"), WORKER)
    phone.settle_in()
    made = 0
    for step, what in each_moment(crash, SENDING):
        site.kill()
        phone.open("/")
        tap_in_or_out(phone)
        made += 1
        phone.open("/outbox")
        crash.arm(step, what)
        site.start()
        with crash.may_happen():
            phone.tap("outbox.send")
            sent(phone)
        if crash.happened:
            phone.buried()
            phone.open("/outbox")
            sent(phone)
    assert site.entries_of(WORKER) == made


def each_moment(crash: Crash, named: tuple[str, ...]) -> Iterator[tuple[int, str | None]]:
    """Every step by its number until the deed ends unharmed, then the named ones that were not among them."""
    met: list[str | None] = []
    for step in range(1, STEPS_MAX):
        yield step, None
        if not crash.happened:
            break
        met.append(crash.at)
    for what in named:
        if what not in met:
            yield 1, what
            met.append(crash.at)
    print("killed at:", met)
    assert set(named) <= set(met)
