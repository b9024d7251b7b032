"""An inspection of 200 items opened on a slow phone: from the tap on its line to its first items on the screen.

Chromium is throttled over CDP (6×). The first opening after a start loads the screen's scripts from the service
worker's cache as well; the median is of those after it. Beside it, in the same run: one answer, from the tap to its
line in the list.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from server.core.value import Value
from tests.bench.figure import Figure, median
from tests.browser.chrome import Phone
from tests.browser.desk import Desk
from tests.browser.flows import sign_in
from tests.browser.install import FINDERS
from tests.browser.site import Site
from tests.browser.wait import until

ITEMS, SECTIONS, OPENINGS, THROTTLE, TARGET_MS = 200, 10, 7, 6, 150
TITLE: Final = "二百项大表"

# From the tap to the end of the frame that draws the items, the one in hand among them, and its buttons.
OPENED: Final = """
(r) => new Promise((done) => {
  const line = document.querySelector(`a[href$="${r}"]`);
  const isSeen = (one) => {
    const { top, bottom } = one?.getBoundingClientRect() ?? {};
    return top > 0 && bottom <= document.querySelector('.panel').getBoundingClientRect().top;
  };
  line.addEventListener('click', () => {
    const began = performance.now();
    const look = () => {
      const items = document.querySelectorAll('[data-item]');
      const isThere = items.length >= 4 && isSeen(document.querySelector('[data-item][aria-current]'));
      if (isThere) setTimeout(() => done(performance.now() - began));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, { once: true, capture: true });
  line.click();
})
"""
ANSWERED: Final = """
() => new Promise((done) => {
  const item = document.querySelector('[data-item][aria-current]').dataset.item;
  const button = [...document.querySelectorAll('.panel .pad button')].at(-1);
  const began = performance.now();
  const look = () => {
    const line = document.querySelector(`[data-item="${item}"]`);
    if (!line || line.classList.contains('pass')) done(performance.now() - began);
    else requestAnimationFrame(look);
  };
  button.click();
  requestAnimationFrame(look);
})
"""


def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="gongbu-bench-") as folder, sync_playwright() as play:
        site = Site(Path(folder) / "data").start()
        phone = Phone(play, _chromium(), Path(folder) / "phone", site.url)
        try:
            return _measured(site, phone)
        finally:
            phone.kill()
            with suppress(AssertionError):
                phone.buried()
            site.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _chromium() -> str:
    path = FINDERS["chromium"]()
    assert path is not None, "no Chromium here"
    return path


def _measured(site: Site, phone: Phone) -> list[Figure]:
    desk = Desk(site, "inspector")
    each = ITEMS // SECTIONS
    sections: dict[str, list[dict[str, Value]]] = {
        f"第 {s} 部分": [_item(s, i) for i in range(1, each + 1)] for s in range(1, SECTIONS + 1)
    }
    answers: dict[str, Value] = {f"answers.s{s}i{i}.result": "pass" for s in range(1, 4) for i in range(1, each + 1)}
    r = desk.inspection(desk.template(TITLE, sections), "全场", answers)
    sign_in(phone, "inspector")
    phone.settle_in()
    phone.open("/k/inspections.inspection")
    _throttle(phone.page, THROTTLE)
    openings = [_opening(phone, r) for _ in range(OPENINGS)]
    phone.open(f"/r/{r}")
    phone.page.locator(".panel").wait_for()
    taps = [float(phone.page.evaluate(ANSWERED)) for _ in range(10)]
    warm = median(openings[1:])
    return [
        Figure(
            f"an inspection of {ITEMS} items opened, {THROTTLE}×",
            f"≤ {TARGET_MS} ms",
            f"{warm:.0f} ms (the first after a start {openings[0]:.0f} ms)",
            warm <= TARGET_MS,
            {"openings_ms": openings},
        ),
        Figure(f"an answer from tap to list, {THROTTLE}×", "≤ 100 ms", f"{median(taps):.0f} ms", median(taps) <= 100),
    ]


def _item(section: int, place: int) -> dict[str, Value]:
    words = f"第 {section} 部分第 {place} 条：现场查看，抽查三处，记录部位和数量"
    return {"key": f"s{section}i{place}", "kind": "check", "text": words, "clause": f"GB {section}.{place}"}


def _opening(phone: Phone, r: str) -> float:
    """From the list of all inspections, where it ends again."""
    line = phone.page.locator(f'a[href$="{r}"]')
    until(lambda: line.count() > 0, "the inspection is not in the list")
    took = float(phone.page.evaluate(OPENED, r))
    phone.page.go_back()
    return took


def _throttle(page: Page, rate: int) -> None:
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})
