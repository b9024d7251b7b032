"""The addresses of drawings: how a plan's file stands, and its tiles.

A file is named by its hash and says nothing of a project, so both ask whether the caller sees any record
that names it. Tiles never change; they are kept by who fetched them, and by nobody in between: `Vary` keeps
a browser that several people share from answering one with what another was given.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.params import PathParameter

from server.core.problem import Problem
from server.modules.drawings.shelf import Plan, Shelf
from server.web.caller import Caller, TheCaller
from server.web.site import Site, TheSite

SHA: Final = "^[0-9a-f]{64}$"
KEPT: Final = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Cookie, X-Device"}
PathSha = Annotated[str, PathParameter(pattern=SHA, description="SHA-256 of the file, lower-case hex")]
Page = Annotated[int, PathParameter(ge=1, le=999, description="From 1")]
Zoom = Annotated[int, PathParameter(ge=0, le=9, description="0: the whole page in one tile")]
Column = Annotated[int, PathParameter(ge=0, le=999)]
Row = Annotated[str, PathParameter(pattern=r"^(0|[1-9][0-9]{0,2})\.webp$", description="`3.webp`")]


def shelf_of(site: Site) -> Shelf:
    return site.own(make_shelf)


def make_shelf(site: Site) -> Shelf:
    return Shelf(site.settings.data)


async def take(site: Site, sha: str) -> None:
    """A plan's file has come: render it before somebody waits for it."""
    source = await site.photos.path(sha)
    if source is not None:
        shelf_of(site).ask(sha, source)


async def must_see(site: Site, caller: Caller, sha: str) -> None:
    """404 for a file that is not there or not for the caller: one answer."""
    if not await site.photos.seen_by(caller.person, sha):
        raise Problem("not_found")


@get("/api/drawings/{sha:str}", summary="How a plan's file stands, and its pages", tags=["drawings"])
async def plan(caller: TheCaller, site: TheSite, sha: PathSha) -> Plan:
    """Also starts the rendering, where it is needed. Ask again for its progress. 404 while its bytes are on the way."""
    await must_see(site, caller, sha)
    shelf = shelf_of(site)
    found = await asyncio.to_thread(shelf.plan, sha)
    if found.state != "waiting":
        return found
    source = await site.photos.path(sha)
    if source is None:
        raise Problem("not_found")
    shelf.ask(sha, source)
    return found


@get(
    "/api/drawings/{sha:str}/{page:int}/{z:int}/{x:int}/{y:str}",
    summary="One tile of a page",
    tags=["drawings"],
    media_type="image/webp",
)
async def tile(
    caller: TheCaller, site: TheSite, sha: PathSha, page: Page, z: Zoom, x: Column, y: Row
) -> Response[bytes]:
    """512 pixels square, smaller at the right and lower edge. 404 for one that is not rendered (yet)."""
    await must_see(site, caller, sha)
    row = int(y.removesuffix(".webp"))
    found = await asyncio.to_thread(shelf_of(site).tile, sha, page, z, x, row)
    if found is None:
        raise Problem("not_found")
    return Response(found, media_type="image/webp", headers=KEPT)


routes: Final[list[Any]] = [plan, tile]
