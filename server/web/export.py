"""A kind's records as a table, with the columns that its declaration names under `export`.

Only what the caller may see goes in, by day where the kind has one, and of that what the ledger's filters
leave (`pwa/src/ui/office/table.ts` filters alike). Rows are read a page at a time and written as they come,
so a long table needs no more memory than a short one.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream

from server.core.declaration import Kind
from server.core.field import Field
from server.core.merge import shown
from server.core.person import Actor, granted
from server.core.problem import Problem
from server.core.value import canonical
from server.store.tables import Member, MemberTeam, Project
from server.store.tables import Team as TeamTable
from server.web import sheet
from server.web.caller import TheCaller
from server.web.language import Language
from server.web.names import all_names
from server.web.reading import Reader, columns_of, count
from server.web.sheet import Cell, Column
from server.web.site import Site, TheSite
from server.web.wire import DAY, ID, AskedId

TEAM: Final = "core.team"
NOT_CLOSED, OVERDUE = "not_closed", "overdue"
UNITS: Final = frozenset({"by_unit", "team_unit"})
WIDTHS: Final = {
    "instant": 16, "date": 11, "long_text": 28, "text": 20, "place": 16, "choice": 11, "person": 9,
    "by": 9, "state": 9, "sealed_on": 11, "by_unit": 16, "team_unit": 16,
}  # fmt: skip
NO_WIDTH: Final = 6
TITLES_DEPTH: Final = 3  # a title may hold the title of another record
TITLES_MAX: Final = 1_000  # asked for at a time
FILE: Final = r"^[a-z][a-z0-9_]{0,39}\.[a-z][a-z0-9_]{0,39}\.(xlsx|csv)$"
AskedFile = Annotated[str, PathParameter(pattern=FILE, description="`module.kind.xlsx` or `module.kind.csv`")]
From = Annotated[str | None, QueryParameter(name="from", pattern=DAY, description="First day, YYYY-MM-DD")]
To = Annotated[str | None, QueryParameter(name="to", pattern=DAY, description="Last day, YYYY-MM-DD")]
Team = Annotated[str | None, QueryParameter(pattern=ID, description="Only of this team")]
Person = Annotated[str | None, QueryParameter(pattern=ID, description="Only of this person")]
State = Annotated[
    str | None,
    QueryParameter(
        name="state", pattern="^[a-z][a-z0-9_]{0,39}$", description="Only in this state, not_closed or overdue"
    ),
]
Text = Annotated[str | None, QueryParameter(max_length=200, description="Words that the ledger's columns show")]
record_of: Final = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True)
class Filter:
    """What the ledger leaves of a kind's records, beside the days."""

    team: str | None = None
    person: str | None = None
    state: str | None = None
    text: str | None = None

    now: int = 0
    """For what is overdue, ms UTC."""

    def keeps(self, record: dict[str, Any], values: Mapping[str, Any], book: Book) -> bool:
        team, person = named_by(book.kind, is_team), named_by(book.kind, is_person)
        if self.team is not None and team is not None and values.get(team) != self.team:
            return False
        if self.person is not None and person is not None and values.get(person) != self.person:
            return False
        if self.state is not None and not stands(book.kind, record, values, self.state, self.now):
            return False
        words = (self.text or "").lower().split()
        return not words or all(word in book.hay(record, values) for word in words)


def stands(kind: Kind, record: dict[str, Any], values: Mapping[str, Any], wanted: str, now: int) -> bool:
    """In that state; or `not_closed`, in one that seals nothing; or `overdue`, as its alert says it."""
    state = kind.states.get(record["state"] or "")
    if wanted in kind.states:
        return bool(record["state"] == wanted)
    if wanted == NOT_CLOSED:
        return state is not None and not state.seals
    rules = [rule for rule in kind.alerts.values() if rule.on == OVERDUE]
    dues = [values.get(rule.due or "") for rule in rules if record["state"] not in rule.ends]
    return wanted == OVERDUE and any(isinstance(due, int) and due < now for due in dues)


