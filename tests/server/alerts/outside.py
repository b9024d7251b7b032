"""The outside world on the loopback address: one HTTP server that answers as push services and robots do.

It checks what the real ones check (VAPID and the encryption, signatures, the shape of the body) and keeps what
it was sent. `answers` says what to answer next at a path; without one it takes everything.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (201, {}, b"")


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, list[str]]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """A browser's half of a subscription."""

    url: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"0123456789abcdef"

    def to_json(self) -> dict[str, Any]:
        """As `PushSubscription.toJSON()` has it."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": self.url,
            "expirationTime": None,
            "keys": {"p256dh": url64(point), "auth": url64(self.auth)},
        }

    def read(self, asked: Asked) -> dict[str, Any]:
        """What the page would get; raises if it was not encrypted for it."""
        plain = http_ece.decrypt(asked.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        found: dict[str, Any] = json.loads(plain)
        return found


class Outside:
    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, list[Answer]] = {}
        self.url = ""
        self.came = asyncio.Condition()

    def at(self, path: str) -> list[Asked]:
        return [one for one in self.asked if one.path == path]

    async def wait_for(self, count: int) -> list[Asked]:
        async with self.came:
            await asyncio.wait_for(self.came.wait_for(lambda: len(self.asked) >= count), 10)
        return self.asked

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                await self._one(line.decode(), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, target, _ = line.split(" ")
        headers: dict[str, str] = {}
        while (row := (await reader.readline()).decode().strip()) != "":
            name, _, value = row.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        parts = urlsplit(target)
        async with self.came:
            asked = Asked(parts.path, headers, body, parse_qs(parts.query))
            self.asked.append(asked)
            self.came.notify_all()
        queue = self.answers.get(parts.path, [])
        status, told, content = queue.pop(0) if queue else await self.usual(asked)
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", *(f"{k}: {v}" for k, v in told.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        await writer.drain()

    async def usual(self, asked: Asked) -> Answer:
        is_push = asked.path.startswith("/push/")
        return OK if is_push else (200, {}, b'{"errcode":0,"errmsg":"ok","code":0,"msg":"success"}')


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    world = Outside()
    server = await asyncio.start_server(world.serve, "127.0.0.1", 0)
    world.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield world
    finally:
        server.close()


def is_vapid(asked: Asked, public: str, origin: str) -> bool:
    """RFC 8292: a token for this origin, signed by the key that the phone subscribed with."""
    scheme, _, rest = asked.headers["authorization"].partition(" ")
    told = dict(pair.strip().split("=", 1) for pair in rest.split(","))
    _, claims, _ = told["t"].split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    ours = scheme == "vapid" and told["k"] == public and said["aud"] == origin
    return bool(ours and Vapid02.verify(asked.headers["authorization"]))


def dingtalk_sign(secret: str, timestamp: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256)).decode()


def feishu_sign(secret: str, timestamp: str) -> str:
    return base64.b64encode(hmac.digest(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256)).decode()


def url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
