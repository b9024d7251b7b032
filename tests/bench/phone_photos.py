"""Photos on a slow phone: from the shutter to the disk, and thirty in a row with the heap before and after.

Chromium throttled over CDP (6×) with a pretended camera of 1600 × 1200 that shows grain. A photo counts as saved when
its write, on strict durability, is done; the heap is what is used after the garbage was collected.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from playwright.sync_api import CDPSession, sync_playwright

from tests.bench.figure import Figure, median, quantile
from tests.bench.phone import THROTTLE
from tests.bench.town import PASSWORD, folder, make_town, served
from tests.browser.camera import SEEN, done, film, open_camera
from tests.browser.chrome import Phone as Browser
from tests.browser.flows import sign_in
from tests.browser.install import FINDERS

FORM: Final = "/k/quality.defect/new"
ROUNDS, IN_A_ROW = 8, 30
HEAP_MB_MAX: Final = 20

# From the tap on the shutter to the end of the write that keeps the photo.
SHOT: Final = """
() => new Promise((resolve) => {
  const shutter = document.querySelector('.shutter');
  const begin = () => {
    if (shutter.disabled) return requestAnimationFrame(begin);
    const began = performance.now();
    globalThis.kept = () => resolve(performance.now() - began);
    shutter.click();
  };
  begin();
})
"""
PROBE: Final = """
(() => {
  const transaction = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (...given) {
    const made = transaction.apply(this, given);
    const isPhoto = made.mode !== 'readonly' && [...made.objectStoreNames].includes('pictures');
    if (isPhoto) made.addEventListener('complete', () => globalThis.kept?.());
    return made;
  };
})();
"""


def figures() -> list[Figure]:
    chromium = FINDERS["chromium"]()
    if chromium is None:
        return [Figure("photos: Chromium", "", "not on this machine", None)]
    with folder() as at:
        town = make_town(at)
        with served(at) as server, sync_playwright() as play:
            url = f"http://localhost:{server.port}"
            browser = Browser(
                play, chromium, town.folder / "photos", url,
                permissions=SEEN, arguments=film(Path(at), 1600, 1200), before=[PROBE],
            )  # fmt: skip
            try:
                return measured(browser)
            finally:
                browser.kill()
                browser.buried()


def measured(browser: Browser) -> list[Figure]:
    sign_in(browser, "boss", PASSWORD)
    browser.installed()
    browser.open(FORM)
    browser.airplane()
    assert browser.context is not None
    slow = browser.context.new_cdp_session(browser.page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    open_camera(browser)
    # The first one loads what photos need; it is told, and the heap is measured after it.
    first = float(browser.page.evaluate(SHOT))
    before = heap_mb(slow)
    shots = [float(browser.page.evaluate(SHOT)) for _ in range(IN_A_ROW - 1)]
    browser.sees(browser.say("photo.taken", n=IN_A_ROW))
    done(browser)
    after = heap_mb(slow)
    taken, most = median(shots[:ROUNDS]), quantile(shots, 0.95)
    numbers: dict[str, Any] = {"first ms": first, "ms": shots, "heap MB": [before, after]}
    return [
        Figure("photos: from the shutter to durably saved, CPU 6×", "≤ 1 s",
               f"{taken / 1000:.2f} s (p95 of {IN_A_ROW}: {most / 1000:.2f} s, the first {first / 1000:.2f} s)",
               taken <= 1000, numbers),
        Figure(f"photos: heap after {IN_A_ROW} in a row", f"≤ {HEAP_MB_MAX} MB more",
               f"{after - before:+.1f} MB ({before:.0f} → {after:.0f})", after - before <= HEAP_MB_MAX),
    ]  # fmt: skip


def heap_mb(session: CDPSession) -> float:
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")
    return (float(used["usedSize"]) + float(used.get("backingStorageSize", 0))) / 1e6
