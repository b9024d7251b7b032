"""A report as a PDF file, made by a job in a process of its own, with its progress; kept for a day.

WeasyPrint is an optional extra (`pip install gongbu[pdf]`; it needs the system's pango): without it the answer
is `no_pdf`, and the page prints from any browser.
"""

from __future__ import annotations

import asyncio
import importlib.util
import io
import multiprocessing
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from ctypes.util import find_library
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody
from msgspec import Meta

from server.core.problem import Problem
from server.store.job import ask
from server.sync.jobs import Run
from server.web.caller import TheCaller
from server.web.export import disposition
from server.web.language import FIRST, Words, named
from server.web.page import render
from server.web.report import NAME, filled, opened
from server.web.request import HttpRequest
from server.web.site import Site, TheSite
from server.web.wire import PathId

PANGO: Final = ("pango-1.0", "pango-1.0-0", "pangoft2-1.0")
KEPT_S: Final = 24 * 60 * 60
WAITING_MAX: Final = 20  # of one person
TYPE: Final = "application/pdf"
JPEG: Final = "image/jpeg"
HERE: Final = Path(__file__).parent


class Asked(msgspec.Struct):
    project: Annotated[str, Meta(max_length=64)]
    r: Annotated[str, Meta(max_length=64)]
    report: Annotated[str, Meta(pattern=NAME)]


class Standing(msgspec.Struct):
    """How far a report is: `done` of `total` photos are read, then it is set, then it is there."""

    id: str
    status: Literal["waiting", "reading", "setting", "ready", "failed"]
    done: int = 0
    total: int = 0


class Order(msgspec.Struct):
    """What lies beside the file: who asked, for what, and how it stands."""

    person: str
    lang: str
    name: str
    link: str
    asked: Asked
    standing: Standing


class Pdf:
    """The reports of this machine. `folder` holds an order and a file for each."""

    def __init__(self, site: Site) -> None:
        self.site, self.folder = site, site.settings.data / "reports"
        self._pool: ProcessPoolExecutor | None = None

    @property
    def jobs(self) -> dict[str, Run]:
        return {"report": self._make}

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def order(self, id: str) -> Order | None:
        try:
            return msgspec.json.decode((self.folder / f"{id}.json").read_bytes(), type=Order)
        except (OSError, msgspec.DecodeError):
            return None

    def keep(self, order: Order) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / f"{order.standing.id}.new"
        beside.write_bytes(msgspec.json.encode(order))
        beside.replace(self.folder / f"{order.standing.id}.json")

    def sweep(self) -> None:
        """What was made yesterday goes."""
        old = time.time() - KEPT_S
        for file in self.folder.glob("*"):
            if file.stat().st_mtime < old:
                file.unlink(missing_ok=True)

    def count(self, person: str) -> int:
        orders = (self.order(file.stem) for file in self.folder.glob("*.json"))
        return sum(one is not None and one.person == person for one in orders)

    async def _make(self, args: Mapping[str, Any]) -> None:
        """The job. Somebody who may no longer see the record gets no file of it."""
        order = self.order(args["id"])
        if order is None or order.standing.status == "ready":
            return None
        asked = order.asked
        actor = await self.site.access.actor(asked.project, order.person, "")
        if actor is None:
            return self._stand(order, "failed")
        folder = self.folder / f"{order.standing.id}.parts"
        try:
            one = await opened(self.site, actor, asked.project, asked.r, named(order.lang) or FIRST)
            report, values = await filled(one, asked.report, lambda path: order.link + path)
            html = render(report.template, lang=order.lang, t=Words(order.lang), **values)
            await self._gather(order, [picture.sha for picture in one.pictures], folder)
            self._stand(order, "setting")
            await self._set(html, folder, self.folder / f"{order.standing.id}.pdf")
        except (Problem, BrokenProcessPool, TimeoutError):
            return self._stand(order, "failed")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return self._stand(order, "ready")

    def _stand(self, order: Order, status: Any) -> None:
        order.standing.status = status
        self.keep(order)

    async def _gather(self, order: Order, shas: list[str], folder: Path) -> None:
        """The photos as files that the other process may read; one that has not arrived is left out."""
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        order.standing.total = len(shas)
        for number, sha in enumerate(shas):
            with suppress(Problem):
                (folder / sha).write_bytes(await self.site.photos.content(sha, 1280))
            order.standing.done = number + 1
            self._stand(order, "reading")

    async def _set(self, html: str, folder: Path, file: Path) -> None:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, multiprocessing.get_context("spawn"), initializer=os.nice, initargs=(10,), max_tasks_per_child=20
            )
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(120):
            await loop.run_in_executor(self._pool, typeset, html, str(folder), str(file))


