"""A field of a record as its declaration has it, and whether a value fits it.

`Field.reason(value)` is None if it does, else one word that both languages share:
type, required, max, min, pattern, option, date, place, path. Limits of numbers are in stored
units (fen, minutes, scaled whole numbers); lengths of text are in code points (V1, V2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from server.core.value import INTEGER_MAX, Value, is_key

Label = dict[Literal["zh", "en"], str]
Logic = Any  # a JsonLogic rule: JSON
Merge = Literal["keep", "last", "once", "set"]
Type = Literal[
    "text", "long_text", "number", "money", "bool", "choice", "multi_choice", "date", "instant",
    "minutes", "place", "ref", "person", "photos", "files", "signature", "rows", "pin",
]  # fmt: skip

ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
SHA: Final = re.compile(r"[0-9a-f]{64}")
DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
TEXT_MAX: Final = {"text": 500, "long_text": 5000}
KEYED_MAX: Final = {"photos": 30, "files": 30, "rows": 200}
PLACE_WORDS_MAX: Final = 100
NOTE_MAX: Final = 2000
STROKES_MAX: Final = 500
STROKE_NUMBERS_MAX: Final = 4000
INSTANT_MAX: Final = 253_402_300_799_999  # the end of year 9999, ms
PART_MAX: Final = 1_000_000  # millionths of a page's or a photo's width and height
MARKS: Final = "marks"  # what is drawn on a record's photos, at `marks.<key of the photo>` (P10)
SHAPES_MAX: Final = 60
SHAPE_NUMBERS: Final = {"arrow": 4, "circle": 4, "rect": 4, "text": 2}  # exactly; free as many as it needs
FREE_NUMBERS: Final = (4, 2000)
SHAPE_WORDS_MAX: Final = 100
SHAPE_COLOURS: Final = ("red", "yellow", "blue", "white", "black")
SOURCES: Final = ("camera", "picked")


class Option(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    zh: str
    en: str
    tone: str | None = None


class Field(msgspec.Struct, forbid_unknown_fields=True, dict=True):
    """One declared field. `scale` 2 means that 1234 is shown as 12.34."""

    type: Type
    label: Label
    required: bool = False
    merge: Merge | None = None
    max: int | None = None
    min: int | None = None
    pattern: str | None = None
    scale: int = 0
    unit: Label | None = None
    options: dict[str, Option] | None = None
    when: Logic = None
    default: Value = None
    computed: Logic = None
    kind: str | None = None
    fields: dict[str, Field] | None = None
    automatic: bool = False

    @cached_property
    def rule(self) -> Merge:
        """How writes of it merge (M3–M6)."""
        return self.merge or ("set" if self.type == "multi_choice" else "keep")

    @cached_property
    def decimals(self) -> int:
        """The power of ten between the stored and the shown number (V4)."""
        return 2 if self.type == "money" else self.scale

    @cached_property
    def regex(self) -> re.Pattern[str] | None:
        return re.compile(self.pattern) if self.pattern else None

    @cached_property
    def reason(self) -> Callable[[Value], str | None]:
        """Why a value (null erases, and is refused only where required) does not fit, or None."""
        fits = REASONS[self.type]

        def judge(value: Value) -> str | None:
            if value is None:
                return "required" if self.required else None
            return fits(self, value)

        return judge


def _text(field: Field, value: Value) -> str | None:
    if type(value) is not str:
        return "type"
    most = field.max if field.max is not None else TEXT_MAX[field.type]
    if len(value) > most:
        return "max"
    if field.min is not None and len(value) < field.min:
        return "min"
    if field.required and not value:
        return "required"
    if field.regex is not None and not field.regex.fullmatch(value):
        return "pattern"
    return None


def _number(field: Field, value: Value) -> str | None:
    if type(value) is not int:
        return "type"
    if value > (INTEGER_MAX if field.max is None else field.max):
        return "max"
    if value < (-INTEGER_MAX if field.min is None else field.min):
        return "min"
    return None


def _bool(field: Field, value: Value) -> str | None:
    return None if type(value) is bool else "type"


def _choice(field: Field, value: Value) -> str | None:
    if type(value) is not str:
        return "type"
    return None if value in (field.options or {}) else "option"


def _multi_choice(field: Field, value: Value) -> str | None:
    """The whole array; one element of an add or rem is judged by `element_reason`."""
    if type(value) is not list:
        return "type"
    if len(value) != len({item for item in value if type(item) is str}):
        return "type"
    return next((r for item in value if (r := _element(field, item))), None)


def _element(field: Field, value: Value) -> str | None:
    """One option, or where there are none an id."""
    return _choice(field, value) if field.options else _id(field, value)


def _date(field: Field, value: Value) -> str | None:
    if type(value) is not str:
        return "type"
    if not DATE.fullmatch(value):
        return "date"
    try:
        date.fromisoformat(value)
    except ValueError:
        return "date"
    return None


def _instant(field: Field, value: Value) -> str | None:
    if type(value) is not int:
        return "type"
    if value > (INSTANT_MAX if field.max is None else field.max):
        return "max"
    return "min" if value < (0 if field.min is None else field.min) else None


def _id(field: Field, value: Value) -> str | None:
    return None if type(value) is str and ID.fullmatch(value) else "type"


def _place(field: Field, value: Value) -> str | None:
    """Words or a code, or {lat, lng} in 1e-7 degrees with accuracy_m, fix_age_s, code."""
    if type(value) is str:
        return None if len(value) <= PLACE_WORDS_MAX else "max"
    reason = _shape(value, PLACE)
    if reason:
        return reason
    if value["lat"] == 0 and value["lng"] == 0:
        return "place"  # a missing fix is null, never 0,0
    return _range(value, "lat", 900_000_000) or _range(value, "lng", 1_800_000_000)


def _range(value: dict[str, Value], key: str, most: int) -> str | None:
    return None if -most <= value[key] <= most else "max"


def _pin(field: Field, value: Value) -> str | None:
    """{plan, page, x, y}: a page of a drawing's record, and where on it in millionths."""
    if reason := _shape(value, PIN):
        return reason
    if not ID.fullmatch(value["plan"]):
        return "type"
    return "min" if value["page"] < 1 else _part(value["x"]) or _part(value["y"])


