"""Uploads of photos and files, resumable: the tus protocol, version 1.0 (P10).

With its extensions creation, creation-with-upload, checksum, expiration and termination. Plain ASGI before
the framework, because a body goes from the network to the disk in blocks and is never whole in memory.
Each answer that names an offset comes after an fsync of that much. A new request for an upload ends the
one that is still being read: mostly it is the phone's own, whose network broke. No maintained library
does this on our Python without a second framework beside it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import errno
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from server.core.field import SHA
from server.core.problem import Problem
from server.store.photo_part import LIVES_MS, Part, Told, new_id
from server.web.answer import send_problem
from server.web.caller import session_by
from server.web.exchange import Handler, parse_query
from server.web.site import Site
from server.web.wire import ID

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, Send

    from server.store.access import Session

PATH: Final = "/api/uploads"
VERSION: Final = "1.0.0"
BODY: Final = b"application/offset+octet-stream"
BLOCK_BYTES: Final = 1024 * 1024
METADATA_BYTES_MAX: Final = 4096
NAME_LENGTH_MAX: Final = 200
WAIT_S_MAX: Final = 10.0
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
NUMBER: Final = re.compile(rb"[0-9]{1,15}")
CHECKSUMS: Final = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "md5": hashlib.md5}
Told_ = Mapping[bytes, bytes]  # the request's headers
Headers = list[tuple[bytes, bytes]]


@dataclass
class Turns:
    """Who is reading a body for which upload in this process. Who comes later asks him to stop, and waits."""

    busy: dict[str, Turn] = field(default_factory=dict)

    @asynccontextmanager
    async def take(self, name: str) -> AsyncIterator[Turn]:
        """Raises `upload_busy`."""
        turn = self.busy.setdefault(name, Turn())
        turn.waiting += 1
        try:
            if turn.lock.locked():
                turn.ask_to_stop()
                try:
                    await asyncio.wait_for(turn.lock.acquire(), WAIT_S_MAX)
                except TimeoutError as error:
                    raise Problem("upload_busy", retry_after=1) from error
            else:
                await turn.lock.acquire()
            try:
                turn.is_wanted = turn.waiting > 1  # somebody newer waits already
                yield turn
            finally:
                turn.lock.release()
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                self.busy.pop(name, None)


class BrokeOff(Exception):
    """The body ended before its end: the network, or a newer request."""


@dataclass
class Turn:
    """`waiting` counts those who wait and the one whose turn it is."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    is_wanted: bool = False
    reader: asyncio.Task[Any] | None = None

    def ask_to_stop(self) -> None:
        self.is_wanted = True
        if self.reader:
            self.reader.cancel()

    async def read(self, receive: Receive) -> Any:
        """The next of a body. Raises BrokeOff when somebody else wants the upload before it comes."""
        if self.is_wanted:
            raise BrokeOff
        self.reader = asyncio.current_task()
        try:
            return await receive()
        except asyncio.CancelledError:
            if self.is_wanted and self.reader:
                self.reader.uncancel()
                raise BrokeOff from None
            raise
        finally:
            self.reader = None


TURNS: Final = Turns()


def turn_of(person: str, id: str) -> str:
    """The name of an upload's turn: nobody stands in the way of another's."""
    return f"{person}/{id}"


def handler(path: str) -> Handler | None:
    """For `/api/uploads` and what lies below it."""
    if path == PATH:
        return uploads
    return upload if path.startswith(PATH + "/") and "/" not in path[len(PATH) + 1 :] else None


async def uploads(site: Site, scope: HTTPScope, told: Told_, receive: Receive, send: Send) -> None:
    await answered(site, scope, told, receive, send, {"POST": create})


async def upload(site: Site, scope: HTTPScope, told: Told_, receive: Receive, send: Send) -> None:
    actions: dict[str, Action] = {"HEAD": head, "PATCH": patch, "DELETE": delete}
    await answered(site, scope, told, receive, send, actions)


@dataclass
class Asked:
    """A request and what it takes to answer it."""

    site: Site
    scope: HTTPScope
    told: Told_
    receive: Receive
    session: Session

    @property
    def id(self) -> str:
        return self.scope["path"].rpartition("/")[2]

    @property
    def turn(self) -> str:
        return turn_of(self.session.person, self.id)

    def number(self, name: bytes) -> int | None:
        """A header that is a whole number; None if there is none. Raises `malformed`."""
        text = self.told.get(name)
        if text is None:
            return None
        if not NUMBER.fullmatch(text):
            raise Problem("malformed", reason=f"{name.decode()}: a whole number is needed")
        return int(text)


