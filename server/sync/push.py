"""Push: signed batches come in, one answer for each goes out, after the commit (P1–P5).

A request is refused as a whole, and uses no number, when nothing proves who sent it or its
parts cannot be told apart. A batch with a readable number is always answered by that number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from server.core.batch import Malformed, Refused, envelope, opened
from server.core.person import SERVER
from server.core.problem import Problem
from server.core.usual import Usual
from server.store.access import Access, Session
from server.store.round import Answer, Item, Push
from server.sync.signature import is_signed

PROTO: Final = 1
BODY_BYTES_MAX: Final = 4 * 1024 * 1024
BATCHES_MAX: Final = 100
SENT_MAX: Final = 253_402_300_799_999  # the end of the year 9999

Messages = Callable[[str, str], str]  # code, language → what a person reads


class Signed(msgspec.Struct):
    payload: str
    sig: str


class Request(msgspec.Struct):
    """P5, as it comes."""

    proto: int
    device: str
    sent: int
    batches: list[Signed]


class Response(msgspec.Struct):
    now: int
    results: list[Answer]


_decoder: Final = msgspec.json.Decoder(Request)
_encoder: Final = msgspec.json.Encoder()


def read_request(body: bytes, session: Session) -> Request:
    """The request, if this session may send it at all. Raises Problem."""
    if len(body) > BODY_BYTES_MAX:
        raise Problem("too_large", limit=BODY_BYTES_MAX)
    try:
        request = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Problem("malformed") from error
    if request.proto != PROTO:
        raise Problem("client_too_old" if request.proto < PROTO else "malformed")
    if request.device != session.device or session.device == SERVER:
        raise Problem("forbidden")
    if not 0 <= request.sent <= SENT_MAX:
        raise Problem("malformed")
    if len(request.batches) > BATCHES_MAX:
        raise Problem("too_large", limit=BATCHES_MAX)
    return request


async def to_push(request: Request, session: Session, access: Access, usual: Usual, received: int) -> Push:
    """Every signature and number checked, every payload read. Raises Problem."""
    items = [await _item(signed, session, access, usual) for signed in request.batches]
    return Push(session.device, session.person, received, request.sent, items)


async def _item(signed: Signed, session: Session, access: Access, usual: Usual) -> Item:
    try:
        payload = signed.payload.encode()
    except UnicodeEncodeError as error:  # a lone surrogate
        raise Problem("malformed") from error
    if not is_signed(payload, signed.sig, session.key):
        raise Problem("bad_signature")
    try:
        head = envelope(signed.payload)
    except Malformed as error:
        raise Problem("malformed") from error
    try:
        read: Any = opened(head, len(payload), is_usual=usual.are(head.ops, signed.payload))
    except Refused as refused:
        read = refused
    actor = await access.actor(head.project, session.person, session.device)
    return Item(head.n, head.project, signed.payload, signed.sig, read, actor)


def to_response(answers: Sequence[Answer], now: int, language: str, message: Messages) -> bytes:
    """The answers as they go over the wire, refusals with words a person can read."""
    results = [
        {**answer, "message": message(answer["code"], language)} if "code" in answer else answer for answer in answers
    ]
    return _encoder.encode(Response(now, results))
