"""A declaration against `shared/module.schema.json`: the exact path of what does not fit, and why.

The checking is jsonschema-rs's; here its answer becomes a path and a reason in this house's words.
A keyword that is reserved says so in its description ("Not built: …"), which is then the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

Fault = tuple[str, str]  # path, reason


class Reader:
    """One schema, compiled. `faults(value)`: none means that the value fits."""

    def __init__(self, schema: dict[str, Any]) -> None:
        import jsonschema_rs  # 20 ms, and only a server that starts needs it

        self._schema = schema
        self._validator = jsonschema_rs.validator_for(schema)

    def faults(self, value: Any) -> Iterator[Fault]:
        for error in self._validator.iter_errors(value):
            yield _path([*error.instance_path, *_name(error)]), self._reason(error)

    def _reason(self, error: ValidationError) -> str:
        path = list(error.schema_path)
        said = "does not belong here" if self._at(path) is False else error.message
        if "dependentSchemas" in path:
            said = f"does not go with {path[path.index('dependentSchemas') + 1]}: {said}"
        about = str(self._at(path[:-1]).get("description", ""))
        if not about.startswith("Not built"):
            return said
        return about if path[-1] == "not" else f"{said}. {about}"

    def _at(self, path: Sequence[str | int]) -> Any:
        node: Any = self._schema
        for step in path:
            node = node[step]
        return node


def _name(error: ValidationError) -> list[str]:
    """The name that is wrong itself: it stands in no path, because nothing was looked at below it."""
    kind = type(error.kind).__name__.rpartition("_")[2]
    if kind == "AdditionalProperties":
        return [error.kind.value[0]]
    return [str(error.kind.value.instance)] if kind == "PropertyNames" else []


def _path(parts: Sequence[str | int]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
