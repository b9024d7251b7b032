"""A town with the real modules, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.postgres import fresh_database
from tests.server.web.kit import Town, town


@pytest.fixture(name="town")
async def a_town(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path, real=True) as built:
        yield built


@pytest.fixture(params=["sqlite", "postgres"])
async def town_on(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    if request.param == "sqlite":
        async with town(tmp_path, real=True) as built:
            yield built
    else:
        async with (
            fresh_database(request.getfixturevalue("postgres")) as url,
            town(tmp_path, database_url=url, real=True) as built,
        ):
            yield built
