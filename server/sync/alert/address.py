"""Where this server may send a request: to public addresses, whatever a name resolves to at that moment.

The name is resolved once and the connection made to that very address, so that a name server which
answers differently a second later gains nothing. Redirects are not followed. A request has a bounded time, and a
host that is silent keeps nobody waiting who wants to reach another.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import aiohttp

ANSWER_BYTES_MAX: Final = 4096
TIMEOUT_S: Final = 10.0
CONNECTIONS_MAX: Final = 400
HOST_AT_ONCE: Final = 48
SILENT_S: Final = 1.0  # all that a host may have in the air, and no answer for so long: come again later
LOOK_EVERY_S: Final = 0.25
IDLE_S: Final = 60.0


class NotAllowed(Exception):
    """The address is private, local, or none at all."""


def allowed(url: str, *, private: bool) -> str:
    """The address itself, if it may be sent to as far as one sees without resolving it. Raises NotAllowed."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise NotAllowed("not an address") from error
    if not host or port == 0 or parts.username is not None or parts.password is not None:
        raise NotAllowed("not an address")
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise NotAllowed("only https")
    if not private and not is_public(host):
        raise NotAllowed("a private address")
    return url


def is_public(host: str) -> bool:
    """A name may turn out to be private when it is resolved; a bare address shows it at once."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return host != "localhost" and not host.endswith((".localhost", ".local", ".internal")) and "." in host


async def resolve(host: str, port: int, *, private: bool) -> str:
    """One address of a name, after looking at all of them. Raises NotAllowed, OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    if not addresses:
        raise OSError("the name has no address")
    if not private and not all(ipaddress.ip_address(address).is_global for address in addresses):
        raise NotAllowed("a private address")
    return addresses[0]


class Answered:
    """What came back: the status, the beginning of the body, how long to wait before the next try."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.status, self.body = status, body
        after = headers.get("Retry-After", "")
        self.retry_after_s = int(after) if after.isdigit() else None


class Host:
    """The requests to one host: so many at once. While all of them are without an answer, another is
    not begun; whoever asks is told so within a moment."""

    def __init__(self) -> None:
        self._room, self._heard = HOST_AT_ONCE, 0.0
        self._waiting = deque[asyncio.Future[None]]()
        self.asked = 0
        """Who is in the air or waits for it."""

    async def enter(self) -> None:
        """Raises OSError when the host is silent."""
        if self._room == HOST_AT_ONCE:
            self._heard = time.monotonic()
        if self._room:
            self._room -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self._look_later()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(answered=False)
            raise

    def leave(self, *, answered: bool) -> None:
        if answered:
            self._heard = time.monotonic()
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._room += 1

    def _look_later(self) -> None:
        asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        if time.monotonic() - self._heard > SILENT_S:
            while self._waiting:
                turn = self._waiting.popleft()
                if not turn.done():
                    turn.set_exception(OSError("it does not answer"))
        if self._waiting:
            self._look_later()


class Wire:
    """Requests to the outside. One per process; `close` at the end. The library is loaded at the first."""

    def __init__(self, *, private: bool = False, trust: ssl.SSLContext | None = None) -> None:
        self.private, self.trust = private, trust
        self._hosts: dict[str, Host] = {}
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answered:
        """Raises NotAllowed, or OSError for whatever the network did."""
        allowed(url, private=self.private)
        name = urlsplit(url).netloc
        host = self._hosts.setdefault(name, Host())
        host.asked += 1
        try:
            await host.enter()
            return await self._post(host, url, body, headers)
        finally:
            host.asked -= 1
            if not host.asked:
                del self._hosts[name]

    async def _post(self, host: Host, url: str, body: bytes, headers: dict[str, str]) -> Answered:
        import aiohttp
        from yarl import URL

        answered = False
        # As it was entered: what is escaped in it, and what is not, may be signed.
        exactly = URL(url, encoded=True)
        try:
            async with self._open().post(exactly, data=body, headers=headers, allow_redirects=False) as answer:
                answered = True
                return Answered(answer.status, await _beginning(answer), answer.headers)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OSError(type(error).__name__) from error
        finally:
            host.leave(answered=answered)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = _session(self)
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _session(wire: Wire) -> aiohttp.ClientSession:
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult

    class Guard(AbstractResolver):
        """Resolves to what is allowed, and the connection is made to that. An address in figures needs no
        resolving; `allowed` has looked at it."""

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            address = await resolve(host, port, private=wire.private)
            kind = socket.AF_INET6 if ":" in address else socket.AF_INET
            flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
            return [ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=flags)]

        async def close(self) -> None:
            pass

    connector = aiohttp.TCPConnector(
        resolver=Guard(), ssl=wire.trust or usual_trust(), limit=CONNECTIONS_MAX, keepalive_timeout=IDLE_S,
        use_dns_cache=False,
    )  # fmt: skip
    return aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept-Encoding"), auto_decompress=False,
    )  # fmt: skip


def usual_trust() -> ssl.SSLContext:
    """The machine's authorities and, where it has none, those that come along."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for part in answer.content.iter_any():
        body += part
        if len(body) >= ANSWER_BYTES_MAX:
            answer.close()
            break
    return body[:ANSWER_BYTES_MAX]
