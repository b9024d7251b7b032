"""Large HEIC: decoded tile by tile, and what is broken in its grid is told."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from server.core import picture
from server.core.heif_grid import Heic
from server.store import photo_worker
from tests.server.photos.pictures import jpeg, real, with_exif


def test_one_too_large_to_be_decoded_at_once_is_pieced_together_at_half_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_worker.prepare()
    for content in (made(), real("iphone.heic")):
        if content is None:
            continue
        path = tmp_path / "large.heic"
        path.write_bytes(content)
        at_once = photo_worker.answer(path, tmp_path)
        wanted = Image.open(io.BytesIO((tmp_path / "w320").read_bytes()))
        with monkeypatch.context() as patch:
            patch.setattr(picture, "HEIC_WHOLE_MAX", 100_000)
            pieced = photo_worker.answer(path, tmp_path)
        assert (pieced["w"], pieced["h"]) == (at_once["w"] // 2, at_once["h"] // 2)
        assert alike(Image.open(io.BytesIO((tmp_path / "w320").read_bytes())), wanted)
        clean = (tmp_path / "clean").read_bytes()
        assert b"Telephone" not in clean
        assert b"Exif" not in clean


@pytest.mark.parametrize(
    ("turn", "transposed"),
    [
        ((b"irot", 1), Image.Transpose.ROTATE_90),
        ((b"irot", 3), Image.Transpose.ROTATE_270),
        ((b"imir", 0), Image.Transpose.FLIP_TOP_BOTTOM),
        ((b"imir", 1), Image.Transpose.FLIP_LEFT_RIGHT),
    ],
)
def test_the_pieces_stand_as_the_whole_is_turned(
    monkeypatch: pytest.MonkeyPatch, turn: tuple[bytes, int], transposed: Image.Transpose
) -> None:
    """irot counts quarters against the clock; imir 0 swaps top and bottom."""
    photo_worker.prepare()
    content = made()
    heic = Heic(content)
    grid = heic.grid()
    assert grid
    upright = photo_worker.pieced(heic)
    monkeypatch.setattr(heic, "grid", lambda: replace(grid, turns=[turn]))
    assert photo_worker.pieced(heic).tobytes() == upright.transpose(transposed).tobytes()


@pytest.mark.parametrize("bytes_left", [40, 300, 700, 1200, 4000])
def test_a_broken_grid_is_told_as_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bytes_left: int) -> None:
    photo_worker.prepare()
    monkeypatch.setattr(picture, "HEIC_WHOLE_MAX", 10_000)
    content = bytearray(made())
    for at in range(bytes_left, min(bytes_left + 200, len(content)), 3):
        content[at] ^= 0x55
    path = tmp_path / "broken.heic"
    path.write_bytes(bytes(content))
    answer = photo_worker.answer(path, tmp_path)
    assert "w" in answer or answer["code"] in ("damaged_photo", "too_many_pixels", "unsupported_file"), answer


@cache
def made() -> bytes:
    """As telephones do: tiles in a grid, cut off at its edges."""
    kept = io.BytesIO()
    Image.open(io.BytesIO(jpeg(401, 303, seed=9))).save(kept, "HEIF", tile_size=128, exif=with_exif())
    return kept.getvalue()


def alike(one: Image.Image, other: Image.Image) -> bool:
    ours, theirs = (image.convert("L").resize((12, 12)).tobytes() for image in (one, other))
    return sum(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / 144 < 4
