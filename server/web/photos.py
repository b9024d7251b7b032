"""Photos and files as people get them: never their EXIF, and only for who sees a record that names them (P10).

Who may not see one is told that it is not here, which is what he is told of one that never was. A name stands
for its bytes for ever, so a browser keeps what it got, for this person alone.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import msgspec
from litestar import Response, get, head, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Stream

from server.core.problem import Problem
from server.store.photo import Photo
from server.store.photo_bytes import Sort
from server.web.caller import OFFICE, Caller, TheCaller
from server.web.request import HttpRequest
from server.web.site import Site, TheSite
from server.web.wire import AskedId, Id

SHAS_MAX: Final = 500
SHA: Final = "^[0-9a-f]{64}$"
Sha = Annotated[str, msgspec.Meta(pattern=SHA)]
PathSha = Annotated[str, PathParameter(pattern=SHA, description="SHA-256 of the bytes, lower-case hex")]
Width = Annotated[Literal["320", "1280"] | None, QueryParameter(description="None: the whole picture")]
FOR_EVER: Final = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Vary": "Cookie, X-Device",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class Asking(msgspec.Struct):
    project: Id
    shas: Annotated[list[Sha], msgspec.Meta(max_length=SHAS_MAX)]


class Have(msgspec.Struct):
    """`refused`: arrived, but no picture could be made of it; the code says why."""

    have: list[str]
    refused: dict[str, str]


class Facts(msgspec.Struct):
    """What is known of a photo's bytes. `sha_now` is their hash as they lie there at this moment."""

    sha: str
    sha_now: str
    bytes: int
    type: str
    w: int
    h: int
    arrived: int
    exif: dict[str, Any]  # taken, lat, lng (1e-7 degrees), camera: those that were in it


@get("/api/photos/{sha:str}", summary="A photo, whole or 320 or 1280 wide, without its EXIF", tags=["photos"])
async def photo(
    request: HttpRequest, caller: TheCaller, site: TheSite, sha: PathSha, w: Width = None
) -> Response[bytes | None] | Stream:
    found = await seen(caller, site, sha)
    width = int(w) if w else None
    tag = f'"{sha[:32]}-{w or "whole"}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(None, status_code=304, headers={**FOR_EVER, "ETag": tag})
    sort = await site.photos.ready(sha, width)
    found = await site.photos.find(sha) or found
    type = "image/webp" if width else (found.clean or found.type)
    return await sent(site, sort, sha, type, {"ETag": tag})


@head("/api/photos/{sha:str}", summary="Whether a photo or file has arrived, for who may see it", tags=["photos"])
async def has_photo(caller: TheCaller, site: TheSite, sha: PathSha) -> Response[None]:
    found = await seen(caller, site, sha)
    if found.state == "refused":
        raise Problem(found.reason)
    return Response(None, headers={"ETag": f'"{sha[:32]}"', "Vary": FOR_EVER["Vary"]})


@post("/api/photos/have", summary="Which of these photos have arrived", tags=["photos"], status_code=200)
async def have(caller: TheCaller, site: TheSite, data: JSONBody[Asking]) -> Have:
    """Of those that the caller may see or has sent: their bytes are whole, verified and on the disk."""
    await caller.actor(data.project)
    visible = await site.photos.index.seen(caller.person, data.shas, data.project)
    states = await site.photos.index.states(visible)
    refused = {sha: reason for sha, (state, reason) in states.items() if state == "refused"}
    return Have([sha for sha in data.shas if sha in states and sha not in refused], refused)


@get("/api/photos/{sha:str}/facts", summary="What a photo's bytes say, checked anew", tags=["photos"])
async def facts(caller: TheCaller, site: TheSite, sha: PathSha, project: AskedId) -> Facts:
    """For manager and office: the bytes as they were sent are kept, and this is their hash today."""
    await caller.actor(project, OFFICE)
    if sha not in await site.photos.index.seen(caller.person, [sha], project):
        raise Problem("not_found")
    found = await seen(caller, site, sha)
    now = await site.photos.sha_now(sha)
    exif = msgspec.json.decode(found.facts)
    return Facts(sha, now, found.bytes, found.type, found.w, found.h, found.arrived, exif)


@get("/api/files/{sha:str}", summary="A file, to be saved", tags=["photos"])
async def file(request: HttpRequest, caller: TheCaller, site: TheSite, sha: PathSha) -> Response[bytes | None] | Stream:
    """A document as it was sent; of a photo what people are shown."""
    found = await seen(caller, site, sha)
    tag = f'"{sha[:32]}-file"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(None, status_code=304, headers={**FOR_EVER, "ETag": tag})
    sort: Sort = "kept" if found.state == "file" else await site.photos.ready(sha, None)
    name = await site.photos.index.name_of(sha) or sha[:12]
    told = {"ETag": tag, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return await sent(site, sort, sha, found.clean or found.type, told)


async def seen(caller: Caller, site: Site, sha: str) -> Photo:
    """Raises `not_found` for what has not arrived and for what is not for the caller alike."""
    found = await site.photos.find(sha)
    if found is None or not await site.photos.seen_by(caller.person, sha):
        raise Problem("not_found")
    return found


async def sent(site: Site, sort: Sort, sha: str, type: str, headers: dict[str, str]) -> Stream:
    size = await site.photos.bytes.size(sort, sha)
    if size is None:
        raise Problem("not_found")
    told = {**FOR_EVER, **headers, "Content-Length": str(size)}
    return Stream(site.photos.stream(sort, sha), media_type=type, headers=told)


routes = [photo, has_photo, have, facts, file]
