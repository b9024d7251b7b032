"""Reports: a record as the paper form that people sign, each with the code that leads to its proof.

A module hands in `reports`: a name → `Report`, for the kinds that it prints. Every kind with photos has a
photo sheet beside that. The page is HTML for any browser's printer; `pdf` makes a file of the same page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from litestar import Response, get
from litestar.params import PathParameter

from server.core.declaration import Kind
from server.core.merge import Record, is_deleted, shown, version
from server.core.person import Actor, granted
from server.core.problem import Problem
from server.store.tables import Device, Project
from server.web import ink
from server.web.caller import TheCaller
from server.web.export import disposition
from server.web.language import Language
from server.web.names import all_names
from server.web.page import page
from server.web.proof import Signed, token_of
from server.web.reading import Reader
from server.web.request import HttpRequest
from server.web.sheet import TYPE as XLSX
from server.web.site import Site, TheSite
from server.web.wire import AskedId, PathId

NAME: Final = r"^[a-z][a-z0-9_]{0,39}\.[a-z][a-z0-9_]{0,39}$"
SKEW_MS_MAX: Final = 120_000
REPORTS_OF_ALL: Final = "photos"
AskedReport = Annotated[str, PathParameter(pattern=NAME, description="module.report, or module.photos")]


@dataclass(frozen=True)
class Picture:
    """One photo on paper. `who` is whose batch named it; `clock` says how far the time can be trusted."""

    key: str
    number: int
    field: str
    sha: str
    w: int
    h: int
    at: str
    who: str
    place: str
    clock: str
    note: str
    item: str
    pair: str
    marks: object
    src: str


@dataclass(frozen=True)
class Opened:
    """A record, ready to be printed by somebody who may see it."""

    site: Site
    actor: Actor
    project: str
    project_name: str
    record: Record
    kind: Kind
    reader: Reader
    person_of_device: Mapping[str, str]

    @cached_property
    def values(self) -> Mapping[str, Any]:
        return shown(self.record, self.kind)

    @property
    def ver(self) -> str:
        return version(self.record, self.kind)

    def text(self, name: str) -> str:
        """A field's value as people read it; empty if there is none."""
        return self.reader.text(self.kind.fields[name], self.values.get(name))

    def label(self, name: str) -> str:
        return self.reader.said(self.kind.fields[name].label)

    def writer(self, path: str) -> str:
        """The name of who wrote what stands at a path."""
        writes = self.record["f"].get(path)
        if not writes:
            return self.reader.name(self.record["by"])
        return self.reader.name(self.person_of_device.get(writes[-1][2], ""))

    async def other(self, r: str) -> Opened | None:
        """A record that this one names, if its reader may see it too."""
        try:
            return await opened(self.site, self.actor, self.project, r, self.reader.lang)
        except Problem:
            return None

    @cached_property
    def pictures(self) -> list[Picture]:
        found = [
            (value["at"], path, value)
            for path, value in self.values.items()
            if isinstance(value, dict) and "sha" in value and self.kind.fields.get(path.partition(".")[0]) is not None
            and self.kind.fields[path.partition(".")[0]].type == "photos"
        ]  # fmt: skip
        ordered = sorted(found, key=lambda one: (one[0], one[1]))
        return [self._picture(path, value, number + 1) for number, (_, path, value) in enumerate(ordered)]

    def _picture(self, path: str, value: Mapping[str, Any], number: int) -> Picture:
        field, _, key = path.partition(".")
        drawn = self.values.get(f"marks.{key}")
        shapes = drawn.get("shapes", []) if isinstance(drawn, dict) else []
        place = value.get("place")
        return Picture(
            key=key, number=number, field=field, sha=value["sha"], w=value["w"], h=value["h"],
            at=self.reader.wall(value["at"]), who=self.writer(path), place=self._where(place),
            clock=self._clock(value.get("skew_ms")), note=value.get("note", ""), item=value.get("item", ""),
            pair=value.get("pair", ""), marks=ink.marks(shapes, value["w"], value["h"]) if shapes else "",
            src=f"/api/photos/{value['sha']}?w=1280",
        )  # fmt: skip

    def _where(self, place: Any) -> str:
        if isinstance(place, dict):
            exact = f" ±{place['accuracy_m']} m" if place.get("accuracy_m") is not None else ""
            return f"{place['lat'] / 1e7:.5f}, {place['lng'] / 1e7:.5f}{exact}"
        return place if isinstance(place, str) else ""

    def _clock(self, skew_ms: int | None) -> str:
        t = self.reader.t
        if skew_ms is None:
            return t("page.clock_unknown")
        if abs(skew_ms) <= SKEW_MS_MAX:
            return t("page.clock_good")
        return t("page.clock_off", minutes=round(abs(skew_ms) / 60_000))


