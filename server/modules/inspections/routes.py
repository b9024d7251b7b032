"""Templates as files: the library that is shipped, a template out as JSON or XLSX, and one in.

A file that is read makes no record: what it says comes back as values, or what is wrong in it and where, in
the caller's language; the phone makes the record as any other.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.params import PathParameter

from server.core.declaration import Kind
from server.core.merge import is_deleted, shown
from server.core.person import granted
from server.core.problem import Problem
from server.core.value import Value
from server.modules.inspections.book_reading import Unreadable, read_workbook
from server.modules.inspections.document import Fault, Reading, document_of, read_document
from server.modules.inspections.library import TEMPLATE, library_of
from server.modules.inspections.workbook import template_workbook
from server.web.caller import TheCaller
from server.web.export import disposition
from server.web.language import Language, words
from server.web.request import HttpRequest
from server.web.site import TheSite
from server.web.wire import AskedId

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILE_BYTES_MAX: Final = 2 * 1024 * 1024
Key = Annotated[str, PathParameter(pattern="^[a-z][a-z0-9_]{0,39}$", description="A template of the library")]
File = Annotated[
    str, PathParameter(pattern=r"^[A-Za-z0-9_-]{1,64}\.(json|xlsx)$", description="A template's id, and .json or .xlsx")
]


@get("/api/inspections/library", summary="The templates that are shipped", tags=["inspections"])
async def library(caller: TheCaller, site: TheSite) -> dict[str, Any]:
    found = site.own(library_of).by_key.values()
    told = ("name", "name_en", "code", "scheme", "about")
    return {
        "templates": [
            {"key": one.key, "items": one.items, **{name: one.values.get(name, "") for name in told}} for one in found
        ]
    }


@get("/api/inspections/library/{key:str}", summary="A shipped template", tags=["inspections"])
async def shipped(caller: TheCaller, site: TheSite, key: Key) -> dict[str, Any]:
    """The values that a draft begins with."""
    found = site.own(library_of).by_key.get(key)
    if found is None:
        raise Problem("not_found")
    return {"values": dict(found.values)}


@get("/api/inspections/templates/{file:str}", summary="A template as a file", tags=["inspections"])
async def template_file(caller: TheCaller, site: TheSite, file: File, project: AskedId) -> Response[bytes]:
    """`lang` picks the headings of an XLSX. Pictures are photos of their site and stay behind."""
    actor = await caller.actor(project)
    r, _, suffix = file.rpartition(".")
    kind = site.declarations.kinds[TEMPLATE]
    record = await site.store.record(project, r)
    if record is None or record["c"] != TEMPLATE or is_deleted(record) or not granted(record["aud"], actor.audiences):
        raise Problem("not_found")
    values = shown(record, kind)
    document = document_of(values, kind)
    if suffix == "json":
        content = json.dumps(document, ensure_ascii=False, indent=1).encode()
    else:
        content = await asyncio.to_thread(template_workbook, document, kind, caller.lang)
    media_type = XLSX if suffix == "xlsx" else "application/json"
    return Response(content, media_type=media_type, headers=disposition(f"{values.get('name', r)}.{suffix}"))


@post(
    "/api/inspections/templates/read",
    summary="What a template's file says",
    tags=["inspections"],
    status_code=200,
    request_max_body_size=FILE_BYTES_MAX,
)
async def read_file(request: HttpRequest, caller: TheCaller, site: TheSite, project: AskedId) -> dict[str, Any]:
    """The body is the file: JSON, or XLSX. `values` to make a draft of; raises `wrong_file` with the `faults`,
    each with its place (`检查项!C12`, `sections[0].items[2].full`), a code and words for it."""
    kind = site.declarations.kinds[TEMPLATE]
    actor = await caller.actor(project)
    if not actor.may(kind.may.create, None, {}):
        raise Problem("forbidden")
    content = await request.body()
    reading = await asyncio.to_thread(_read, content, kind)
    if reading.faults:
        raise Problem("wrong_file", faults=_said(reading.faults, caller.lang))
    return {"values": reading.values}


def _read(content: bytes, kind: Kind) -> Reading:
    """By what the file is, not by what it is called."""
    if content[:2] == b"PK":
        try:
            return read_workbook(content, kind)
        except Unreadable as error:
            return Reading(kind, faults=[Fault("$", error.code)])
    try:
        document: Value = json.loads(content)
    except (ValueError, RecursionError):
        return Reading(kind, faults=[Fault("$", "file")])
    return read_document(document, kind)


def _said(faults: Sequence[Fault], lang: Language) -> list[dict[str, str]]:
    known = words(lang)
    return [
        {
            "at": fault.at,
            "code": fault.code,
            "message": known.get(f"page.template.{fault.code}") or known.get(f"reason.{fault.code}", fault.code),
        }
        for fault in faults
    ]


routes: Final[list[Any]] = [library, shipped, template_file, read_file]
