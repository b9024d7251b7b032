"""Pictures of the demo site, drawn: an edge with and without its railing, a hole and its cover, rebar, a slab with
honeycombs, a distribution box … Nobody is in them. Pure: the same scene and seed give the same JPEG.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from random import Random
from typing import Final

from PIL import Image, ImageDraw

SIZE: Final = (960, 720)
QUALITY: Final = 72
Colour = tuple[int, int, int]
CONCRETE: Final[Colour] = (158, 156, 150)
STEEL: Final[Colour] = (110, 82, 66)
SKY: Final[Colour] = (186, 206, 222)
YELLOW: Final[Colour] = (226, 184, 42)
RED: Final[Colour] = (186, 52, 44)
GREEN: Final[Colour] = (68, 116, 84)
WOOD: Final[Colour] = (176, 138, 92)


@dataclass
class Pad:
    """What a scene is drawn on."""

    draw: ImageDraw.ImageDraw
    chance: Random

    def near(self, colour: Colour, by: int = 12) -> Colour:
        light = self.chance.randint(-by, by)
        red, green, blue = (max(0, min(255, part + light + self.chance.randint(-3, 3))) for part in colour)
        return red, green, blue

    def box(self, x: float, y: float, w: float, h: float, colour: Colour) -> None:
        self.draw.rectangle((x, y, x + w, y + h), fill=colour)

    def bar(self, *points: float, colour: Colour, width: int = 8) -> None:
        self.draw.line(points, fill=colour, width=width)


def photo(scene: str, seed: int) -> bytes:
    """A JPEG of one of `SCENES`."""
    chance = Random(f"{scene} {seed}")
    image = Image.new("RGB", SIZE, SKY)
    SCENES[scene](Pad(ImageDraw.Draw(image), chance))
    w, h = SIZE[0] // 4, SIZE[1] // 4
    grain = Image.frombytes("L", (w, h), chance.randbytes(w * h)).resize(SIZE, Image.Resampling.BILINEAR)
    image = Image.blend(image, Image.merge("RGB", (grain, grain, grain)), 0.09)
    out = BytesIO()
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _floor(pad: Pad) -> None:
    """A slab that runs to an edge, the city behind."""
    for n in range(9):
        height = pad.chance.randint(40, 190)
        pad.box(n * 120 - 20, 330 - height, 96, height, pad.near((150, 166, 180), 16))
    pad.draw.polygon([(0, 330), (960, 330), (960, 720), (0, 720)], fill=CONCRETE)
    for _ in range(40):
        x, y = pad.chance.randint(0, 960), pad.chance.randint(340, 720)
        pad.draw.ellipse((x, y, x + pad.chance.randint(10, 90), y + 6), fill=pad.near(CONCRETE, 9))


def _edge_open(pad: Pad) -> None:
    _floor(pad)
    for x in (90, 830):
        pad.bar(x, 190, x, 350, colour=YELLOW, width=12)
    pad.bar(90, 210, 330, 342, colour=YELLOW, width=9)
    pad.box(420, 470, 200, 90, pad.near(WOOD))


def _edge_closed(pad: Pad) -> None:
    _floor(pad)
    for x in range(60, 960, 140):
        pad.bar(x, 180, x, 350, colour=YELLOW if x // 140 % 2 else RED, width=12)
    for y in (200, 265):
        for x in range(0, 960, 80):
            pad.bar(x, y, x + 80, y, colour=YELLOW if x // 80 % 2 else RED, width=9)
    for x in range(0, 960, 60):
        pad.box(x, 328, 60, 22, YELLOW if x // 60 % 2 else (30, 30, 30))


def _rebar(pad: Pad, gap: int = 62) -> None:
    pad.box(0, 0, 960, 720, WOOD)
    for x in range(-30, 990, gap):
        at = x + pad.chance.randint(-3, 3)
        pad.bar(at, 0, at + 30, 720, colour=pad.near(STEEL), width=11)
    for y in range(10, 740, gap):
        pad.bar(0, y, 960, y + 18, colour=pad.near(STEEL), width=11)
    for _ in range(24):
        x, y = pad.chance.randint(0, 900), pad.chance.randint(0, 680)
        pad.box(x, y, 30, 30, pad.near((190, 190, 184)))


def _rebar_wide(pad: Pad) -> None:
    _rebar(pad, 118)


def _honeycomb(pad: Pad) -> None:
    pad.box(0, 0, 960, 720, CONCRETE)
    for y in (240, 480):
        pad.bar(0, y, 960, y, colour=pad.near(CONCRETE, 20), width=4)
    for _ in range(150):
        x, y = round(pad.chance.gauss(520, 90)), round(pad.chance.gauss(380, 60))
        r = pad.chance.randint(4, 15)
        pad.draw.ellipse((x - r, y - r, x + r, y + r), fill=pad.near((92, 88, 82), 18))
    pad.bar(470, 360, 640, 396, colour=STEEL, width=7)


def _patched(pad: Pad) -> None:
    pad.box(0, 0, 960, 720, CONCRETE)
    for y in (240, 480):
        pad.bar(0, y, 960, y, colour=pad.near(CONCRETE, 20), width=4)
    pad.draw.rounded_rectangle((350, 270, 690, 490), 26, fill=(176, 174, 168))


def _box_open(pad: Pad) -> None:
    pad.box(0, 0, 960, 720, pad.near((196, 190, 178)))
    pad.box(280, 110, 400, 440, (222, 122, 40))
    pad.box(310, 140, 340, 380, (64, 66, 70))
    for n in range(4):
        pad.box(340 + n * 76, 190, 52, 110, (34, 36, 40))
        pad.box(356 + n * 76, 222, 20, 34, (220, 220, 220))
    for n in range(6):
        colour = (RED, YELLOW, GREEN, (40, 70, 140))[n % 4]
        pad.bar(350 + n * 50, 310, 330 + n * 52, 520, 280 + n * 70, 720, colour=colour, width=8)


def _box_locked(pad: Pad) -> None:
    pad.box(0, 0, 960, 720, pad.near((196, 190, 178)))
    pad.box(280, 110, 400, 440, (222, 122, 40))
    pad.bar(290, 330, 670, 330, colour=(180, 92, 24), width=4)
    pad.box(630, 300, 26, 70, (60, 60, 60))
    pad.draw.polygon([(480, 180), (430, 280), (530, 280)], fill=YELLOW)
    pad.bar(482, 200, 470, 240, 488, 236, 476, 268, colour=(20, 20, 20), width=7)


def _scaffold(pad: Pad) -> None:
    pad.box(330, 60, 630, 660, pad.near((206, 200, 190)))
    for x in range(40, 960, 130):
        pad.bar(x, 0, x, 720, colour=pad.near((150, 150, 152)), width=10)
    for y in range(60, 720, 150):
        pad.bar(0, y, 960, y, colour=pad.near((150, 150, 152)), width=10)
        pad.box(0, y + 6, 960, 14, pad.near(WOOD))
    pad.bar(40, 720, 560, 0, colour=(170, 120, 60), width=9)
    for y in range(0, 720, 26):
        pad.bar(0, y, 330, y, colour=GREEN, width=2)


def _delivery(pad: Pad) -> None:
    pad.box(0, 430, 960, 290, pad.near((138, 130, 118)))
    for row in range(4):
        for n in range(12):
            x, y = 90 + n * 62 + row * 14, 470 - row * 46
            pad.draw.ellipse((x, y, x + 58, y + 44), fill=pad.near(STEEL, 16), outline=(60, 44, 36))
    pad.box(610, 500, 150, 96, (236, 232, 220))
    for y in range(516, 590, 16):
        pad.bar(626, y, 744, y, colour=(90, 90, 90), width=3)


def _pour(pad: Pad) -> None:
    _rebar(pad)
    pad.draw.polygon([(0, 250), (560, 330), (700, 720), (0, 720)], fill=(124, 124, 122))
    for _ in range(120):
        x, y = pad.chance.randint(0, 560), pad.chance.randint(340, 700)
        pad.draw.ellipse((x, y, x + 34, y + 10), fill=pad.near((132, 132, 130), 14))
    pad.bar(960, 40, 700, 150, 590, 330, colour=(70, 70, 74), width=34)


def _tidy(pad: Pad) -> None:
    _floor(pad)
    for n in range(5):
        pad.box(120 + n * 150, 420 - n % 2 * 20, 120, 100, pad.near(WOOD))
        pad.bar(120 + n * 150, 470, 240 + n * 150, 470, colour=(90, 70, 50), width=3)


def _hole(pad: Pad) -> None:
    _floor(pad)
    pad.draw.polygon([(300, 440), (640, 440), (700, 620), (250, 620)], fill=(36, 34, 32))
    for n in range(4):
        pad.bar(300 + n * 100, 440, 280 + n * 130, 500, colour=pad.near(STEEL), width=6)
    pad.draw.line([(300, 440), (640, 440), (700, 620), (250, 620), (300, 440)], fill=(120, 118, 112), width=9)


def _hole_open(pad: Pad) -> None:
    _hole(pad)
    pad.box(720, 520, 200, 120, pad.near(WOOD))


def _hole_covered(pad: Pad) -> None:
    _hole(pad)
    pad.draw.polygon([(280, 425), (660, 425), (726, 640), (226, 640)], fill=pad.near(WOOD))
    for n in range(6):
        pad.bar(290 + n * 70, 430, 250 + n * 90, 636, colour=RED if n % 2 else YELLOW, width=16)


def _bottles(pad: Pad, *left: int) -> None:
    _floor(pad)
    for x, colour in zip(left, ((70, 120, 170), (232, 232, 226)), strict=True):
        body = pad.near(colour)
        pad.draw.rounded_rectangle((x, 330, x + 90, 600), 40, fill=body)
        pad.box(x + 32, 296, 26, 40, (90, 90, 92))
        pad.bar(x + 45, 300, x + 130, 360, 560, 660, colour=(60, 60, 62), width=7)


def _bottles_near(pad: Pad) -> None:
    _bottles(pad, 380, 490)
    pad.draw.polygon([(600, 600), (640, 500), (660, 570), (700, 520), (720, 600)], fill=(240, 140, 40))


def _bottles_apart(pad: Pad) -> None:
    _bottles(pad, 90, 780)
    pad.draw.rounded_rectangle((470, 480, 540, 640), 24, fill=RED)
    pad.bar(505, 480, 505, 450, 560, 470, colour=(30, 30, 30), width=10)


SCENES: Final[dict[str, Callable[[Pad], None]]] = {
    "edge_open": _edge_open, "edge_closed": _edge_closed, "rebar": _rebar, "rebar_wide": _rebar_wide,
    "honeycomb": _honeycomb, "patched": _patched, "box_open": _box_open, "box_locked": _box_locked,
    "scaffold": _scaffold, "delivery": _delivery, "pour": _pour, "tidy": _tidy, "hole_open": _hole_open,
    "hole_covered": _hole_covered, "bottles_near": _bottles_near, "bottles_apart": _bottles_apart,
}  # fmt: skip
