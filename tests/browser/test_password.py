"""One's own password: changed on one phone, and the other one asks for it, its words kept."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.conftest import NewPhone
from tests.browser.flows import PASSWORD, check_in, sign_in, waiting

NEW = "dry feet, 2026"


def test_a_new_password_signs_the_other_phone_out_and_loses_nothing_there(new_phone: NewPhone) -> None:
    mine, other = new_phone("mine"), new_phone("other", language="en")
    sign_in(mine, "worker")
    sign_in(other, "worker")
    other.installed()
    other.airplane()
    check_in(other)

    mine.open("/me")
    mine.link("password.title").click()
    mine.sees("worker")
    mine.fill("password.old", "guess, guess")
    mine.fill("password.new", NEW)
    assert grave(mine.page) == []
    mine.tap("do.save")
    mine.sees(mine.say("problem.wrong_password"))
    mine.fill("password.old", PASSWORD)
    mine.tap("do.save")
    mine.sees(mine.say("password.changed"))

    other.airplane(False)
    assert waiting(other) == 1
    sign_in(other, "worker", NEW)
    other.open("/outbox")
    expect(other.page.get_by_text(other.say("outbox.sent_all"), exact=True)).to_be_visible(timeout=30_000)
