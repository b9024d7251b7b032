"""A town with the real modules, on both databases."""

from tests.modules.drawings.conftest import a_town, town_on

__all__ = ["a_town", "town_on"]
