"""What a form asks for, and what an act cannot do without (A1): fields that must have a value first."""

from __future__ import annotations

from collections.abc import Mapping

from server.core import logic
from server.core.declaration import Act, Kind
from server.core.value import Value


def is_asked(kind: Kind, name: str, values: Mapping[str, Value], state: str | None) -> bool:
    """A field is asked for, and required, only while its `when` holds."""
    when = kind.fields[name].when
    return when is None or logic.holds(when, data_of(values, kind, state))


def missing(act: Act, values: Mapping[str, Value], kind: Kind, state: str | None) -> list[str]:
    """The fields that an act needs and that have no value; one that is not asked for is not needed.

    Of photos, files and rows one is enough; an empty text or set is nothing.
    """
    if not act.needs:
        return []
    given = {path.partition(".")[0] for path, value in values.items() if value not in ("", [])}
    return [name for name in act.needs if name not in given and is_asked(kind, name, values, state)]


def data_of(values: Mapping[str, Value], kind: Kind, state: str | None) -> dict[str, Value]:
    """What the declaration's rules see of a record (V4): its declared fields."""
    declared = {path: value for path, value in values.items() if path.partition(".")[0] in kind.fields}
    return logic.data_of(declared, kind.decimals, state)