def _part(number: int) -> str | None:
    if number < 0:
        return "min"
    return "max" if number > PART_MAX else None


def _photo(field: Field, value: Value) -> str | None:
    return (
        _shape(value, PHOTO)
        or _sha(value, "original")
        or _sha(value, "thumb")
        or _photo_place(value)
        or _photo_about(value)
    )


def _photo_about(value: dict[str, Value]) -> str | None:
    """What a photo says of itself: the answer and the photo that it goes with, its size, where from."""
    if any(name in value and not is_key(value[name]) for name in ("item", "pair")):
        return "type"
    if value.get("bytes", 0) < 0:
        return "min"
    return "option" if value.get("source", SOURCES[0]) not in SOURCES else None


def _marks(field: Field, value: Value) -> str | None:
    """What is drawn on one photo: {"shapes": […]}, at least one."""
    if reason := _shape(value, DRAWN):
        return reason
    shapes = value["shapes"]
    if not shapes or len(shapes) > SHAPES_MAX:
        return "max" if shapes else "required"
    return next((r for shape in shapes if (r := _mark(shape))), None)


def _mark(value: Value) -> str | None:
    """One shape: its points as x,y,x,y…; words go with text, and text has some."""
    if reason := _shape(value, SHAPE):
        return reason
    sort, points, words = value["t"], value["p"], value.get("s")
    if value["c"] not in SHAPE_COLOURS or (sort != "free" and sort not in SHAPE_NUMBERS):
        return "option"
    if any(type(n) is not int for n in points) or len(points) % 2 or (words is not None and sort != "text"):
        return "type"
    if sort == "text" and not words:
        return "required"
    if words is not None and len(words) > SHAPE_WORDS_MAX:
        return "max"
    fewest, most = (SHAPE_NUMBERS[sort],) * 2 if sort in SHAPE_NUMBERS else FREE_NUMBERS
    if not fewest <= len(points) <= most:
        return "min" if len(points) < fewest else "max"
    return next((r for n in points if (r := _part(n))), None)


def _photo_place(value: dict[str, Value]) -> str | None:
    return _place(Field(type="place", label={}), value["place"]) if "place" in value else None


