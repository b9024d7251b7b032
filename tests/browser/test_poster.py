"""The poster at the gate: a camera picture of its QR code, read on the phone, becomes a check-in with its place."""

from __future__ import annotations

import io
from pathlib import Path

import segno
from PIL import Image

from tests.browser.conftest import NewPhone
from tests.browser.flows import said, sent, sign_in
from tests.browser.site import DEMO, Site

FRAMES = 10
SIZE = (640, 480)


def test_scanning_the_site_poster_checks_in_at_that_place(site: Site, new_phone: NewPhone, tmp_path: Path) -> None:
    sql = "SELECT p.id, t.id, t.code, t.name FROM place t JOIN project p ON p.id = t.project WHERE p.name = ?"
    project, place, code, name = site.rows(sql, DEMO)[0]
    film = filmed(f"gongbu:place:{project}:{place}:{code}", tmp_path / "gate.mjpeg")
    phone = new_phone(
        "scanner",
        permissions=("geolocation", "camera"),
        arguments=("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"),
    )
    sign_in(phone, "worker")
    phone.open("/labour/scan")
    phone.sees(name)
    phone.page.get_by_role("main").get_by_role("button", name=phone.say("labour.in")).click()
    phone.sees(said(phone, "labour.saved_in"))
    sent(phone)
    newest = "SELECT body FROM record WHERE c = 'labour.checkin' ORDER BY seq DESC LIMIT 1"
    body = site.rows(newest)[0][0]
    assert '"method":"code"' in body
    assert code in body


def filmed(text: str, path: Path) -> Path:
    """A film of a sheet of paper, as Chromium's pretended camera plays it."""
    printed = io.BytesIO()
    segno.make(text, error="m").save(printed, kind="png", scale=8, border=4)
    code = Image.open(printed).convert("RGB")
    frame = Image.new("RGB", SIZE, (190, 185, 175))
    frame.paste(code.resize((400, 400)), (120, 40))
    still = io.BytesIO()
    frame.save(still, "JPEG", quality=90)
    path.write_bytes(still.getvalue() * FRAMES)
    return path
