"""What bytes are, told from the bytes alone: their type, a picture's size, and the picture without what was
written beside it.

Pure and without decoding: the walk goes from marker to marker (JPEG), chunk to chunk (PNG, WebP) or
box to box (HEIC, AVIF), whatever name or type somebody gave the file. A picture that breaks off is
`Damaged`; what hangs on behind its end is not part of it. `clean` loses nothing of the picture itself.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

Content = Any  # bytes, or a file that is mapped into memory

JPEG, PNG, WEBP, HEIC, AVIF = "image/jpeg", "image/png", "image/webp", "image/heic", "image/avif"
PHOTOS: Final = frozenset({JPEG, PNG, WEBP, HEIC, AVIF})
PDF: Final = "application/pdf"
OFFICE: Final = "application/vnd.openxmlformats-officedocument."
SIDEWAYS: Final = frozenset({5, 6, 7, 8})  # orientations that swap width and height
PDF_HEAD_MAX: Final = 1024
TEXT_HEAD: Final = 4096
BOXES_MAX: Final = 4096
PROFILE_BYTES_MAX: Final = 1024 * 1024
DECODED_BYTES: Final = {PNG: 4, WEBP: 18, HEIC: 7, AVIF: 9}  # a pixel, with all that the decoder needs; measured
HEIC_WHOLE_MAX: Final = 25_000_000  # pixels; a larger one is decoded tile by tile, to half its width and height
HEIC_TILED_BYTES: Final = 2


class Damaged(Exception):
    """A picture that cannot be whole. `reason`: one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Picture:
    """Width and height as the picture is looked at, `orientation` (1–8) already counted in.

    `decoded` is about how many bytes its pixels take up while it is decoded to a quarter or so.
    """

    type: str
    w: int
    h: int
    orientation: int = 1
    decoded: int = 0


def type_of(content: Content) -> str | None:
    """The type of a file by what is in it; None for what nobody needs on a site."""
    head = bytes(content[:16])
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _still(content)
    if b"%PDF-" in bytes(content[:PDF_HEAD_MAX]):
        return PDF
    if head.startswith(b"PK\x03\x04"):
        return _office(content)
    return next((type for start, type in OTHERS if head.startswith(start)), None) or _text(content)


OTHERS: Final = (
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # doc, xls, ppt, mpp
    (b"AC10", "image/vnd.dwg"),
)


def _office(content: Content) -> str | None:
    """A zip is taken if it is an office file."""
    if content.find(b"[Content_Types].xml") < 0:
        return None
    for part, name in (
        (b"word/document", "wordprocessingml.document"),
        (b"xl/workbook", "spreadsheetml.sheet"),
        (b"ppt/presentation", "presentationml.presentation"),
    ):
        if content.find(part) >= 0:
            return OFFICE + name
    return None


def _text(content: Content) -> str | None:
    """Text in UTF-8 or GB 18030; never markup, which a browser might run."""
    head = bytes(content[:TEXT_HEAD])
    if not head or re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head) or re.search(rb"^\s*(\xef\xbb\xbf)?\s*<", head):
        return None
    for encoding in ("utf-8", "gb18030"):
        try:
            head[: TEXT_HEAD - 4].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(head) - 8:
                continue
        return "text/plain"
    return None


def look(content: Content) -> Picture | None:
    """The picture that bytes are, or None. Raises Damaged."""
    read = READERS.get(type_of(content) or "")
    try:
        found = read(content) if read else None
    except (IndexError, struct.error) as error:
        raise Damaged("truncated") from error
    if found and not (found.w and found.h):
        raise Damaged("empty")
    return found


def clean(content: Content, picture: Picture) -> bytes | None:
    """The same picture with nothing beside it: no EXIF, no thumbnails, no words, nothing behind its end.

    The way up is kept. None where that needs decoding: HEIC, AVIF, and a turned PNG or WebP.
    """
    if picture.type == JPEG:
        return _clean_jpeg(content, picture.orientation)
    if picture.orientation != 1:
        return None
    if picture.type == PNG:
        return _clean_png(content)
    return _clean_webp(content) if picture.type == WEBP else None


def _turned(type: str, w: int, h: int, orientation: int, decoded: int) -> Picture:
    w, h = (h, w) if orientation in SIDEWAYS else (w, h)
    return Picture(type, w, h, orientation, decoded)


# JPEG

SOI, EOI, SOS, APP0, APP1, APP2, APP14, COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
NEXT: Final = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
SMALLER: Final = 8  # a decoder makes baseline JPEG down to an eighth as it reads
WIDTH_WANTED: Final = 1280


@dataclass(frozen=True, slots=True)
class Part:
    """A segment with its marker, or with SOS also the scan that follows: content[start:end]."""

    marker: int
    start: int
    end: int


