"""Plans as offices send them, good and bad, and phones that upload them."""

from __future__ import annotations

import io
import uuid
from typing import Any, Final

from PIL import Image, ImageDraw

from server.demo.plan import A3, line, pdf, words
from server.modules.drawings.addresses import shelf_of
from tests.server.photos.tus import send, sha_of
from tests.server.web.kit import Phone, Town

PLAN: Final = "drawings.plan"


def small_pdf(pages: int = 1) -> bytes:
    return pdf([(A3, line(100, 100, 500, 100, 6) + words(300, 300, f"P{i}", 40)) for i in range(pages)])


def picture(kind: str = "PNG", size: tuple[int, int] = (900, 600), mode: str = "RGB", **how: Any) -> bytes:
    image = Image.new(mode, size, None if "A" in mode else "white")
    ImageDraw.Draw(image).rectangle((10, 10, size[0] // 2, size[1] // 2), fill="black" if mode != "1" else 0)
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def turned_jpeg() -> bytes:
    """Stored lying down, to be shown upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("JPEG", (1200, 800), exif=exif)


def locked_pdf() -> bytes:
    """With a password that nobody has told."""
    encrypt = f"<</Filter/Standard/V 1/R 2/Length 40/P -44/O<{'a7' * 32}>/U<{'3c' * 32}>>>"
    return small_pdf().replace(b"/Root 1 0 R>>", b"/Root 1 0 R/ID[<00><00>]/Encrypt " + encrypt.encode() + b">>")


def huge_pdf() -> bytes:
    return pdf([((200_000, 200_000), line(0, 0, 9, 9))])


def endless_pdf() -> bytes:
    """A form that draws a form that draws a form: ten to the eighth strokes out of a few hundred bytes."""
    forms = "".join(
        f"{10 + i} 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 900 900]/Resources<</XObject<</X {11 + i} 0 R>>>>"
        f"/Length 120>>stream\n{('/X Do ' * 20):120}\nendstream\nendobj\n"
        for i in range(7)
    )
    stroke = "10 w 0 0 m 900 900 l S 0 900 m 900 0 l S"
    last = (
        "17 0 obj\n<</Type/XObject/Subtype/Form/BBox[0 0 900 900]"
        f"/Length {len(stroke)}>>stream\n{stroke}\nendstream\nendobj\n"
    )
    page = (
        "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        "2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
        "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 900 900]/Contents 4 0 R/Resources<</XObject<</X 10 0 R>>>>>>"
        "\nendobj\n4 0 obj\n<</Length 5>>stream\n/X Do\nendstream\nendobj\n"
    )
    return (page + forms + last + "trailer<</Root 1 0 R/Size 18>>\n%%EOF\n").encode()


def plan(content: bytes, name: str = "地下二层平面图", **more: Any) -> dict[str, Any]:
    """An op that makes a plan of this file."""
    file = {"sha": sha_of(content), "name": f"{name}.pdf", "bytes": len(content), "type": "application/pdf"}
    values = {"name": name, "place": "B2", "file.aaaaaaaaaa": file, **more}
    return {"k": "new", "c": PLAN, "r": str(uuid.uuid4()), "set": values}


async def add_plan(town: Town, by: Phone, content: bytes, **more: Any) -> str:
    """The record, then its bytes; answers the record's id."""
    op = plan(content, **more)
    result = (await by.push(town.one, [op])).json()["results"][0]
    assert result["status"] == "applied", result
    await upload(town, by, content)
    return str(op["r"])


async def upload(town: Town, by: Phone, content: bytes) -> None:
    sent = await send(by, content, town.one, **{"as": "file", "name": "plan.pdf"})
    assert sent.status_code == 201, sent.text


async def rendered(town: Town, by: Phone, content: bytes) -> dict[str, Any]:
    """How its file stands when everything is done."""
    path = f"/api/drawings/{sha_of(content)}"
    assert (await by.http.get(path)).status_code == 200
    await shelf_of(town.site).settle()
    found: dict[str, Any] = (await by.http.get(path)).json()
    return found
