"""Plans come as files and are looked at as tiles, by who sees a record that names them and nobody else."""

from __future__ import annotations

import io

from PIL import Image

from server.demo.plan import floor_plan
from server.modules.drawings.addresses import shelf_of
from tests.modules.drawings.plans import (
    add_plan,
    endless_pdf,
    locked_pdf,
    picture,
    plan,
    rendered,
    small_pdf,
    upload,
)
from tests.server.photos.tus import sha_of
from tests.server.web.kit import Town


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("L")


async def test_an_office_uploads_a_plan_and_the_people_of_the_site_look_at_its_tiles(town_on: Town) -> None:
    town, content = town_on, floor_plan()
    office = await town.phone("office")
    await add_plan(town, office, content)
    found = await rendered(town, office, content)
    assert found["state"] == "ready"
    assert found["percent"] == 100
    assert [(page["w"], page["h"], page["zooms"], page["ready"]) for page in found["pages"]] == [
        (4096, 2896, 4, True)
    ] * 2
    path = f"/api/drawings/{sha_of(content)}/2/0/0/0.webp"
    for name, status in {"worker": 200, "foreman": 200, "supervisor": 200, "client": 200, "stranger": 404}.items():
        answer = await (await town.phone(name)).http.get(path)
        assert answer.status_code == status, name
        if status == 200:
            assert answer.headers["content-type"] == "image/webp"
            assert "immutable" in answer.headers["cache-control"]
            assert "private" in answer.headers["cache-control"]
            assert answer.headers["vary"] == "Cookie, X-Device"
            assert opened(answer.content).size == (512, 362)
    assert (await (await town.client()).get(path)).status_code == 401


async def test_every_tile_of_every_level_is_there_and_none_beyond(town: Town) -> None:
    office, content = await town.phone("office"), picture(size=(1500, 1100))
    await add_plan(town, office, content)
    await rendered(town, office, content)
    home = f"/api/drawings/{sha_of(content)}"
    sizes = {}
    for z, across, down in ((0, 1, 1), (1, 2, 2), (2, 3, 3)):
        for x in range(across):
            for y in range(down):
                sizes[z, x, y] = opened((await office.http.get(f"{home}/1/{z}/{x}/{y}.webp")).content).size
    assert sizes[0, 0, 0] == (375, 275)
    assert sizes[1, 1, 1] == (750 - 512, 550 - 512)
    assert sizes[2, 2, 2] == (1500 - 1024, 1100 - 1024)
    for beyond in ("1/3/0/0.webp", "1/2/3/0.webp", "1/0/0/1.webp", "2/0/0/0.webp"):
        assert (await office.http.get(f"{home}/{beyond}")).status_code == 404
    for wrong in ("1/0/0/0.png", "1/0/0/00.webp", "0/0/0/0.webp", "1/0/-1/0.webp", "1/0/0/..webp"):
        assert (await office.http.get(f"{home}/{wrong}")).status_code in (400, 404)


async def test_a_plan_whose_bytes_are_still_on_the_way_is_rendered_when_they_have_come(town: Town) -> None:
    office, worker, content = await town.phone("office"), await town.phone("worker"), small_pdf()
    await office.push(town.one, [plan(content)])
    path = f"/api/drawings/{sha_of(content)}"
    assert (await worker.http.get(path)).status_code == 404
    await upload(town, office, content)
    assert (await worker.http.get(path)).json()["state"] in ("waiting", "rendering")
    assert (await rendered(town, worker, content))["state"] == "ready"


async def test_a_plan_is_rendered_as_soon_as_its_file_has_come_before_anybody_looks(town: Town) -> None:
    office, content, paper = await town.phone("office"), small_pdf(), small_pdf(2)
    await add_plan(town, office, content)
    await upload(town, office, paper)  # of no plan
    await town.site.sync.settle()
    await shelf_of(town.site).settle()
    assert shelf_of(town.site).plan(sha_of(content)).state == "ready"
    assert shelf_of(town.site).plan(sha_of(paper)).state == "waiting"


async def test_a_file_that_no_record_names_is_nobodys_to_look_at(town: Town) -> None:
    office, worker, content = await town.phone("office"), await town.phone("worker"), small_pdf()
    await upload(town, office, content)
    path = f"/api/drawings/{sha_of(content)}"
    assert (await worker.http.get(path)).status_code == 404
    assert (await worker.http.get(f"{path}/1/0/0/0.webp")).status_code == 404
    assert (await worker.http.get(f"/api/drawings/{'0' * 64}")).status_code == 404


