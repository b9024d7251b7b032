"""Every screen in both languages, narrow and wide: axe finds nothing serious, nothing overflows, and a picture of it
lies in screenshots/ for a person to look at. The other themes change colours alone, so there axe looks at contrast."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.axe import grave, pale
from tests.browser.chrome import NARROW, WIDE, Language, Phone, Theme
from tests.browser.conftest import NewPhone
from tests.browser.flows import sign_in
from tests.browser.site import Site

ENTRY = "labour.checkin"


@dataclass(frozen=True)
class Screen:
    name: str
    path: str
    """`{kind}` stands for the newest record of a kind that this person sees."""
    row: Literal["row", "listitem"] | None = None
    """What it is full of."""


# who signs in → the screens that he is shown
SCREENS: dict[str, tuple[Screen, ...]] = {
    "worker": (
        Screen("today", "/"),
        Screen("entries", "/entries"),
        Screen("list", f"/k/{ENTRY}", "listitem"),
        Screen("calendar", f"/k/{ENTRY}/calendar"),
        Screen("form", f"/k/{ENTRY}/new"),
        Screen("detail", "/r/{labour.checkin}"),
        Screen("month", "/labour/month"),
        Screen("me", "/me"),
        Screen("outbox", "/outbox"),
        Screen("attention", "/attention"),
        Screen("drafts", "/drafts"),
        Screen("settings", "/settings"),
        Screen("devices", "/devices"),
        Screen("password", "/password"),
        Screen("about", "/about"),
        Screen("people", "/people"),
        Screen("enrol", "/enrol"),
        Screen("not-found", "/nowhere"),
    ),
    "foreman": (
        Screen("today-foreman", "/"),
        Screen("crew", "/labour/crew"),
        Screen("invites", "/invites"),
        Screen("alerts", "/alerts", "listitem"),
    ),
    "supervisor": (
        Screen("approvals", "/approve"),
        Screen("detail-to-approve", "/r/{labour.checkin}"),
        Screen("hazard-board", "/safety/board", "listitem"),
        Screen("hazards-open", "/safety/board?by=open", "listitem"),
        Screen("hazard", "/r/{safety.hazard}"),
        Screen("heat", "/r/{drawings.plan}?page=2&heat=safety.hazard"),
        Screen("defect", "/r/{quality.defect}"),
        Screen("broadcast", "/r/{safety.broadcast}"),
        Screen("broadcast-new", "/k/safety.broadcast/new"),
        Screen("ladders", "/alerts/ladders", "listitem"),
        Screen("inspection-start", "/inspections/start", "listitem"),
        Screen("inspections-plans", "/inspections/plans"),
        Screen("inspections-ledger", "/inspections/ledger", "row"),
    ),
    "office": (
        Screen("ledger", "/office", "row"),
        Screen("sheets", "/labour/sheets"),
        Screen("templates", "/inspections/templates"),
        Screen("ledger-hazards", "/office/safety.hazard?state=not_closed", "row"),
    ),
    "manager": (
        Screen("channels", "/alerts/channels"),
        Screen("working-calendar", "/alerts/calendar"),
    ),
}
# paper, and the theme after it
LOOKS: tuple[tuple[Language, tuple[int, int], Theme], ...] = (
    ("zh-CN", NARROW, "sunlight"),
    ("en", NARROW, "night"),
    ("zh-CN", WIDE, "night"),
    ("en", WIDE, "sunlight"),
)


@pytest.fixture(scope="module")
def site(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all of them: looking changes nothing."""
    data = tmp_path_factory.mktemp("screens") / "data"
    shutil.copytree(demo_data, data)
    site = Site(data).start()
    yield site
    site.kill()
    assert site.troubles() == []


@pytest.mark.parametrize(("language", "size", "theme"), LOOKS, ids=lambda value: str(value).replace(" ", ""))
def test_every_screen_is_legible_and_accessible(
    language: Language,
    size: tuple[int, int],
    theme: Theme,
    site: Site,
    new_phone: NewPhone,
    screenshots: Path,
) -> None:
    """On one phone, which everybody signs in on in turn."""
    phone = new_phone("everybody", language=language, size=size)
    on_paper, in_theme = (screenshots / f"{language}-{size[0]}x{size[1]}-{one}" for one in ("paper", theme))
    phone.open("/sign-in")
    found = look(phone, "sign-in", on_paper)
    for who, screens in SCREENS.items():
        sign_in(phone, who)
        phone.sees(phone.say("sync.online"))
        me = phone.page.evaluate("fetch('/api/me').then(answer => answer.json()).then(answer => answer.person.id)")
        for screen in screens:
            phone.open(filled(screen.path, site, me))
            if screen.row:
                expect(phone.page.get_by_role(screen.row).nth(3)).to_be_visible()
            found += look(phone, screen.name, on_paper)
            put_on(phone, theme)
            found += [f"{screen.name} in {theme}: {wrong}" for wrong in pale(phone.page)]
            picture(phone, screen.name, in_theme)
    choose(phone, theme)
    assert not found, "\n".join(found)


def put_on(phone: Phone, theme: Theme) -> None:
    """As the setting does it, on the screen as it stands."""
    phone.page.evaluate("theme => { document.documentElement.dataset.theme = theme; scrollTo(0, 0); }", theme)
    settled(phone)


def choose(phone: Phone, theme: Theme) -> None:
    phone.open("/settings")
    phone.page.get_by_text(phone.say(f"settings.theme_{theme}"), exact=True).first.click()
    expect(phone.page.locator("html")).to_have_attribute("data-theme", theme)


def filled(path: str, site: Site, me: str) -> str:
    kind = re.search(r"\{(.+)\}", path)
    return path.replace(kind[0], newest(site, me, kind[1])) if kind else path


def newest(site: Site, me: str, c: str) -> str:
    """The newest record of a kind, his own before others'."""
    sql = "SELECT r FROM record WHERE c = ? AND deleted = 0 ORDER BY aud = 'person:' || ? DESC, seq DESC LIMIT 1"
    (found,) = site.rows(sql, c, me)
    return str(found[0])


def look(phone: Phone, name: str, folder: Path) -> list[str]:
    settled(phone)
    picture(phone, name, folder)
    # a row half under a sticky foot is no finding: at the end of the page nothing lies there
    phone.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    wide = phone.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found = [f"{name}: {wide} px too wide"] if wide > 0 else []
    return found + [f"{name}: {wrong}" for wrong in grave(phone.page)]


def picture(phone: Phone, name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    phone.page.screenshot(path=folder / f"{name}.png")


def settled(phone: Phone) -> None:
    """Shown whole: a heading is there, the fonts are, and nothing moves any more."""
    expect(phone.page.get_by_role("heading").first).to_be_visible()
    phone.page.evaluate(
        """async () => {
          await document.fonts.ready;
          await Promise.allSettled(document.getAnimations().map((move) => move.finished));
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }"""
    )