Values = Callable[[Opened], Awaitable[Mapping[str, Any]]]
Book = Callable[[Opened, Mapping[str, Any]], bytes]


@dataclass(frozen=True)
class Report:
    """`kinds`: what it is a form of. `values` fills the template; `book` makes an XLSX file of the same."""

    kinds: frozenset[str]
    template: str
    values: Values
    book: Book | None = None


async def opened(site: Site, actor: Actor, project: str, r: str, lang: Language) -> Opened:
    """One answer for what is not there and what is not for them. Raises `not_found`."""
    record = await site.store.record(project, r)
    kind = None if record is None else site.declarations.kinds.get(record["c"])
    if record is None or kind is None or not granted(record["aud"], actor.audiences):
        raise Problem("not_found")
    if record["del"] is not None and is_deleted(record):
        raise Problem("not_found")
    (row,) = await Project.select(Project.name, Project.zone).where(Project.id == project)
    devices = sorted({write[2] for writes in record["f"].values() for write in writes} | {record["born"][2]})
    owners = await Device.select(Device.id, Device.person).where(Device.id.is_in(devices)) if devices else []
    names = await all_names(project)
    names |= await titles_of(site, actor, project, record, kind, Reader(lang, ZoneInfo(row["zone"]), names))
    reader = Reader(lang, ZoneInfo(row["zone"]), names)
    by_device = {owner["id"]: owner["person"] for owner in owners}
    return Opened(site, actor, project, row["name"], record, kind, reader, by_device)


async def titles_of(
    site: Site, actor: Actor, project: str, record: Record, kind: Kind, reader: Reader
) -> dict[str, str]:
    """What the records that this one names are called, those that its reader may see."""
    found: dict[str, str] = {}
    for name, value in shown(record, kind).items():
        field = kind.fields.get(name)
        r = value if field and field.type == "ref" else value.get("plan") if field and field.type == "pin" else None
        if not isinstance(r, str) or r in reader.names:
            continue
        other = await site.store.record(project, r)
        of = None if other is None else site.declarations.kinds.get(other["c"])
        if other is not None and of is not None and granted(other["aud"], actor.audiences):
            found[r] = reader.title(of, shown(other, of))
    return found


async def photo_sheet(one: Opened) -> Mapping[str, Any]:
    return {"pictures": one.pictures}


PHOTO_SHEET: Final = Report(frozenset(), "report/photos.html", photo_sheet)


def report_for(site: Site, name: str, c: str) -> Report:
    """Raises `not_found` for a report that there is not, or not of this kind."""
    module, _, short = name.partition(".")
    found: Report | None = site.reports.get(name)
    if found is not None and c in found.kinds:
        return found
    if short == REPORTS_OF_ALL and module == c.partition(".")[0]:
        return PHOTO_SHEET
    raise Problem("not_found")


async def filled(one: Opened, name: str, link: Callable[[str], str]) -> tuple[Report, dict[str, Any]]:
    """The template of a report and its values, with the code that leads to the proof."""
    report = report_for(one.site, name, one.record["c"])
    proof = link("/proof/" + token_of(one.site.keys, Signed(one.project, one.record["r"], one.ver)))
    shared = {"one": one, "proof": proof, "ink": ink, "printed": one.reader.wall(one.site.now()), "report": name}
    return report, {**shared, **await report.values(one)}


@get("/print/record/{name:str}/{r:str}", summary="A record as its paper form", tags=["print"], media_type="text/html")
async def print_record(
    request: HttpRequest, caller: TheCaller, site: TheSite, name: AskedReport, r: PathId, project: AskedId
) -> Response[str]:
    one = await opened(site, await caller.actor(project), project, r, caller.lang)
    report, values = await filled(one, name, lambda path: site.link(path, str(request.base_url)))
    return page(report.template, lang=caller.lang, **values)


@get("/print/record/{name:str}/{r:str}/xlsx", summary="The same as XLSX", tags=["print"], media_type=XLSX)
async def record_xlsx(
    request: HttpRequest, caller: TheCaller, site: TheSite, name: AskedReport, r: PathId, project: AskedId
) -> Response[bytes]:
    """Raises `not_found` for a form that has none."""
    one = await opened(site, await caller.actor(project), project, r, caller.lang)
    report, values = await filled(one, name, lambda path: site.link(path, str(request.base_url)))
    if report.book is None:
        raise Problem("not_found")
    content = await asyncio.to_thread(report.book, one, values)
    return Response(content, media_type=XLSX, headers=disposition(f"{one.reader.title(one.kind, one.values)}.xlsx"))


routes: Final[list[Any]] = [print_record, record_xlsx]
