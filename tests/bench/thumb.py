"""Forty items filled by one thumb on a slow phone: the taps that they take, and the time spent waiting for the app.

Chromium with touch, throttled over CDP (6×). What is tapped is what a person taps: a button where it stands on the
screen, as soon as the app takes it. A tap counts until the next item is in hand, painted, and answers to the thumb.
What a person needs for reading and looking is not in it: three minutes less the waiting is what is left for that.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, expect, sync_playwright

from server.core.value import Value
from tests.bench.figure import Figure, median
from tests.browser.chrome import Phone
from tests.browser.desk import Desk
from tests.browser.flows import sign_in
from tests.browser.install import FINDERS
from tests.browser.site import Site

ITEMS, SECTIONS, THROTTLE, TARGET_S = 40, 5, 6, 180
FAILED: Final = {6, 17, 28, 39}
CHOSEN: Final = {3, 23}
MEASURED: Final = {12, 33}
DIGITS: Final = "85"
SECONDS_A_LOOK: Final = 3.5  # what a person should have left to read an item and to look

# How long it took from the thumb's touch until another item than the one it found is in hand and can be answered.
WATCH: Final = """
() => {
  globalThis.waits = [];
  const inHand = () => document.querySelector('[data-item][aria-current]')?.dataset.item;
  addEventListener('pointerdown', () => {
    const began = performance.now(), item = inHand();
    const look = () => {
      const isNext = inHand() !== item && !document.querySelector('div.guard');
      if (isNext) requestAnimationFrame(() => setTimeout(() => globalThis.waits.push(performance.now() - began)));
      else if (performance.now() - began < 20_000) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, { capture: true });
}
"""


def figures() -> list[Figure]:
    chromium = FINDERS["chromium"]()
    if chromium is None:
        return [Figure("inspections: Chromium", "", "not on this machine", None)]
    with tempfile.TemporaryDirectory(prefix="gongbu-bench-") as folder, sync_playwright() as play:
        site = Site(Path(folder) / "data").start()
        phone = Phone(play, chromium, Path(folder) / "phone", site.url)
        try:
            return _filled(site, phone)
        finally:
            phone.kill()
            with suppress(AssertionError):
                phone.buried()
            site.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _filled(site: Site, phone: Phone) -> list[Figure]:
    desk, each = Desk(site, "inspector"), ITEMS // SECTIONS
    sections: dict[str, list[dict[str, Value]]] = {
        f"第 {s + 1} 部分": [_item(s * each + i) for i in range(each)] for s in range(SECTIONS)
    }
    r = desk.inspection(desk.template("四十项日检", sections), "全场")
    sign_in(phone, "inspector")
    phone.settle_in()
    phone.open(f"/r/{r}")
    page = phone.page
    expect(page.locator(".panel .pad")).to_be_visible()
    page.evaluate(WATCH)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    hand = Hand(phone)
    taps = [hand.answer(n) for n in range(ITEMS)]
    expect(page.get_by_role("main").get_by_role("status").first).to_contain_text(f"{ITEMS}/{ITEMS}")
    return _told(taps, [float(one) for one in page.evaluate("globalThis.waits")])


def _item(n: int) -> dict[str, Value]:
    item: dict[str, Value] = {"key": f"i{n}", "kind": "check", "text": f"第 {n + 1} 条：现场查看，抽查三处"}
    if n in CHOSEN:
        return {**item, "kind": "choice", "options": "good=良好|Good;fair=一般|Fair;bad=较差|Bad"}
    return {**item, "kind": "number", "unit": "mm", "high": 100_000} if n in MEASURED else item


class Hand:
    """One thumb. Each answer ends when the next item is in hand, and tells how many taps it took."""

    def __init__(self, phone: Phone) -> None:
        self.phone, self.page = phone, phone.page
        self.panel = phone.page.locator(".panel")

    def answer(self, n: int) -> int:
        say = self.phone.say
        if n in FAILED:
            self.tap(self.button(say("inspections.fail")))
            self.tap(self.panel.locator(".tools").get_by_role("button", name=say("inspections.next")))
            taps = 2
        elif n in MEASURED:
            self.tap(self.panel.get_by_label(say("inspections.measured")))
            self.page.keyboard.type(DIGITS)
            self.page.keyboard.press("Enter")
            taps = 1 + len(DIGITS) + 1
        else:
            self.tap(self.button("良好" if n in CHOSEN else say("inspections.pass")))
            taps = 1
        if n < ITEMS - 1:
            expect(self.page.locator("[data-item][aria-current]")).to_have_attribute("data-item", f"i{n + 1}")
            expect(self.page.locator("div.guard")).to_have_count(0)
        return taps

    def button(self, words: str) -> Locator:
        return self.panel.locator(".pad").get_by_role("button", name=words, exact=True)

    def tap(self, button: Locator) -> None:
        """Where it stands now, once: a tap that the app loses is not repeated."""
        box = button.bounding_box()
        assert box, "it is not on the screen"
        self.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def _told(taps: list[int], waits: list[float]) -> list[Figure]:
    passed = [one for n, one in enumerate(taps) if n not in FAILED | MEASURED]
    waited = sum(waits) / 1000
    left = (TARGET_S - waited) / ITEMS
    return [
        Figure(
            f"{ITEMS} items by thumb, taps for one that passes",
            "1",
            f"{max(passed)} ({sum(taps)} in all, with {len(FAILED)} that fail and {len(MEASURED)} measured)",
            max(passed) == 1,
            {"taps": taps},
        ),
        Figure(
            f"there: waiting for the app in all, CPU {THROTTLE}×",
            f"≤ {TARGET_S} s with the person",
            f"{waited:.1f} s, {median(waits):.0f} ms a tap; {left:.1f} s are left for each item",
            left >= SECONDS_A_LOOK,
            {"waits ms": waits},
        ),
    ]