def named_by(kind: Kind, is_it: Callable[[Field], bool]) -> str | None:
    """The field that names the team, or the person, of a record: the first declared one."""
    return next((name for name, field in kind.fields.items() if is_it(field)), None)


def is_team(field: Field) -> bool:
    return field.type == "ref" and field.kind == TEAM


def is_person(field: Field) -> bool:
    return field.type == "person"


@dataclass(frozen=True)
class Book:
    """What turns stored values into cells, with a reader who knows names, zone and language."""

    kind: Kind
    reader: Reader
    names: dict[str, str]
    units: Mapping[str, str]
    """Team → its employer; person → that of his team, or what he is on the site."""

    def hay(self, record: dict[str, Any], values: Mapping[str, Any]) -> str:
        """All that a search may find: what the ledger's columns show."""
        cells = (self.reader.cell(self.kind, record, values, path) for path in columns_of(self.kind))
        return "\n".join(cells).lower()

    @property
    def columns(self) -> list[Column]:
        return [self.column(name) for name in self.kind.export]

    def column(self, name: str) -> Column:
        field = self.kind.fields.get(name)
        if field is None:
            own: sheet.Kind = "number" if name == "no" else "date" if name == "sealed_on" else "text"
            return Column(self.reader.t(f"list.{name}"), own, NO_WIDTH if name == "no" else WIDTHS.get(name, 14))
        unit = f" ({self.reader.said(field.unit)})" if field.unit else ""
        kind = sheet.KINDS.get(field.type, "text")
        return Column(self.reader.said(field.label) + unit, kind, WIDTHS.get(field.type, 14))

    def row(self, record: dict[str, Any], values: Mapping[str, Any]) -> list[Cell]:
        """`no` is for whoever puts the rows one below the other."""
        return [None if name == "no" else self.cell(name, record, values) for name in self.kind.export]

    def cell(self, name: str, record: dict[str, Any], values: Mapping[str, Any]) -> Cell:
        if name == "by":
            return self.reader.name(record["by"])
        if name == "by_unit":
            return self.units.get(record["by"], "")
        if name == "team_unit":
            return self.units.get(str(values.get(named_by(self.kind, is_team) or "")), "")
        if name == "sealed_on":
            seal = record["seal"]
            return dt.datetime.fromtimestamp(seal["et"] / 1000, self.reader.zone).date() if seal else None
        if name == "state":
            state = self.kind.states.get(record["state"] or "")
            return self.reader.said(state.label) if state else str(record["state"] or "")
        field = self.kind.fields[name]
        if field.type in ("photos", "files", "rows"):
            return count(values, name) or None
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
                return dt.datetime.fromtimestamp(value / 1000, self.reader.zone).replace(tzinfo=None)
            case "date":
                return dt.date.fromisoformat(value)
            case "place":
                return where(value)
            case "pin":
                return f"{self.reader.text(field, value)} ({value['x'] / 1e4:.1f}%, {value['y'] / 1e4:.1f}%)"
            case _:
                return self.reader.text(field, value)


def where(place: Any) -> str:
    """`31.2304167, 121.4737000 ±12 m`, or the place's code."""
    if isinstance(place, str):
        return place
    exact = f" ±{place['accuracy_m']} m" if place.get("accuracy_m") is not None else ""
    return f"{place['lat'] / 1e7:.7f}, {place['lng'] / 1e7:.7f}{exact}"


@dataclass(frozen=True)
class Asked:
    """Which records, and by whom: what every table of a kind is asked with."""

    project: str
    actor: Actor
    first: str | None
    last: str | None
    wanted: Filter


async def asked_of(
    caller: TheCaller,
    site: TheSite,
    project: AskedId,
    first: From = None,
    last: To = None,
    team: Team = None,
    person: Person = None,
    in_state: State = None,
    text: Text = None,
) -> Asked:
    return Asked(project, await caller.actor(project), first, last, Filter(team, person, in_state, text, site.now()))


TheAsked = NamedDependency[Asked]
WHICH: Final = {"asked": Provide(asked_of)}


