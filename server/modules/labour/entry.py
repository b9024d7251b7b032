"""A check-in as the sums read it: who, in or out, and when it really was.

`entry_of` takes it out of a record. Definitions 1 and 2 of `shift.py` are answered here:
which check-ins count, and at what time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from server.core.merge import ET, Record, conflicts, is_deleted, shown
from server.core.value import Value

SKEW_MS_MAX: Final = 2 * 60_000  # a phone clock this far off is taken for right (M7)
EARLIEST_MS: Final = 0  # a clock gone mad gives no instant that a calendar lacks


@dataclass(frozen=True, slots=True)
class Entry:
    """One check-in. `at` is the effective instant in ms; `stated` the work date it was given."""

    r: str
    worker: str
    direction: str
    at: int
    state: str = "submitted"
    stated: str | None = None
    team: str | None = None
    method: str | None = None
    fence: str | None = None
    offset_min: int | None = None
    clock_was_wrong: bool = False
    in_conflict: bool = False
    left_out: str | None = None  # why it does not count: deleted, returned, unreadable

    @property
    def approved(self) -> bool:
        return self.state == "approved"


def entry_of(record: Record) -> Entry:
    """What a check-in's record says, as shown."""
    values = shown(record, None)  # no field of it merges as a set
    at, clock_was_wrong = effective_at(record, values)
    return Entry(
        r=record["r"],
        worker=_word(values, "worker") or "",
        direction=_word(values, "direction") or "",
        at=at,
        state=record["state"] or "submitted",
        stated=_word(values, "work_date"),
        team=_word(values, "team"),
        method=_word(values, "method"),
        fence=_word(values, "fence"),
        offset_min=_number(values, "offset_min"),
        clock_was_wrong=clock_was_wrong,
        in_conflict=bool({"direction", "at"} & set(conflicts(record, None))),
        left_out=_reason_to_leave_out(record, values),
    )


def effective_at(record: Record, values: dict[str, Value]) -> tuple[int, bool]:
    """The instant to count with, and whether the phone's clock had to be set right for it."""
    said = _number(values, "at") or 0
    writes = record["f"].get("at")
    known_by = writes[-1][ET] if writes else record["born"][ET]
    skew = 0 if writes else _number(values, "device_skew_ms") or 0
    if abs(skew) <= SKEW_MS_MAX:
        skew = 0
    at = max(EARLIEST_MS, min(said - skew, known_by))
    return at, bool(skew) or said - at > SKEW_MS_MAX


def _reason_to_leave_out(record: Record, values: dict[str, Value]) -> str | None:
    if is_deleted(record):
        return "deleted"
    if record["state"] == "returned":
        return "returned"
    readable = (
        _word(values, "worker") and values.get("direction") in ("in", "out") and _number(values, "at") is not None
    )
    return None if readable else "unreadable"


def _word(values: dict[str, Value], path: str) -> str | None:
    value = values.get(path)
    return value if isinstance(value, str) else None


def _number(values: dict[str, Value], path: str) -> int | None:
    value = values.get(path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