def _parts(content: Content, *, to_scan: bool = False) -> Iterator[Part]:
    """From behind SOI up to EOI, or to where the first scan begins. Raises Damaged when there is none."""
    at, size = 2, len(content)
    while True:
        found = NEXT.search(content, at)
        if not found:
            raise Damaged("truncated")
        start, marker = found.start(), content[found.start() + 1]
        if marker == EOI:
            yield Part(EOI, start, start + 2)
            return
        if marker in ALONE or marker == SOI:
            at = start + 2
            continue
        end = start + 2 + int.from_bytes(content[start + 2 : start + 4])
        if end > size or end < start + 4:
            raise Damaged("truncated")
        if marker == SOS and to_scan:
            yield Part(SOS, start, end)
            return
        if marker == SOS:
            scan = AFTER_SCAN.search(content, end)
            if not scan:
                raise Damaged("truncated")
            end = scan.start()
        yield Part(marker, start, end)
        at = end


def _jpeg(content: Content) -> Picture:
    """From its head alone: what follows may be long, and who decodes it walks it to its end."""
    frame, orientation = b"", 1
    for part in _parts(content, to_scan=True):
        if part.marker in FRAMES and not frame:
            frame = bytes(content[part.start + 1 : part.end])
        elif part.marker == APP1 and orientation == 1:
            orientation = exif_orientation(bytes(content[part.start + 4 : part.end]))
        elif part.marker == EOI:
            raise Damaged("empty")
    if not frame:
        raise Damaged("empty")
    if content.rfind(b"\xff\xd9") < part.end:
        raise Damaged("truncated")
    h, w = struct.unpack_from(">HH", frame, 4)
    return _turned(JPEG, w, h, orientation, _jpeg_decoded(frame, w, h))


def _jpeg_decoded(frame: bytes, w: int, h: int) -> int:
    """Pixels four bytes each at the size that they are decoded to; all coefficients if progressive."""
    scale = 1
    while scale < SMALLER and max(w, h) // (scale * 2) >= WIDTH_WANTED:
        scale *= 2
    pixels = (w // scale + 1) * (h // scale + 1) * 4
    if frame[0] not in PROGRESSIVE:
        return pixels
    factors = [(one >> 4) * (one & 15) for one in frame[10::3]]
    return pixels + w * h * 2 * sum(factors) // max(1, *factors)


def exif_orientation(segment: bytes) -> int:
    """The way up, of an EXIF segment; 1 where it does not say so in a way that can be read."""
    if not segment.startswith(b"Exif\x00\x00"):
        return 1
    tiff = segment[6:]
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for i in range(min(count, 100)):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, first + 2 + 12 * i)
            if tag == 0x0112 and kind == 3:
                (value,) = struct.unpack_from(f"{order}H", tiff, first + 2 + 12 * i + 8)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _clean_jpeg(content: Content, orientation: int) -> bytes:
    pieces = [b"\xff\xd8"]
    turn = _orientation_segment(orientation) if orientation != 1 else b""
    for part in _parts(content):
        segment = content[part.start : part.end]
        if part.marker == APP0 and segment[4:9] == b"JFIF\x00":
            pieces.append(segment)
        elif turn and part.marker != APP0:
            pieces.append(turn)
            turn = b""
        if _belongs(part.marker, segment):
            pieces.append(segment)
    return b"".join(pieces)


def _belongs(marker: int, segment: bytes) -> bool:
    """To the picture: colours (ICC, Adobe) do, and all that is neither application data nor a comment."""
    if marker == APP2:
        return bool(segment[4:16] == b"ICC_PROFILE\x00")
    return marker == APP14 or (marker != COM and not APP0 <= marker <= 0xEF)


def _orientation_segment(orientation: int) -> bytes:
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"MM\x00*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
    body = b"Exif\x00\x00" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


# PNG

OF_PNG: Final = frozenset(
    {
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"gAMA",
        b"cHRM",
        b"sRGB",
        b"iCCP",
        b"sBIT",
        b"bKGD",
        b"pHYs",
        b"cICP",
    }
)


def _chunks(content: Content) -> Iterator[tuple[bytes, int, int]]:
    at, size = 8, len(content)
    while at + 12 <= size:
        (length,) = struct.unpack_from(">I", content, at)
        kind, end = bytes(content[at + 4 : at + 8]), at + 12 + length
        if end > size:
            break
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end
    raise Damaged("truncated")


def _png(content: Content) -> Picture:
    if content[12:16] != b"IHDR":
        raise Damaged("empty")
    w, h = struct.unpack_from(">II", content, 16)
    orientation, has_pixels = 1, False
    for kind, start, end in _chunks(content):
        has_pixels |= kind == b"IDAT"
        if kind == b"eXIf":
            orientation = exif_orientation(b"Exif\x00\x00" + bytes(content[start + 8 : end - 4]))
    if not has_pixels:
        raise Damaged("empty")
    return _turned(PNG, w, h, orientation, w * h * DECODED_BYTES[PNG])


