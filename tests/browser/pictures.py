"""The README's pictures, put together from the screenshots of the last test run: `python -m tests.browser.pictures`.

`inspection` and `plan` are not among them: screens of the demo site, taken by hand.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "screenshots"
PICTURES = ROOT / "pwa" / "pictures"
ROWS = {
    "phone": ("zh-CN-360x740-paper", ("today-foreman", "crew", "approvals", "month")),
    "themes": ("", ("en-360x740-paper/today", "zh-CN-360x740-sunlight/detail-to-approve", "en-360x740-night/month")),
    "ledger": ("zh-CN-1280x800-paper", ("ledger",)),
}
SHEET = ("print-month-zh-CN", (70, 800, 1210, 1290))  # one team's page of it
GAP = 24
WIDTH_MAX = 1240


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    for name, (folder, shots) in ROWS.items():
        keep(name, side_by_side([Image.open(SHOTS / folder / f"{shot}.png").convert("RGB") for shot in shots]))
    shot, page = SHEET
    keep("sheet", Image.open(SHOTS / f"{shot}.png").convert("RGB").crop(page))


def keep(name: str, picture: Image.Image) -> None:
    picture.thumbnail((WIDTH_MAX, WIDTH_MAX))
    picture.save(PICTURES / f"{name}.webp", quality=80, method=6)


def side_by_side(shots: list[Image.Image]) -> Image.Image:
    width = sum(shot.width for shot in shots) + GAP * (len(shots) - 1)
    row = Image.new("RGB", (width, max(shot.height for shot in shots)), "white")
    left = 0
    for shot in shots:
        row.paste(shot, (left, 0))
        left += shot.width + GAP
    return row


if __name__ == "__main__":
    main()
