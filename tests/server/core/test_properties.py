"""Properties of values and of merge, over whatever hypothesis comes up with; the seed is printed on failure."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any, Final
from unicodedata import normalize

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.core import merge
from server.core.admit import admit
from server.core.batch import Batch, Malformed, Refused, effective_time, read
from server.core.merge import Record, Stamp
from server.core.person import Actor
from server.core.value import INTEGER_MAX, BadValue, canonical, check, equal, parse
from tests.simulation.trial import DECLARED

NOTE: Final = "trial.note"
KIND: Final = DECLARED.kinds[NOTE]
R: Final = "01980000-0000-7000-8000-000000000001"
T: Final = 1_790_000_000_000
DEVICES: Final = ("d1", "d2", "d3")
TAGS: Final = ("a", "b", "c")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20).map(
    lambda text: normalize("NFC", text)
)
keys = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
scalars = st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)

ARROW: Final = {"shapes": [{"t": "arrow", "c": "red", "p": [0, 0, 500_000, 500_000]}]}
WORDS: Final = {"shapes": [{"t": "text", "c": "blue", "p": [0, 1_000_000], "s": "裂缝"}]}

# One edit: who, what it knew (a share of the log so far), when by its clock, and the op.
edits = st.tuples(
    st.sampled_from(DEVICES),
    st.floats(0, 1),
    st.integers(-(10**7), 10**7),
    st.one_of(
        st.tuples(st.just("set"), st.just("title"), st.sampled_from(("x", "y", "z"))),
        st.tuples(st.just("set"), st.sampled_from(("mood", "lines.l1.what")), st.sampled_from(("p", "q", None))),
        st.tuples(st.just("set"), st.just("amount"), st.integers(0, 3) | st.none()),
        st.tuples(st.just("set"), st.sampled_from(("marks.p1", "marks.p2")), st.sampled_from((ARROW, WORDS, None))),
        st.tuples(st.sampled_from(("add", "rem")), st.just("tags"), st.sampled_from(TAGS)),
        st.tuples(st.just("del"), st.just(""), st.none()),
    ),
)
histories = st.lists(edits, max_size=14)
Entry = tuple[Stamp, list[dict[str, Any]]]


def entries(history: list[Any]) -> list[Entry]:
    """The batches that the rules admit, the first of which makes the record."""
    first = {"k": "new", "c": NOTE, "r": R, "set": {"title": "x", "tags": ["a"]}}
    log: list[Entry] = [(Stamp(1, "d1", 0, T, "ada", 1), [first])]
    records = folded(log)
    for device, share, t, (k, path, value) in history:
        seq = len(log) + 1
        op = {"k": k, "c": NOTE, "r": R} | ({} if k == "del" else {"f": path, "v": value})
        at = Stamp(seq, device, round(share * (seq - 1)), effective_time(T + t, T, T), "ada", 1)
        tried = deepcopy(records)
        try:
            merge.fold(tried, [op], at, DECLARED.kinds)
        except Refused:
            continue
        records = tried
        log.append((at, [op]))
    return log


def folded(log: list[Entry], onto: dict[str, Record] | None = None) -> dict[str, Record]:
    records = onto if onto is not None else {}
    for at, ops in log:
        merge.fold(records, ops, at, DECLARED.kinds)
    return records


@given(values)
def test_V3_canonical_bytes_are_read_back_as_the_same_value(value: Any) -> None:
    assert canonical(parse(canonical(value))) == canonical(value)
    assert equal(parse(canonical(value)), value)


@given(values)
def test_V3_canonical_bytes_are_those_of_the_standard_library(value: Any) -> None:
    assert canonical(value).decode() == json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@given(st.recursive(scalars | st.floats(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_V1_whatever_is_no_value_is_refused_by_its_reason_and_nothing_else(value: Any) -> None:
    try:
        check(value)
    except BadValue as bad:
        reason = bad.reason
    else:
        reason = "" if canonical(parse(canonical(value))) == canonical(value) else "not read back"
    assert reason in {"", "malformed", "number", "text", "key", "depth", "long"}


@given(histories)
def test_M1_folding_twice_is_folding_once(history: list[Any]) -> None:
    log = entries(history)
    once = canonical(folded(log))
    assert canonical(folded([pair for pair in log for _ in range(2)])) == once
    assert canonical(folded(log, folded(log))) == once


@given(histories, st.data())
def test_M1_a_snapshot_at_any_cut_and_the_rest_are_the_whole(history: list[Any], data: st.DataObject) -> None:
    log = entries(history)
    cut = data.draw(st.integers(0, len(log)))
    snapshot = json.loads(canonical(folded(log[:cut])))
    assert canonical(folded(log, snapshot)) == canonical(folded(log))


@given(histories)
def test_M2_no_live_write_is_known_to_another(history: list[Any]) -> None:
    for path, writes in folded(entries(history))[R]["f"].items():
        for one in writes:
            for other in writes:
                at = Stamp(one[0], one[2], one[3], 0, "", 0)
                same_element = KIND.rule(path) != "set" or one[5] == other[5]
                assert one is other or not same_element or not merge.knows(at, one[1], other[0], other[1], other[2])


@given(histories)
def test_M3_successive_edits_of_one_device_never_conflict(history: list[Any]) -> None:
    alone = [("d1", share, t, op) for _, share, t, op in history]
    assert merge.conflicts(folded(entries(alone))[R], KIND) == []


@given(histories)
def test_M4_last_holds_one_write(history: list[Any]) -> None:
    assert len(folded(entries(history))[R]["f"].get("mood", [None])) == 1


@given(histories, st.sampled_from(TAGS))
def test_M5_an_add_that_no_later_op_knew_is_there(history: list[Any], tag: str) -> None:
    log = entries(history)
    if any(ops[0]["k"] == "del" for _, ops in log):
        assume(not merge.is_deleted(folded(log)[R]))
    seq = len(log) + 1
    log.append((Stamp(seq, "new phone", 0, T, "bo", 1), [{"k": "add", "c": NOTE, "r": R, "f": "tags", "v": tag}]))
    for number, device in enumerate(DEVICES, 1):  # all remove it, and none of them has seen it
        op = {"k": "rem", "c": NOTE, "r": R, "f": "tags", "v": tag}
        log.append((Stamp(seq + number, device, seq - 1, T, "ada", 1), [op]))
    assert tag in merge.shown(folded(log)[R], KIND)["tags"]


@given(histories)
def test_M7_no_effective_time_is_ahead_of_the_server_or_behind_what_was_replaced(history: list[Any]) -> None:
    log = entries(history)
    before: dict[str, list[Any]] = {}
    for cut in range(1, len(log) + 1):
        at, ops = log[cut - 1]
        writes = folded(log[:cut])[R]["f"]
        assert all(write[4] <= T for lives in writes.values() for write in lives)
        path = str(ops[0].get("f"))
        mine = [w for w in writes.get(path, []) if w[0] == at.seq]
        gone = [w for w in before.get(path, []) if w not in writes.get(path, []) and merge.knows(at, 0, *w[:3])]
        assert all(mine[0][4] >= w[4] for w in gone if mine)
        before = deepcopy(writes)


@given(st.integers(0, 2**53), st.integers(0, 2**53), st.integers(0, 2**53))
def test_M7_a_wrong_clock_gains_nothing(t: int, sent: int, received: int) -> None:
    et = effective_time(t, sent, received)
    assert et <= received
    assert et == effective_time(t + 10**9, sent + 10**9, received)


@given(histories)
def test_A2_the_version_names_the_content_and_nothing_else(history: list[Any]) -> None:
    record = folded(entries(history))[R]
    other = {**deepcopy(record), "seq": 999, "by": "somebody", "state": "other"}
    assert merge.version(record, KIND) == merge.version(other, KIND)


@given(histories)
def test_P14_what_is_drawn_is_in_the_version(history: list[Any]) -> None:
    record = folded(entries(history))[R]
    drawn = {path: value for path, value in merge.shown(record, KIND).items() if path.startswith("marks.")}
    wiped = deepcopy(record)
    for path in drawn:
        del wiped["f"][path]
    assert (merge.version(record, KIND) == merge.version(wiped, KIND)) == (not drawn)


json_like = st.recursive(
    scalars | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
points = st.lists(st.integers(-1, 1_000_001) | st.booleans(), max_size=6)
drawings = st.fixed_dictionaries(
    {"shapes": st.lists(st.fixed_dictionaries(
        {"t": texts | st.sampled_from(("text", "free")), "c": st.just("red"), "p": points},
        optional={"s": texts | st.none()}) | json_like, max_size=3)}, optional={"plan": texts},
)  # fmt: skip
ops_like = st.fixed_dictionaries(
    {
        "k": st.sampled_from(("new", "put", "set", "add", "rem", "act", "amend", "decline", "del", "?")),
        "c": st.sampled_from((NOTE, "trial.sheet", "trial.total", "other.kind", "bad")),
        "r": st.sampled_from((R, R[:-1] + "2", "x")),
    },
    optional={
        "f": st.sampled_from(("title", "amount", "tags", "sort", "mood", "lines.l1.hours", "photos.p1", "marks.p1")),
        "v": values | json_like | drawings,
        "set": st.dictionaries(st.sampled_from(("title", "amount", "tags", "state", "new_one", "new_one.x")), values),
        "act": st.sampled_from(("approve", "return", "fly")),
        "ver": texts,
        "note": texts,
        "of": st.lists(st.integers(0, 3), max_size=3),
    },
)  # fmt: skip


@given(histories, st.lists(ops_like | json_like, max_size=3), st.integers(0, 3), st.integers(0, 20))
def test_P2_what_is_refused_leaves_no_trace_and_nothing_breaks(history: list[Any], ops: Any, v: int, base: int) -> None:
    records = folded(entries(history))
    before = canonical(records)
    try:
        payload = json.dumps({"n": 1, "project": "p", "base": base, "t": T, "v": v, "ops": ops})
        batch = read(payload)
        admit(batch, Actor("ada", "d9", frozenset({"manager"})), records, DECLARED, 99, T)
    except (Refused, Malformed):
        pass
    assert canonical(records) == before


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_P3_whatever_comes_is_read_or_refused(payload: bytes | str) -> None:
    with pytest.raises((Refused, Malformed)):
        read(payload)


def test_a_batch_is_what_it_was_made_of() -> None:
    payload = {"n": 1, "project": "p", "base": 0, "t": T, "v": 1, "ops": [{"k": "del", "c": NOTE, "r": R}]}
    assert read(json.dumps(payload)) == Batch(**payload)  # type: ignore[arg-type]
