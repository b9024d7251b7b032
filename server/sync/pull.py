"""Pull: what a phone may see and does not have yet, in its merged state (P6).

NDJSON: a header line, then stored JSON texts as they are, by seq; a page never ends inside a
seq, so a killed pull resumes at its last whole one. Equal questions at the same head are
answered from a small cache of finished bytes.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec
import zstandard

from server.core.problem import Problem
from server.store.access import Membership

LIMIT_DEFAULT: Final = 2_000
LIMIT_MAX: Final = 5_000
PLAIN_BYTES_MAX: Final = 512  # smaller ones are not worth compressing
INLINE_BYTES_MAX: Final = 128 * 1024  # larger ones are compressed off the event loop
CACHE_BYTES_MAX: Final = 4 * 1024 * 1024
CACHE_ENTRY_BYTES_MAX: Final = 64 * 1024  # whole pages of a first pull are not asked for again
GZIP_LEVEL: Final = 3  # for the few that do not take zstd: near the bytes of 4, near the time of 1
ZSTD_LEVEL: Final = 1
GZIP_WINDOW: Final = 31


class Question(msgspec.Struct, frozen=True):
    """What a phone asks: `epoch` is None for one that has never pulled."""

    project: str
    cursor: int
    epoch: int | None
    limit: int

    def start(self, member: Membership) -> int:
        """Where to read from: an epoch that is not the server's starts over (A6)."""
        return 0 if self.epoch is not None and self.epoch != member.epoch else self.cursor

    @property
    def is_fresh(self) -> bool:
        return self.cursor == 0 and self.epoch is None


class Body(msgspec.Struct, frozen=True):
    """Bytes to send, and how they are encoded (None: as they are)."""

    content: bytes
    encoding: str | None


class Header(msgspec.Struct, frozen=True):
    """The first line."""

    head: int
    cursor: int
    more: bool
    epoch: int
    audiences: Sequence[str]
    from_: int = msgspec.field(name="from")


_encoder: Final = msgspec.json.Encoder()


def question(project: str, cursor: int, epoch: int | None, limit: int | None) -> Question:
    """Raises Problem for what no phone asks."""
    limit = LIMIT_DEFAULT if limit is None else limit
    if cursor < 0 or limit < 1:
        raise Problem("malformed")
    return Question(project, cursor, epoch, min(limit, LIMIT_MAX))


def text(header: Header, bodies: Sequence[bytes]) -> bytes:
    return b"\n".join([_encoder.encode(header), *bodies, b""])


@lru_cache(maxsize=64)
def encoding_for(accepted: str) -> str | None:
    """zstd if the caller takes it, else gzip, else neither."""
    names = {
        part.split(";")[0].strip().lower()
        for part in accepted.split(",")
        if part.replace(" ", "").lower().rpartition(";q=")[2] not in ("0", "0.0", "0.00", "0.000")
    }
    return next((name for name in ("zstd", "gzip") if name in names), None)


def compress(content: bytes, encoding: str | None) -> Body:
    if encoding is None or len(content) <= PLAIN_BYTES_MAX:
        return Body(content, None)
    if encoding == "zstd":
        return Body(zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(content), encoding)
    return Body(zlib.compress(content, GZIP_LEVEL, GZIP_WINDOW), encoding)


Key = tuple[object, ...]


class Cache:
    """Finished answers by everything that they depend on; the least used go first."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[Key, Body] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key) -> Body | None:
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def put(self, key: Key, body: Body) -> None:
        if len(body.content) > CACHE_ENTRY_BYTES_MAX or key in self._bodies:
            return
        self._bodies[key] = body
        self._bytes += len(body.content)
        while self._bytes > CACHE_BYTES_MAX:
            self._bytes -= len(self._bodies.popitem(last=False)[1].content)
