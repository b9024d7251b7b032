"""The declarations are a file of their own: asked for ahead, once, kept offline, of one build with the script."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from server.config import read
from tests.browser.chrome import Phone
from tests.browser.conftest import NewPhone
from tests.browser.flows import sign_in
from tests.browser.site import Site

NAME = re.compile(r"/assets/declared-([0-9a-f]{12})\.json")
LABEL = "围栏外打卡，请说明原因"


def test_the_declarations_are_fetched_once_beside_the_script_and_stand_in_no_script(
    site: Site, new_phone: NewPhone
) -> None:
    phone = new_phone("worker")
    asked: list[str] = []
    phone.switch_on().page.on("request", lambda request: asked.append(request.url))
    phone.open("/")
    phone.sees(phone.say("signin.submit"))
    before_worker = [url for url in asked if NAME.search(url)]
    assert len(before_worker) == 1, before_worker
    assert fetched_ahead(phone)


def fetched_ahead(phone: Phone) -> bool:
    """The page asked for it, before any script could: that is what makes it come beside them."""
    kind = "performance.getEntriesByType('resource').find(one => one.name.includes('/declared-')).initiatorType"
    return bool(phone.page.evaluate(kind) == "link")


def test_a_script_and_its_declarations_are_of_one_build() -> None:
    dist = read().dist
    file = next((dist / "assets").glob("declared-*.json"))
    assert file.name == f"declared-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}.json"
    scripts = list((dist / "assets").glob("*.js"))
    assert named(dist / "index.html") == {file.stem[-12:]} == set().union(*map(named, scripts))
    assert file.stem in (dist / "sw.js").read_text("utf-8")
    assert [script.name for script in scripts if LABEL in script.read_text("utf-8")] == []
    assert LABEL in file.read_text("utf-8")


def named(file: Path) -> set[str]:
    return set(NAME.findall(file.read_text("utf-8")))


def test_the_second_visit_needs_no_network_for_them(site: Site, new_phone: NewPhone) -> None:
    phone = new_phone("worker")
    sign_in(phone, "worker")
    phone.installed()
    site.kill()
    phone.open("/k/labour.checkin/new")
    phone.sees("出勤日期")
