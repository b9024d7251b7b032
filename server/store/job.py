"""Asking for a job: a statement that goes into the transaction of whatever needs the work done (see sync/jobs)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

ASK: Final = (
    "INSERT INTO job (key, kind, args, due) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (key) DO UPDATE SET due = excluded.due, asked = job.asked + 1, dead = 0"
)
ASK_ONCE: Final = "INSERT INTO job (key, kind, args, due) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"


def ask(key: str, kind: str, args: Mapping[str, Any], due: int, *, once: bool = False) -> tuple[str, Sequence[Any]]:
    """`due` in ms UTC. `once`: one that is there keeps its time and is not done twice."""
    return ASK_ONCE if once else ASK, (key, kind, msgspec.json.encode(args).decode(), due)
