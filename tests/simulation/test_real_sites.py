"""The same histories against the real exchange and store: SQLite, and a PostgreSQL that really runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.run import Make, run
from tests.simulation.sites import postgres, sqlite

STEPS = 300


@pytest.fixture(scope="module")
def on_sqlite() -> Iterator[Make]:
    with sqlite() as make:
        yield make


@pytest.fixture(scope="module")
def on_postgres() -> Iterator[Make]:
    with postgres() as make:
        yield make


@pytest.mark.parametrize("seed", range(4_000, 4_008))
def test_every_property_holds_on_sqlite_after(seed: int, on_sqlite: Make) -> None:
    story = run(seed, STEPS, on_sqlite)
    assert story is None, story


@pytest.mark.parametrize("seed", range(4_100, 4_104))
def test_every_property_holds_on_postgres_after(seed: int, on_postgres: Make) -> None:
    story = run(seed, STEPS, on_postgres)
    assert story is None, story
