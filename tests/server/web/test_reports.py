"""Paper forms, their files, and the proof that a code on the paper leads to."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from server.web.pdf import is_there, typeset
from server.web.proof import Signed, read_token, token_of
from tests.server.web.kit import Phone, Town, town

PHOTO: dict[str, Any] = {
    "sha": hashlib.sha256(b"before").hexdigest(),
    "at": 1_790_000_000_000,
    "w": 40,
    "h": 30,
    "skew_ms": 900_000,
}
AFTER: dict[str, Any] = {
    "sha": hashlib.sha256(b"after").hexdigest(),
    "at": 1_790_000_100_000,
    "w": 40,
    "h": 30,
    "pair": "pbefore0001",
}
MARKS = {"shapes": [{"t": "text", "c": "red", "p": [100_000, 100_000], "s": "<b>临边</b>"}]}


@pytest.fixture(name="site")
async def a_site(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path, real=True) as built:
        yield built


async def hazard(site: Town, phone: Phone, **more: Any) -> str:
    r = str(uuid.uuid4())
    values = {
        "level": "major", "description": "五层临边 <无防护>", "photos.pbefore0001": PHOTO, "after.pafter00001": AFTER,
        "marks.pbefore0001": MARKS, "place": "2# 楼五层", **more,
    }  # fmt: skip
    op = {"k": "new", "c": "safety.hazard", "r": r, "set": values}
    answer = (await phone.push(site.one, [op])).json()
    assert answer["results"][0]["status"] == "applied", answer
    return r


async def printed(phone: Phone, site: Town, name: str, r: str, lang: str = "zh") -> str:
    answer = await phone.http.get(f"/print/record/{name}/{r}", params={"project": site.one, "lang": lang})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_notice_says_what_is_wrong_with_the_photo_and_what_is_drawn_on_it(site: Town) -> None:
    worker = await site.phone("worker")
    r = await hazard(site, worker)
    text = await printed(worker, site, "safety.notice", r)
    assert "整改通知单" in text
    assert "五层临边 &lt;无防护&gt;" in text, "text is text"
    assert f"/api/photos/{PHOTO['sha']}?w=1280" in text
    assert "&lt;b&gt;临边&lt;/b&gt;" in text
    assert "手机时钟偏差约 15 分钟" in text
    assert "Notice to rectify" in await printed(worker, site, "safety.notice", r, "en")


async def test_a_reply_shows_before_and_after_side_by_side(site: Town) -> None:
    worker = await site.phone("worker")
    text = await printed(worker, site, "safety.reply", await hazard(site, worker))
    pair = text[text.index('class="pair"') :]
    assert PHOTO["sha"] in pair
    assert AFTER["sha"] in pair
    assert text.count('class="pair"') == 1


async def test_a_stranger_and_who_may_not_see_the_record_get_one_answer(site: Town) -> None:
    r = await hazard(site, await site.phone("worker"))
    tip = str(uuid.uuid4())
    op = {"k": "new", "c": "safety.tip", "r": tip, "set": {"level": "general"}}
    await (await site.phone("worker")).push(site.one, [op])
    stranger, mate = await site.phone("stranger"), await site.phone("mate")
    asked = {"project": site.one}
    assert (await stranger.http.get(f"/print/record/safety.notice/{r}", params=asked)).status_code == 403
    assert (await mate.http.get(f"/print/record/safety.photos/{tip}", params=asked)).status_code == 404
    order = {"project": site.one, "r": r, "report": "safety.notice"}
    assert (await stranger.http.post("/api/reports", json=order)).status_code == 403
    assert (await mate.http.get(f"/print/record/quality.notice/{r}", params=asked)).status_code == 404


async def test_the_code_leads_anybody_to_the_proof_and_to_nothing_else(site: Town) -> None:
    worker = await site.phone("worker")
    r = await hazard(site, worker)
    one = await site.site.store.record(site.one, r)
    assert one is not None
    text = await printed(worker, site, "safety.notice", r)
    ver = re.search(r"<code>([0-9a-f]{16})</code>", text)
    assert ver
    token = token_of(site.site.keys, Signed(site.one, r, ver[1]))
    anybody = await site.client()
    page = await anybody.get(f"/proof/{token}", params={"lang": "zh"})
    assert page.status_code == 200
    assert "纸上的内容与系统中的记录一致" in page.text
    assert PHOTO["sha"] in page.text
    assert "五层临边" not in page.text, "hashes, names and times, not the contents"
    edit = {"k": "set", "c": "safety.hazard", "r": r, "f": "description", "v": "改过"}
    await worker.push(site.one, [edit], base=10**6)
    assert "打印之后，这条记录有过改动" in (await anybody.get(f"/proof/{token}", params={"lang": "zh"})).text
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    for wrong in (forged, "A" * 60, token[:-6] + token[:6]):
        assert (await anybody.get(f"/proof/{wrong}")).status_code == 404


def test_a_token_of_another_server_is_none() -> None:
    from server.core.problem import Problem
    from server.web.keys import make

    ours, theirs = make(), make()
    token = token_of(theirs, Signed("p", "r", "v"))
    assert read_token(theirs, token) == Signed("p", "r", "v")
    with pytest.raises(Problem):
        read_token(ours, token)


async def test_a_report_becomes_a_file_for_who_asked(site: Town) -> None:
    worker, manager = await site.phone("worker"), await site.phone("manager")
    r = await hazard(site, worker)
    answer = await worker.http.post("/api/reports", json={"project": site.one, "r": r, "report": "safety.notice"})
    if not is_there():
        assert (answer.status_code, answer.json()["code"]) == (501, "no_pdf")
        return
    assert answer.status_code == 202
    id = answer.json()["id"]
    await site.site.sync.settle()
    standing = (await worker.http.get(f"/api/reports/{id}")).json()
    assert (standing["status"], standing["done"], standing["total"]) == ("ready", 2, 2)
    file = await worker.http.get(f"/api/reports/{id}/file")
    assert file.content.startswith(b"%PDF-")
    assert (await manager.http.get(f"/api/reports/{id}/file")).status_code == 404


@pytest.mark.skipif(not is_there(), reason="needs WeasyPrint and pango")
def test_a_photo_stays_a_jpeg_in_the_file(tmp_path: Path) -> None:
    """Unpacked it would take ten times the room, and the time of packing it anew."""
    Image.effect_noise((1280, 960), 60).convert("RGB").save(tmp_path / "abc", "WEBP", quality=80)
    html = '<img src="/api/photos/abc?w=1280" width="300">'
    typeset(html, str(tmp_path), str(tmp_path / "one.pdf"))
    made = (tmp_path / "one.pdf").read_bytes()
    assert b"/DCTDecode" in made
    assert len(made) < 2_000_000
