"""How commands speak: plain lines, and one way to stop with a reason."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO
from unicodedata import east_asian_width


class Stop(Exception):
    """The command cannot be done; the message says why and what to do, in one line."""


def say(line: str = "", *, to: TextIO | None = None) -> None:
    out = to or sys.stdout
    try:
        out.write(line + "\n")
    except UnicodeEncodeError:  # a terminal that knows no Chinese
        out.write(line.encode(out.encoding or "ascii", "replace").decode(out.encoding or "ascii") + "\n")
    out.flush()


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as what is in them; a Chinese character takes two places."""
    texts = [[str(cell) if cell is not None else "-" for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(heads, *texts, strict=True)]
    for row in [list(heads), *texts]:
        say("  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)).rstrip())


def width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
