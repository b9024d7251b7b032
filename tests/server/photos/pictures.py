"""Photos made for the tests: of any size and orientation, with EXIF, and such as somebody would send who means harm."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any, Final

from PIL import ExifTags, Image

ROOT: Final = Path(__file__).resolve().parents[3]
REAL: Final = ROOT.parent / "shared" / "data" / "photos"


def real(name: str) -> bytes | None:
    """One of the real photos beside the project; None, and a word about it, where there are none."""
    file = REAL / name
    if file.is_file():
        return file.read_bytes()
    print(f"no real photos here ({name}): only those that the tests make")
    return None


def jpeg(w: int = 640, h: int = 480, *, seed: int = 0, exif: Image.Exif | None = None, **save: Any) -> bytes:
    """A picture with a dark top left corner, so that its way up can be told; different for each seed."""
    rng = random.Random(f"{w} {h} {seed}")
    small = Image.frombytes("RGB", (32, 24), bytes(rng.randrange(120, 256) for _ in range(32 * 24 * 3)))
    image = small.resize((w, h), Image.Resampling.BILINEAR)
    image.paste((10, 10, 10), (0, 0, w // 4, h // 4))
    kept = io.BytesIO()
    image.save(kept, "JPEG", **({"exif": exif} if exif else {}), **save)
    return kept.getvalue()


def with_exif(orientation: int = 1) -> Image.Exif:
    """When, where and with what it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Telephone", "T1"
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base.DateTimeOriginal: "2026:09:01 08:30:00", ExifTags.Base.OffsetTimeOriginal: "+08:00"}
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (31.0, 13.0, 49.5), 3: "E", 4: (121.0, 28.0, 25.2)}
    )  # fmt: skip
    return exif


def png(w: int, h: int, *extra: tuple[bytes, bytes], rows: bytes | None = None) -> bytes:
    """A PNG by hand: any size may be claimed, any chunk put in."""
    pixels = zlib.compress(rows if rows is not None else b"\x00" * (w * 3 + 1) * h)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)), *extra, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def is_dark_at(content: bytes, x: float, y: float) -> bool:
    """Whether a picture is dark near a place given in shares of its width and height."""
    with Image.open(io.BytesIO(content)) as image:
        grey = image.convert("L")
        value = grey.getpixel((int(x * (grey.width - 1)), int(y * (grey.height - 1))))
        assert isinstance(value, int)
        return value < 60
