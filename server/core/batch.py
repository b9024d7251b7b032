"""A batch: ops that succeed or fail together, as a device signed them (P2, P5).

`read` takes the exact payload text. What cannot even be answered by number is Malformed; what
has a number but is wrong inside is a Refused, which uses the number up (P3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from server.core.value import (
    INTEGER_MAX,
    KEY_LENGTH_MAX,
    NAMES_REMEMBERED,
    BadValue,
    Value,
    canonical,
    check,
    is_key,
)

OPS_MAX: Final = 500
PAYLOAD_BYTES_MAX: Final = 256 * 1024
PATH_SEGMENTS_MAX: Final = 3
PATH_LENGTH_MAX: Final = PATH_SEGMENTS_MAX * (KEY_LENGTH_MAX + 1)
RECORD_PARTS_MAX: Final = 10_000  # live writes and held ops of a record: 500 rows of 20 fields
NOTE_LENGTH_MAX: Final = 2000
is_id: Final = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
INSTANT_MAX: Final = 253_402_300_799_999

Op = dict[str, Any]
Shape = dict[str, tuple[type, bool]]  # key → (type, needed)

HEAD: Final = (
    ("n", 1, INTEGER_MAX), ("base", 0, INTEGER_MAX), ("t", 0, INSTANT_MAX), ("v", 0, INTEGER_MAX),
)  # fmt: skip
OPS: Final[dict[str, Shape]] = {
    "new": {"set": (dict, True)},
    "put": {"set": (dict, True)},
    "set": {"f": (str, True), "v": (object, True)},
    "add": {"f": (str, True), "v": (object, True)},
    "rem": {"f": (str, True), "v": (object, True)},
    "act": {"act": (str, True), "ver": (str, False), "note": (str, False)},
    "amend": {"of": (list, True), "ver": (str, True)},
    "decline": {"of": (list, True), "note": (str, False)},
    "del": {},
}


class Malformed(ValueError):
    """A payload without a readable number or project: 400, uses no number."""


class Refused(Exception):
    """A batch that is not admitted; its number is used up and its text kept (P3).

    `code` is one of forbidden, invalid, sealed, stale_approval, bad_transition, unknown_record;
    `op` the index of the op at fault; `field` and `reason` say what is wrong with it.
    """

    def __init__(self, code: str, op: int = 0, field: str | None = None, reason: str | None = None) -> None:
        super().__init__(code, op, field, reason)
        self.code, self.op, self.field, self.reason = code, op, field, reason


class Batch(msgspec.Struct, omit_defaults=True):
    """`base` is the head that the author had in hand, `t` the device's time of the edit (ms).

    `is_usual`, no part of what was signed: its ops are known to be new records that fit (`usual`).
    """

    n: int
    project: str
    base: int
    t: int
    v: int
    ops: list[Op]
    is_usual: bool = False


class Envelope(msgspec.Struct):
    n: int
    project: str
    base: Any = None
    t: Any = None
    v: Any = None
    ops: Any = None


_decoder: Final = msgspec.json.Decoder(Envelope)


def envelope(payload: str | bytes) -> Envelope:
    """The number and the project of a payload, the rest unread. Raises Malformed."""
    try:
        head = _decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Malformed(str(error)) from error
    if not 1 <= head.n <= INTEGER_MAX or not is_id(head.project):
        raise Malformed("n or project")
    return head


def read(payload: str | bytes) -> Batch:
    """The whole batch, its ops of known shape and their values within V1 and V2.

    Raises Malformed or Refused("invalid").
    """
    whole = payload if isinstance(payload, bytes) else payload.encode()
    return opened(envelope(payload), len(whole))


def opened(head: Envelope, payload_bytes: int, *, is_usual: bool = False) -> Batch:
    """`read` for a payload whose envelope is at hand; usual ops are not looked at again."""
    if payload_bytes > PAYLOAD_BYTES_MAX:
        raise Refused("invalid", reason="too_large")
    for name, least, most in HEAD:
        number = getattr(head, name)
        if type(number) is not int or not least <= number <= most:
            raise Refused("invalid", field=name, reason="malformed")
    if type(head.ops) is not list or not head.ops:
        raise Refused("invalid", field="ops", reason="malformed")
    if len(head.ops) > OPS_MAX:
        raise Refused("invalid", reason="too_large")
    for i, op in enumerate(() if is_usual else head.ops):
        fault = _fault(op)
        if fault is not None:
            raise Refused("invalid", i, fault[0], fault[1])
    return Batch(head.n, head.project, head.base, head.t, head.v, head.ops, is_usual)


def effective_time(t: int, sent: int, received: int) -> int:
    """M7: when an edit was made by the server's clock, never later than it came (ms)."""
    return min(t + received - sent, received)


