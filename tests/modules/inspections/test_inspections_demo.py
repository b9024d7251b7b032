"""What is told of inspections on the demo site: every hour of every day it holds together."""

from __future__ import annotations

import hashlib
from bisect import bisect
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from server.core.declaration import load
from server.core.merge import Stamp, fold, version
from server.core.value import Value
from server.demo import SEED, cast
from server.demo.inspected import DEFECT, INSPECTION, TEMPLATE, Shot, two_weeks
from server.demo.weeks import Sent, Weeks
from server.modules.inspections.library import Library
from tests.modules.kit import ms

DECLARED: Final = load(Path("shared/modules"))
LIBRARY: Final = {key: one.values for key, one in Library(Path("shared"), DECLARED).by_key.items()}
IDS: Final = {
    **{member.name: member.name for team in cast.TEAMS for member in team.everybody},
    **{team.name: team.name for team in cast.TEAMS},
    **{member.name: member.name for member in cast.OFFICE},
}


def sent_by(now: int) -> list[Sent]:
    def shoot(shot: Shot) -> dict[str, Value]:
        return {"sha": hashlib.sha256(f"{shot.scene} {shot.seed}".encode()).hexdigest(), "bytes": 50_000}

    return list(two_weeks(Weeks(IDS, now, Random(SEED)), LIBRARY, shoot, "plan"))


@pytest.mark.parametrize("day", [f"2026-03-{day:02}" for day in range(8, 15)])
@pytest.mark.parametrize("time", ["00:10", "09:10", "17:41", "23:50"])
def test_whenever_it_is_told_it_holds_together(day: str, time: str) -> None:
    now = ms(f"{day} {time}")
    sent = sent_by(now)
    assert all(one.made <= one.received < now for one in sent)
    received = [one.received for one in sent]
    records: dict[str, Any] = {}
    for seq, one in enumerate(sent, 1):
        base = bisect(received, one.made, hi=seq - 1)
        for op in one.ops:
            if "ver" in op:
                assert version(records.get(op["r"]) or made(one, op["r"]), DECLARED.kinds[op["c"]]) == op["ver"]
        fold(records, one.ops, Stamp(seq, one.by.name, base, one.received, one.by.name, 1), DECLARED.kinds)
    states = Counter((record["c"], record["state"]) for record in records.values())
    assert states[TEMPLATE, "published"] == 8
    assert {state for c, state in states if c == INSPECTION} == {"open", "approved", "submitted", "returned"}
    assert {state for c, state in states if c == DEFECT} == {"open", "fixing", "recheck", "closed"}


def made(one: Sent, r: str) -> dict[str, Any]:
    """What a batch makes and seals at once."""
    records: dict[str, Any] = {}
    ops = [op for op in one.ops if op["r"] == r and op["k"] == "new"]
    fold(records, ops, Stamp(1, one.by.name, 0, one.received, one.by.name, 1), DECLARED.kinds)
    return dict(records[r])


def test_the_same_hour_tells_the_same() -> None:
    now = ms("2026-03-12 10:20")
    assert sent_by(now) == sent_by(now)
