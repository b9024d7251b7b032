"""One run: the cast and the steps of a seed, played to the end, brought to rest and checked.

`python -m tests.simulation.run 17` plays one seed again and prints what went wrong with the fewest steps.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.simulation.properties import properties
from tests.simulation.world import Cast, Site, Step, World, come_to_rest, draw_steps, world

STEPS: Final = 400
FAULTS_SHOWN: Final = 6
TRIES_MAX: Final = 400

Make = Callable[[Cast], Site] | None


@dataclass(frozen=True)
class Fault:
    property: str  # its number and name, or the step's number, or "crash"
    words: str


def play(seed: int, steps: Iterable[Step], make: Make = None) -> World:
    there = world(seed, make)
    for step in steps:
        there.take(step)
    come_to_rest(there)
    return there


def check(there: World) -> list[Fault]:
    found = [Fault(words.partition(":")[0], words) for words in there.faults]
    for name, holds in properties().items():
        found += [Fault(name.removeprefix("property_"), words) for words in holds(there)]
    return found


def faults_of(seed: int, steps: Sequence[Step], make: Make = None) -> list[Fault]:
    """What is wrong after these steps; an exception counts as property 22."""
    try:
        return check(play(seed, steps, make))
    except Exception:
        return [Fault("22", traceback.format_exc(limit=-4))]


def shrink(seed: int, steps: Sequence[Step], sort: str, make: Make = None) -> list[Step]:
    """Fewer steps with a fault of the same property, leaving out half, a quarter, … one."""
    left, tries, size = list(steps), 0, len(steps) // 2
    while size and tries < TRIES_MAX:
        at = 0
        while at < len(left) and tries < TRIES_MAX:
            fewer, tries = left[:at] + left[at + size :], tries + 1
            if any(fault.property == sort for fault in faults_of(seed, fewer, make)):
                left = fewer
            else:
                at += size
        size //= 2
    return left


def explain(seed: int, steps: Sequence[Step], found: Sequence[Fault], make: Make = None) -> str:
    fewest = shrink(seed, steps, found[0].property, make)
    lines = [f"seed {seed}: {len(found)} faults"]
    lines += [f"  {fault.property}: {fault.words}" for fault in found[:FAULTS_SHOWN]]
    lines += [f"fewest steps found ({len(fewest)} of {len(steps)}):", *(f"  {step}," for step in fewest)]
    lines += [f"  -> {fault.property}: {fault.words}" for fault in faults_of(seed, fewest, make)[:FAULTS_SHOWN]]
    return "\n".join(lines)


def run(seed: int, count: int = STEPS, make: Make = None) -> str | None:
    """None if everything holds, else the whole story."""
    steps = draw_steps(seed, count)
    found = faults_of(seed, steps, make)
    return explain(seed, steps, found, make) if found else None


if __name__ == "__main__":
    for word in sys.argv[1:]:
        print(run(int(word)) or f"seed {word}: everything holds")
