"""The server of the photo tests, on SQLite and on PostgreSQL."""

from __future__ import annotations

from tests.server.web.conftest import a_town, town_on

__all__ = ["a_town", "town_on"]
