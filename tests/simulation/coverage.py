"""What the runs of some seeds have met: how often each thing that they are about came up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from server.core import merge
from tests.simulation.run import STEPS, play
from tests.simulation.world import PROJECTS, World, draw_steps


def met(seeds: Iterable[int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for seed in seeds:
        world = play(seed, draw_steps(seed, STEPS))
        found.update(world.counts)
        for name in PROJECTS:
            _count_log(found, world, name)
            _count_records(found, world, name)
    return found


def _count_log(found: Counter[str], world: World, name: str) -> None:
    for entry in world.site.log(name):
        found.update(f"op {op['k']}" for op in entry.ops)
        found["held"] += len(entry.held)
        found["before its time"] += entry.et < entry.received
        found["of a newer version"] += entry.v > entry.declared


def _count_records(found: Counter[str], world: World, name: str) -> None:
    for record in world.site.records(name).values():
        kind = world.site.declarations.kind(record["c"])
        found["in conflict"] += bool(merge.conflicts(record, kind))
        found["sealed"] += record["seal"] is not None
        found["deleted"] += merge.is_deleted(record)
        found["edited while deleted"] += record["del"] is not None and not merge.is_deleted(record)
