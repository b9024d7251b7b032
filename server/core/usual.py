"""The usual batch: new records of one kind, with declared fields and values that surely fit, judged in one go.

Most of what a site sends is so. `are` is true only where `opened` finds nothing wrong with the shape of
any op, `Field.reason` nothing with any value, and nothing required is missing; where it is not, they say what is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import GenericAlias
from typing import Annotated, Any, Final, Literal
from unicodedata import is_normalized

import msgspec
from msgspec import UNSET, Meta, UnsetType

from server.core.batch import are_uuids
from server.core.field import ID, INSTANT_MAX, NOTE_MAX, PLACE_WORDS_MAX, TEXT_MAX, Field
from server.core.value import INTEGER_MAX, NAMES_REMEMBERED, Value

DATE_LENGTH: Final = 10
ID_LENGTH_MAX: Final = 64
Shape = Any  # what msgspec calls a type
Fields = Mapping[str, Field]
Judge = Callable[[list[Any]], bool]  # of a field's values, whose shape is right


class Usual:
    """The judge of batches: kind (`module.kind`) → its fields."""

    def __init__(self, kinds: Mapping[str, Fields]) -> None:
        wholes = {c: whole for c, fields in kinds.items() if (whole := _whole(fields)) is not None}
        self._kinds = {c: (_ops(c, whole), _judges(kinds[c])) for c, whole in wholes.items()}

    def are(self, ops: Value, payload: str) -> bool:
        """Whether ops, of which the payload's text speaks, are usual."""
        try:
            shape, judges = self._kinds[ops[0]["c"]]
            msgspec.convert(ops, shape)
        except (msgspec.ValidationError, LookupError, TypeError):
            return False
        sets = [op["set"] for op in ops]
        return (
            _is_plain(payload)
            and are_uuids([op["r"] for op in ops])
            and all(judge([values[name] for values in sets if name in values]) for name, judge in judges)
        )


def _is_plain(payload: str) -> bool:
    """V2 for all texts at once: whatever is not escaped is in NFC if the whole is, since a
    quotation mark composes with nothing."""
    is_escaped = "\\" in payload and "\\u" in payload  # one letter is found much sooner than two are
    return not is_escaped and (payload.isascii() or is_normalized("NFC", payload))


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """A position, as `field.PLACE` has it."""

    lat: Annotated[int, Meta(ge=-900_000_000, le=900_000_000)]
    lng: Annotated[int, Meta(ge=-1_800_000_000, le=1_800_000_000)]
    accuracy_m: int = 0
    fix_age_s: int = 0
    code: Annotated[str, Meta(max_length=NOTE_MAX)] = ""


PLACE: Final[Shape] = Place | Annotated[str, Meta(max_length=PLACE_WORDS_MAX)]


def _ops(c: str, whole: Shape) -> Shape:
    """A list of ops that make records of a kind."""
    op = msgspec.defstruct(
        "New", [("k", Literal["new"]), ("r", str), ("set", whole)], tag_field="c", tag=c, forbid_unknown_fields=True
    )
    return GenericAlias(list, (op,))


def _whole(fields: Fields) -> Shape | None:
    """What the values of a new record look like; None where something required is not judged here."""
    shapes = {name: shape for name, field in fields.items() if (shape := _shape(field)) is not None}
    if any(field.required and name not in shapes for name, field in fields.items()):
        return None
    names = {f"f{i}": name for i, name in enumerate(shapes)}  # those that Python takes
    told: list[Any] = [
        (short, shapes[name]) if fields[name].required else (short, shapes[name] | UnsetType, UNSET)
        for short, name in names.items()
    ]
    return msgspec.defstruct("Usual", told, rename=names, forbid_unknown_fields=True, kw_only=True)


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


def _between(field: Field, least: int, most: int) -> Shape:
    """`least` and `most` are for a field that names no limits."""
    least = least if field.min is None else field.min
    most = most if field.max is None else field.max
    return Annotated[int, Meta(ge=least, le=most)]


@lru_cache(NAMES_REMEMBERED)
def _is_id(text: str) -> bool:
    return ID.fullmatch(text) is not None


@lru_cache(NAMES_REMEMBERED)
def _is_day(text: str) -> bool:
    return Field(type="date", label={}).reason(text) is None


def _are_ids(texts: list[Any]) -> bool:
    return all(map(_is_id, set(texts)))


def _are_days(texts: list[Any]) -> bool:
    return all(map(_is_day, set(texts)))


def _are_somewhere(places: list[Any]) -> bool:
    return NOWHERE not in [(place["lat"], place["lng"]) for place in places if type(place) is dict]


NOWHERE: Final = (0, 0)
JUDGES: Final[Mapping[str, Judge]] = {"ref": _are_ids, "person": _are_ids, "date": _are_days, "place": _are_somewhere}


def _judges(fields: Fields) -> list[tuple[str, Judge]]:
    """What a shape does not say of a value."""
    return [(name, JUDGES[field.type]) for name, field in fields.items() if field.type in JUDGES]