def _clean_png(content: Content) -> bytes:
    kept = [bytes(content[:8])]
    for kind, start, end in _chunks(content):
        chunk = bytes(content[start:end]) if kind in OF_PNG else b""
        if kind != b"iCCP" or _is_modest(chunk[8:-4]):
            kept.append(chunk)
    return b"".join(kept)


def _is_modest(profile: bytes) -> bool:
    """A packed profile of colours that does not unpack to a bomb."""
    packed = profile.partition(b"\x00")[2][1:]
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(packed, PROFILE_BYTES_MAX)
    except zlib.error:
        return False
    return unpacking.eof


# WebP

OF_WEBP: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ICCP"})
SAYS_EXIF_OR_XMP: Final = 0b1100
SAYS_MOVES: Final = 0b10


def _pieces(content: Content) -> Iterator[tuple[bytes, int, int]]:
    (length,) = struct.unpack_from("<I", content, 4)
    at, last = 12, 8 + length
    if last > len(content):
        raise Damaged("truncated")
    while at + 8 <= last:
        kind = bytes(content[at : at + 4])
        (length,) = struct.unpack_from("<I", content, at + 4)
        end = at + 8 + length
        if end > last:
            raise Damaged("truncated")
        yield kind, at, end
        at = end + (length & 1)


def _webp(content: Content) -> Picture:
    size, orientation = (0, 0), 1
    for kind, start, end in _pieces(content):
        inside = start + 8
        if kind == b"VP8X":
            if content[inside] & SAYS_MOVES:
                raise Damaged("moves")
            size = _webp_24(content, inside + 4), _webp_24(content, inside + 7)
        elif kind == b"VP8 " and size == (0, 0):
            w, h = struct.unpack_from("<HH", content, inside + 6)
            size = w & 0x3FFF, h & 0x3FFF
        elif kind == b"VP8L" and size == (0, 0):
            (bits,) = struct.unpack_from("<I", content, inside + 1)
            size = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        elif kind == b"EXIF":
            said = bytes(content[inside:end])
            orientation = exif_orientation(said if said.startswith(b"Exif") else b"Exif\x00\x00" + said)
    return _turned(WEBP, *size, orientation, size[0] * size[1] * DECODED_BYTES[WEBP])


def _webp_24(content: Content, at: int) -> int:
    return int.from_bytes(content[at : at + 3], "little") + 1


def _clean_webp(content: Content) -> bytes:
    kept = []
    for kind, start, end in _pieces(content):
        piece = bytearray(content[start:end])
        if kind == b"VP8X":
            piece[8] &= ~SAYS_EXIF_OR_XMP & 0xFF
        if kind == b"VP8X" or kind in OF_WEBP:
            kept.append(bytes(piece) + b"\x00" * (len(piece) & 1))
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


# HEIC and AVIF: boxes

HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})


def _still(content: Content) -> str | None:
    end = min(int.from_bytes(content[:4]), 256, len(content))
    brands = {bytes(content[at : at + 4]) for at in (8, *range(16, end, 4))}
    if brands & AVIF_BRANDS:
        return AVIF
    return HEIC if brands & HEIC_BRANDS else None


def boxes(content: Content, at: int, last: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, start, end) of what is inside each box from `at` on."""
    for _ in range(BOXES_MAX):
        if at + 8 > last:
            return
        size, name, inside = int.from_bytes(content[at : at + 4]), bytes(content[at + 4 : at + 8]), at + 8
        if size == 1:
            size, inside = int.from_bytes(content[at + 8 : at + 16]), at + 16
        end = last if size == 0 else at + size
        if end < inside or end > last:
            raise Damaged("truncated")
        yield name, inside, end
        at = end


def _sizes(content: Content) -> Iterator[tuple[int, int]]:
    """What `ispe` says, of the picture, its tiles and its thumbnail."""
    for name, start, end in boxes(content, 0, len(content)):
        if name != b"meta":
            continue
        for inner, first, last in boxes(content, start + 4, end):
            if inner != b"iprp":
                continue
            for box, a, b in boxes(content, first, last):
                if box == b"ipco":
                    for prop, c, _ in boxes(content, a, b):
                        if prop == b"ispe":
                            yield struct.unpack_from(">II", content, c + 4)


def _of_boxes(type: str, content: Content) -> Picture:
    w, h = max(_sizes(content), key=lambda size: size[0] * size[1], default=(0, 0))
    each = HEIC_TILED_BYTES if type == HEIC and w * h > HEIC_WHOLE_MAX else DECODED_BYTES[type]
    return Picture(type, w, h, 1, w * h * each)


READERS: Final[dict[str, Callable[[Content], Picture]]] = {
    JPEG: _jpeg,
    PNG: _png,
    WEBP: _webp,
    HEIC: lambda content: _of_boxes(HEIC, content),
    AVIF: lambda content: _of_boxes(AVIF, content),
}
