"""How JavaScript compares, counts and joins, for the operators of JsonLogic (rule V4).

The library's own Python operators differ from json-logic-js where a value is missing or of
another type; these answer as ECMAScript does, so that phone and server never disagree.
Each takes the data first, as the library calls them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)")
Number = int | float
nan: Final = math.nan


def number(value: Any) -> Number:
    """ECMAScript's Number(value)."""
    if value is None:
        return 0
    if isinstance(value, (bool, int, float)):
        return value + 0
    if isinstance(value, dict):
        return nan
    text = written(value).strip()
    if not text:
        return 0
    return float(text) if NUMBER.fullmatch(text) else nan


def leading_number(value: Any) -> Number:
    """ECMAScript's parseFloat(value)."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    found = NUMBER.match("null" if value is None else written(value).strip())
    return float(found[0]) if found else nan


def written(value: Any) -> str:
    """ECMAScript's String(value), null as the empty text that join makes of it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ",".join(written(item) for item in value)
    return "[object Object]" if isinstance(value, dict) else str(value)


def same(a: Any, b: Any) -> bool:
    """`===`: two arrays or objects are never the same one."""
    if isinstance(a, (list, dict)) or isinstance(b, (list, dict)):
        return False
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def alike(a: Any, b: Any) -> bool:
    """`==`."""
    if a is None or b is None:
        return a is b
    if isinstance(a, (list, dict)) and isinstance(b, (list, dict)):
        return False
    if isinstance(a, str | list | dict) and isinstance(b, str | list | dict):
        return written(a) == written(b)
    return bool(number(a) == number(b))


def less(a: Any, b: Any) -> bool:
    """`<`, texts by UTF-16 code units."""
    if isinstance(a, str | list | dict) and isinstance(b, str | list | dict):
        return written(a).encode("utf-16-be") < written(b).encode("utf-16-be")
    return bool(number(a) < number(b))


def less_or_alike(a: Any, b: Any) -> bool:
    """`<=`, false beside what is no number."""
    if isinstance(a, str | list | dict) and isinstance(b, str | list | dict):
        return written(a).encode("utf-16-be") <= written(b).encode("utf-16-be")
    return bool(number(a) <= number(b))


def _between(holds: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    def between(_data: Any, a: Any = None, b: Any = None, *rest: Any) -> bool:
        return holds(a, b) and (not rest or holds(b, rest[0]))

    return between


def _sum(_data: Any, *items: Any) -> Number:
    total: Number = 0
    for item in items:
        total += leading_number(item)
    return total


def _product(_data: Any, *items: Any) -> Any:
    if len(items) < 2:
        return items[0] if items else None
    total: Number = 1
    for item in items:
        total *= leading_number(item)
    return total


def _difference(_data: Any, a: Any = None, *rest: Any) -> Number:
    return number(a) - number(rest[0]) if rest else -number(a)


def _quotient(_data: Any, a: Any = None, b: Any = None, *_: Any) -> Number:
    return number(a) / divisor if (divisor := number(b)) else nan


def _remainder(_data: Any, a: Any = None, b: Any = None, *_: Any) -> Number:
    top, divisor = number(a), number(b)
    return math.fmod(top, divisor) if divisor and math.isfinite(top) else nan


def _extreme(pick: Callable[[list[Number]], Number]) -> Callable[..., Number]:
    def extreme(_data: Any, *items: Any) -> Number:
        numbers = [number(item) for item in items]
        return nan if not numbers or any(n != n for n in numbers) else pick(numbers)

    return extreme


def _in(_data: Any, needle: Any = None, hay: Any = None, *_: Any) -> bool:
    if isinstance(hay, str) and hay:
        return ("null" if needle is None else written(needle)) in hay
    return isinstance(hay, list) and any(same(needle, item) for item in hay)


OPERATIONS: Final[dict[str, Callable[..., Any]]] = {
    "==": lambda _, a=None, b=None, *__: alike(a, b),
    "!=": lambda _, a=None, b=None, *__: not alike(a, b),
    "===": lambda _, a=None, b=None, *__: same(a, b),
    "!==": lambda _, a=None, b=None, *__: not same(a, b),
    "<": _between(less),
    "<=": _between(less_or_alike),
    ">": lambda _, a=None, b=None, *__: less(b, a),
    ">=": lambda _, a=None, b=None, *__: less_or_alike(b, a),
    "+": _sum,
    "*": _product,
    "-": _difference,
    "/": _quotient,
    "%": _remainder,
    "min": _extreme(min),
    "max": _extreme(max),
    "in": _in,
    "cat": lambda _, *items: "".join(written(item) for item in items),
}
