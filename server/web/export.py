"""A kind's records as a table, with the columns that its declaration names under `export`.

Only what the caller may see goes in, by day where the kind has one. Rows are read a page at a time
and written as they come, so a long table needs no more memory than a short one.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream

from server.core.declaration import Kind
from server.core.field import Field, Label
from server.core.merge import shown
from server.core.person import Actor, granted
from server.core.problem import Problem
from server.core.value import canonical
from server.store.tables import Project
from server.web import sheet
from server.web.caller import TheCaller
from server.web.language import Language
from server.web.names import all_names
from server.web.sheet import Cell, Column
from server.web.site import Site, TheSite
from server.web.wire import DAY, AskedId

ABOUT: Final = {"state": {"zh": "状态", "en": "State"}, "by": {"zh": "填写人", "en": "Entered by"}}
YES: Final = {"zh": ("否", "是"), "en": ("no", "yes")}
FILE: Final = r"^[a-z][a-z0-9_]{0,39}\.[a-z][a-z0-9_]{0,39}\.(xlsx|csv)$"
AskedFile = Annotated[str, PathParameter(pattern=FILE, description="`module.kind.xlsx` or `module.kind.csv`")]
From = Annotated[str | None, QueryParameter(name="from", pattern=DAY, description="First day, YYYY-MM-DD")]
To = Annotated[str | None, QueryParameter(name="to", pattern=DAY, description="Last day, YYYY-MM-DD")]
record_of: Final = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True)
class Book:
    """What turns stored values into cells: the names of things, the site's zone, the language."""

    kind: Kind
    lang: Language
    zone: ZoneInfo
    names: Mapping[str, str]

    @property
    def columns(self) -> list[Column]:
        return [self.column(name) for name in self.kind.export]

    def column(self, name: str) -> Column:
        field = self.kind.fields.get(name)
        if field is None:
            return Column(ABOUT[name][self.lang])
        unit = f" ({self.said(field.unit)})" if field.unit else ""
        kind = field.type if field.type in sheet.FORMATS else "text"
        return Column(self.said(field.label) + unit, kind, 18 if kind == "instant" else 14)  # type: ignore[arg-type]

    def row(self, record: dict[str, Any]) -> list[Cell]:
        values = shown(record, self.kind)
        return [self.cell(name, record, values) for name in self.kind.export]

    def cell(self, name: str, record: dict[str, Any], values: Mapping[str, Any]) -> Cell:
        if name == "by":
            return str(self.names.get(record["by"], record["by"]))
        if name == "state":
            state = self.kind.states.get(record["state"] or "")
            return self.said(state.label) if state else str(record["state"] or "")
        field = self.kind.fields[name]
        if field.type in ("photos", "files", "rows"):
            return len({path.split(".")[1] for path in values if path.startswith(name + ".")}) or None
        value = values.get(name)
        try:
            return self.plain(field, value)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            # Later than any calendar, or kept from before the field was declared (M9): as it stands.
            return canonical(value).decode()

    def plain(self, field: Field, value: Any) -> Cell:
        if value is None:
            return None
        match field.type:
            case "number" | "money":
                return value / 10**field.decimals if field.decimals else int(value)
            case "minutes":
                return dt.timedelta(minutes=value)
            case "instant":
                return dt.datetime.fromtimestamp(value / 1000, self.zone).replace(tzinfo=None)
            case "date":
                return dt.date.fromisoformat(value)
            case "bool":
                return YES[self.lang][value]
            case "choice":
                return self.option(field, value)
            case "multi_choice":
                return "、".join(self.option(field, one) for one in value)
            case "place":
                return where(value)
            case "signature":
                return YES[self.lang][1]
            case _:
                return self.names.get(value, value) if field.type in ("person", "ref") else str(value)

    def option(self, field: Field, value: str) -> str:
        option = (field.options or {}).get(value)
        return str(getattr(option, self.lang)) if option else self.names.get(value, value)

    def said(self, label: Label) -> str:
        return label[self.lang]


def where(place: Any) -> str:
    """`31.2304167, 121.4737000 ±12 m`, or the place's code."""
    if isinstance(place, str):
        return place
    exact = f" ±{place['accuracy_m']} m" if place.get("accuracy_m") is not None else ""
    return f"{place['lat'] / 1e7:.7f}, {place['lng'] / 1e7:.7f}{exact}"


@get("/api/export/{file:str}", summary="A kind's records as XLSX or CSV", tags=["records"])
async def export(
    caller: TheCaller, site: TheSite, file: AskedFile, project: AskedId, first: From = None, last: To = None
) -> Response[bytes] | Stream:
    """`lang` picks the headings. The caller gets the records that he may see, whatever his role."""
    name, _, suffix = file.rpartition(".")
    actor = await caller.actor(project)
    kind = site.declarations.kinds.get(name)
    if kind is None or not kind.export:
        raise Problem("not_found")
    book = await open_book(project, kind, caller.lang)
    pages = read_pages(site, project, book, actor, first, last)
    told = disposition(f"{kind.label[caller.lang]}.{suffix}")
    if suffix == "csv":
        return Stream(stream_csv(book.columns, pages), media_type="text/csv; charset=utf-8", headers=told)
    return Response(await write_xlsx(kind.label[caller.lang], book, pages), media_type=sheet.TYPE, headers=told)


def disposition(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}


async def open_book(project: str, kind: Kind, lang: Language) -> Book:
    (site_row,) = await Project.select(Project.zone).where(Project.id == project)
    return Book(kind, lang, ZoneInfo(site_row["zone"]), await all_names(project))


async def read_pages(
    site: Site, project: str, book: Book, actor: Actor, first: str | None, last: str | None
) -> AsyncIterator[list[list[Cell]]]:
    """Rows by day, a chunk at a time, of what the actor may see."""
    async for chunk in site.store.records(project, book.kind.c, first, last):
        yield [book.row(record_of(body)) for aud, body in chunk if granted(aud, actor.audiences)]


async def stream_csv(columns: Sequence[Column], pages: AsyncIterator[list[list[Cell]]]) -> AsyncIterator[bytes]:
    yield sheet.csv_head(columns)
    async for rows in pages:
        yield sheet.csv_rows(rows)


async def write_xlsx(title: str, book: Book, pages: AsyncIterator[list[list[Cell]]]) -> bytes:
    out = await asyncio.to_thread(sheet.Xlsx, title, book.columns)
    async for rows in pages:
        await asyncio.to_thread(out.add, rows)
    return await asyncio.to_thread(out.close)


routes = [export]
