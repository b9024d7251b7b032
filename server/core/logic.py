"""JsonLogic: the conditions, checks and computed values of a declaration (rule V4).

The library is panzi-json-logic here and json-logic-js on the phone; where they differ, `script`
answers as JavaScript does. Declarations may use only the operators in OPERATORS: those that both
answer alike over the public table and over our own of missing and odd values. What is no finite
number is null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from json_logic import jsonLogic  # type: ignore[import-untyped]
from json_logic.builtins import BUILTINS  # type: ignore[import-untyped]

from server.core.script import OPERATIONS
from server.core.value import Value

_OPERATIONS: Final = {**BUILTINS, **OPERATIONS}

OPERATORS: Final = frozenset(
    """var missing missing_some if == === != !== ! !! or and > >= < <= max min + - * / %
    map filter reduce all none some merge in cat substr""".split()  # noqa: SIM905
)


OVER_ELEMENTS: Final = frozenset({"map", "filter", "reduce", "all", "none", "some"})


def answer(rule: Any, data: Mapping[str, Any]) -> Any:
    """What a rule answers over nested data (see `data_of`)."""
    found = jsonLogic(rule, data, _OPERATIONS)
    return None if isinstance(found, float) and not math.isfinite(found) else found


def holds(rule: Any, data: Mapping[str, Any]) -> bool:
    """Whether a condition holds; no condition always does."""
    return rule is None or bool(jsonLogic({"!!": [rule]}, data, _OPERATIONS))


def data_of(values: Mapping[str, Value], decimals: Callable[[str], int], state: str | None) -> dict[str, Any]:
    """V4: shown values by path → the nested object that a rule sees, numbers with their scale."""
    data: dict[str, Any] = {"state": state}
    for path, value in values.items():
        if type(value) is int and (places := decimals(path)):
            value = value / 10**places
        *outer, last = path.split(".")
        inner = data
        for segment in outer:
            inner = inner.setdefault(segment, {})
        inner[last] = value
    return data


def unknown_operators(rule: Any) -> Iterator[str]:
    """The operators in a rule that a declaration may not use."""
    if isinstance(rule, list):
        for item in rule:
            yield from unknown_operators(item)
    elif isinstance(rule, dict):
        for operator, arguments in rule.items():
            if operator not in OPERATORS:
                yield operator
            yield from unknown_operators(arguments)


def names(rule: Any) -> set[str]:
    """The fields that a rule reads; what it reads inside an array's elements is their own."""
    if isinstance(rule, list):
        return set().union(*map(names, rule))
    if not isinstance(rule, dict):
        return set()
    found: set[str] = set()
    for operator, given in rule.items():
        arguments = given if isinstance(given, list) else [given]
        if operator in ("var", "missing"):
            paths = arguments[:1] if operator == "var" else arguments
            found |= {path.partition(".")[0] for path in paths if isinstance(path, str) and path}
        found |= names(arguments[:1] if operator in OVER_ELEMENTS else arguments)
    return found
