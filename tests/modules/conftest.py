"""A town with the real modules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.modules.kit import labour_town
from tests.server.web.kit import Town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with labour_town(tmp_path) as built:
        yield built
