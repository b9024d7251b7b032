"""One phone (or one desk) as a Chromium of its own: a persistent profile that outlives a killed browser.

Profiles are never shared, so two phones are two devices. What a test does with it goes by accessible role and name.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil
from playwright.sync_api import BrowserContext, Error, Locator, Page, Playwright, TimeoutError, expect

from server.demo.cast import SITE_FENCE
from tests.browser import words
from tests.browser.wait import until

Language = Literal["zh-CN", "en"]
Theme = Literal["paper", "sunlight", "night"]

NARROW = (360, 740)
WIDE = (1280, 800)
LIST_MS = 3_000
GATE = {"latitude": SITE_FENCE[0] / 1e7, "longitude": SITE_FENCE[1] / 1e7, "accuracy": 12}

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@dataclass
class Phone:
    play: Playwright
    chromium: str
    profile: Path
    url: str
    language: Language = "zh-CN"
    size: tuple[int, int] = NARROW
    place: dict[str, float] | None = field(default_factory=lambda: dict(GATE))
    permissions: tuple[str, ...] = ("geolocation",)
    home: Path | None = None
    arguments: tuple[str, ...] = ()
    before: list[str] = field(default_factory=list)
    """Scripts that run in each page before the app's own."""
    bindings: dict[str, Callable[..., Any]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    context: BrowserContext | None = None

    # ── the browser ──────────

    def switch_on(self) -> Phone:
        self.context = self.play.chromium.launch_persistent_context(
            self.profile,
            executable_path=self.chromium,
            headless=True,
            args=[*ARGUMENTS, f"--lang={self.language}", *self.arguments],
            env=self.environment(),
            viewport={"width": self.size[0], "height": self.size[1]},
            is_mobile=self.size[0] < 700,
            has_touch=self.size[0] < 700,
            device_scale_factor=2 if self.size[0] < 700 else 1,
            locale=self.language,
            timezone_id="Asia/Shanghai",
            geolocation=self.place,  # type: ignore[arg-type]
            permissions=list(self.permissions) if self.place else [],
            accept_downloads=True,
        )
        self.context.set_default_timeout(30_000)
        for name, answer in self.bindings.items():
            self.context.expose_binding(name, answer)
        for script in self.before:
            self.context.add_init_script(script)
        self.context.on("weberror", lambda wrong: self.errors.append(f"{wrong.error} {wrong.error.stack}"))
        return self

    def environment(self) -> dict[str, str | float | bool]:
        """The browser's own words (in date fields) come in the language of the system."""
        home = {"HOME": str(self.home)} if self.home else {}
        return {**os.environ, **home, "LANGUAGE": self.language.replace("-", "_")}

    def open(self, path: str = "/") -> Phone:
        if self.context is None:
            self.switch_on()
        self.page.goto(self.url + path)
        return self

    @property
    def page(self) -> Page:
        assert self.context is not None, "the phone is off"
        return self.context.pages[0] if self.context.pages else self.context.new_page()

    def processes(self) -> list[psutil.Process]:
        mine = f"--user-data-dir={self.profile}"
        return [process for process in psutil.process_iter(["cmdline"]) if mine in (process.info["cmdline"] or [])]

    def kill(self) -> None:
        """As an empty battery does: no event, no goodbye."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def buried(self) -> None:
        """Wait until nothing of the killed browser is left, so that the profile can be opened again."""
        until(lambda: not self.processes(), "the browser still runs")
        if self.context is not None:
            with suppress(Error):  # it is dead: that was the point
                self.context.close()
        self.context = None

    def switch_off(self) -> None:
        if self.context is not None:
            self.context.close()
        self.context = None

    def airplane(self, on: bool = True) -> None:
        assert self.context is not None
        self.context.set_offline(on)

    def installed(self) -> None:
        """Until the service worker keeps the app and answers for this page, so that it works with no network."""
        answers = "navigator.serviceWorker.controller !== null"
        until(lambda: self.page.evaluate(answers), "no service worker answers for the page")

    def settle_in(self) -> None:
        """Close the browser properly once: only then are a new cookie and what the worker keeps surely on disk."""
        self.installed()
        self.switch_off()
        self.open("/")

    # ── what a person sees and does ──────────

    def say(self, key: str, **values: object) -> str:
        return words.say(self.language, key, **values)

    def button(self, key: str, **values: object) -> Locator:
        return self.page.get_by_role("button", name=self.say(key, **values), exact=True)

    def link(self, key: str, **values: object) -> Locator:
        return self.page.get_by_role("link", name=self.say(key, **values), exact=True)

    def tap(self, key: str, **values: object) -> None:
        """A button, or a link that looks like one."""
        self.button(key, **values).or_(self.link(key, **values)).first.click()

    def fill(self, key: str, text: str) -> None:
        self.page.get_by_label(self.say(key)).first.fill(text)

    def scroll_to(self, wanted: Locator) -> Locator:
        """Turn the pages of a long list, of which only what is seen is there, until the wanted row comes."""
        self.page.mouse.move(self.size[0] / 2, self.size[1] / 2)

        def comes() -> bool:
            if wanted.count() > 0:
                return True
            self.page.mouse.wheel(0, self.size[1] * 0.6)
            return False

        until(comes, f"no {wanted} in the list")
        return wanted.first

    def tap_in_list(self, wanted: Locator) -> None:
        """As `scroll_to`; what comes in meanwhile may move the row away again."""

        def tapped() -> bool:
            try:
                self.scroll_to(wanted).click(timeout=LIST_MS)
            except TimeoutError:
                return False
            return True

        until(tapped, f"no {wanted} to tap")

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def sees_no(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text)).to_have_count(0)


def forget(profile: Path) -> None:
    shutil.rmtree(profile, ignore_errors=True)


FAST_CLOCK = """
(() => {
  const True = Date;
  const ahead = %d;
  globalThis.Date = class Date extends True {
    constructor(...given) { if (given.length === 0) super(True.now() + ahead); else super(...given); }
    static now() { return True.now() + ahead; }
  };
})();
"""


def clock_ahead(hours: float) -> str:
    """A script for `before`: a phone whose clock is fast (or slow, when negative)."""
    return FAST_CLOCK % round(hours * 3_600_000)
