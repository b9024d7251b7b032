"""The short ways of judging say nothing that the long ones would not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core import batch
from server.core.batch import Batch, Malformed, Refused
from server.core.declaration import load
from server.core.field import Field
from server.core.usual import fits_of

DECLARATIONS = load(Path(__file__).resolve().parents[3] / "shared" / "modules")
PLACE = {"lat": 312_304_000, "lng": 1_214_737_000, "accuracy_m": 4, "fix_age_s": 3}
CHECKIN: dict[str, Any] = {
    "worker": "w1", "direction": "in", "at": 1_728_000_000_000, "work_date": "2024-10-04", "place": PLACE,
    "fence": "inside", "method": "own", "team": "crew",
}  # fmt: skip
R = "0198c0de-0000-7000-8000-000000000001"

ODD: list[Any] = [
     None, True, False, 0, -1, 1, 2**53 - 1, 2**53, -(2**53), 1.0, 1.5, "", "in", "a" * 64, "a" * 65, "x\n", "a b",
     "2024-02-29", "2024-02-30", "2024-2-3", "20240203", "2024-W01-1", "٢٠٢٤-٠١-٠١", "0000-01-01", "é", "e\u0301",
     "\u0000", "word" * 30, "w" * 501, "w" * 5001, "w" * 20_001, [], ["in"], [[]], {}, PLACE, {"lat": 0, "lng": 0},
     {"lat": True, "lng": 1}, {"lat": 1, "lng": 1_800_000_001}, {"lat": 1}, {**PLACE, "code": "c" * 2001},
     {**PLACE, "more": 1}, {"a": {"b": 1}}, {"A": 1}, {"lat": 1, "lng": 2, "code": None}]  # fmt: skip
odd: st.SearchStrategy[Any] = st.sampled_from(ODD)
FIELDS = [(kind, name) for kind in DECLARATIONS.kinds.values() for name in kind.fields]


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else 1


def slowly(payload: str) -> Any:
    """The same as `read`, by the long way."""
    try:
        head = batch._decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeError):
        return "malformed"
    if not 1 <= head.n <= 2**53 - 1 or not batch.is_id(head.project):
        return "malformed"
    return told(lambda: batch.opened(head, len(payload.encode())))


def shortly(payload: str) -> Any:
    return told(lambda: batch.read(payload))


def told(work: Any) -> Any:
    try:
        found: Batch = work()
    except Malformed:
        return "malformed"
    except Refused as refused:
        return refused.code, refused.op, refused.field, refused.reason
    return msgspec.to_builtins(found)


def test_what_usually_fits_has_nothing_wrong_with_any_field() -> None:
    for kind, name in FIELDS:
        fits = fits_of({name: kind.fields[name]})
        for value in ODD:
            assert not fits({name: value}) or (value is not None and kind.reason(name, value) is None), (name, value)


@pytest.mark.parametrize("path", ["note", "at", "place", "photos.a"])
def test_one_odd_value_is_read_alike_the_short_way_and_the_long_way(path: str) -> None:
    for value in ODD:
        payload = payload_of({"k": "new", "c": "labour.checkin", "r": R, "set": {**CHECKIN, path: value}})
        assert shortly(payload) == slowly(payload), value


@pytest.mark.parametrize("name", ["n", "base", "t", "v", "project", "ops"])
def test_one_odd_number_of_a_batch_is_read_alike(name: str) -> None:
    for value in [*ODD, 253_402_300_799_999, 253_402_300_800_000]:
        says = {"n": 1, "project": "p", "base": 0, "t": 1, "v": 1, "ops": [], name: value}
        payload = msgspec.json.encode(says).decode()
        assert shortly(payload) == slowly(payload), value


def payload_of(*ops: dict[str, Any]) -> str:
    return msgspec.json.encode({"n": 1, "project": "p", "base": 0, "t": 1, "v": 1, "ops": ops}).decode()


@pytest.mark.parametrize("limit", [0, -5, 3])
def test_a_limit_of_nothing_is_a_limit(limit: int) -> None:
    field = Field(type="number", label={}, max=limit)
    assert fits_of({"a": field})({"a": limit})
    assert not fits_of({"a": field})({"a": limit + 1})


@pytest.mark.parametrize("name", sorted(CHECKIN))
def test_a_check_in_is_usual_and_not_without_what_is_required(name: str) -> None:
    kind = DECLARATIONS.kinds["labour.checkin"]
    rest = {path: value for path, value in CHECKIN.items() if path != name}
    assert kind.fits(CHECKIN)
    assert kind.fits(rest) == (name not in kind.required)


def test_a_field_that_nobody_declared_is_not_usual() -> None:
    kind = DECLARATIONS.kinds["labour.checkin"]
    assert not kind.fits({**CHECKIN, "mood": "good"})
    assert not kind.fits({**CHECKIN, "photos.a": {}})


@settings(max_examples=400)
@given(
    st.dictionaries(
        st.sampled_from([*CHECKIN, "A", "note", "a.b", "a.b.c.d", "", "x" * 41, "photos.k"]), odd, max_size=4
    ),
    st.fixed_dictionaries({}, optional={"k": odd, "c": odd, "r": odd, "x": odd, "f": odd, "v": odd}),
    st.fixed_dictionaries(
        {}, optional={"n": odd, "base": odd, "t": odd, "v": odd, "project": odd, "ops": odd, "y": odd}
    ),
    st.booleans(),
)
def test_a_payload_is_read_alike_the_short_way_and_the_long_way(
    values: dict[str, Any], op: dict[str, Any], head: dict[str, Any], is_escaped: bool
) -> None:
    whole = {"k": "new", "c": "labour.checkin", "r": R, "set": {**CHECKIN, **values}, **op}
    says = {"n": 1, "project": "p", "base": 0, "t": 1, "v": 1, "ops": [whole], **head}
    payload = msgspec.json.encode(says).decode()
    if is_escaped:
        payload = payload.replace("e", "\\u0065")
    assert shortly(payload) == slowly(payload)


@pytest.mark.parametrize("levels", range(6, 11))
def test_depth_is_judged_alike(levels: int) -> None:
    for op in (
        {"k": "new", "c": "labour.checkin", "r": R, "set": {**CHECKIN, "note": deep(levels)}},
        {"k": "set", "c": "labour.checkin", "r": R, "f": "note", "v": deep(levels)},
    ):
        payload = msgspec.json.encode({"n": 1, "project": "p", "base": 0, "t": 1, "v": 1, "ops": [op]}).decode()
        assert shortly(payload) == slowly(payload)


@pytest.mark.parametrize("note", ["e\\u0301", "\\u0000", "\\ud800", "e\u0301"])
def test_texts_that_the_short_way_cannot_vouch_for_go_the_long_way(note: str) -> None:
    op = f'{{"k":"new","c":"a.b","r":"{R}","set":{{"note":"{note}"}}}}'
    payload = f'{{"n":1,"project":"p","base":0,"t":1,"v":1,"ops":[{op}]}}'
    assert shortly(payload) == slowly(payload)
    assert "ops" not in shortly(payload)
