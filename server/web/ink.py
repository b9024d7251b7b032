"""Signatures and what is drawn on photos, as SVG for paper: the twin of the phone's `marks.ts` and `signature.ts`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup, escape

MILLION: Final = 1_000_000
INK: Final = {
    "red": ("#e4281b", "#ffffff"), "yellow": ("#ffd400", "#1d1a12"), "blue": ("#1769e0", "#ffffff"),
    "white": ("#ffffff", "#1d1a12"), "black": ("#15130d", "#ffffff"),
}  # fmt: skip


def signature(value: Mapping[str, Any]) -> Markup:
    """An `<svg>` of the strokes."""
    paths = "".join(f'<path d="{line(stroke)}"/>' for stroke in value["strokes"])
    return Markup(
        f'<svg class="signature" viewBox="0 0 {int(value["w"])} {int(value["h"])}" fill="none" stroke="#15130d"'
        f' stroke-width="4" stroke-linecap="round" stroke-linejoin="round">{paths}</svg>'
    )


def marks(shapes: Sequence[Mapping[str, Any]], w: int, h: int) -> Markup:
    """An `<svg>` layer over a photo of w × h pixels."""
    return Markup(
        f'<svg class="marks" viewBox="0 0 {w} {h}" preserveAspectRatio="xMidYMid meet">'
        + "".join(_shape(shape, w, h) for shape in shapes)
        + "</svg>"
    )


def line(points: Sequence[float]) -> str:
    pairs = [f"{_round(x)} {_round(y)}" for x, y in zip(points[::2], points[1::2], strict=False)]
    return "M" + "L".join(pairs) if len(pairs) > 1 else f"M{pairs[0]}h0.1" if pairs else ""


def _shape(shape: Mapping[str, Any], w: int, h: int) -> str:
    fill, edge = INK.get(shape["c"], INK["red"])
    points = [n / MILLION * (h if i % 2 else w) for i, n in enumerate(shape["p"])]
    pen = max(w, h) / 160
    if shape["t"] == "text":
        size = max(w, h) / 26
        return (
            f'<text x="{_round(points[0])}" y="{_round(points[1])}" font-size="{_round(size)}" fill="{fill}"'
            f' stroke="{edge}" stroke-width="{_round(size / 6)}" paint-order="stroke" font-weight="700">'
            f"{escape(shape.get('s', ''))}</text>"
        )
    path = _path(shape["t"], points, pen)
    look = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
    return "".join(
        f'<path d="{path}" {look} stroke="{ink}" stroke-width="{_round(width)}"/>'
        for ink, width in ((edge, pen * 1.9), (fill, pen))
    )


def _path(sort: str, points: Sequence[float], pen: float) -> str:
    if sort == "free" or len(points) < 4:
        return line(points)
    x1, y1, x2, y2 = points[:4]
    if sort == "rect":
        return f"M{_round(x1)} {_round(y1)}H{_round(x2)}V{_round(y2)}H{_round(x1)}Z"
    if sort == "circle":
        rx, ry = abs(x2 - x1) / 2, abs(y2 - y1) / 2
        turn = f"a{_round(rx)} {_round(ry)} 0 1 0"
        left, middle = _round((x1 + x2) / 2 - rx), _round((y1 + y2) / 2)
        return f"M{left} {middle}{turn} {_round(2 * rx)} 0{turn} {_round(-2 * rx)} 0Z"
    angle, barb = math.atan2(y2 - y1, x2 - x1), min(pen * 6, math.hypot(x2 - x1, y2 - y1) * 0.6)
    ends = [
        f"{_round(x2 - barb * math.cos(angle + turn))} {_round(y2 - barb * math.sin(angle + turn))}"
        for turn in (0.5, -0.5)
    ]
    tip = f"{_round(x2)} {_round(y2)}"
    return f"M{_round(x1)} {_round(y1)}L{tip}M{ends[0]}L{tip}L{ends[1]}"


def _round(n: float) -> float:
    return round(n, 1)
