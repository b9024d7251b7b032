"""Shows that the vectors and the simulation can fail: each rule, broken on purpose, must be seen by one of them.

`python -m tests.mutation.test_mutation` prints the table: break, what the vectors say, which seed and property.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from server.core.declaration import assemble
from tests.mutation.breaks import BREAKS, Break, broken
from tests.simulation.run import STEPS, faults_of
from tests.simulation.test_simulation import SEEDS
from tests.simulation.world import draw_steps
from tests.vectors import test_vectors as vectors

SEEDS_TRIED: Final = SEEDS[:30]


def seen_by_vectors(it: Break) -> str | None:
    """The first vector that does not answer as written."""
    with broken(it):
        for name, check in _vectors():
            try:
                check()
            except Exception:
                return name
    return None


def _vectors() -> Iterator[tuple[str, Any]]:
    declarations = assemble({"declaration.json": (vectors.VECTORS / "declaration.json").read_bytes()})
    for case in vectors.load("merge.json")["cases"]:
        name = f"{case['rule']} {case['name']}"
        yield name, lambda case=case: vectors.test_a_history_comes_to_these_records(case, declarations)
        yield (
            name,
            lambda case=case: vectors.test_M1_folding_the_admitted_batches_twice_is_folding_them_once(
                case, declarations
            ),
        )
    for case in vectors.load("audience.json")["cases"]:
        yield case["name"], lambda case=case: vectors.test_a_person_is_granted_these_audiences(case)
    for case in vectors.load("protocol.json")["cases"]:
        if "effective_time" in case:
            yield case["name"], lambda case=case: vectors.test_M7_effective_time(case)
        if "numbers" in case:
            yield case["name"], lambda case=case: vectors.test_P1_numbers_leave_no_gap(case)


def seen_by_simulation(it: Break) -> str | None:
    """The first seed, and the property that did not hold."""
    with broken(it):
        for seed in SEEDS_TRIED:
            found = faults_of(seed, draw_steps(seed, STEPS))
            if found:
                return f"seed {seed}: {found[0].property}"
    return None


@pytest.mark.parametrize("it", BREAKS, ids=lambda it: it.name)
def test_a_broken_rule_is_seen(it: Break) -> None:
    seen = seen_by_vectors(it), seen_by_simulation(it)
    print(row(it.name, *seen))
    assert any(seen), f"nobody saw: {it.name}"


def test_unbroken_rules_are_not_accused() -> None:
    nothing = Break("nothing", ())
    assert seen_by_vectors(nothing) is None
    assert not faults_of(0, draw_steps(0, STEPS))


def row(name: str, vector: str | None, seed: str | None) -> str:
    return f"{name:<58} {vector or '–':<66} {seed or '–'}"


if __name__ == "__main__":
    print(row("broken rule", "vector", "simulation"))
    for it in BREAKS:
        print(row(it.name, seen_by_vectors(it), seen_by_simulation(it)), flush=True)
