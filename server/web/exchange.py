"""Push, pull and live at their addresses: who asks and how much, then over to the exchange (P5–P7).

These three are most of what a server does all day, so the edge hands them over before the framework:
a push is read once, as the bytes that were signed. Their OpenAPI is written by hand here.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qsl

from server.core.problem import Problem
from server.sync.push import BODY_BYTES_MAX
from server.web.answer import language_of
from server.web.caller import session_by
from server.web.site import Site
from server.web.wire import ID, SEQ_MAX

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, Send

    from server.store.access import Session

PAGE: Final = 2000
QUERIES_MAX: Final = 256
QUERY_LENGTH_USUAL: Final = 200
JSON: Final = b"application/json"
Told = Mapping[bytes, bytes]  # the request's headers
Handler = Callable[["Site", "HTTPScope", Told, "Receive", "Send"], Awaitable[None]]


async def push(site: Site, scope: HTTPScope, told: Told, receive: Receive, send: Send) -> None:
    session = await signed_in(site, scope, told, {}, "POST")
    body = await read_body(told, receive)
    await send_whole(send, await site.sync.push(session, body, language_of(scope)), [(b"content-type", JSON)])


async def pull(site: Site, scope: HTTPScope, told: Told, receive: Receive, send: Send) -> None:
    query = scope["query_string"]
    session = await signed_in(site, scope, told, parse_query(query), "GET")
    project, cursor, epoch, limit = (asked_again if len(query) <= QUERY_LENGTH_USUAL else asked_of)(query)
    page = await site.sync.pull(
        session,
        project=project,
        cursor=cursor,
        epoch=epoch,
        limit=limit,
        accept_encoding=told.get(b"accept-encoding", b"").decode("latin-1"),
    )
    await send_whole(send, page.body, page.headers)


async def live(site: Site, scope: HTTPScope, told: Told, receive: Receive, send: Send) -> None:
    session = await signed_in(site, scope, told, parse_query(scope["query_string"]), "GET")
    await site.sync.live(session, cast(Any, receive), cast(Any, send))


HANDLERS: Final[Mapping[str, Handler]] = {"/api/push": push, "/api/pull": pull, "/api/live": live}


async def signed_in(site: Site, scope: HTTPScope, told: Told, asked: Mapping[str, str], method: str) -> Session:
    """The live session. Raises `method_not_allowed`, `signed_out`."""
    if scope["method"] != method:
        raise Problem("method_not_allowed")
    device = told.get(b"x-device", b"").decode("latin-1") or asked.get("device", "")
    session = await session_by(told.get(b"cookie", b"").decode("latin-1"), device, site)
    if session is None:
        raise Problem("signed_out")
    return session


async def read_body(told: Told, receive: Receive) -> bytes:
    """All of it, up to BODY_BYTES_MAX. Raises `too_large`, as early as it is known."""
    length = told.get(b"content-length", b"")
    if length.isdigit() and int(length) > BODY_BYTES_MAX:
        raise Problem("too_large", limit=BODY_BYTES_MAX)
    parts, size = [], 0
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise Problem("malformed", reason="the request broke off")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_BYTES_MAX:
            raise Problem("too_large", limit=BODY_BYTES_MAX)
        if not message.get("more_body"):
            return b"".join(parts)


async def send_whole(send: Send, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    told = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": told})
    await send({"type": "http.response.body", "body": body, "more_body": False})


Asked = tuple[str, int, int | None, int]  # project, cursor, epoch, limit


def asked_of(query: bytes) -> Asked:
    """What a pull asks for. Raises `malformed`."""
    asked = parse_query(query)
    return (
        project_of(asked),
        number_of(asked, "cursor", 0, SEQ_MAX, 0),
        number_of(asked, "epoch", 0, SEQ_MAX, None),
        number_of(asked, "limit", 1, SEQ_MAX, PAGE),
    )


def parse_query(query: bytes) -> Mapping[str, str]:
    return parsed_again(query) if len(query) <= QUERY_LENGTH_USUAL else parsed(query)


def parsed(query: bytes) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=50))
    except ValueError as error:
        raise Problem("malformed", reason="the query cannot be read") from error


# Phones that a poke wakes all ask the same.
parsed_again: Final = lru_cache(QUERIES_MAX)(parsed)
asked_again: Final = lru_cache(QUERIES_MAX)(asked_of)


def project_of(asked: Mapping[str, str]) -> str:
    project = asked.get("project", "")
    if not re.fullmatch(ID, project):
        raise Problem("malformed", reason="project: an id is needed")
    return project


def number_of(asked: Mapping[str, str], name: str, least: int, most: int, default: Any) -> Any:
    text = asked.get(name)
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,16}", text) or not least <= int(text) <= most:
        raise Problem("malformed", reason=f"{name}: a whole number from {least} to {most}")
    return int(text)


# OpenAPI


def parameter(name: str, schema: dict[str, Any], about: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": about}


def answers(kind: str, about: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": about, "content": {kind: {"schema": schema}}}}


WHOLE: Final = {"type": "integer", "minimum": 0, "maximum": SEQ_MAX}
PATHS: Final[dict[str, Any]] = {
    "/api/push": {
        "post": {
            "summary": "Send signed batches (P5)",
            "operationId": "push",
            "tags": ["exchange"],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["proto", "device", "sent", "batches"],
                            "properties": {
                                "proto": {"const": 1},
                                "device": {"type": "string", "pattern": ID},
                                "sent": WHOLE,
                                "batches": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["payload", "sig"],
                                        "properties": {"payload": {"type": "string"}, "sig": {"type": "string"}},
                                    },
                                },
                            },
                        }
                    }
                },
            },
            "responses": answers("application/json", "One result for each batch, in order", {"type": "object"}),
        }
    },
    "/api/pull": {
        "get": {
            "summary": "Records that changed since a cursor, as NDJSON (P6)",
            "operationId": "pull",
            "tags": ["exchange"],
            "parameters": [
                parameter("project", {"type": "string", "pattern": ID}, "Whose records", required=True),
                parameter("cursor", WHOLE, "The last seq received; 0 for a fresh phone"),
                parameter("epoch", WHOLE, "The epoch that the phone last heard"),
                parameter("limit", {**WHOLE, "minimum": 1}, "Records a page"),
            ],
            "responses": answers("application/x-ndjson", "A header line, then one record a line", {"type": "string"}),
        }
    },
    "/api/live": {
        "get": {
            "summary": "Pokes as server-sent events (P7)",
            "operationId": "live",
            "tags": ["exchange"],
            "responses": answers("text/event-stream", "`event: poke` lines without end", {"type": "string"}),
        }
    },
}
