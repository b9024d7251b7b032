"""A process of its own that decodes photos: from the kept bytes to the clean picture, 1280 and 320 wide.

One request a line on its input, {"path", "out"}; one answer a line: what was made in the folder `out`
(`clean`, `w1280`, `w320`), the picture's size, and the facts of its EXIF; or the code of what is wrong.
Whatever a photo does to the decoder happens here: memory is limited, priority is low, and whoever
asked may kill it. Only this file's few imports are loaded.
"""

from __future__ import annotations

import io
import json
import mmap
import os
import resource
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from PIL import ExifTags, Image, ImageFile

from server.core import picture
from server.core.heif_grid import Heic
from server.core.picture import Damaged, Picture

WIDTHS: Final = (1280, 320)
SPARE_BYTES: Final = 128 * 1024 * 1024  # beside the pixels: the encoder, rows in work, stacks of threads
ROUGHLY: Final = 1.0  # first quickly to the last whole fraction above what is wanted, the rest finely
WORDS_MAX: Final = 60
EXIF_YEAR_MIN: Final = "1990"
Answer = dict[str, Any]


def main() -> None:
    decoded_bytes_max = int(sys.argv[1])
    os.nice(10)
    prepare()
    limit_memory(decoded_bytes_max + SPARE_BYTES)
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps(answer(Path(asked["path"]), Path(asked["out"]))) + "\n")
        sys.stdout.flush()


