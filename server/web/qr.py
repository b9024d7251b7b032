"""A text as a QR code: SVG for pages, block characters for the terminal."""

from __future__ import annotations

import io


def svg(text: str) -> str:
    """An `<svg>` element, black on white with a quiet zone, sized by whoever shows it."""
    import segno

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, light="#fff", dark="#000", border=3
    )
    return out.getvalue().decode()


def terminal(text: str) -> str:
    """Half-height blocks for a terminal; the quiet zone is drawn, so dark themes work too."""
    import segno

    out = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(out, compact=True, border=2)
    return out.getvalue()
