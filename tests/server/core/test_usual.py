"""The short way of judging says nothing that the long one would not say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core import batch
from server.core.batch import Batch, Malformed, Refused
from server.core.declaration import load
from server.core.field import Field
from server.core.usual import Usual

DECLARATIONS = load(Path(__file__).resolve().parents[3] / "shared" / "modules")
PLACE = {"lat": 312_304_000, "lng": 1_214_737_000, "accuracy_m": 4, "fix_age_s": 3}
CHECKIN: dict[str, Any] = {
    "worker": "w1", "direction": "in", "at": 1_728_000_000_000, "work_date": "2024-10-04", "place": PLACE,
    "fence": "inside", "method": "own", "team": "crew",
}  # fmt: skip
R = "0198c0de-0000-7000-8000-000000000001"

ODD: list[Any] = [
     None, True, False, 0, -1, 1, 2**53 - 1, 2**53, -(2**53), 2**70, 1.0, 1.5, "", "in", "a" * 64, "a" * 65, "x\n",
     "a b", "2024-02-29", "2024-02-30", "2024-2-3", "20240203", "2024-W01-1", "٢٠٢٤-٠١-٠١", "0000-01-01", "é",
     "e\u0301", "\u0000", "word" * 30, "w" * 501, "w" * 5001, "w" * 20_001, [], ["in"], [[]], {}, PLACE,
     {"lat": 0, "lng": 0}, {"lat": True, "lng": 1}, {"lat": 1, "lng": 1_800_000_001}, {"lat": 1},
     {**PLACE, "code": "c" * 2001}, {**PLACE, "more": 1}, {"a": {"b": 1}}, {"A": 1}, {"code": None}]  # fmt: skip
KIND = DECLARATIONS.kinds["labour.checkin"]
ODD_VALUES = [("worker", "x\n"), ("team", "a b"), ("work_date", "2024-02-30"), ("place", {"lat": 0, "lng": 0})]
odd: st.SearchStrategy[Any] = st.sampled_from(ODD)
FIELDS = [(kind, name) for kind in DECLARATIONS.kinds.values() for name in kind.fields]


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else 1


def slowly(payload: str) -> Any:
    return told(lambda: batch.read(payload))


def shortly(payload: str) -> Any:
    def work() -> Batch:
        head = batch.envelope(payload)
        is_usual = DECLARATIONS.usual.are(head.ops, payload)
        assert not is_usual or all(whole_fits(op["set"]) for op in head.ops)
        return batch.opened(head, len(payload.encode()), is_usual=is_usual)

    return told(work)


def told(work: Callable[[], Batch]) -> Any:
    try:
        found = work()
    except Malformed:
        return "malformed"
    except Refused as refused:
        return refused.code, refused.op, refused.field, refused.reason
    return found.n, found.project, found.base, found.t, found.v, found.ops


def whole_fits(values: dict[str, Any]) -> bool:
    """What admission asks of a check-in, field by field."""
    is_right = all(value is not None and KIND.reason(path, value) is None for path, value in values.items())
    return is_right and set(KIND.required) <= set(values)


def are_usual(*ops: Any, usual: Usual = DECLARATIONS.usual) -> bool:
    return usual.are(list(ops), payload_of(*ops))


def new(values: dict[str, Any], c: str = "labour.checkin", r: str = R) -> dict[str, Any]:
    return {"k": "new", "c": c, "r": r, "set": values}


def test_what_usually_fits_has_nothing_wrong_with_any_field() -> None:
    found = 0
    for kind, name in FIELDS:
        usual = Usual({"a.b": {name: kind.fields[name]}})
        for value in ODD:
            fits = are_usual(new({name: value}, "a.b"), usual=usual)
            assert not fits or (value is not None and kind.reason(name, value) is None), (name, value)
            found += fits
    assert found > len(FIELDS)


@pytest.mark.parametrize("seed", range(20))
def test_one_odd_op_among_many_is_seen(seed: int) -> None:
    draw = Random(seed)
    ops = [new(CHECKIN, r=str(UUID(int=draw.getrandbits(128)))) for _ in range(30)]
    assert are_usual(*ops)
    at, other = draw.randrange(30), next(c for c in DECLARATIONS.kinds if c != KIND.c)
    wrong: list[dict[str, Any]] = [
        {"k": "put"}, {"c": other}, {"c": None}, {"more": 1}, {"r": R[:-1]}, {"r": R.upper()},
        {"r": R[:8] + "0" + R[9:]}, {"r": "é" * 36}, {"set": None},
        *({"set": {**CHECKIN, name: value}} for name, value in ODD_VALUES),
    ]  # fmt: skip
    for more in wrong:
        assert not are_usual(*ops[:at], {**ops[at], **more}, *ops[at + 1 :]), more
    for value in ODD:
        assert not are_usual(*ops[:at], value, *ops[at + 1 :])


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


def payload_of(*ops: Any) -> str:
    return msgspec.json.encode({"n": 1, "project": "p", "base": 0, "t": 1, "v": 1, "ops": ops}).decode()


@pytest.mark.parametrize("limit", [0, -5, 3])
def test_a_limit_of_nothing_is_a_limit(limit: int) -> None:
    field = Field(type="number", label={}, max=limit)
    usual = Usual({"a.b": {"a": field}})
    assert are_usual(new({"a": limit}, "a.b"), usual=usual)
    assert not are_usual(new({"a": limit + 1}, "a.b"), usual=usual)


@pytest.mark.parametrize("name", sorted(CHECKIN))
def test_a_check_in_is_usual_and_not_without_what_is_required(name: str) -> None:
    rest = {path: value for path, value in CHECKIN.items() if path != name}
    assert are_usual(new(CHECKIN))
    assert are_usual(new(rest)) == (name not in KIND.required)


def test_a_field_that_nobody_declared_is_not_usual() -> None:
    assert not are_usual(new({**CHECKIN, "mood": "good"}))
    assert not are_usual(new({**CHECKIN, "photos.a": {}}))


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