async def test_what_cannot_be_rendered_says_why_and_is_not_tried_again(town: Town) -> None:
    office = await town.phone("office")
    for content, reason in ((locked_pdf(), "encrypted"), (small_pdf(61), "pages"), (small_pdf()[:300], "unreadable")):
        await add_plan(town, office, content)
        found = await rendered(town, office, content)
        assert (found["state"], found["reason"], found["pages"]) == ("refused", reason, [])
        shelf_of(town.site)._running.clear()
        assert (await office.http.get(f"/api/drawings/{sha_of(content)}")).json()["state"] == "refused"
        assert not shelf_of(town.site)._running


async def test_only_who_may_adds_plans_and_a_plan_keeps_its_file(town: Town) -> None:
    content = small_pdf()
    for name, status in {
        "office": "applied",
        "inspector": "applied",
        "worker": "refused",
        "foreman": "refused",
    }.items():
        phone = await town.phone(name)
        assert (await phone.push(town.one, [plan(content)])).json()["results"][0]["status"] == status, name
    office = await town.phone("office")
    op = plan(content)
    await office.push(town.one, [op])
    other = plan(picture())["set"]["file.aaaaaaaaaa"]
    change = {"k": "set", "c": op["c"], "r": op["r"], "f": "file.aaaaaaaaaa", "v": other}
    assert (await office.push(town.one, [change])).json()["results"][0]["status"] == "refused"


async def test_a_new_revision_replaces_the_old_one_in_one_batch_and_its_pins_stay(town: Town) -> None:
    office, worker = await town.phone("office"), await town.phone("worker")
    old, new = plan(small_pdf(1)), plan(small_pdf(2))
    await office.push(town.one, [old])
    pin = {"plan": old["r"], "page": 1, "x": 250_000, "y": 500_000}
    photo = {"sha": "a" * 64, "at": 1, "w": 1, "h": 1}
    mark = {"k": "new", "c": "drawings.photo", "r": new["r"][::-1].replace("-", "")[:8] + old["r"][8:], "set": {
        "pin": pin, "photos.aaaaaaaaaa": photo, "day": "2026-09-01",
    }}  # fmt: skip
    assert (await worker.push(town.one, [mark])).json()["results"][0]["status"] == "applied"
    new["set"]["replaces"] = old["r"]
    replace = {"k": "act", "c": old["c"], "r": old["r"], "act": "replace"}
    result = (await office.push(town.one, [new, replace])).json()["results"][0]
    assert result["status"] == "applied", result
    records = {record["r"]: record for record in (await worker.pull(town.one))[1:]}
    assert (records[old["r"]]["state"], records[new["r"]]["state"]) == ("replaced", "current")
    assert records[mark["r"]]["set"]["pin"] == pin


async def test_a_server_that_was_stopped_in_the_middle_goes_on_where_it_left_off(town: Town) -> None:
    office, content = await town.phone("office"), small_pdf(2)
    await add_plan(town, office, content)
    await rendered(town, office, content)
    home = shelf_of(town.site).folder / sha_of(content)
    (home / "2").rename(home / "2.making")  # as it lies there after a kill
    first = (home / "1" / "0" / "0-0.webp").stat().st_mtime_ns
    found = (await office.http.get(f"/api/drawings/{sha_of(content)}")).json()
    assert [page["ready"] for page in found["pages"]] == [True, False]
    assert (await rendered(town, office, content))["state"] == "ready"
    assert not (home / "2.making").exists()
    assert (home / "1" / "0" / "0-0.webp").stat().st_mtime_ns == first, "a whole page is not rendered twice"


async def test_a_file_that_takes_without_end_is_stopped_and_others_are_rendered(town: Town) -> None:
    shelf_of(town.site).page_cpu_s_max = 1
    office, bad, good = await town.phone("office"), endless_pdf(), small_pdf()
    await add_plan(town, office, bad)
    await add_plan(town, office, good, name="一层")
    await office.http.get(f"/api/drawings/{sha_of(bad)}")
    assert (await rendered(town, office, good))["state"] == "ready"
    found = (await office.http.get(f"/api/drawings/{sha_of(bad)}")).json()
    assert (found["state"], found["reason"]) == ("refused", "time")
