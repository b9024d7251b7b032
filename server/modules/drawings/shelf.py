"""Where rendered plans lie, and who renders them: one at a time, each in a process of its own.

The tiles are a cache below the data folder, by the hash of the file: whatever is missing is rendered
when it is asked for, and the folder may be emptied at any time. A page appears whole or not at all.
    tiles/<version>/<sha>/pages.json     [{"w","h"}]: what the file holds
    tiles/<version>/<sha>/<page>/<z>/<x>-<y>.webp
    tiles/<version>/<sha>/refused.json   why it will never be rendered
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from server.modules.drawings.pyramid import Size

log: Final = logging.getLogger("gongbu.drawings")
VERSION: Final = "v1"  # of how tiles are made: another one renders everything anew
PAGE_CPU_S_MAX: Final = 60
SILENCE_S_MAX: Final = 600  # the process has limits of its own; this is for one that only waits
KEPT_BYTES_MAX: Final = 20 * 1000**3
RENDERER: Final = "server.modules.drawings.render"
ROOT: Final = Path(__file__).resolve().parents[3]
BY_SIGNAL: Final = {signal.SIGXCPU: "time", signal.SIGSEGV: "unreadable"}


class Page(msgspec.Struct):
    w: int
    h: int
    zooms: int
    ready: bool


class Plan(msgspec.Struct):
    """`state`: waiting, rendering, ready or refused."""

    state: str
    pages: list[Page] = []
    percent: int = 0
    reason: str | None = None
    """Of a refusal: unreadable, encrypted, pages, size, memory or time."""


class Shelf:
    """`page_cpu_s_max`: how long the processor may be at one page."""

    def __init__(self, data: Path, page_cpu_s_max: int = PAGE_CPU_S_MAX) -> None:
        self.page_cpu_s_max = page_cpu_s_max
        self.folder = data.absolute() / "tiles" / VERSION
        self._turn = asyncio.Lock()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._percent: dict[str, int] = {}

    # what is there

    def plan(self, sha: str) -> Plan:
        """As it stands now."""
        home = self.folder / sha
        refused = read(home / "refused.json")
        if refused is not None:
            return Plan("refused", reason=refused["reason"])
        pages = [self._page(home, number, told) for number, told in enumerate(read(home / "pages.json") or [], 1)]
        if pages and all(page.ready for page in pages):
            return Plan("ready", pages, 100)
        return Plan("rendering" if sha in self._percent else "waiting", pages, self._percent.get(sha, 0))

    def _page(self, home: Path, number: int, told: dict[str, int]) -> Page:
        size = Size(told["w"], told["h"])
        return Page(size.w, size.h, size.zooms, (home / str(number)).is_dir())

    def tile(self, sha: str, page: int, z: int, x: int, y: int) -> bytes | None:
        try:
            return (self.folder / sha / str(page) / str(z) / f"{x}-{y}.webp").read_bytes()
        except FileNotFoundError:
            return None

    # rendering

    def ask(self, sha: str, source: Path) -> None:
        """Have it rendered, if it is not and nobody is at it."""
        if sha not in self._running:
            self._running[sha] = task = asyncio.create_task(self._take_turn(sha, source))
            task.add_done_callback(lambda _: self._running.pop(sha, None))

    async def settle(self) -> None:
        """Until everything that was asked for is done."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def close(self) -> None:
        """Leave off; what is missing is rendered when it is asked for again."""
        for task in self._running.values():
            task.cancel()
        await self.settle()

    async def _take_turn(self, sha: str, source: Path) -> None:
        async with self._turn:
            if self.plan(sha).state in ("ready", "refused"):
                return
            self._percent[sha] = 0
            try:
                await self._render(sha, source)
            except Exception:
                log.exception("a plan could not be rendered", extra={"sha": sha})
            finally:
                del self._percent[sha]
        await asyncio.to_thread(self._make_room)

    async def _render(self, sha: str, source: Path) -> None:
        home = self.folder / sha
        await asyncio.to_thread(clear, home)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", RENDERER, str(source), str(home), str(self.page_cpu_s_max),
            cwd=ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        reason = None
        try:
            async for told in lines(process):
                reason = told.get("refused", reason)
                if "pages" in told:
                    write(home / "pages.json", told["pages"])
                self._percent[sha] = int(told.get("done", 0) * 100) or self._percent[sha]
            code = await process.wait()
        except TimeoutError:
            reason, code = "time", 0
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if reason or code:
            write(home / "refused.json", {"reason": reason or why(code)})
            log.info("a plan was refused", extra={"sha": sha, "reason": reason or why(code)})

    def _make_room(self) -> None:
        """Drop the plans that were rendered longest ago, until the rest fits."""
        homes = sorted(self.folder.iterdir(), key=lambda home: home.stat().st_mtime)
        sizes = {home: sum(file.stat().st_size for file in home.rglob("*.webp")) for home in homes}
        over = sum(sizes.values()) - KEPT_BYTES_MAX
        for home in homes:
            if over <= 0:
                return
            shutil.rmtree(home, ignore_errors=True)
            over -= sizes[home]


async def lines(process: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
    """What the process prints, as it comes. Raises TimeoutError when it says nothing for too long."""
    assert process.stdout is not None
    while line := await asyncio.wait_for(process.stdout.readline(), SILENCE_S_MAX):
        with suppress(ValueError):
            yield json.loads(line)


def why(code: int) -> str:
    """Why a process ended that said nothing: out of memory it is killed, or ends itself."""
    if code > 0:
        return "unreadable"
    return BY_SIGNAL.get(signal.Signals(-code), "memory")


def clear(home: Path) -> None:
    """A folder without the leavings of a rendering that was broken off; whole pages stay."""
    home.mkdir(parents=True, exist_ok=True)
    for left in home.glob("*.making"):
        shutil.rmtree(left, ignore_errors=True)


def read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def write(path: Path, value: Any) -> None:
    """Whole or not at all."""
    making = path.with_suffix(".new")
    making.write_text(json.dumps(value), encoding="utf-8")
    making.rename(path)
