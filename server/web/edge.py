"""The outermost layer of every request: who may ask at all, what every answer carries, one log line.

Host names are checked (a page elsewhere that resolves to this machine gets nothing), a request that
changes something must say `X-Requested-With: gongbu`, which no other site's form can (P11), and each
answer carries the security headers. The policy has no nonces, because the shell is cached.
"""

from __future__ import annotations

import ipaddress
import itertools
import secrets
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from server.core.problem import Problem
from server.web import log, uploads
from server.web.answer import send_problem
from server.web.exchange import HANDLERS

if TYPE_CHECKING:
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

    from server.config import Settings
    from server.web.site import Site

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
LOCAL: Final = frozenset({"localhost"})
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(self), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
FOREVER: Final = (b"strict-transport-security", b"max-age=31536000")
PRIVATE: Final = (b"cache-control", b"no-store")
HOST_LENGTH_MAX: Final = 255
PROCESS: Final = secrets.token_hex(4)
COUNT: Final = itertools.count(1)


class Edge:
    """`site` is set when the store is open; until then there is no exchange."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.site: Site | None = None
        self.hosts = settings.hosts | LOCAL | ({host_of(settings.url)} if settings.url else frozenset())
        self.headers = [*HEADERS, FOREVER] if settings.is_public else list(HEADERS)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status, number = time.perf_counter(), 0, f"{PROCESS}{next(COUNT):08x}"
        scope["request_id"] = number

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._dressed(list(message.get("headers", ())), number)
            await send(message)

        try:
            await self._admit(scope, receive, send_on)
        except Exception as error:
            problem = error if isinstance(error, Problem) else Problem("broken")
            if problem is not error or status:
                log.error("broken", error, id=number)
            if not status:  # else the answer has begun, and breaks off
                await send_problem(scope, send_on, problem)
        finally:
            took_ms = round((time.perf_counter() - begun) * 1000, 1)
            log.request(number, scope["method"], route(scope), status, took_ms)

    async def _admit(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        told = dict(scope["headers"])
        if not is_known_host(told.get(b"host", b"").decode("latin-1"), self.hosts):
            raise Problem("wrong_host")
        if scope["method"] not in SAFE and told.get(b"x-requested-with") != b"gongbu":
            raise Problem("not_from_app")
        handler = HANDLERS.get(scope["path"]) or uploads.handler(scope["path"])
        if handler is None or self.site is None:
            await self.app(scope, receive, send)
        else:
            await handler(self.site, scope, told, receive, send)

    def _dressed(self, headers: list[tuple[bytes, bytes]], number: str) -> list[tuple[bytes, bytes]]:
        if not any(name == b"cache-control" for name, _ in headers):
            headers.append(PRIVATE)
        return [*headers, *self.headers, (b"x-request-id", number.encode())]


def route(scope: HTTPScope) -> str:
    """The route's pattern (`/api/projects/{id}/people`), never the path that was asked."""
    if scope["path"].startswith(uploads.PATH):
        return uploads.PATH
    return scope["path"] if scope["path"] in HANDLERS else str(scope.get("path_template") or "-")


def host_of(address: str) -> str:
    """`https://site.example:8000/x` or `site.example:8000` → `site.example`."""
    rest = address.partition("://")[2] or address
    host = rest.partition("/")[0].lower()
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def is_known_host(asked: str, hosts: frozenset[str]) -> bool:
    """A bare address cannot be re-bound by somebody else's name server, so it always may."""
    return len(asked) <= HOST_LENGTH_MAX and is_known(asked, hosts)


@lru_cache(maxsize=256)
def is_known(asked: str, hosts: frozenset[str]) -> bool:
    host = host_of(asked)
    if host in hosts or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
