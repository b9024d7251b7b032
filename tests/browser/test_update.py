"""A new build of the app arrives while someone is writing: he says when, and not a word is lost."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chrome import Phone
from tests.browser.conftest import NewPhone
from tests.browser.flows import sign_in
from tests.browser.site import ROOT, Site

DRAFT = "写到一半的话"


def test_an_update_comes_when_asked_for_and_keeps_the_draft(
    site: Site, new_phone: NewPhone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = new_phone("foreman")
    sign_in(phone, "foreman")
    phone.installed()
    first = build_shown(phone)

    site.stop()
    monkeypatch.setenv("GONGBU_DIST", str(next_build(tmp_path / "dist")))
    site.start()
    phone.open("/k/labour.checkin/new")
    phone.page.get_by_label("说明").last.fill(DRAFT)
    phone.page.evaluate("navigator.serviceWorker.getRegistration().then(found => found.update()).then(() => true)")
    phone.sees(phone.say("update.ready"))
    assert build_shown(phone) == first, "nothing changes before the person says so"

    phone.tap("update.apply")
    expect(phone.page.locator("meta[name=gongbu-build]")).not_to_have_attribute("content", first)
    expect(phone.page.get_by_label("说明").last).to_have_value(DRAFT)


def build_shown(phone: Phone) -> str:
    return phone.page.locator("meta[name=gongbu-build]").get_attribute("content") or ""


def next_build(folder: Path) -> Path:
    """The same app under another build's name: to a phone that is a new one."""
    shutil.copytree(ROOT / "pwa" / "dist", folder)
    page = (folder / "index.html").read_text("utf-8")
    found = re.search(r'name="gongbu-build" content="([^"]+)"', page)
    assert found
    for path in (folder / "index.html", folder / "sw.js"):
        path.write_text(path.read_text("utf-8").replace(found[1], "next" + found[1][4:]), "utf-8")
    return folder
