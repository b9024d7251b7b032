"""The servers that a history can be played on."""

from __future__ import annotations

from typing import Final

from tests.simulation.run import Make

SITES: Final[dict[str, Make]] = {"model": None}
