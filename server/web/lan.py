"""Trusting this server's own certificate, for phones on the site office's network.

`--lan` serves the app over https with a certificate that no phone knows yet. This page is also served
in plain http, and nothing else is: it hands out the authority's certificate and leads through trusting
it. Whoever installs it should compare the fingerprint with the one on the server's terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Response, get

from server.core.problem import Problem
from server.web import authority
from server.web.answer import language_of
from server.web.page import page
from server.web.request import HttpRequest
from server.web.site import Site, TheSite

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Send

PLAIN: Final = frozenset({"/lan", "/lan/gongbu.crt", "/static/print.css", "/healthz"})
FILE: Final = {"Content-Disposition": 'attachment; filename="gongbu.crt"'}


@get("/lan", summary="How to trust this server on a phone", tags=["operation"], media_type="text/html")
async def trust(request: HttpRequest, site: TheSite) -> Response[str]:
    """404 unless the server was started with `--lan`."""
    return page(
        "lan.html",
        lang=language_of(request.scope),
        address=address_of(site),
        parts=grouped(authority.fingerprint(site.settings.data / "lan" / "authority.crt")),
        is_trusted=request.scope["scheme"] == "https",
    )


@get("/lan/gongbu.crt", summary="The certificate of the local authority", tags=["operation"], media_type="text/plain")
async def certificate(site: TheSite) -> Response[bytes]:
    address_of(site)
    der = authority.der(site.settings.data / "lan" / "authority.crt")
    return Response(der, media_type="application/x-x509-ca-cert", headers=FILE)


def grouped(fingerprint: str) -> list[str]:
    """Eight bytes at a time, so that it can be compared with a finger on it."""
    return [fingerprint[at : at + 24].rstrip(":") for at in range(0, len(fingerprint), 24)]


def address_of(site: Site) -> str:
    if not site.settings.lan:
        raise Problem("not_found")
    return site.settings.url


def only_trust(app: ASGIApp) -> ASGIApp:
    """The application as plain http may see it: whole on this machine, else this page and the way to it."""

    async def pass_on(scope: Any, receive: Receive, send: Send) -> None:
        is_here = (scope.get("server") or ("",))[0] in ("127.0.0.1", "::1")
        if is_here or (scope["path"] in PLAIN and scope["method"] in ("GET", "HEAD")):
            await app(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"location", b"/lan"), (b"content-length", b"0"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 303, "headers": headers})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return pass_on


routes = [trust, certificate]
