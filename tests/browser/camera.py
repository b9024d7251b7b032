"""A pretended camera: Chromium plays a film of grain, so that photos are as large as real ones and no two alike."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.chrome import Phone

FRAMES = 12
GRAIN = 26
SEEN = ("geolocation", "camera")


def film(folder: Path, w: int = 1280, h: int = 960) -> tuple[str, ...]:
    """The arguments of a browser whose camera shows it."""
    path = folder / f"film-{w}.mjpeg"
    with path.open("wb") as strip:
        for _ in range(FRAMES):
            Image.effect_noise((w, h), GRAIN).convert("RGB").save(strip, "JPEG", quality=90)
    return ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={path}")


def open_camera(phone: Phone) -> Locator:
    """The finder, when it shows a picture and the shutter answers."""
    phone.button("photo.take").first.click()
    finder = phone.page.get_by_role("dialog", name=phone.say("photo.camera"))
    expect(shutter(phone)).to_be_enabled()
    return finder


def shutter(phone: Phone) -> Locator:
    return phone.page.get_by_role("button", name=phone.say("photo.shoot"), exact=True)


def shoot(phone: Phone, count: int, before: int = 0) -> None:
    """Ends when so many more stand in the strip: by then they are on disk."""
    for number in range(before, before + count):
        expect(shutter(phone)).to_be_enabled()
        shutter(phone).click()
        phone.sees(phone.say("photo.taken", n=number + 1))


def done(phone: Phone) -> None:
    phone.button("photo.done").click()
    expect(shutter(phone)).to_have_count(0)
