"""One file of plans → WebP tiles, in a process of its own: `… -m server.modules.drawings.render FILE FOLDER SECONDS`.

A PDF from outside may hang, crash the reader or ask for all memory. So it is opened here, behind limits
of memory and of processor time a page, where it takes nothing else with it. What it prints, a line of
JSON each, is what the server knows of it: `{"pages":[{"w","h"}]}` first, `{"done":0.4}` on the way,
`{"page":1}` when a page is whole in FOLDER, and `{"refused":"encrypted"}` for what will never be rendered.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from PIL import ExifTags, Image, ImageOps

from server.modules.drawings.pyramid import POINTS_MAX, POINTS_MIN, TILE, Size, fitted, scale_of

PAGES_MAX: Final = 60
DECODED_BYTES_MAX: Final = 270_000_000
"""Of a picture in memory: 67 million pixels in colour, four times as many in grey."""
MEMORY_BYTES_MAX: Final = 1280 * 1024**2
"""Address space, most of which is never touched."""
OPEN_CPU_S_MAX: Final = 20
STRIP: Final = 4 * TILE  # rows that are rendered at once: 50 MB of an A0 sheet instead of 190
LOSSLESS_BYTES_MAX: Final = 64 * 1024
"""Lines compress better without loss, and stay sharp; a tile that does not is of a scan or a photo."""
GREY: Final = ("1", "L")
PICTURES: Final = ("JPEG", "PNG", "WEBP", "TIFF")

Page = tuple[Size, Callable[[], "Iterator[Image.Image]"]]
"""Its size, and its rows from top to bottom in strips of STRIP."""


class Refuse(Exception):
    """`reason`: unreadable, encrypted, pages, size, memory, time."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def main(source: Path, folder: Path, page_cpu_s_max: int) -> None:
    limit_memory()
    try:
        render(source, folder, page_cpu_s_max)
    except Refuse as refused:
        tell(refused=refused.reason)
    except MemoryError:
        tell(refused="memory")


def render(source: Path, folder: Path, page_cpu_s_max: int) -> None:
    limit_time(OPEN_CPU_S_MAX)
    pages = open_pages(source)
    tell(pages=[{"w": size.w, "h": size.h} for size, _ in pages])
    for number, (size, strips) in enumerate(pages, 1):
        if (folder / str(number)).exists():  # from before a rendering was broken off
            continue
        limit_time(page_cpu_s_max)
        for share in cut(size, strips(), folder / str(number)):
            tell(done=(number - 1 + share) / len(pages))
        tell(page=number)


def tell(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)


