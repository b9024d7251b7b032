"""How a page is cut up: levels that halve until the whole page lies in one tile.

Pure. Level 0 is one tile, the last level is the page as it was rendered. A tile is TILE pixels square;
those at the right and lower edge are smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TILE: Final = 512
SIDE_MAX: Final = 8192
"""Of the last level: an A0 sheet at 175 dots an inch, on which 2 mm letters can be read."""
SIDE_MIN: Final = 4096
"""A small sheet of lines is rendered larger than it would be printed, for it will be zoomed."""
DPI: Final = 200
POINTS: Final = 72
POINTS_MIN, POINTS_MAX = 20, 40_000  # a page's longer side: 7 mm to 14 m


@dataclass(frozen=True)
class Size:
    w: int
    h: int

    @property
    def zooms(self) -> int:
        """How many levels there are."""
        return max(0, (max(self.w, self.h) - 1) // TILE).bit_length() + 1

    def at(self, z: int) -> Size:
        """The whole page at a level."""
        halvings = self.zooms - 1 - z
        return Size(shrunk(self.w, halvings), shrunk(self.h, halvings))

    @property
    def across(self) -> int:
        return -(-self.w // TILE)

    @property
    def down(self) -> int:
        return -(-self.h // TILE)

    def has(self, z: int, x: int, y: int) -> bool:
        if not 0 <= z < self.zooms:
            return False
        level = self.at(z)
        return 0 <= x < level.across and 0 <= y < level.down


def shrunk(pixels: int, halvings: int) -> int:
    return -(-pixels // (1 << halvings))


def scale_of(w: float, h: float) -> float:
    """Pixels a point at which a page of w × h points is rendered."""
    side = max(w, h)
    wanted = min(max(side * DPI / POINTS, SIDE_MIN), SIDE_MAX)
    return wanted / side


def fitted(w: int, h: int) -> Size:
    """The size that a picture of w × h pixels is kept at: its own, if that is not too large."""
    most = max(w, h)
    if most <= SIDE_MAX:
        return Size(w, h)
    return Size(max(1, w * SIDE_MAX // most), max(1, h * SIDE_MAX // most))
