"""The phone app as files: the shell, the worker, the manifest and the hashed assets of `pwa/dist`.

The shell is the same for everybody (it is cached by the worker and must not know who asks); the
worker refuses to install when shell and worker carry different builds. Assets never change under
their name, so a browser keeps them for ever; a `.br`, `.zst` or `.gz` beside one is sent if accepted.
"""

from __future__ import annotations

import mimetypes
from functools import cache
from pathlib import Path
from typing import Any, Final

from litestar import Response, get
from litestar.params import FromPath

from server.core.problem import Problem
from server.web.answer import handle
from server.web.language import Words
from server.web.page import HERE, HTML, page
from server.web.request import HttpRequest
from server.web.site import Site, TheSite

FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH: Final = {"Cache-Control": "no-cache"}
HOURLY: Final = {"Cache-Control": "public, max-age=3600"}
PACKED: Final = (("br", ".br"), ("zstd", ".zst"), ("gzip", ".gz"))
TYPES: Final = {".webmanifest": "application/manifest+json", ".js": "text/javascript", ".wasm": "application/wasm"}
SERVERS: Final = frozenset({"api", "assets", "static", "print", "lan", "healthz", "schema"})
STATIC: Final = (HERE / "static", HERE.parent / "modules" / "static")


@get(["/", "/app-shell", "/enrol"], include_in_schema=False)
async def app_shell(site: TheSite) -> Response[Any]:
    return shell(site)


def shell(site: Site) -> Response[Any]:
    """The page that every address of the app opens with, or how to build it."""
    file = site.settings.dist / "index.html"
    if not file.is_file():
        return page("not-built.html", lang="zh", status=503, both=(Words("zh"), Words("en")))
    return Response(file.read_bytes(), media_type=HTML, headers=FRESH)


def elsewhere(request: HttpRequest, error: Exception) -> Response[Any]:
    """An address that no route has: the app's own, when a person opens it; else not found."""
    _, first, *rest = request.scope["path"].split("/")
    is_file = "." in first and not rest
    opens = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
    if opens and first not in SERVERS and not is_file:
        return shell(request.app.state.site)
    return handle(request, error)


@get("/sw.js", include_in_schema=False)
async def worker(site: TheSite) -> Response[bytes]:
    return send_file(site.settings.dist, "sw.js", "", {**FRESH, "Service-Worker-Allowed": "/"})


@get("/manifest.webmanifest", include_in_schema=False)
async def manifest(site: TheSite) -> Response[bytes]:
    return send_file(site.settings.dist, "manifest.webmanifest", "", FRESH)


@get("/assets/{path:path}", include_in_schema=False)
async def assets(request: HttpRequest, site: TheSite, path: FromPath[str]) -> Response[bytes]:
    accepts = request.headers.get("accept-encoding", "")
    return send_file(site.settings.dist / "assets", path.lstrip("/"), accepts, FOREVER)


@get("/static/{name:str}", include_in_schema=False)
async def static(name: FromPath[str]) -> Response[bytes]:
    """Styles of the pages that the server prints."""
    folder = next((folder for folder in STATIC if name in names_in(folder)), STATIC[0])
    return send_file(folder, name, "", HOURLY)


def send_file(folder: Path, name: str, accepts: str, headers: dict[str, str]) -> Response[bytes]:
    """A file that the folder really lists: nothing from the address becomes a path unchecked."""
    if name not in names_in(folder):
        raise Problem("not_found")
    kind = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    told = {**headers, "Vary": "Accept-Encoding"}
    for coding, suffix in PACKED:
        if name + suffix in names_in(folder) and coding in accepts:
            packed = (folder / (name + suffix)).read_bytes()
            return Response(packed, media_type=kind, headers={**told, "Content-Encoding": coding})
    return Response((folder / name).read_bytes(), media_type=kind, headers=told)


@cache
def names_in(folder: Path) -> frozenset[str]:
    """Relative paths of all files of a folder, listed once for each start."""
    return frozenset(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


routes = [app_shell, worker, manifest, assets, static]
