"""How much is taken of photos and files. Sizes in bytes; what goes beyond is refused with the limit's number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MiB: Final = 1024 * 1024
GiB: Final = 1024 * MiB


@dataclass(frozen=True)
class Limits:
    photo_bytes_max: int = 25 * MiB
    file_bytes_max: int = 200 * MiB
    project_bytes_max: int = 200 * GiB
    disk_free_bytes_min: int = GiB
    uploads_open_max: int = 64
    """Unfinished ones of one person."""
    pixels_max: int = 120_000_000
    decoded_bytes_max: int = 168 * MiB
    """What the pixels of one photo may take up while it is decoded; one is at a time."""