@get("/api/export/{file:str}", summary="A kind's records as XLSX or CSV", tags=["records"], dependencies=WHICH)
async def export(caller: TheCaller, site: TheSite, file: AskedFile, asked: TheAsked) -> Response[bytes] | Stream:
    """`lang` picks the headings. The caller gets the records that he may see, whatever his role."""
    name, _, suffix = file.rpartition(".")
    kind = site.declarations.kinds.get(name)
    if kind is None or not kind.export:
        raise Problem("not_found")
    book = await open_book(asked.project, kind, caller.lang)
    pages = read_pages(site, asked, book)
    told = disposition(f"{kind.label[caller.lang]}.{suffix}")
    if suffix == "csv":
        return Stream(stream_csv(book.columns, pages), media_type="text/csv; charset=utf-8", headers=told)
    return Response(await write_xlsx(kind.label[caller.lang], book, pages), media_type=sheet.TYPE, headers=told)


def disposition(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}


async def open_book(project: str, kind: Kind, lang: Language) -> Book:
    (site_row,) = await Project.select(Project.zone).where(Project.id == project)
    names = await all_names(project)
    reader = Reader(lang, ZoneInfo(site_row["zone"]), names)
    names["server"] = reader.t("list.by_server")
    return Book(kind, reader, names, await units_of(project, reader) if UNITS & set(kind.export) else {})


async def units_of(project: str, reader: Reader) -> dict[str, str]:
    teams = await TeamTable.select(TeamTable.id, TeamTable.employer).where(TeamTable.project == project)
    units = {row["id"]: row["employer"] for row in teams}
    for row in await Member.select(Member.person, Member.roles).where(Member.project == project):
        role = next(iter(row["roles"].split()), "")
        units[row["person"]] = reader.t(f"role.{role}") if role else ""
    for row in await MemberTeam.select(MemberTeam.person, MemberTeam.team).where(MemberTeam.project == project):
        units[row["person"]] = units.get(row["team"]) or units[row["person"]]
    return units


async def read_pages(site: Site, asked: Asked, book: Book) -> AsyncIterator[list[list[Cell]]]:
    """Rows by day, a chunk at a time, of what the actor may see and the filters leave."""
    numbers = itertools.count(1)
    at = [i for i, name in enumerate(book.kind.export) if name == "no"]
    async for chunk in site.store.records(asked.project, book.kind.c, asked.first, asked.last):
        records = [record_of(body) for aud, body in chunk if granted(aud, asked.actor.audiences)]
        read = [(record, shown(record, book.kind)) for record in records]
        await learn_titles(site, asked, book, [(book.kind, values) for _, values in read])
        rows = [book.row(record, values) for record, values in read if asked.wanted.keeps(record, values, book)]
        for row, i in itertools.product(rows, at):
            row[i] = next(numbers)
        yield rows


async def learn_titles(
    site: Site, asked: Asked, book: Book, read: Sequence[tuple[Kind, Mapping[str, Any]]], depth: int = 1
) -> None:
    """What other records are called that these name: by their own titles, where the actor may see them."""
    unknown = sorted({id for kind, values in read for id in named_in(kind, values)} - book.names.keys())
    found: list[tuple[Kind, str, Mapping[str, Any]]] = []
    for at in range(0, len(unknown), TITLES_MAX):
        for aud, record in await site.store.some(asked.project, unknown[at : at + TITLES_MAX]):
            kind = site.declarations.kind(record["c"])
            if kind is not None and granted(aud, asked.actor.audiences):
                found.append((kind, record["r"], shown(record, kind)))
    if found and depth < TITLES_DEPTH:
        await learn_titles(site, asked, book, [(kind, values) for kind, _, values in found], depth + 1)
    book.names.update({r: book.reader.title(kind, values) for kind, r, values in found})


def named_in(kind: Kind, values: Mapping[str, Any]) -> Iterator[str]:
    """Ids of other records."""
    for name, field in kind.fields.items():
        value = values.get(name)
        if field.type == "ref" and isinstance(value, str):
            yield value
        elif field.type == "pin" and isinstance(value, dict):
            yield str(value.get("plan"))


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