def _file(field: Field, value: Value) -> str | None:
    return _shape(value, FILE)


def _sha(value: dict[str, Value], key: str) -> str | None:
    return None if key not in value or SHA.fullmatch(value[key]) else "type"


def _signature(field: Field, value: Value) -> str | None:
    reason = _shape(value, SIGNATURE)
    if reason:
        return reason
    strokes = value["strokes"]
    if not strokes or len(strokes) > STROKES_MAX:
        return "max" if strokes else "required"
    return next((r for stroke in strokes if (r := _stroke(stroke))), None)


def _stroke(stroke: Value) -> str | None:
    if type(stroke) is not list or len(stroke) % 2 or any(type(n) is not int for n in stroke):
        return "type"
    return "max" if len(stroke) > STROKE_NUMBERS_MAX else None


def _whole(field: Field, value: Value) -> str | None:
    """photos, files and rows are written by key; the field itself takes no value."""
    return "type"


def _shape(value: Value, shape: Mapping[str, tuple[type, bool]]) -> str | None:
    if type(value) is not dict:
        return "type"
    for key, (kind, needed) in shape.items():
        if key not in value:
            if needed:
                return "required"
        elif kind is not object and type(value[key]) is not kind:
            return "type"
        elif kind is str and len(value[key]) > NOTE_MAX:
            return "max"
    return "type" if value.keys() - shape.keys() else None


PLACE: Final = {
    "lat": (int, True), "lng": (int, True), "accuracy_m": (int, False),
    "fix_age_s": (int, False), "code": (str, False),
}  # fmt: skip
PHOTO: Final = {
    "sha": (str, True), "at": (int, True), "w": (int, True), "h": (int, True),
    "place": (object, False), "original": (str, False), "note": (str, False),
    "item": (str, False), "pair": (str, False), "source": (str, False), "thumb": (str, False),
    "bytes": (int, False), "skew_ms": (int, False),
}  # fmt: skip
FILE: Final = {
    "sha": (str, True), "name": (str, True), "bytes": (int, True), "type": (str, True),
}  # fmt: skip
PIN: Final = {
    "plan": (str, True), "page": (int, True), "x": (int, True), "y": (int, True),
}  # fmt: skip
DRAWN: Final = {"shapes": (list, True)}
SHAPE: Final = {"t": (str, True), "c": (str, True), "p": (list, True), "s": (str, False)}
SIGNATURE: Final = {
    "w": (int, True), "h": (int, True), "strokes": (list, True), "at": (int, True),
    "by": (str, False),
}  # fmt: skip

REASONS: Final[dict[str, Callable[[Field, Value], str | None]]] = {
    "text": _text, "long_text": _text, "number": _number, "money": _number, "minutes": _number,
    "bool": _bool, "choice": _choice, "multi_choice": _multi_choice, "date": _date,
    "instant": _instant, "place": _place, "ref": _id, "person": _id,
    "photos": _whole, "files": _whole, "rows": _whole, "signature": _signature, "pin": _pin,
}  # fmt: skip


def element_reason(field: Field, value: Value) -> str | None:
    """Why a value cannot be one element of a set (M5), or None."""
    if field.type == "multi_choice":
        return _element(field, value)
    return _text(field, value) if field.type == "text" else "type"


def keyed_reason(field: Field, segments: list[str], value: Value) -> str | None:
    """Why a value cannot stand at `field.key` (photos, files) or `field.key.sub` (rows)."""
    if not all(is_key(segment) for segment in segments):
        return "path"
    if field.type == "rows":
        sub = (field.fields or {}).get(segments[-1]) if len(segments) == 3 else None
        return sub.reason(value) if sub else "path"
    if len(segments) != 2 or field.type not in ("photos", "files"):
        return "path"
    if value is None:
        return None
    if segments[0] == MARKS:
        return _marks(field, value)
    reason = _photo(field, value) if field.type == "photos" else _file(field, value)
    return reason or _sha(value, "sha")


# The field that `marks` is in every kind that has photos: undeclared, kept as others are.
DRAWING: Final = Field(type="photos", label={"zh": "照片标注", "en": "Drawn on photos"})
