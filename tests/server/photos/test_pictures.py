"""What is sent as a photo is shown right or refused with its reason: real ones, great ones, and hostile ones."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from server.sync import photos as arriving
from tests.server.photos.pictures import REAL, is_dark_at, jpeg, png, real, with_exif
from tests.server.photos.tus import name_in_a_note, send, sha_of
from tests.server.web.kit import Town, town


@pytest_asyncio.fixture(name="town", scope="module", loop_scope="module")
async def one_town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with town(tmp_path_factory.mktemp("pictures")) as built:
        yield built


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def shown(town: Town, content: bytes, width: int | None = None) -> tuple[int, str, bytes]:
    """Send it; the status, code or type, and bytes that the sender is then shown."""
    worker = await town.phone("worker")
    sent = await send(worker, content, town.one)
    if sent.status_code != 201:
        return sent.status_code, str(sent.json()["code"]), b""
    answer = await worker.http.get(f"/api/photos/{sha_of(content)}" + (f"?w={width}" if width else ""))
    if answer.status_code != 200:
        return answer.status_code, str(answer.json()["code"]), b""
    return 200, answer.headers["content-type"], answer.content


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


# real ones

REAL_ONES = {
    "not-a-photo.tiff": (415, "unsupported_file"),
    "iphone.heic": (200, "image/jpeg"),
}
ORIENTED = [f"orientation-landscape-{n}.jpg" for n in range(1, 9)]


def names() -> list[str]:
    found = sorted(file.name for file in REAL.glob("*") if file.suffix != ".md") if REAL.is_dir() else []
    return found or ["none here"]


@pytest.mark.parametrize("name", names())
async def test_a_real_photo_is_shown_right_or_refused_with_its_reason(town: Town, name: str) -> None:
    content = real(name) or jpeg(800, 600, exif=with_exif())
    status, kind, whole = await shown(town, content)
    assert (status, kind) == REAL_ONES.get(name, (200, "image/jpeg"))
    if status == 200:
        assert set(opened(whole).getexif()) <= {274}, "nothing but the way up goes along"
        _, _, small = await shown(town, content, 320)
        assert max(opened(small).size) <= 320
        assert opened(small).format == "WEBP"


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_every_orientation_is_upright_small_and_large(town: Town, orientation: int) -> None:
    """The corner that was at the top left when it was taken is there when it is shown."""
    upright = opened(jpeg(400, 300, seed=orientation))
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # how the camera held it: the inverse turn
    held = upright if orientation == 1 else upright.transpose(Image.Transpose(back[orientation]))
    kept = io.BytesIO()
    held.save(kept, "JPEG", exif=with_exif(orientation))
    _, _, whole = await shown(town, kept.getvalue())
    assert opened(whole).getexif().get(274, 1) == orientation, "the way up stays in what is served"
    assert len(whole) < len(kept.getvalue())
    for width in (1280, 320):
        _, _, small = await shown(town, kept.getvalue(), width)
        assert opened(small).size[0] > opened(small).size[1], "lying, as it was taken"
        assert is_dark_at(small, 0.1, 0.1)
        assert not is_dark_at(small, 0.9, 0.1)
        assert not is_dark_at(small, 0.1, 0.9)


@pytest.mark.parametrize("name", ORIENTED)
async def test_the_real_orientations_look_alike(town: Town, name: str) -> None:
    if not (content := real(name)) or not (first := real(ORIENTED[0])):
        return
    _, _, small = await shown(town, content, 320)
    _, _, wanted = await shown(town, first, 320)
    assert opened(small).size == opened(wanted).size
    # each file writes its own number on the picture; apart from that they are one
    ours, theirs = (opened(one).convert("L").resize((6, 4)).tobytes() for one in (small, wanted))
    assert sum(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / 24 < 16


# great ones


@pytest.mark.parametrize(
    ("w", "h", "save"),
    [(4000, 3000, {}), (8000, 6000, {}), (8000, 6000, {"progressive": True}), (16000, 3000, {}), (3000, 20000, {})],
    ids=["12 MP", "48 MP", "48 MP progressive", "panorama", "tall panorama"],
)
async def test_a_large_photo_is_shown(town: Town, w: int, h: int, save: dict[str, Any]) -> None:
    content = jpeg(w, h, **save)
    status, _, small = await shown(town, content, 1280)
    assert status == 200
    assert max(opened(small).size) == 1280
    assert abs(opened(small).size[0] / opened(small).size[1] - w / h) < 0.05 * w / h
    assert is_dark_at(small, 0.1, 0.1)


# of other sorts


def saved(format: str, mode: str = "RGB", **more: Any) -> bytes:
    kept = io.BytesIO()
    opened(jpeg(600, 450, seed=3)).convert(mode).save(kept, format, **more)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (lambda: saved("PNG"), "image/png"),
        (lambda: saved("PNG", "P"), "image/png"),
        (lambda: saved("PNG", "1"), "image/png"),
        (lambda: saved("PNG", "I;16"), "image/png"),
        (lambda: saved("PNG", "RGBA"), "image/png"),
        (lambda: saved("PNG", exif=with_exif()), "image/png"),
        (lambda: saved("PNG", exif=with_exif(6)), "image/jpeg"),
        (lambda: saved("JPEG", "L"), "image/jpeg"),
        (lambda: saved("JPEG", "CMYK"), "image/jpeg"),
        (lambda: saved("WEBP", exif=with_exif().tobytes()), "image/webp"),
        (lambda: saved("WEBP", lossless=True), "image/webp"),
        (lambda: saved("AVIF", exif=with_exif().tobytes()), "image/jpeg"),
        (lambda: saved("HEIF", exif=with_exif().tobytes()), "image/jpeg"),
    ],
    ids=lambda value: "" if callable(value) else str(value),
)
async def test_other_sorts_of_pictures_are_shown_without_their_exif(
    town: Town, content: Callable[[], bytes], kind: str
) -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    made = content()
    status, type, whole = await shown(town, made)
    assert (status, type) == (200, kind)
    assert b"Telephone" not in whole
    assert 271 not in opened(whole).getexif()
    assert (await shown(town, made, 320))[0] == 200


async def test_without_the_extra_HEIC_is_refused_in_clear_words(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "reads_heic", lambda: False)
    from pillow_heif import register_heif_opener

    register_heif_opener()
    assert (await shown(town, saved("HEIF", quality=33)))[:2] == (415, "heic_unsupported")


# hostile ones


def a_zip() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("evil.js", "alert(1)")
    return kept.getvalue()


def with_segment(marker: int, body: bytes) -> bytes:
    content = jpeg(seed=77)
    return content[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + content[2:]


def an_endless_ifd() -> bytes:
    """An IFD whose next one is itself, with entries that point everywhere."""
    entries = b"".join(struct.pack(">HHII", 0x8769, 4, 1, 8) for _ in range(500))
    return b"Exif\x00\x00MM\x00*" + struct.pack(">IH", 8, 500) + entries + struct.pack(">I", 8)


def bomb() -> bytes:
    return zlib.compress(b"\x00" * 200_000_000, 9)


HOSTILE: dict[str, tuple[Callable[[], bytes], tuple[int, str]]] = {
    "truncated in the middle": (lambda: jpeg(seed=50)[:-2000], (422, "damaged_photo")),
    "truncated by its last byte": (lambda: jpeg(seed=51)[:-1], (422, "damaged_photo")),
    "truncated in its head": (lambda: jpeg(seed=52)[:40], (422, "damaged_photo")),
    "a PNG that breaks off": (lambda: saved("PNG")[:-500], (422, "damaged_photo")),
    "a PNG without pixels": (lambda: png(10, 10, rows=b""), (422, "damaged_photo")),
    "50,000 by 50,000": (lambda: png(50_000, 50_000, rows=b""), (413, "too_many_pixels")),
    "a JPEG that claims 65,000 by 65,000": (
        lambda: jpeg(seed=53).replace(struct.pack(">HH", 480, 640), struct.pack(">HH", 65_000, 65_000)),
        (413, "too_many_pixels"),
    ),
    "a JPEG of no height": (
        lambda: jpeg(seed=54).replace(struct.pack(">HH", 480, 640), struct.pack(">HH", 0, 640)),
        (422, "damaged_photo"),
    ),
    "a PNG whose colours are a bomb": (lambda: png(9, 9, (b"iCCP", b"x\x00\x00" + bomb())), (200, "image/png")),
    "a PNG whose words are a bomb": (lambda: png(9, 8, (b"zTXt", b"Comment\x00\x00" + bomb())), (200, "image/png")),
    "a picture and an archive in one": (lambda: jpeg(seed=55) + a_zip(), (200, "image/jpeg")),
    "a picture and a page in one": (
        lambda: with_segment(0xFE, b"<script>alert(1)</script>"),
        (200, "image/jpeg"),
    ),
    "EXIF without end": (lambda: with_segment(0xE1, an_endless_ifd()), (200, "image/jpeg")),
    "EXIF of nothing": (lambda: with_segment(0xE1, b"Exif\x00\x00" + b"\xff" * 60_000), (200, "image/jpeg")),
    "a page": (lambda: b"<html><script>alert(1)</script></html>", (415, "unsupported_file")),
    "a drawing that runs": (lambda: b"<svg xmlns='x' onload='alert(1)'/>", (415, "unsupported_file")),
    "a program": (lambda: b"\x7fELF" + bytes(200), (415, "unsupported_file")),
    "an archive": (a_zip, (415, "unsupported_file")),
    "a film": (lambda: b"\x00\x00\x00\x18ftypmp42" + bytes(100), (415, "unsupported_file")),
    "one byte": (lambda: b"\xff", (415, "unsupported_file")),
    "a HEIC of one box": (lambda: b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1", (422, "damaged_photo")),
    "boxes that lie": (
        lambda: b"\x00\x00\x00\x14ftypheic\x00\x00\x00\x00\xff\xff\xff\xffmeta" + bytes(9),
        (422, "damaged_photo"),
    ),
    "a WebP that lies about its length": (
        lambda: saved("WEBP")[:4] + b"\xff\xff\xff\x7f" + saved("WEBP")[8:],
        (422, "damaged_photo"),
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_file_is_shown_right_or_refused_with_its_reason(town: Town, name: str) -> None:
    make, wanted = HOSTILE[name]
    content = make()
    status, kind, whole = await shown(town, content)
    assert (status, kind) == wanted
    for bad in (b"PK\x03\x04", b"<script", b"evil"):
        assert bad not in whole
    if status == 200:
        assert (await shown(town, content, 320))[0] == 200


async def test_a_wrong_name_or_type_does_not_matter(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg(seed=60)
    assert (await send(worker, content, town.one, name="notes.pdf", type="image/png")).status_code == 201
    answer = await worker.http.get(f"/api/photos/{sha_of(content)}")
    assert answer.headers["content-type"] == "image/jpeg"


async def test_a_photo_that_cannot_be_decoded_is_kept_and_told_to_its_phone(town: Town) -> None:
    """Its markers are whole, so it was taken; its tables are garbage, so it cannot be shown."""
    worker, content = await town.phone("worker"), jpeg(seed=61)
    table = content.index(b"\xff\xc4") + 5
    garbage = content[:table] + b"\xfe" * 16 + content[table + 16 :]
    assert (await send(worker, garbage, town.one)).status_code == 201
    await town.site.sync.settle()
    sha = sha_of(garbage)
    answer = await worker.http.get(f"/api/photos/{sha}?w=320")
    assert (answer.status_code, answer.json()["code"]) == (422, "damaged_photo")
    have = await worker.http.post("/api/photos/have", json={"project": town.one, "shas": [sha]})
    assert have.json() == {"have": [], "refused": {sha: "damaged_photo"}}
    kept = await town.site.photos.path(sha)
    assert kept is not None
    assert kept.read_bytes() == garbage


# what is served, and what is known


async def test_the_bytes_that_were_sent_are_kept_and_what_they_say_is_for_the_office(town: Town) -> None:
    worker, manager = await town.phone("worker"), await town.phone("manager")
    content = jpeg(seed=70, exif=with_exif())
    sha = sha_of(content)
    await name_in_a_note(worker, town, "worker", sha)
    await send(worker, content, town.one)
    await town.site.sync.settle()
    asked = f"/api/photos/{sha}/facts?project={town.one}"
    assert (await worker.http.get(asked)).status_code == 403
    told = (await manager.http.get(asked)).json()
    assert told["sha"] == told["sha_now"] == sha
    assert told["exif"] == {
        "taken": "2026-09-01T08:30:00+08:00", "lat": 312_304_167, "lng": 1_214_736_667, "camera": "Telephone T1",
    }  # fmt: skip
    kept = await town.site.photos.path(sha)
    assert kept is not None
    assert kept.read_bytes() == content


async def test_a_photo_is_kept_by_the_browser_of_this_person_alone(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg(seed=71)
    await send(worker, content, town.one)
    for path in (
        f"/api/photos/{sha_of(content)}",
        f"/api/photos/{sha_of(content)}?w=320",
        f"/api/files/{sha_of(content)}",
    ):
        answer = await worker.http.get(path)
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert "Cookie" in answer.headers["vary"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert any("sandbox" in policy for policy in answer.headers.get_list("content-security-policy"))
        assert int(answer.headers["content-length"]) == len(answer.content)
        again = await worker.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("asked", ["?w=0", "?w=99999", "?w=x"])
async def test_only_two_widths_are_made(town: Town, asked: str) -> None:
    worker, content = await town.phone("worker"), jpeg(seed=72)
    await send(worker, content, town.one)
    assert (await worker.http.get(f"/api/photos/{sha_of(content)}{asked}")).status_code == 400


@pytest.mark.parametrize(
    ("content", "type"),
    [
        (b"%PDF-1.7\n%%EOF", "application/pdf"),
        ("项目,数量\n钢筋,12".encode("gb18030"), "text/plain"),
        (b"II*\x00" + bytes(64), "image/tiff"),
        (b"AC1032" + bytes(64), "image/vnd.dwg"),
    ],
    ids=["PDF", "GBK", "TIFF", "DWG"],
)
async def test_a_document_is_saved_never_opened(town: Town, content: bytes, type: str) -> None:
    worker = await town.phone("worker")
    sent = await send(worker, content, town.one, **{"as": "file", "name": '图纸"\r\n.pdf'})
    assert sent.status_code == 201, sent.text
    answer = await worker.http.get(f"/api/files/{sha_of(content)}")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"].startswith(type)
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''%E5%9B%BE%E7%BA%B8%22%0D%0A.pdf"
    picture = await worker.http.get(f"/api/photos/{sha_of(content)}")
    assert (picture.status_code, picture.json()["code"]) == (415, "unsupported_file")


async def test_an_office_file_is_told_by_what_is_in_it(town: Town) -> None:
    from openpyxl import Workbook

    kept, worker = io.BytesIO(), await town.phone("worker")
    Workbook().save(kept)
    await send(worker, kept.getvalue(), town.one, **{"as": "file"})
    answer = await worker.http.get(f"/api/files/{sha_of(kept.getvalue())}")
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")


async def test_a_document_has_no_limit_of_pixels_and_becomes_a_photo_when_sent_as_one(
    town: Town,
) -> None:
    worker, plan = await town.phone("worker"), png(50_000, 40_000, rows=b"")
    assert (await send(worker, plan, town.one, **{"as": "file"})).status_code == 201
    content = jpeg(seed=80)
    await send(worker, content, town.one, **{"as": "file"})
    assert (await worker.http.get(f"/api/photos/{sha_of(content)}")).status_code == 415
    await send(worker, content, town.one)
    assert (await worker.http.get(f"/api/photos/{sha_of(content)}?w=320")).status_code == 200


async def test_the_smaller_ones_come_back_when_they_are_lost(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg(seed=81)
    await send(worker, content, town.one)
    path = f"/api/photos/{sha_of(content)}?w=320"
    first = await worker.http.get(path)
    assert town.site.photos.bytes.folder
    for file in (town.site.photos.bytes.folder / "w320").rglob("*"):
        if file.is_file():
            file.unlink()
    assert (await worker.http.get(path)).content == first.content
