"""A reader of JSON Schema, as far as `shared/module.schema.json` goes.

It answers what an editor would say, with the exact path and a reason in plain words. A keyword
that it does not know raises at once, so the schema can never say more than is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

Fault = tuple[str, str]  # path, reason
Schema = Mapping[str, Any] | bool

NOTES: Final = frozenset({"$schema", "$defs", "title", "description", "then", "else"})
TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
compiled: Final = cache(re.compile)


class Reader:
    """One schema. `faults(value)` are in the order in which the schema asks; none means it fits."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema

    def faults(self, value: Any) -> Iterator[Fault]:
        return self._check(self.schema, value, "$")

    def _check(self, schema: Schema, value: Any, at: str) -> Iterator[Fault]:
        if isinstance(schema, bool):
            if not schema:
                yield at, "does not belong here"
            return
        said = str(schema.get("description", ""))
        if said.startswith("Not built"):
            if schema.get("$ref") == "#/$defs/not_built":
                yield at, said
                return
        else:
            said = ""
        for keyword, rule in schema.items():
            if keyword in NOTES:
                continue
            for path, reason in CHECKS[keyword](self, rule, value, at, schema):
                yield path, f"{reason}. {said}" if said and path == at else reason

    def _ref(self, rule: str, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        return self._check(self.schema["$defs"][rule.removeprefix("#/$defs/")], value, at)

    def _type(self, rule: str | list[str], value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        wanted = [rule] if isinstance(rule, str) else rule
        if not any(TYPES[name](value) for name in wanted):
            yield at, f"{_brief(value)} is not of type {' or '.join(wanted)}"

    def _const(self, rule: Any, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        if value != rule or type(value) is not type(rule):
            yield at, f"{_brief(value)} is not {_brief(rule)}"

    def _enum(self, rule: list[Any], value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        if value not in rule:
            yield at, f"{_brief(value)} is not one of {', '.join(map(str, rule))}"

    def _pattern(self, rule: str, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        if isinstance(value, str) and not compiled(rule).search(value):
            yield at, f"{_brief(value)} does not match {rule}"

    def _length(self, rule: int, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        if isinstance(value, str) and (len(value) < least or (most is not None and len(value) > most)):
            yield at, f"{_brief(value)} is not {least} to {most} characters long"

    def _minimum(self, rule: int, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        if TYPES["number"](value) and value < rule:
            yield at, f"{value} is less than {rule}"

    def _maximum(self, rule: int, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        if TYPES["number"](value) and value > rule:
            yield at, f"{value} is more than {rule}"

    def _count(self, rule: int, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        if not isinstance(value, dict | list):
            return
        of = "Properties" if isinstance(value, dict) else "Items"
        least, most = schema.get(f"min{of}", 0), schema.get(f"max{of}")
        if len(value) < least or (most is not None and len(value) > most):
            yield at, f"has {len(value)} entries, not {least} to {'any number' if most is None else most}"

    def _unique(self, rule: bool, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        if isinstance(value, list) and any(value.index(item) != i for i, item in enumerate(value)):
            yield at, "names something twice"

    def _items(self, rule: Schema, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        for i, item in enumerate(value if isinstance(value, list) else []):
            yield from self._check(rule, item, f"{at}[{i}]")

    def _properties(
        self, rule: Mapping[str, Schema], value: Any, at: str, schema: Mapping[str, Any]
    ) -> Iterator[Fault]:
        for name, inner in rule.items() if isinstance(value, dict) else ():
            if name in value:
                yield from self._check(inner, value[name], f"{at}.{name}")

    def _additional(self, rule: Schema, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        known = schema.get("properties", {})
        for name in value if isinstance(value, dict) else ():
            if name not in known:
                if rule is False:
                    yield f"{at}.{name}", f"is not a word that stands here; these do: {', '.join(known)}"
                else:
                    yield from self._check(rule, value[name], f"{at}.{name}")

    def _names(self, rule: Schema, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        for name in value if isinstance(value, dict) else ():
            yield from self._check(rule, name, f"{at}.{name}")

    def _required(self, rule: list[str], value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        for name in rule if isinstance(value, dict) else ():
            if name not in value:
                yield at, f"{name} is missing"

    def _dependent_required(
        self, rule: Mapping[str, list[str]], value: Any, at: str, schema: Mapping[str, Any]
    ) -> Iterator[Fault]:
        for name, needed in rule.items() if isinstance(value, dict) else ():
            if name in value:
                yield from ((at, f"{name} needs {other}") for other in needed if other not in value)

    def _dependent(self, rule: Mapping[str, Schema], value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        for name, inner in rule.items() if isinstance(value, dict) else ():
            if name not in value:
                continue
            for path, _ in self._check(inner, value, at):
                other = path.removeprefix(f"{at}.")
                yield f"{at}.{name}", f"does not go with {other} {_brief(value.get(other))}"

    def _all(self, rule: list[Schema], value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        for inner in rule:
            yield from self._check(inner, value, at)

    def _if(self, rule: Schema, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        fits = next(self._check(rule, value, at), None) is None
        return self._check(schema.get("then" if fits else "else", True), value, at)

    def _not(self, rule: Schema, value: Any, at: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
        if next(self._check(rule, value, at), None) is None:
            yield at, f"{_brief(value)} has a meaning of its own here"


CHECKS: Final[Mapping[str, Callable[[Reader, Any, Any, str, Mapping[str, Any]], Iterator[Fault]]]] = {
    "$ref": Reader._ref, "type": Reader._type, "const": Reader._const, "enum": Reader._enum,
    "pattern": Reader._pattern, "minLength": Reader._length, "maxLength": Reader._length,
    "minimum": Reader._minimum, "maximum": Reader._maximum,
    "minItems": Reader._count, "maxItems": Reader._count, "uniqueItems": Reader._unique, "items": Reader._items,
    "minProperties": Reader._count, "maxProperties": Reader._count,
    "properties": Reader._properties, "additionalProperties": Reader._additional,
    "propertyNames": Reader._names, "required": Reader._required,
    "dependentRequired": Reader._dependent_required, "dependentSchemas": Reader._dependent,
    "allOf": Reader._all, "if": Reader._if, "not": Reader._not,
}  # fmt: skip


def _brief(value: Any) -> str:
    text = repr(value) if not isinstance(value, str) else f'"{value}"'
    return text if len(text) <= 60 else f"{text[:57]}…"
