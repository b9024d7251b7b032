"""Photos, from the camera to the other phone: taken in a stream with no network, on disk before anything else,
killed while they are sent, resumed, seen by a colleague; what cannot be taken is told with its reason."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.browser.axe import grave
from tests.browser.camera import SEEN, done, film, open_camera, shoot
from tests.browser.chrome import Phone
from tests.browser.conftest import NewPhone
from tests.browser.crash import Crash
from tests.browser.flows import said, sign_in
from tests.browser.site import Site
from tests.browser.wait import until
from tests.server.photos.pictures import jpeg, png, real, with_exif

FORM = "/k/quality.defect/new"
WORDS = "三层梁柱节点漏振，露筋约 12 厘米"
COUNT = 5
STEPS_MAX = 5
SMALL = 100_000
TAKEN = "2026-09-01 08:30:00"
SLOW = {"offline": False, "latency": 40, "downloadThroughput": 4e6, "uploadThroughput": 150e3}


def test_P10_photos_taken_in_airplane_mode_survive_a_kill_while_they_are_sent_and_reach_the_other_phone(
    site: Site, new_phone: NewPhone, tmp_path: Path
) -> None:
    inspector = new_phone("inspector", permissions=SEEN, arguments=film(tmp_path))
    supervisor = new_phone("supervisor", language="en")
    sign_in(inspector, "inspector")
    sign_in(supervisor, "supervisor")
    inspector.settle_in()
    inspector.open("/")
    inspector.airplane()

    inspector.open(FORM)
    open_camera(inspector)
    shoot(inspector, COUNT)
    done(inspector)
    inspector.page.get_by_role("textbox").first.fill(WORDS)
    inspector.tap("do.save")
    inspector.page.wait_for_url(re.compile("/r/"))
    record = inspector.page.url.rpartition("/")[2]
    inspector.open(f"/r/{record}?fields")
    inspector.sees(said(inspector, "photo.missing_own", m=COUNT, n=COUNT))
    before = set(photos_at(site))

    slow(inspector)
    inspector.airplane(False)
    until(lambda: part_of_a_photo(site), "no upload is under way")
    assert len(set(photos_at(site)) - before) >= 1, "the small ones go first"
    supervisor.open(f"/r/{record}?fields")
    supervisor.sees(said(supervisor, "photo.missing"))
    inspector.kill()
    inspector.buried()
    assert len(set(photos_at(site)) - before) < 2 * COUNT

    inspector.open("/outbox")
    expect(inspector.page.get_by_text(said(inspector, "photo.waiting"))).to_have_count(0, timeout=60_000)
    inspector.sees(inspector.say("outbox.sent_all"))
    body = site.rows("SELECT body FROM record WHERE r = ?", record)[0][0]
    # Each photo and its small one; two frames of the film may be the same, which is one photo.
    assert set(photos_at(site)) - before == set(re.findall(r'"(?:sha|thumb)":"([0-9a-f]{64})"', body))
    supervisor.sees_no(said(supervisor, "photo.missing"))
    thumbs = supervisor.page.get_by_role("button", name=said(supervisor, "photo.of_time"))
    expect(thumbs).to_have_count(COUNT)
    thumbs.first.click()
    picture = supervisor.page.get_by_role("dialog").get_by_role("img").first
    expect(picture).to_be_visible()
    until(lambda: picture.evaluate("one => one.naturalWidth") >= 1000, "the photo does not come")
    supervisor.sees(supervisor.say("photo.time_checked"))


def test_P10_killed_at_any_step_of_taking_a_photo_it_is_in_the_form_or_was_never_taken(
    site: Site, new_phone: NewPhone, tmp_path: Path
) -> None:
    phone = new_phone("inspector", permissions=SEEN, arguments=film(tmp_path, 640, 480))
    crash = Crash(phone)
    sign_in(phone, "inspector")
    phone.settle_in()
    phone.airplane()
    taken, moments = 0, []
    for step in range(1, STEPS_MAX):
        phone.open(FORM)
        phone.airplane()
        open_camera(phone)
        told = taken
        crash.arm(step)
        with crash.may_happen():
            shoot(phone, 1, taken)
            told = taken + 1
            done(phone)
            phone.page.get_by_role("textbox").first.fill(f"{WORDS} {step}")
            expect(phone.page.get_by_role("button", name=said(phone, "photo.of_time"))).to_have_count(told)
        if crash.happened:
            moments.append(crash.at)
            phone.buried()
        phone.open(FORM)
        expect(phone.button("photo.take").first).to_be_visible()
        now = int(phone.page.evaluate(ON_DISK))
        expect(phone.page.get_by_role("button", name=said(phone, "photo.of_time"))).to_have_count(now)
        assert told <= now <= taken + 1, f"killed at step {step} ({crash.at}): {taken} before, {now} after"
        taken = now
        if not crash.happened:
            break
    print("killed at:", moments)
    # The order of a draft's writes among them is the clock's affair.
    assert {"put photos", "put pictures"} & {str(moment) for moment in moments}
    assert len(moments) >= 3


def test_every_way_up_is_shown_upright_and_what_cannot_be_taken_is_told_with_its_reason(
    site: Site, new_phone: NewPhone, tmp_path: Path
) -> None:
    phone = new_phone("inspector")
    sign_in(phone, "inspector")
    phone.open(FORM)
    good = {f"way-{way}.jpg": turned(way) for way in range(1, 9)}
    good["drawn.png"] = png(300, 200, rows=(b"\x00" + b"\xff" * 900) * 200)
    good |= {name: content for name in ("phone-iphone.jpg", "odd-type.jpg", "invalid-1.jpg") if (content := real(name))}
    pick(phone, tmp_path, good)
    thumbs = phone.page.get_by_role("button", name=said(phone, "photo.of_time"))
    expect(thumbs).to_have_count(len(good))
    turned_ones = phone.page.get_by_role("button", name=phone.say("photo.of_time", time=TAKEN))
    expect(turned_ones.locator("img")).to_have_count(8)
    for number in range(8):
        assert turned_ones.nth(number).locator("img").evaluate(DARK_CORNER) == [True, False, False, False]
    # the file says when and where it was taken; a watermark says that it came from a file
    turned_ones.first.click()
    phone.sees(TAKEN)
    phone.sees(phone.say("photo.time_picked"))
    phone.sees(re.compile("31\\.2304., 121\\.4736."))
    phone.page.keyboard.press("Escape")

    heic = real("iphone.heic") or b"\x00\x00\x00\x18ftypheic" + bytes(4000)
    bad = {
        "a.heic": ("photo.bad_heic", heic),
        "b.jpg": ("photo.bad_damaged", jpeg()[:300]),
        "c.png": ("photo.bad_too_many_pixels", png(50_000, 50_000, rows=b"\x00")),
        "d.jpg": ("photo.bad_not_a_photo", b"<html>" + b"x" * 2000),
        "e.jpg": ("photo.bad_not_a_photo", b""),
    }
    pick(phone, tmp_path, {name: content for name, (_, content) in bad.items()})
    for name, (key, _) in bad.items():
        phone.sees(f"{name}: {phone.say(key)}")
    expect(thumbs).to_have_count(len(good))


def test_who_forbids_the_camera_is_told_what_to_do_and_takes_photos_with_the_phone_s_own(
    site: Site, new_phone: NewPhone, tmp_path: Path
) -> None:
    phone = new_phone("inspector", arguments=("--deny-permission-prompts", *film(tmp_path, 640, 480)))
    sign_in(phone, "inspector")
    phone.open(FORM)
    phone.button("photo.take").first.click()
    phone.sees(phone.say("photo.no_camera_denied"))
    phone.sees(phone.say("photo.no_camera_denied_text"))
    assert grave(phone.page) == []
    own = tmp_path / "own.jpg"
    own.write_bytes(jpeg(800, 600))
    phone.page.get_by_label(phone.say("photo.system_camera")).set_input_files(own)
    phone.sees(phone.say("photo.taken", n=1))


def test_photos_are_drawn_on_shared_and_gathered_in_both_languages(
    site: Site, new_phone: NewPhone, tmp_path: Path, screenshots: Path
) -> None:
    for language, theme in (("zh-CN", "paper"), ("en", "night")):
        sight = film(tmp_path, 640, 480)
        phone = new_phone(f"inspector-{language}", language=language, permissions=SEEN, arguments=sight)
        folder = screenshots / f"photos-{language}"
        folder.mkdir(parents=True, exist_ok=True)
        sign_in(phone, "inspector")
        phone.page.evaluate(f"localStorage.setItem('gongbu.preferences', '{{\"theme\": \"{theme}\"}}')")
        phone.open(FORM)
        open_camera(phone)
        look(phone, folder, "camera")
        shoot(phone, 2)
        done(phone)
        draw(phone, folder)
        phone.page.get_by_role("textbox").first.fill(WORDS)
        phone.tap("do.save")
        phone.page.wait_for_url(re.compile("/r/"))
        phone.open("/outbox")
        phone.sees(phone.say("outbox.sent_all"))
        phone.open("/photos")
        thumbs = phone.page.get_by_role("button", name=said(phone, "photo.of_time"))
        expect(thumbs.first).to_be_visible()
        look(phone, folder, "gallery")
        thumbs.last.click()
        with phone.page.expect_download() as saved:
            phone.button("do.share").click()
        assert Path(saved.value.path()).read_bytes()[:2] == b"\xff\xd8"
        look(phone, folder, "viewer")
        phone.page.keyboard.press("ArrowRight")
        phone.page.keyboard.press("Escape")
        expect(phone.page.get_by_role("dialog")).to_have_count(0)


def draw(phone: Phone, folder: Path) -> None:
    """An arrow and a word on the first photo."""
    phone.page.get_by_role("button", name=said(phone, "photo.of_time")).first.click()
    phone.button("photo.draw").click()
    sheet = phone.page.get_by_role("dialog").locator(".sheet")
    expect(sheet.get_by_role("presentation").or_(sheet.locator("img"))).to_be_visible()
    box = sheet.bounding_box()
    assert box is not None
    phone.page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.2)
    phone.page.mouse.down()
    phone.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=5)
    phone.page.mouse.up()
    phone.button("photo.tool_text").click()
    phone.page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.7)
    phone.page.get_by_label(phone.say("photo.text_hint")).fill("露筋 12 cm")
    look(phone, folder, "drawing")
    phone.page.get_by_role("dialog").get_by_role("button", name=phone.say("do.save")).click()
    marks = phone.page.get_by_role("dialog").get_by_text("露筋 12 cm")
    expect(marks).to_have_count(1)
    phone.button("photo.marks").click()
    expect(marks).to_have_count(0)
    phone.page.keyboard.press("Escape")


def look(phone: Phone, folder: Path, name: str) -> None:
    phone.page.screenshot(path=folder / f"{name}.png")
    assert grave(phone.page) == []


def pick(phone: Phone, folder: Path, files: dict[str, bytes]) -> None:
    paths = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        paths.append(folder / name)
    phone.page.get_by_label(phone.say("photo.pick")).first.set_input_files(paths)


def turned(way: int) -> bytes:
    """A picture whose top left corner is dark once its orientation has been followed."""
    back = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    image: Image.Image = Image.open(BytesIO(jpeg(640, 480, seed=way)))
    for turn in back.get(way, []):
        image = image.transpose(turn)
    kept = BytesIO()
    image.save(kept, "JPEG", exif=with_exif(way))
    return kept.getvalue()


DARK_CORNER = """one => {
  const canvas = new OffscreenCanvas(40, 40);
  const pen = canvas.getContext('2d');
  pen.drawImage(one, 0, 0, 40, 40);
  return [[3, 3], [36, 3], [3, 36], [36, 36]].map(([x, y]) => pen.getImageData(x, y, 1, 1).data[0] < 60);
}"""


# How many photos lie in the person's database.
ON_DISK = """async () => {
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((resolve) => {
      const asked = indexedDB.open(name);
      asked.onsuccess = () => resolve(asked.result);
    });
    try {
      if (!db.objectStoreNames.contains('photos')) continue;
      return await new Promise((resolve) => {
        const asked = db.transaction('photos').objectStore('photos').count();
        asked.onsuccess = () => resolve(asked.result);
      });
    } finally {
      db.close();
    }
  }
  throw new Error('no database with photos');
}"""


def slow(phone: Phone) -> None:
    assert phone.context is not None
    phone.context.new_cdp_session(phone.page).send("Network.emulateNetworkConditions", SLOW)


def photos_at(site: Site) -> list[str]:
    return [str(sha) for (sha,) in site.rows("SELECT sha FROM photo")]


def part_of_a_photo(site: Site) -> bool:
    """An upload of a large one has begun and is not over."""
    begun = [file for file in (site.data / "uploads").rglob("*.json") if file.parent.name != "done"]
    return any(json.loads(file.read_text())["length"] > SMALL for file in begun)
