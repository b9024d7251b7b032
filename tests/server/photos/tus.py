"""tus by hand, over a phone of the tests: each request as the protocol's document has it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

import httpx

from tests.server.web.kit import Phone, Town, note

TUS: Final = {"Tus-Resumable": "1.0.0"}
BODY: Final = {**TUS, "Content-Type": "application/offset+octet-stream"}


def sha_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def metadata(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


async def create(phone: Phone, content: bytes, project: str, body: bytes | None = None, **said: str) -> httpx.Response:
    """Begin an upload of this content; with `body` the creation brings the first of it."""
    told = metadata(**{"sha256": sha_of(content), "project": project, **said})
    headers = {**(TUS if body is None else BODY), "Upload-Length": str(len(content)), "Upload-Metadata": told}
    return await phone.http.post("/api/uploads", content=body or b"", headers=headers)


async def patch(phone: Phone, where: str, offset: int, content: bytes, **more: str) -> httpx.Response:
    headers = {**BODY, "Upload-Offset": str(offset), **more}
    return await phone.http.patch(where, content=content, headers=headers)


async def send(phone: Phone, content: bytes, project: str, **said: str) -> httpx.Response:
    """A whole upload in one request."""
    return await create(phone, content, project, content, **said)


async def head(phone: Phone, where: str) -> httpx.Response:
    return await phone.http.head(where, headers=TUS)


async def name_in_a_note(phone: Phone, town: Town, owner: str, sha: str, **more: Any) -> str:
    """A note of somebody's with this photo on it; answers the note's id."""
    photo = {"sha": sha, "at": 1_790_000_000_000, "w": 1, "h": 1}
    op = note(town.people[owner], **{"photos.p1": photo, **more})
    answer = (await phone.push(town.one, [op])).json()["results"][0]
    assert answer["status"] == "applied", answer
    return str(op["r"])
