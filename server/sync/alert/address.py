"""Where this server may send a request: to public addresses, whatever a name resolves to at that moment.

The name is resolved once and the connection made to that very address, so that a name server which
answers differently a second later gains nothing. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from itertools import cycle
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore

ANSWER_BYTES_MAX: Final = 4096
TIMEOUT_S: Final = 10.0
POOLS: Final = 16  # a pool looks at each of its connections at each request: many small ones take a quarter of the time
POOL_CONNECTIONS_MAX: Final = 4


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


class Guarded(httpcore.AsyncNetworkBackend):
    """Connects to what `resolve` allows, and only to that."""

    def __init__(self, *, private: bool) -> None:
        self.private, self._inner = private, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the interface has it so
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        address = await resolve(host, port, private=self.private)
        return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise NotAllowed("not an address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Answered:
    """What came back: the status, the beginning of the body, how long to wait before the next try."""

    def __init__(self, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.status, self.body = status, body
        told = {name.lower(): value for name, value in headers}
        after = told.get(b"retry-after", b"").decode("latin-1")
        self.retry_after_s = int(after) if after.isdigit() else None


class Wire:
    """Requests to the outside. One per process; `close` at the end."""

    def __init__(self, *, private: bool = False, trust: ssl.SSLContext | None = None) -> None:
        self.private, self._guard = private, Guarded(private=private)
        pools = [
            httpcore.AsyncConnectionPool(
                ssl_context=trust,
                max_connections=POOL_CONNECTIONS_MAX,
                keepalive_expiry=60,
                http2=False,
                network_backend=self._guard,
            )
            for _ in range(POOLS)
        ]
        self._pools, self._next = pools, cycle(pools)

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answered:
        """Raises NotAllowed, or OSError for whatever the network did."""
        allowed(url, private=self.private)
        timeout = {"connect": TIMEOUT_S, "read": TIMEOUT_S, "write": TIMEOUT_S, "pool": 6 * TIMEOUT_S}
        told = list({"Host": host_of(url), **headers}.items())
        try:
            async with next(self._next).stream(
                "POST", url, headers=told, content=body, extensions={"timeout": timeout}
            ) as answer:
                return Answered(answer.status, await _beginning(answer), answer.headers)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise OSError(type(error).__name__) from error

    async def close(self) -> None:
        for pool in self._pools:
            await pool.aclose()


def host_of(url: str) -> str:
    return urlsplit(url).netloc


async def _beginning(answer: httpcore.Response) -> bytes:
    body = b""
    async for part in answer.aiter_stream():
        body += part
        if len(body) >= ANSWER_BYTES_MAX:
            break
    return body[:ANSWER_BYTES_MAX]
