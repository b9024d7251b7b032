"""The floor plan of the demo site: a PDF of two pages, drawn line by line, as an office would export it.

`pdf` writes what a page needs here and no more: lines, circles, and words in Helvetica or in Chinese. The
fonts are not embedded, as in most plans that come from a drawing program; whoever reads it brings his own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

A3: Final = (1191, 842)  # points
AXES_X: Final = (130, 270, 410, 550, 690, 830, 970)
AXES_Y: Final = (190, 320, 450, 580, 710)
WALL, THIN = 5.0, 0.6

Drawn = list[str]


def pdf(pages: Sequence[tuple[tuple[int, int], str]]) -> bytes:
    """Pages of a size in points and what is drawn on them, as a PDF file."""
    numbers = range(6, 6 + 2 * len(pages), 2)
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = {
        1: "<</Type/Catalog/Pages 2 0 R>>",
        2: f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        3: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        4: "<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[5 0 R]>>",
        5: "<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/DW 1000"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>>>",
    }
    for number, ((w, h), drawn) in zip(numbers, pages, strict=True):
        objects[number] = (
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {w} {h}]/Contents {number + 1} 0 R"
            "/Resources<</Font<</F1 3 0 R/F2 4 0 R>>>>>>"
        )
        objects[number + 1] = f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream"
    return assembled(objects)


def assembled(objects: dict[int, str]) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, text in objects.items():
        places.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode("ascii")
    index = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{index}{end}".encode("ascii")


# strokes of the pen


def line(x1: float, y1: float, x2: float, y2: float, width: float = THIN) -> str:
    return f"{width} w {x1} {y1} m {x2} {y2} l S"


def box(x: float, y: float, w: float, h: float, width: float = THIN) -> str:
    return f"{width} w {x} {y} {w} {h} re S"


def filled(x: float, y: float, w: float, h: float) -> str:
    return f"{x} {y} {w} {h} re f"


def circle(x: float, y: float, r: float, width: float = 1.0) -> str:
    k = r * 0.5523
    return (
        f"{width} w {x + r} {y} m {x + r} {y + k} {x + k} {y + r} {x} {y + r} c"
        f" {x - k} {y + r} {x - r} {y + k} {x - r} {y} c {x - r} {y - k} {x - k} {y - r} {x} {y - r} c"
        f" {x + k} {y - r} {x + r} {y - k} {x + r} {y} c S"
    )


def words(x: float, y: float, text: str, size: float = 11) -> str:
    """Centred as far as an average width of letters tells."""
    if text.isascii():
        return f"BT /F1 {size} Tf 1 0 0 1 {x - len(text) * size * 0.27:.1f} {y - size * 0.36:.1f} Tm ({text}) Tj ET"
    left = x - len(text) * size / 2
    return f"BT /F2 {size} Tf 1 0 0 1 {left:.1f} {y - size * 0.36:.1f} Tm <{text.encode('utf-16-be').hex()}> Tj ET"


# the building


def floor_plan() -> bytes:
    """Basement and ground floor."""
    return pdf(
        [
            (A3, sheet("B2", "地下二层平面图", "A-101", basement())),
            (A3, sheet("1F", "一层平面图", "A-102", ground_floor())),
        ]
    )


def sheet(floor: str, title: str, number: str, inside: Drawn) -> str:
    frame = [box(20, 20, A3[0] - 40, A3[1] - 40, 2), *axes(), *columns(), *inside]
    block = [
        box(A3[0] - 180, 20, 160, 120, 1.4),
        line(A3[0] - 180, 80, A3[0] - 20, 80),
        words(A3[0] - 100, 118, title, 14),
        words(A3[0] - 100, 95, f"{floor}  1:100", 12),
        words(A3[0] - 100, 58, number, 20),
        words(A3[0] - 100, 34, "Rev. A  2026-09-01", 9),
    ]
    return "\n".join(["0 0 0 RG 0 0 0 rg", *frame, *block])


def axes() -> Iterator[str]:
    for i, x in enumerate(AXES_X):
        yield line(x, 140, x, 770, 0.3)
        yield circle(x, 788, 15)
        yield words(x, 788, str(i + 1), 14)
    for i, y in enumerate(AXES_Y):
        yield line(80, y, 1010, y, 0.3)
        yield circle(62, y, 15)
        yield words(62, y, "ABCDE"[i], 14)
    for left, right in itertools.pairwise(AXES_X):
        yield words((left + right) / 2, 762, "8400", 9)


def columns() -> Iterator[str]:
    for x in AXES_X:
        for y in AXES_Y:
            yield filled(x - 7, y - 7, 14, 14)


def outer_walls() -> Drawn:
    left, right, low, high = AXES_X[0], AXES_X[-1], AXES_Y[0], AXES_Y[-1]
    return [box(left, low, right - left, high - low, WALL)]


def stairs(x: float, y: float) -> Drawn:
    treads = [line(x + step, y, x + step, y + 60) for step in range(0, 100, 8)]
    return [box(x, y, 104, 60, 3), *treads, line(x, y + 30, x + 104, y + 30, 1.5)]


def lift(x: float, y: float) -> Drawn:
    return [box(x, y, 44, 44, 3), line(x, y, x + 44, y + 44), line(x, y + 44, x + 44, y)]


def basement() -> Drawn:
    bays = [
        stroke
        for row in (200, 330, 590)
        for bay in range(16)
        for stroke in (
            box(280 + bay * 42, row, 42, 86),
            words(301 + bay * 42, row + 43, f"{(200, 330, 590).index(row) + 1}{bay + 1:02d}", 8),
        )
    ]
    rooms = [
        box(130, 450, 140, 130, WALL),
        words(200, 520, "B2-01", 14),
        box(130, 580, 140, 130, WALL),
        words(200, 650, "B2-02", 14),
        box(690, 450, 140, 130, WALL),
        words(760, 520, "B2-03", 14),
        words(620, 430, "RAMP  12%", 10),
    ]
    return [*outer_walls(), *bays, *rooms, *stairs(150, 210), *lift(200, 300), *lift(150, 300)]


def ground_floor() -> Drawn:
    rooms: Drawn = []
    for i, x in enumerate(AXES_X[:-1]):
        rooms += [box(x, 580, 140, 130, WALL), words(x + 70, 645, f"1F-{i + 1:02d}", 14)]
        rooms += [box(x, 190, 140, 130, WALL), words(x + 70, 255, f"1F-{i + 7:02d}", 14)]
        rooms += [line(x + 50, 580, x + 50, 545), line(x + 50, 320, x + 50, 355)]
    hall = [words(480, 490, "LOBBY", 20), *stairs(150, 420), *lift(880, 400), *lift(830, 400), *lift(880, 460)]
    return [*outer_walls(), *rooms, *hall]
