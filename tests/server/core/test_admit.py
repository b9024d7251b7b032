"""Admission where a vector would be too long: what a record may grow to."""

from __future__ import annotations

import uuid

import pytest

from server.core.admit import admit
from server.core.batch import OPS_MAX, RECORD_PARTS_MAX, Batch, Op, Refused
from server.core.merge import Record
from server.core.person import Actor
from tests.server.site import DECLARATIONS, notice

NEWER = DECLARATIONS.v + 1
R = str(uuid.uuid4())


def admitted(records: dict[str, Record], seq: int, ops: list[Op]) -> dict[str, Record]:
    actor = Actor("p", "phone", frozenset({"worker"}))
    return admit(Batch(seq, "site", seq - 1, 0, NEWER, ops), actor, records, DECLARATIONS, seq, 0).records


def grown(records: dict[str, Record], seq: int) -> dict[str, Record]:
    ops = [{"k": "set", "c": "yard.notice", "r": R, "f": f"of_{seq}.n{i}", "v": i} for i in range(OPS_MAX)]
    return admitted(records, seq, ops)


def test_P2_a_record_has_a_limit_however_many_batches_write_to_it() -> None:
    records = admitted({}, 1, [notice("x", R)])
    for seq in range(2, 2 + (RECORD_PARTS_MAX - 1) // OPS_MAX):
        records = grown(records, seq)
    with pytest.raises(Refused) as refused:
        grown(records, 9)
    assert (refused.value.code, refused.value.op, refused.value.reason) == ("invalid", 0, "too_large")
    rest = RECORD_PARTS_MAX - 1 - len(records[R]["f"])
    ops = [{"k": "set", "c": "yard.notice", "r": R, "f": f"rest{i}", "v": i} for i in range(rest)]
    records = admitted(records, 9, ops)
    admitted(records, 10, [{"k": "set", "c": "yard.notice", "r": R, "f": "text", "v": "still to be edited"}])