Action = Callable[[Asked], Any]  # → the status and headers of the answer


async def answered(
    site: Site, scope: HTTPScope, told: Told_, receive: Receive, send: Send, actions: Mapping[str, Action]
) -> None:
    async def send_tus(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"tus-resumable", VERSION.encode())]
        await send(message)

    try:
        try:
            status, headers = await act(site, scope, told, receive, actions)
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise Problem("disk_full", retry_after=600) from error
    except Problem as problem:
        extra = [(b"tus-version", VERSION.encode())] if problem.code == "wrong_tus_version" else []
        await send_problem(scope, with_headers(send_tus, extra), problem)
        return
    await send_tus({"type": "http.response.start", "status": status, "headers": headers})
    await send_tus({"type": "http.response.body", "body": b"", "more_body": False})


def with_headers(send: Any, more: Headers) -> Any:
    async def send_more(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return send_more if more else send


async def act(
    site: Site, scope: HTTPScope, told: Told_, receive: Receive, actions: Mapping[str, Action]
) -> tuple[int, Headers]:
    method: str = scope["method"]
    if method == "OPTIONS":
        return options(site)
    if method == "POST":  # for proxies that let nothing else through
        method = told.get(b"x-http-method-override", b"POST").decode("latin-1").upper()
    action = actions.get(method)
    if action is None:
        raise Problem("method_not_allowed")
    if told.get(b"tus-resumable") != VERSION.encode():
        raise Problem("wrong_tus_version")
    asked = parse_query(scope["query_string"])
    device = told.get(b"x-device", b"").decode("latin-1") or asked.get("device", "")
    session = await session_by(told.get(b"cookie", b"").decode("latin-1"), device, site)
    if session is None:
        raise Problem("signed_out")
    found: tuple[int, Headers] = await action(Asked(site, scope, told, receive, session))
    return found


def options(site: Site) -> tuple[int, Headers]:
    return 204, [
        (b"tus-version", VERSION.encode()),
        (b"tus-extension", b"creation,creation-with-upload,checksum,expiration,termination"),
        (b"tus-max-size", b"%d" % site.settings.limits.file_bytes_max),
        (b"tus-checksum-algorithm", ",".join(CHECKSUMS).encode()),
    ]


# creation


async def create(asked: Asked) -> tuple[int, Headers]:
    told = await described(asked)
    site, parts = asked.site, asked.site.photos.parts
    await site.photos.room_for(told.project, told.length)
    replace_lost(asked, told)
    has_body = asked.told.get(b"content-type") == BODY
    part = parts.make(told, at_once=has_body and asked.number(b"content-length") == told.length)
    try:
        if has_body:
            async with TURNS.take(turn_of(told.person, told.id)) as turn:
                await read_into(asked, part, turn)
        elif asked.number(b"content-length"):
            raise Problem("unsupported_type")
    except Problem:
        parts.remove(told)
        raise
    finally:
        part.close()
    return 201, [(b"location", f"{PATH}/{told.id}".encode()), *where(told, part.offset)]


async def described(asked: Asked) -> Told:
    """What the request says of the upload to come. Raises Problem."""
    limits, metadata = asked.site.settings.limits, asked.told.get(b"upload-metadata", b"")
    said = read_metadata(metadata)
    length, sha, project = asked.number(b"upload-length"), said.get("sha256", ""), said.get("project", "")
    if not length:
        raise Problem("malformed", reason="upload-length: a whole number above 0 is needed")
    if not SHA.fullmatch(sha):
        raise Problem("malformed", reason="upload-metadata: sha256 in lower-case hex is needed")
    if not re.fullmatch(ID, project):
        raise Problem("malformed", reason="upload-metadata: project is needed")
    await must_be_on(asked, project)
    is_file = said.get("as") == "file" or not said.get("type", "image/").startswith("image/")
    most = limits.file_bytes_max if is_file else limits.photo_bytes_max
    if length > most:
        raise Problem("too_large", limit=most)
    return Told(
        id=new_id(),
        person=asked.session.person,
        project=project,
        device=asked.session.device,
        sha=sha,
        length=length,
        expires=asked.site.now() + LIVES_MS,
        metadata=metadata.decode("ascii"),
        name=said.get("name", said.get("filename", ""))[:NAME_LENGTH_MAX],
        as_="file" if said.get("as") == "file" else "photo",
    )


async def must_be_on(asked: Asked, project: str) -> None:
    """Raises `forbidden` for who is not, or no longer, a member of the project."""
    if await asked.site.access.actor(project, asked.session.person, asked.session.device) is None:
        raise Problem("forbidden")


def read_metadata(text: bytes) -> dict[str, str]:
    """`key base64, key base64, …`. Raises `malformed`."""
    if len(text) > METADATA_BYTES_MAX:
        raise Problem("too_large", limit=METADATA_BYTES_MAX)
    said: dict[str, str] = {}
    try:
        for pair in filter(None, text.decode("ascii").split(",")):
            key, _, value = pair.strip().partition(" ")
            if not key or key in said:
                raise ValueError(key)
            said[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (ValueError, binascii.Error) as error:
        raise Problem("malformed", reason="upload-metadata: pairs of a key and base64 are needed") from error
    return said


def replace_lost(asked: Asked, told: Told) -> None:
    """A phone that begins the same upload again has lost the address of the first. Raises `too_many_uploads`."""
    parts = asked.site.photos.parts
    others = parts.open_of(told.person)
    for other in others:
        is_same = (other.sha, other.project, other.device) == (told.sha, told.project, told.device)
        if (is_same and turn_of(other.person, other.id) not in TURNS.busy) or other.expires <= asked.site.now():
            parts.remove(other)
            others = [one for one in others if one is not other]
    if len(others) >= asked.site.settings.limits.uploads_open_max:
        raise Problem("too_many_uploads", retry_after=60, limit=asked.site.settings.limits.uploads_open_max)


# an upload


async def head(asked: Asked) -> tuple[int, Headers]:
    async with TURNS.take(asked.turn):
        told = find(asked)
        offset = told.length if told.done else await on_disk(asked, told)
    headers = [*where(told, offset), (b"upload-length", b"%d" % told.length), (b"cache-control", b"no-store")]
    return 200, [*headers, *([(b"upload-metadata", told.metadata.encode())] if told.metadata else [])]


async def on_disk(asked: Asked, told: Told) -> int:
    """How much of it is. What the server had whole when it was stopped is finished now."""
    async with opened(asked, told) as part:
        if part.is_whole:
            await must_be_on(asked, told.project)
            await asked.site.photos.arrive(part)
        else:
            await asyncio.to_thread(part.sync)
        return part.offset


async def patch(asked: Asked) -> tuple[int, Headers]:
    if asked.told.get(b"content-type") != BODY:
        raise Problem("unsupported_type")
    offset = asked.number(b"upload-offset")
    if offset is None:
        raise Problem("malformed", reason="upload-offset: a whole number is needed")
    async with TURNS.take(asked.turn) as turn:
        told = find(asked)
        if told.done:
            if offset != told.length:
                raise Problem("wrong_offset", offset=told.length)
            return 204, where(told, told.length)
        await must_be_on(asked, told.project)
        async with opened(asked, told) as part:
            if offset != part.offset:
                raise Problem("wrong_offset", offset=part.offset)
            await read_into(asked, part, turn)
            return 204, where(told, part.offset)


async def delete(asked: Asked) -> tuple[int, Headers]:
    async with TURNS.take(asked.turn):
        asked.site.photos.parts.remove(find(asked, expired=True))
    return 204, []


def find(asked: Asked, *, expired: bool = False) -> Told:
    """The caller's own upload. Raises `not_found`, `upload_expired`."""
    told = asked.site.photos.parts.find(asked.session.person, asked.id)
    if told is None:
        raise Problem("not_found")
    if not expired and told.expires <= asked.site.now():
        raise Problem("upload_expired")
    return told


@asynccontextmanager
async def opened(asked: Asked, told: Told) -> AsyncIterator[Part]:
    """Raises `upload_busy` while another process writes to it."""
    part = asked.site.photos.parts.open(told)
    try:
        if not part.lock():
            raise Problem("upload_busy", retry_after=1)
        part.go_to_floor()
        yield part
    finally:
        part.close()


def where(told: Told, offset: int) -> Headers:
    expires = formatdate(told.expires / 1000, usegmt=True)
    return [(b"upload-offset", b"%d" % offset), (b"upload-expires", expires.encode())]


# reading


async def read_into(asked: Asked, part: Part, turn: Turn) -> None:
    """The body behind what is there, on the disk when this returns; a whole upload becomes a photo.

    What came before a body broke off counts, unless it was to be checked as a whole.
    """
    length, left = asked.number(b"content-length"), part.told.length - part.offset
    if length is not None and length > left:
        raise Problem("too_large", limit=left)
    check = checksum(asked.told)
    begun = part.offset
    if check:
        part.set_floor()
    block: list[bytes] = []
    size, broke_off = 0, False
    try:
        async for piece in pieces(asked.receive, turn):
            size += len(piece)
            left -= len(piece)
            if left < 0:
                raise Problem("too_large", limit=part.told.length - begun)
            block.append(piece)
            part.hash(piece)
            if check:
                check.hash.update(piece)
            if size >= BLOCK_BYTES:
                await asyncio.to_thread(store, part, block)
                block, size = [], 0
    except BrokeOff:
        broke_off = True
    except Problem:
        await asyncio.to_thread(part.cut, begun)
        raise
    if broke_off:
        await asyncio.to_thread(finish, part, block, check, begun, broke_off=True)
        raise Problem("upload_busy", retry_after=1)
    if size + part.offset < part.told.length:
        await asyncio.to_thread(finish, part, block, check, begun)
        return
    await asked.site.photos.arrive(part, lambda: finish(part, block, check, begun))


async def pieces(receive: Receive, turn: Turn) -> AsyncIterator[bytes]:
    """Of a body. Raises BrokeOff."""
    while True:
        message = await turn.read(receive)
        if message["type"] == "http.disconnect":
            raise BrokeOff
        if piece := message.get("body", b""):
            yield piece
        if not message.get("more_body"):
            return


@dataclass
class Check:
    """What the body's hash must be."""

    hash: Any
    digest: bytes


def checksum(told: Told_) -> Check | None:
    """Raises `malformed` for an algorithm that is not offered."""
    text = told.get(b"upload-checksum")
    if text is None:
        return None
    name, _, digest = text.decode("latin-1").partition(" ")
    try:
        return Check(CHECKSUMS[name](usedforsecurity=False), base64.b64decode(digest.strip(), validate=True))
    except (KeyError, ValueError) as error:
        raise Problem("malformed", reason=f"upload-checksum: {', '.join(CHECKSUMS)} and base64") from error


def store(part: Part, block: list[bytes]) -> None:
    part.write(b"".join(block))


def finish(part: Part, block: list[bytes], check: Check | None, begun: int, *, broke_off: bool = False) -> None:
    """The last of a body, and all of it on the disk; a whole upload goes there with its new name. Raises
    `wrong_checksum`; the upload is then as it was before."""
    store(part, block)
    if check and (broke_off or check.hash.digest() != check.digest):
        part.cut(begun)
        part.clear_floor()
        if not broke_off:
            raise Problem("wrong_checksum")
    if not part.is_whole or broke_off:
        part.sync()
    if check:
        part.clear_floor()


# OpenAPI


def header(name: str, schema: dict[str, Any], about: str, *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "schema": schema, "description": about}


def described_as(summary: str, status: str, *parameters: dict[str, Any], body: bool = False) -> dict[str, Any]:
    content = {"application/offset+octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {
        "summary": summary,
        "operationId": summary.lower().replace(" ", "_"),
        "tags": ["photos"],
        "parameters": list(parameters),
        "responses": {status: {"description": "Done"}},
        **({"requestBody": {"required": False, "content": content}} if body else {}),
    }


RESUMABLE: Final = header("Tus-Resumable", {"const": VERSION}, "The protocol's version")
COUNT: Final = {"type": "string", "pattern": "^[0-9]{1,15}$"}
PAIRS: Final = "`sha256`, `project`, and if there are any `name`, `type`, `as` (`file` for a document), each in base64"
WHICH: Final = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[\\w-]{20,40}$"},
}
PATHS: Final[dict[str, Any]] = {
    PATH: {
        "options": described_as("What uploads can do", "204"),
        "post": described_as(
            "Begin an upload",
            "201",
            RESUMABLE,
            header("Upload-Length", COUNT, "Bytes of the whole"),
            header("Upload-Metadata", {"type": "string"}, PAIRS),
            body=True,
        ),
    },
    PATH + "/{id}": {
        "options": {**described_as("What an upload can do", "204"), "parameters": [WHICH]},
        "head": described_as("How far an upload is", "200", WHICH, RESUMABLE),
        "patch": described_as(
            "Go on with an upload",
            "204",
            WHICH,
            RESUMABLE,
            header("Upload-Offset", COUNT, "Where this body begins"),
            header("Upload-Checksum", {"type": "string"}, "`sha256 …` of this body, in base64", required=False),
            body=True,
        ),
        "delete": described_as("Give an upload up", "204", WHICH, RESUMABLE),
    },
}
