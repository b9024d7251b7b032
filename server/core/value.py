"""A value: what may stand on the wire and in a record (rules V1–V3).

Null, boolean, text, whole number or an array/object of those; never a float. Two values are
the same exactly when their canonical bytes are, so `True` is not `1`.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Final
from unicodedata import is_normalized

import msgspec

Value = Any  # null | bool | int | str | list[Value] | dict[str, Value]; checked by `check`

INTEGER_MAX: Final = 2**53 - 1
DEPTH_MAX: Final = 8
TEXT_LENGTH_MAX: Final = 20_000  # code points
KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
KEY_LENGTH_MAX: Final = 40
NAMES_REMEMBERED: Final = 4096  # the names of declarations come again and again

_encoder = msgspec.json.Encoder(order="sorted")


def is_key(text: str) -> bool:
    """V2: what may be an object's key or a segment of a path."""
    return len(text) <= KEY_LENGTH_MAX and _matches(text)


@lru_cache(NAMES_REMEMBERED)
def _matches(text: str) -> bool:
    return KEY.fullmatch(text) is not None


class BadValue(ValueError):
    """A value that rule V1 or V2 forbids.

    `reason` is one of malformed, number, text, key, depth, long.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def canonical(value: Value) -> bytes:
    """V3: JSON without spaces, keys in byte order, escaped as JSON.stringify does."""
    return _encoder.encode(value)


def equal(a: Value, b: Value) -> bool:
    """Same canonical bytes; plain scalars of one type are compared directly."""
    if type(a) is type(b) and not isinstance(a, (list, dict)):
        return bool(a == b)
    return canonical(a) == canonical(b)


def check(value: Value, depth: int = 0) -> None:
    """Raise BadValue if V1 or V2 forbids the (already parsed) value."""
    kind = type(value)
    if kind is str:
        if len(value) > TEXT_LENGTH_MAX or not (value.isascii() and value.isprintable()):
            _check_text(value)
    elif kind is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise BadValue("number")
    elif kind is list or kind is dict:
        if depth >= DEPTH_MAX:
            raise BadValue("depth")
        _check_inside(value, depth + 1)
    elif value is not None and kind is not bool:
        raise BadValue("number" if kind is float else "malformed")


def parse(text: bytes | str) -> Value:
    """JSON text → value. `1.0` and `1e3` are refused: a whole number is written as one.

    Of a key that stands twice the last one counts, as JSON.parse has it.
    """
    try:
        source = text.decode() if isinstance(text, bytes) else text
        value = json.loads(source, parse_float=_no_float, parse_constant=_no_constant)
    except BadValue:
        raise
    except (ValueError, RecursionError) as error:
        raise BadValue("malformed") from error
    check(value)
    return value


def _check_text(text: str) -> None:
    if len(text) > TEXT_LENGTH_MAX:
        raise BadValue("long")
    if "\0" in text:
        raise BadValue("text")  # PostgreSQL and spreadsheets cannot hold it
    if text.isascii():
        return
    if any("\ud800" <= letter <= "\udfff" for letter in text) or not is_normalized("NFC", text):
        raise BadValue("text")


def _check_inside(value: list[Value] | dict[str, Value], depth: int) -> None:
    if isinstance(value, list):
        for item in value:
            check(item, depth)
        return
    for key, item in value.items():
        if not is_key(key):
            raise BadValue("key")
        check(item, depth)


def _no_float(token: str) -> Value:
    raise BadValue("number")


def _no_constant(token: str) -> Value:
    raise BadValue("malformed")
