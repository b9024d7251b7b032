"""The usual new record: fields that are declared, values that surely fit, judged in one go.

Most of what a site sends is so. `fits` is true only where `Field.reason` finds nothing wrong with
any value and nothing required is missing; of whatever else there is, the field says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from server.core.field import ID, INSTANT_MAX, NOTE_MAX, PLACE_WORDS_MAX, TEXT_MAX, Field
from server.core.value import INTEGER_MAX, NAMES_REMEMBERED, Value

DATE_LENGTH: Final = 10
ID_LENGTH_MAX: Final = 64
Shape = Any  # what msgspec calls a type
Fits = Callable[[Mapping[str, Value]], bool]


def _between(field: Field, least: int, most: int) -> Shape:
    """`least` and `most` are for a field that names no limits."""
    least = least if field.min is None else field.min
    most = most if field.max is None else field.max
    return Annotated[int, Meta(ge=least, le=most)]


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """A position, as `field.PLACE` has it."""

    lat: Annotated[int, Meta(ge=-900_000_000, le=900_000_000)]
    lng: Annotated[int, Meta(ge=-1_800_000_000, le=1_800_000_000)]
    accuracy_m: int = 0
    fix_age_s: int = 0
    code: Annotated[str, Meta(max_length=NOTE_MAX)] = ""


PLACE: Final[Shape] = Place | Annotated[str, Meta(max_length=PLACE_WORDS_MAX)]


def fits_of(fields: Mapping[str, Field]) -> Fits:
    """The judge of new records of a kind with these fields."""
    shapes = {name: shape for name, field in fields.items() if (shape := _shape(field)) is not None}
    if any(field.required and name not in shapes for name, field in fields.items()):
        return lambda values: False  # what it needs cannot be judged here
    whole = _whole({name: (shape, fields[name].required) for name, shape in shapes.items()})
    ids = [name for name in shapes if fields[name].type in ("ref", "person")]
    dates = [name for name in shapes if fields[name].type == "date"]
    places = [name for name in shapes if fields[name].type == "place"]

    def fits(values: Mapping[str, Value]) -> bool:
        try:
            msgspec.convert(values, whole)
        except msgspec.ValidationError:
            return False
        for name in ids:
            if name in values and not _is_id(values[name]):
                return False
        for name in dates:
            if name in values and not _is_day(values[name]):
                return False
        for name in places:  # noqa: SIM110  a loop costs a third of a generator
            if name in values and _is_nowhere(values[name]):
                return False
        return True

    return fits


def _shape(field: Field) -> Shape | None:
    """What values of a field look like; None for what is not judged here."""
    if field.computed is not None or field.pattern is not None or field.rule == "set":
        return None
    match field.type:
        case "text" | "long_text":
            most = field.max if field.max is not None else TEXT_MAX[field.type]
            return Annotated[str, Meta(min_length=max(field.min or 0, int(field.required)), max_length=most)]
        case "number" | "money" | "minutes":
            return _between(field, -INTEGER_MAX, INTEGER_MAX)
        case "instant":
            return _between(field, 0, INSTANT_MAX)
        case "choice":
            return Literal[tuple(field.options or {})] if field.options else None
        case "bool":
            return bool
        case "ref" | "person":
            return Annotated[str, Meta(max_length=ID_LENGTH_MAX)]
        case "date":
            return Annotated[str, Meta(min_length=DATE_LENGTH, max_length=DATE_LENGTH)]
        case "place":
            return PLACE
    return None


def _whole(shapes: Mapping[str, tuple[Shape, bool]]) -> type[msgspec.Struct]:
    """A struct of the fields under names that Python takes."""
    names = {f"f{i}": name for i, name in enumerate(shapes)}
    fields: list[Any] = [
        (short, shapes[name][0]) if shapes[name][1] else (short, shapes[name][0] | UnsetType, UNSET)
        for short, name in names.items()
    ]
    return msgspec.defstruct("Usual", fields, rename=names, forbid_unknown_fields=True, kw_only=True)


@lru_cache(NAMES_REMEMBERED)
def _is_id(text: str) -> bool:
    return ID.fullmatch(text) is not None


@lru_cache(NAMES_REMEMBERED)
def _is_day(text: str) -> bool:
    return Field(type="date", label={}).reason(text) is None


def _is_nowhere(place: Value) -> bool:
    return type(place) is dict and place["lat"] == 0 and place["lng"] == 0
