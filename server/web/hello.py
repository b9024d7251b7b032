"""What needs no sign-in: the server's clock and versions, and whether it is well."""

from __future__ import annotations

import msgspec
from litestar import get

from server.config import VERSION
from server.core.problem import Problem
from server.store.tables import Project
from server.web import log
from server.web.site import TheSite


class Hello(msgspec.Struct):
    now: int  # ms UTC, so that a phone can show how far its clock is off
    proto: int
    version: str
    v: int  # of the declarations
    vapid: str
    demo: bool = False


@get("/api/hello", summary="The server's clock, protocol, version and push key", tags=["sign-in"])
async def hello(site: TheSite) -> Hello:
    return Hello(site.now(), 1, VERSION, site.declarations.v, site.keys.vapid_public, site.settings.demo)


class Health(msgspec.Struct):
    ok: bool


@get("/healthz", summary="Whether the server answers and its database does", tags=["operation"])
async def healthz() -> Health:
    """503 `unavailable` when the database does not answer."""
    try:
        await Project.exists()
    except Exception as error:  # whatever keeps the database from answering
        log.error("the database does not answer", error)
        raise Problem("unavailable", retry_after=5) from error
    return Health(True)


routes = [hello, healthz]