def is_uuid(text: str) -> bool:
    """Lower-case UUID text, the only form of a record's id."""
    return are_uuids([text])


def are_uuids(texts: Sequence[str]) -> bool:
    """The same for a batch of them, looked at as one text."""
    count, whole = len(texts), "\n".join(texts)
    return (
        set(map(len, texts)) <= {36}
        and all(whole[at::37] == "-" * count for at in (8, 13, 18, 23))
        and whole.isascii()
        and whole.encode().translate(None, HEX) == b"\n".join([b"----"] * count)
    )


HEX: Final = b"0123456789abcdef"

Fault = tuple[str | None, str]  # field, reason


def _fault(op: Value) -> Fault | None:
    if type(op) is not dict:
        return None, "malformed"
    shape = OPS.get(op.get("k", "")) if type(op.get("k")) is str else None
    if shape is None:
        return "k", "malformed"
    c, r = op.get("c"), op.get("r")
    if type(c) is not str or not _is_kind_name(c):
        return "c", "malformed"
    if type(r) is not str or not is_uuid(r):
        return "r", "malformed"
    known = 3
    for key, (kind, needed) in shape.items():
        if key in op:
            known += 1
            if kind is not object and type(op[key]) is not kind:
                return key, "malformed"
        elif needed:
            return key, "malformed"
    return _inside_fault(op) if len(op) == known else (None, "malformed")


def _inside_fault(op: Op) -> Fault | None:
    k = op["k"]
    try:
        if k == "new" or k == "put":
            return _set_fault(op["set"])
        if k in ("set", "add", "rem"):
            if not is_path(op["f"]):
                return op["f"][:120], "path"
            check(op["v"])
            return None
    except BadValue as bad:
        return op.get("f"), bad.reason
    return _act_fault(op)


def _set_fault(values: dict[str, Value]) -> Fault | None:
    if len(values) > RECORD_PARTS_MAX:
        return "set", "too_large"
    for path, value in values.items():
        if not is_path(path):
            return path[:120], "path"
        try:
            check(value)
        except BadValue as bad:
            return path, bad.reason
    return None


def _act_fault(op: Op) -> Fault | None:
    try:
        check({k: v for k, v in op.items() if k in ("act", "note", "ver", "of")})
    except BadValue as bad:
        return None, bad.reason
    if len(op.get("note") or "") > NOTE_LENGTH_MAX:
        return "note", "max"
    of = op.get("of")
    if of is not None and (len(of) != 2 or any(type(x) is not int for x in of)):
        return "of", "malformed"
    return None


def is_path(path: str) -> bool:
    """A field's place in a record: at most three segments (V2)."""
    return len(path) <= PATH_LENGTH_MAX and _is_path(path)


@lru_cache(NAMES_REMEMBERED)
def _is_path(path: str) -> bool:
    segments = path.split(".")
    return len(segments) <= PATH_SEGMENTS_MAX and all(is_key(segment) for segment in segments)


@lru_cache(NAMES_REMEMBERED)
def _is_two_names(path: str) -> bool:
    return path.count(".") == 1 and _is_path(path)


def _is_kind_name(c: str) -> bool:
    return len(c) <= PATH_LENGTH_MAX and _is_two_names(c)


def payload_of(batch: Batch) -> str:
    """A payload text for the server's own batches."""
    return canonical(msgspec.to_builtins(batch)).decode()


def gap(last_n: int, numbers: Iterable[int]) -> int | None:
    """P1: the number expected where a device's batches leave one out, else None.

    Numbers up to `last_n` are answered again; those after it follow one by one.
    """
    expected = last_n + 1
    for n in numbers:
        if n > expected:
            return expected
        expected += n == expected
    return None
