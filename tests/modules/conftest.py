"""A town with the real modules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.modules.kit import labour_town
from tests.postgres import postgres_server
from tests.server.web.kit import Town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with labour_town(tmp_path) as built:
        yield built


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_server() as url:
        yield url