def limit_time(more_s: int) -> None:
    """The kernel ends this process when it has used so much processor time from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + more_s
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


# reading


def open_pages(source: Path) -> list[Page]:
    with source.open("rb") as file:
        head = file.read(1024)
    pages = pdf_pages(source) if b"%PDF-" in head else picture_pages(source)
    if not pages:
        raise Refuse("unreadable")
    return pages


def pdf_pages(source: Path) -> list[Page]:
    import pypdfium2 as pdfium
    from pypdfium2 import raw

    try:
        pdf = pdfium.PdfDocument(source)
    except pdfium.PdfiumError as error:
        locked = raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower()
        raise Refuse("encrypted" if locked else "unreadable") from error
    if len(pdf) > PAGES_MAX:
        raise Refuse("pages")
    try:
        return [pdf_page(pdf, i) for i in range(len(pdf))]
    except pdfium.PdfiumError as error:
        raise Refuse("unreadable") from error


def pdf_page(pdf: Any, i: int) -> Page:
    w, h = pdf.get_page_size(i)  # without reading what is on it: that may take for ever
    if not POINTS_MIN <= max(w, h) <= POINTS_MAX or min(w, h) < 1:
        raise Refuse("size")
    scale = scale_of(w, h)
    size = Size(ceil(w * scale), ceil(h * scale))
    return size, lambda: pdf_strips(pdf, i, scale, size)


def ceil(length: float) -> int:
    return -int(-length // 1)


def pdf_strips(pdf: Any, i: int, scale: float, size: Size) -> Iterator[Image.Image]:
    page = pdf[i]
    for top in range(0, size.h, STRIP):
        below = max(0, size.h - top - STRIP)
        # The reader rounds what is cut off up to whole pixels; half a pixel less makes it this very number.
        crop = (0, max(0.0, below - 0.5) / scale, 0, max(0.0, top - 0.5) / scale)
        yield page.render(scale=scale, crop=crop).to_pil().convert("RGB")
    page.close()


def picture_pages(source: Path) -> list[Page]:
    Image.MAX_IMAGE_PIXELS = None  # judged here, by what it takes in memory
    try:
        image = Image.open(source, formats=PICTURES)
        frames = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    except (OSError, ValueError, SyntaxError) as error:
        raise Refuse("unreadable") from error
    if frames > PAGES_MAX:
        raise Refuse("pages")
    return [picture_page(source, i) for i in range(frames)]


def picture_page(source: Path, i: int) -> Page:
    image = opened(source, i)
    pixel_bytes = 1 if image.mode in GREY else 4
    if image.width * image.height * pixel_bytes > DECODED_BYTES_MAX:
        raise Refuse("size")
    w, h = upright(image)
    size = fitted(w, h)
    return size, lambda: picture_strips(source, i, size)


def upright(image: Image.Image) -> tuple[int, int]:
    """As its EXIF says that it is to be held; a PNG is decoded to find that out."""
    try:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, ValueError, SyntaxError) as error:
        raise Refuse("unreadable") from error
    return (image.height, image.width) if turned in (5, 6, 7, 8) else image.size


def opened(source: Path, i: int) -> Image.Image:
    """The header alone; a large JPEG is asked for at half or a quarter of its size."""
    try:
        image = Image.open(source, formats=PICTURES)
        image.seek(i)
        if image.format == "JPEG":
            small = fitted(*image.size)
            image.draft("RGB", (small.w, small.h))
        return image
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Refuse("unreadable") from error


def picture_strips(source: Path, i: int, size: Size) -> Iterator[Image.Image]:
    try:
        image = on_white(shrunk(ImageOps.exif_transpose(opened(source, i)), size))
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Refuse("unreadable") from error
    for top in range(0, size.h, STRIP):
        yield image.crop((0, top, size.w, min(top + STRIP, size.h)))


def shrunk(image: Image.Image, size: Size) -> Image.Image:
    """To the size at which it is kept, before it is given colours that it need not have."""
    if image.size == (size.w, size.h):
        return image
    smooth = image.convert("L") if image.mode == "1" else image.convert("RGBA") if image.mode == "P" else image
    return smooth.resize((size.w, size.h), Image.Resampling.LANCZOS, reducing_gap=2.0)


def on_white(image: Image.Image) -> Image.Image:
    """A drawing without a background is one on paper."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    return image.convert("RGB")


# cutting


def cut(size: Size, strips: Iterator[Image.Image], folder: Path) -> Iterator[float]:
    """Every level of a page as `<folder>/<z>/<x>-<y>.webp`; the folder gets its name when it is whole.

    Yields which share of it is done.
    """
    making = folder.with_name(f"{folder.name}.making")
    z = size.zooms - 1
    half = size.at(z - 1) if z else None
    smaller = Image.new("RGB", (half.w, half.h), "white") if half else None
    for i, strip in enumerate(strips):
        write_tiles(strip, making / str(z), i * STRIP // TILE)
        if smaller:
            smaller.paste(halved(strip), (0, i * STRIP // 2))
        yield min(1.0, (i + 1) * STRIP / size.h) * 0.8
    while smaller:
        z -= 1
        write_tiles(smaller, making / str(z), 0)
        smaller = halved(smaller) if z else None
    making.rename(folder)


def halved(image: Image.Image) -> Image.Image:
    return image.resize((-(-image.width // 2), -(-image.height // 2)), Image.Resampling.BOX)


def write_tiles(image: Image.Image, folder: Path, row: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for top in range(0, image.height, TILE):
        for left in range(0, image.width, TILE):
            box = (left, top, min(left + TILE, image.width), min(top + TILE, image.height))
            (folder / f"{left // TILE}-{row + top // TILE}.webp").write_bytes(webp(image.crop(box)))


def webp(tile: Image.Image) -> bytes:
    sharp = encoded(tile, lossless=True, method=1, quality=40)
    if len(sharp) <= LOSSLESS_BYTES_MAX:
        return sharp
    return min(sharp, encoded(tile, quality=75, method=2), key=len)


def encoded(tile: Image.Image, **how: Any) -> bytes:
    out = io.BytesIO()
    tile.save(out, "WEBP", **how)
    return out.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
