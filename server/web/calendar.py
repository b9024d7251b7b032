"""The site's calendar: days off the rule read from a list or file, and the official ones that are shipped.

Nothing is written here: what was read goes back to who asked, and comes as records like everything else.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import asdict
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import get, post

from server.core.daysoff import DaysOff, Fault, read_days
from server.core.problem import Problem
from server.sync.alert.ground import HOLIDAY
from server.web.caller import TheCaller
from server.web.language import words
from server.web.request import HttpRequest
from server.web.site import TheSite
from server.web.wire import AskedId
from server.web.workbook import package_fault

FILE_BYTES_MAX: Final = 256 * 1024
ROWS_MAX: Final = 2000
COLUMNS_MAX: Final = 8


class Day(msgspec.Struct):
    day: str
    works: bool
    name: str


class Days(msgspec.Struct):
    days: list[Day]


class Shipped(msgspec.Struct):
    """A calendar that comes along, with where it is from."""

    name: dict[str, str]
    source: str
    days: list[Day]


class Calendars(msgspec.Struct):
    calendars: list[Shipped]


@get("/api/calendar", summary="Calendars that come along", tags=["alerts"])
async def shipped(caller: TheCaller, site: TheSite, project: AskedId) -> Calendars:
    await caller.actor(project)
    return Calendars(_shipped(site.settings.shared))


@cache
def _shipped(shared: Path) -> list[Shipped]:
    return [
        msgspec.json.decode(file.read_bytes(), type=Shipped)
        for file in sorted((shared / "calendars").glob("*.json"), reverse=True)
    ]


@post(
    "/api/calendar/read",
    summary="Holidays and working days out of a list or file",
    tags=["alerts"],
    status_code=200,
    request_max_body_size=FILE_BYTES_MAX,
)
async def read(request: HttpRequest, caller: TheCaller, site: TheSite, project: AskedId) -> Days:
    """The body: text (a list, CSV, ICS, the State Council's notice) or XLSX. Raises `wrong_file` with the
    `faults`, each with its line, a code and words for it."""
    kind = site.declarations.kind(HOLIDAY)
    actor = await caller.actor(project)
    if kind is None or not actor.may(kind.may.create, None, {}):
        raise Problem("forbidden")
    found = await asyncio.to_thread(_read, await request.body())
    if found.faults:
        known = words(caller.lang)
        said = [{**asdict(one), "message": known.get(f"calendar.fault_{one.code}", one.code)} for one in found.faults]
        raise Problem("wrong_file", faults=said)
    return Days([Day(one.day, one.works, one.name) for _, one in sorted(found.days.items())])


def _read(content: bytes) -> DaysOff:
    """By what the file is, not by what it is called."""
    text = _text_of(content) if content[:2] == b"PK" else _decoded(content)
    return read_days(text) if text is not None else DaysOff(faults=[Fault(1, "file")])


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _text_of(content: bytes) -> str | None:
    """The first sheet, a line a row."""
    from openpyxl import load_workbook

    if package_fault(content):
        return None
    try:
        sheet = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False).worksheets[0]
        rows = sheet.iter_rows(max_row=ROWS_MAX, max_col=COLUMNS_MAX, values_only=True)
        return "\n".join("\t".join(_cell(value) for value in row) for row in rows)
    except Exception:  # whatever its reader chokes on, the file is no workbook
        return None


def _cell(value: Any) -> str:
    if isinstance(value, dt.datetime | dt.date):
        return f"{value:%Y-%m-%d}"
    return "" if value is None else str(value)


routes = [shipped, read]
