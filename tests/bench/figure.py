"""A figure: what was asked for, what was reached, and the table of them all."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).resolve().parents[2] / "bench-results"


@dataclass
class Figure:
    work: str
    target: str
    reached: str
    ok: bool | None  # None: told, not asked for
    numbers: dict[str, Any] = field(default_factory=dict)


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(figures: Sequence[Figure]) -> str:
    rows = [("work", "target", "reached", ""), *((f.work, f.target, f.reached, _mark(f)) for f in figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _mark(figure: Figure) -> str:
    return "" if figure.ok is None else "ok" if figure.ok else "MISSED"


def save(figures: Sequence[Figure], load: str) -> Path:
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    told = {"load": load, "processors": os.cpu_count(), "figures": [asdict(figure) for figure in figures]}
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return file
