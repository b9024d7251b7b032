"""Rendering, in a process of its own as the server does it: what comes out is what was drawn."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from server.config import ROOT
from server.demo.plan import floor_plan
from server.modules.drawings.pyramid import TILE, Size, fitted
from tests.modules.drawings.plans import huge_pdf, locked_pdf, picture, small_pdf, turned_jpeg


def render(content: bytes, folder: Path) -> tuple[list[dict[str, Any]], int]:
    """What the process said, and how it ended."""
    source, home = folder / "source", folder / "home"
    source.write_bytes(content)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    command = [sys.executable, "-m", "server.modules.drawings.render", str(source), str(home), "30"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def page_of(folder: Path, page: int, size: Size) -> Image.Image:
    """The last level, put together again."""
    whole = Image.new("L", (size.w, size.h), 128)
    z = size.zooms - 1
    for x in range(size.across):
        for y in range(size.down):
            with Image.open(folder / "home" / str(page) / str(z) / f"{x}-{y}.webp") as tile:
                whole.paste(tile.convert("L"), (x * TILE, y * TILE))
    return whole


def is_ink(image: Image.Image, x: float, y: float) -> bool:
    """Whether something is drawn near a point, given as a share of width and height."""
    at = (int(x * image.width), int(y * image.height))
    low, _ = image.crop((at[0] - 3, at[1] - 3, at[0] + 4, at[1] + 4)).getextrema()
    return int(low) < 100  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def first_page(tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    folder = tmp_path_factory.mktemp("floor plan")
    said, code = render(floor_plan(), folder)
    assert code == 0
    assert said[0] == {"pages": [{"w": 4096, "h": 2896}] * 2}
    return page_of(folder, 1, Size(4096, 2896))


def test_lines_columns_and_words_of_a_vector_pdf_lie_where_they_were_drawn(first_page: Image.Image) -> None:
    assert is_ink(first_page, 130 / 1191, 1 - 190 / 842)  # the column at axis 1/A
    assert is_ink(first_page, 970 / 1191, 1 - 710 / 842)  # … and at 7/E
    assert is_ink(first_page, 500 / 1191, 1 - 190 / 842)  # the wall between
    assert not is_ink(first_page, 600 / 1191, 1 - 520 / 842)  # the empty lane
    assert is_ink(first_page, 0.5, 20 / 842)  # the frame: nothing is cut off


def test_chinese_words_without_an_embedded_font_are_drawn(first_page: Image.Image) -> None:
    fonts = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout
    if not fonts:
        pytest.skip("no Chinese font is on this machine")
    left, top = int(1041 / 1191 * 4096), int(714 / 842 * 2896)
    title = first_page.crop((left, top, left + 344, top + 65))
    dark = sum(title.histogram()[:128]) / (title.width * title.height)
    assert 0.05 < dark < 0.5, "characters cover a part of their line"


def test_every_level_is_the_same_drawing(tmp_path: Path) -> None:
    render(picture(size=(3000, 2000)), tmp_path)
    size = Size(3000, 2000)
    for z in range(size.zooms):
        level = size.at(z)
        tile = Image.open(tmp_path / "home" / "1" / str(z) / "0-0.webp").convert("L")
        assert tile.size == (min(TILE, level.w), min(TILE, level.h))
        edge = int(10 / 3000 * level.w)
        assert tile.getpixel((edge + 2, edge + 2)) == 0, z


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (turned_jpeg(), (800, 1200)),
        (picture("TIFF", (700, 500), "1"), (700, 500)),
        (picture("WEBP", (700, 500)), (700, 500)),
        (picture("PNG", (700, 500), "RGBA"), (700, 500)),
        (picture("JPEG", (12_000, 600)), (8192, 409)),
    ],
    ids=["turned by its EXIF", "black and white TIFF", "WebP", "no background", "wider than is kept"],
)
def test_pictures_are_plans_too(content: bytes, size: tuple[int, int], tmp_path: Path) -> None:
    said, code = render(content, tmp_path)
    assert code == 0, said
    assert said[0] == {"pages": [{"w": size[0], "h": size[1]}]}
    page = page_of(tmp_path, 1, Size(*size))
    assert page.getpixel((size[0] - 2, size[1] - 2)) == 255, "where nothing is drawn it is paper"


def test_a_tiff_of_several_pages_is_a_plan_of_several_pages(tmp_path: Path) -> None:
    pages = [Image.new("L", (300, 200), "white") for _ in range(3)]
    pages[0].save(tmp_path / "three.tiff", save_all=True, append_images=pages[1:])
    said, _ = render((tmp_path / "three.tiff").read_bytes(), tmp_path)
    assert [told["page"] for told in said if "page" in told] == [1, 2, 3]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (locked_pdf(), "encrypted"),
        (small_pdf(61), "pages"),
        (huge_pdf(), "size"),
        (b"%PDF-1.7\n" + b"\xff" * 5000, "unreadable"),
        (small_pdf()[:200], "unreadable"),
        (picture()[:-400], "unreadable"),
        (b"PK\x03\x04 nothing of the kind", "unreadable"),
        (b"", "unreadable"),
        (picture("PNG", (30_000, 30_000), "L"), "size"),
    ],
    ids=[
        "password",
        "61 pages",
        "70 m wide",
        "noise",
        "cut PDF",
        "cut PNG",
        "no picture",
        "nothing",
        "900 million pixels",
    ],
)
def test_what_is_no_plan_is_refused_with_its_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    said, _ = render(content, tmp_path)
    assert said[-1] == {"refused": reason}
    assert not list((tmp_path / "home").glob("?")), "no page is left behind"


def test_levels_halve_until_one_tile_holds_the_page() -> None:
    assert [Size(4096, 2896).at(z) for z in range(4)] == [
        Size(512, 362), Size(1024, 724), Size(2048, 1448), Size(4096, 2896),
    ]  # fmt: skip
    assert Size(512, 512).zooms == 1
    assert Size(513, 1).zooms == 2
    assert Size(8192, 1).zooms == 5
    assert fitted(8192, 10) == Size(8192, 10)
    assert fitted(100_000, 10) == Size(8192, 1)