def prepare() -> None:
    """A photo that is too large for Pillow's liking is an error; ours is the stricter limit, looked at before."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = 250_000_000
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False)
    Image.init()


def limit_memory(more: int) -> None:
    """What is in use now, and so much more. Where the system has no such limit, the look beforehand is all."""
    with suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text("ascii")
        used = int(status.split("VmData:")[1].split()[0]) * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (used + more, used + more))


def answer(path: Path, out: Path) -> Answer:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            seen = picture.look(content)
            if seen is None:
                return {"code": "unsupported_file"}
            return develop(path, content, seen, out)
    except MemoryError:
        return {"code": "too_many_pixels"}
    except Damaged as damaged:
        return {"code": "damaged_photo", "reason": damaged.reason}
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return {"code": "too_many_pixels"}
    except Exception as error:  # decoders raise what they like
        return {"code": "damaged_photo", "reason": type(error).__name__}


def develop(path: Path, content: Any, seen: Picture, out: Path) -> Answer:
    bare = picture.clean(content, seen)
    made, formats = [], [FORMATS[seen.type]]
    facts = facts_of(path, formats)
    # what stands beside the picture may be a bomb of its own: it is left out here too
    with Image.open(path if bare is None else io.BytesIO(bare), formats=formats) as file:
        if seen.type == picture.HEIC and seen.w * seen.h > picture.HEIC_WHOLE_MAX:
            image = pieced(Heic(content))
            image.info["icc_profile"] = file.info.get("icc_profile")
        else:
            if seen.type == picture.JPEG:
                file.draft("RGB", shrunk(file.size, WIDTHS[0]))
            file.load()
            image = plain(file)
    w, h = seen.w, seen.h
    if bare is None:  # what not every browser shows is kept as it is, and shown as JPEG
        image = flat(turned(image, seen.orientation))
        w, h = image.size
        image.save(out / "clean", "JPEG", quality=90, icc_profile=image.info.get("icc_profile"))
        made.append("clean")
    elif len(bare) != len(content):
        (out / "clean").write_bytes(bare)
        made.append("clean")
    image.thumbnail((WIDTHS[0], WIDTHS[0]), Image.Resampling.LANCZOS, reducing_gap=ROUGHLY)
    if bare is not None:
        image = flat(turned(image, seen.orientation))
    for width in WIDTHS:
        image.thumbnail((width, width), Image.Resampling.LANCZOS)
        image.save(out / f"w{width}", "WEBP", quality=80 if width > 320 else 75, method=2)
        made.append(f"w{width}")
    return {"w": w, "h": h, "clean": picture.JPEG if bare is None else seen.type, "made": made, "facts": facts}


def pieced(heic: Heic) -> Image.Image:
    """A large one at half its width and height, tile by tile: the whole would not find room. Upright."""
    grid = heic.grid()
    if grid is None or grid.tile[0] % 2 or grid.tile[1] % 2:
        raise MemoryError
    whole = Image.new("RGB", (grid.w // 2, grid.h // 2))
    for n, item in enumerate(grid.tiles):
        with Image.open(io.BytesIO(heic.alone(item)), formats=["HEIF"]) as tile:
            if tile.size != grid.tile:
                raise Damaged("grid")
            at = (n % grid.columns * tile.width // 2, n // grid.columns * tile.height // 2)
            whole.paste(flat(tile).reduce(2), at)
    for name, value in grid.turns:
        for turn in (MIRRORS[value & 1],) if name == b"imir" else (Image.Transpose.ROTATE_90,) * (value & 3):
            whole = whole.transpose(turn)
    return whole


MIRRORS: Final = (Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.FLIP_LEFT_RIGHT)
FORMATS: Final = {
    picture.JPEG: "JPEG",
    picture.PNG: "PNG",
    picture.WEBP: "WEBP",
    picture.HEIC: "HEIF",
    picture.AVIF: "AVIF",
}


def shrunk(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """A size not below which a decoder may already shrink."""
    most = max(size)
    return (max(1, size[0] * longest // most), max(1, size[1] * longest // most))


TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """As it is looked at."""
    turn = TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def plain(image: Image.Image) -> Image.Image:
    """In a mode that can be made smaller smoothly."""
    if image.mode in ("P", "1"):
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode.startswith(("I", "F")):  # sixteen bits of grey
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image


def flat(image: Image.Image) -> Image.Image:
    """In RGB on white: what JPEG and small WebP hold."""
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        back = Image.new("RGB", image.size, "white")
        back.paste(image, mask=image.getchannel("A"))
        return back
    return image if image.mode == "RGB" else image.convert("RGB")


# EXIF


def facts_of(path: Path, formats: list[str]) -> Answer:
    """When, where, with what: those that can be read. Broken EXIF has none."""
    facts: Answer = {}
    with suppress(Exception), Image.open(path, formats=formats) as image:
        for read in FACTS:
            with suppress(Exception):  # each is worth having without the others
                facts |= read(image.getexif())
    return facts


def _time(exif: Any) -> Answer:
    """Local time of the camera, and the zone if it says: `2026-09-01T08:30:00+08:00`."""
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    said = str(inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime) or "")[:19]
    day, _, clock = said.partition(" ")
    text = f"{day.replace(':', '-')}T{clock}"
    digits = text.replace("-", "").replace(":", "").replace("T", "")
    if len(text) != 19 or not digits.isdigit() or day < EXIF_YEAR_MIN:
        return {}
    zone = str(inner.get(ExifTags.Base.OffsetTimeOriginal) or "")[:6]
    return {"taken": text + (zone if len(zone) == 6 and zone[0] in "+-" else "")}


def _place(exif: Any) -> Answer:
    """Degrees in 1e-7, as places are everywhere."""
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    lat = _degrees(gps[2], str(gps.get(1)), "S")
    lng = _degrees(gps[4], str(gps.get(3)), "W")
    if abs(lat) > 900_000_000 or abs(lng) > 1_800_000_000 or (lat == 0 and lng == 0):
        return {}
    return {"lat": lat, "lng": lng}


def _degrees(parts: Any, side: str, minus: str) -> int:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = round((degrees + minutes / 60 + seconds / 3600) * 10_000_000)
    return -value if side.strip().upper().startswith(minus) else value


def _camera(exif: Any) -> Answer:
    words = [str(exif.get(tag) or "").replace("\x00", " ").strip() for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
    make, model = ("".join(c for c in word if c.isprintable())[:WORDS_MAX] for word in words)
    said = model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()
    return {"camera": said} if said else {}


FACTS: Final[tuple[Callable[[Any], Answer], ...]] = (_time, _place, _camera)

if __name__ == "__main__":
    with suppress(BrokenPipeError):  # nobody waits any more: the server has gone
        main()
