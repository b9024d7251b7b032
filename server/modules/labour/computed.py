"""labour.shift, computed from labour.checkin: the records in, the records out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from server.core.merge import Record, shown
from server.core.value import Value
from server.modules.labour.entry import entry_of
from server.modules.labour.shift import Shift, pair
from server.sync.computed import Computed, Inputs, Result

ZONE: Final = "Asia/Shanghai"
AROUND_DAYS: Final = 2
"""A shift reaches into the next date, and a check-in may carry the date before or after its own."""


def shifts(inputs: Inputs) -> Iterator[Result]:
    """The shifts of one worker that belong to the days asked for."""
    zone = zone_of(inputs.context.get("core.project", ()))
    for shift in pair(map(entry_of, inputs.records), zone).shifts:
        if inputs.first <= shift.work_date <= inputs.last:
            yield Result(shift.key, shift.work_date, values_of(shift))


def zone_of(projects: Sequence[Record]) -> ZoneInfo:
    """The project's zone; China's where there is none that this machine knows."""
    for project in projects:
        name = shown(project, None).get("zone")
        try:
            return ZoneInfo(str(name))
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo(ZONE)


def values_of(shift: Shift) -> dict[str, Value]:
    values: dict[str, Value] = {
        "worker": shift.worker,
        "work_date": shift.work_date,
        "team": shift.team,
        "start": shift.start,
        "end": shift.end,
        "minutes": shift.minutes,
        "approved_minutes": shift.approved_minutes,
        "flags": sorted(shift.flags),
        "arrival": shift.arrival.entry.r if shift.arrival else None,
        "departure": shift.departure.entry.r if shift.departure else None,
        "repeats": list(shift.repeats),
    }
    return {path: value for path, value in values.items() if value is not None and value != []}


computed: Final = {
    "labour.shifts": Computed(
        kind="labour.shift",
        inputs=("labour.checkin",),
        by="worker",
        around=AROUND_DAYS,
        context=("core.project",),
        compute=shifts,
    )
}