def typeset(html: str, folder: str, file: str) -> None:
    """In the other process: it opens styles and photos of this report, and nothing else."""
    from weasyprint import HTML  # type: ignore[import-untyped]
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]

    class Own(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            path = url.partition("?")[0].removeprefix("gongbu://site")
            name = Path(path).name
            if path.startswith("/static/"):
                return URLFetcherResponse(
                    url, body=(HERE / "static" / name).read_bytes(), headers={"Content-Type": "text/css"}
                )
            if path.startswith("/api/photos/") and (Path(folder) / name).is_file():
                return URLFetcherResponse(url, body=as_jpeg(Path(folder) / name), headers={"Content-Type": JPEG})
            raise ValueError("not of this report")

    beside = Path(file + ".new")
    HTML(string=html, base_url="gongbu://site/", url_fetcher=Own()).write_pdf(beside)
    beside.replace(file)


def as_jpeg(file: Path) -> bytes:
    """A PDF holds a JPEG as it is; anything else would be unpacked and stored without loss, at ten times the size."""
    from PIL import Image

    out = io.BytesIO()
    with Image.open(file) as image:
        image.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def is_there() -> bool:
    """The extra, and the system's pango that it sets text with."""
    return importlib.util.find_spec("weasyprint") is not None and any(map(find_library, PANGO))


@post("/api/reports", summary="Make a PDF of a report", tags=["print"], status_code=202)
async def order_report(request: HttpRequest, caller: TheCaller, site: TheSite, data: JSONBody[Asked]) -> Standing:
    """Ask again at /api/reports/{id}. Raises `no_pdf` where the extra is not installed, `too_many_tries`."""
    one = await opened(site, await caller.actor(data.project), data.project, data.r, caller.lang)
    link = site.link("", str(request.base_url))
    await filled(one, data.report, lambda path: link + path)
    if not is_there():
        raise Problem("no_pdf")
    pdf = site.own(Pdf)
    await asyncio.to_thread(pdf.sweep)
    if await asyncio.to_thread(pdf.count, caller.person) >= WAITING_MAX:
        raise Problem("too_many_tries", retry_after=60)
    id = str(uuid.uuid4())
    name = one.reader.title(one.kind, one.values)[:60] or id
    pdf.keep(Order(caller.person, caller.lang, name, link, data, Standing(id, "waiting")))
    await site.store.change([ask(f"report:{id}", "report", {"id": id}, 0)])
    return Standing(id, "waiting")


@get("/api/reports/{id:str}", summary="How far it is", tags=["print"])
async def report_standing(caller: TheCaller, site: TheSite, id: PathId) -> Standing:
    return mine(site, caller.person, id).standing


@get("/api/reports/{id:str}/file", summary="The PDF", tags=["print"], media_type=TYPE)
async def report_file(caller: TheCaller, site: TheSite, id: PathId) -> Response[bytes]:
    order = mine(site, caller.person, id)
    if order.standing.status != "ready":
        raise Problem("not_found")
    content = await asyncio.to_thread((site.own(Pdf).folder / f"{id}.pdf").read_bytes)
    return Response(content, media_type=TYPE, headers=disposition(f"{order.name}.pdf"))


def mine(site: Site, person: str, id: str) -> Order:
    """Only for who asked. Raises `not_found`, also for what is a day old."""
    try:
        order = site.own(Pdf).order(str(uuid.UUID(id)))
    except ValueError:
        order = None
    if order is None or order.person != person:
        raise Problem("not_found")
    return order


routes: Final[list[Any]] = [order_report, report_standing, report_file]
