"""tus: an upload is resumed, verified, and becomes a photo for those who see a record that names it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.core.limits import Limits
from server.store.photo_part import LIVES_MS
from tests.server.photos.pictures import jpeg, with_exif
from tests.server.photos.tus import BODY, TUS, create, head, metadata, name_in_a_note, patch, send, sha_of
from tests.server.web.kit import FROM_APP, Phone, Town, note, town

DAY_S = 86_400


async def arrived(phone: Phone, town: Town, content: bytes) -> bool:
    asked = {"project": town.one, "shas": [sha_of(content)]}
    answer = await phone.http.post("/api/photos/have", json=asked)
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["have"])


async def begin(phone: Phone, town: Town, content: bytes) -> str:
    answer = await create(phone, content, town.one)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


# what becomes of it


async def test_P10_a_photo_sent_in_pieces_is_seen_by_who_sees_its_record(town_on: Town) -> None:
    town = town_on
    worker, content = await town.phone("worker"), jpeg(exif=with_exif())
    sha = sha_of(content)
    await name_in_a_note(worker, town, "worker", sha)  # records first, bytes after
    where = await begin(worker, town, content)
    half = len(content) // 2
    assert (await patch(worker, where, 0, content[:half])).headers["upload-offset"] == str(half)
    assert (await head(worker, where)).headers["upload-offset"] == str(half)
    assert (await worker.http.get(f"/api/photos/{sha}")).status_code == 404
    last = await patch(worker, where, half, content[half:])
    assert (last.status_code, last.headers["upload-offset"]) == (204, str(len(content)))
    for name, status in {"worker": 200, "foreman": 200, "supervisor": 200, "mate": 404, "stranger": 404}.items():
        phone = await town.phone(name)
        answer = await phone.http.get(f"/api/photos/{sha}?w=320")
        assert answer.status_code == status, name
        assert (await phone.http.head(f"/api/photos/{sha}")).status_code == status, name
        assert (await phone.http.get(f"/api/files/{sha}")).status_code == status, name
    whole = await worker.http.get(f"/api/photos/{sha}")
    assert whole.headers["content-type"] == "image/jpeg"
    assert b"Exif" not in whole.content
    assert b"Telephone" not in whole.content


async def test_a_small_photo_comes_in_one_request(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    answer = await send(worker, content, town.one)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, str(len(content)))
    assert (await worker.http.get(f"/api/photos/{sha_of(content)}")).content == content
    again = await head(worker, answer.headers["location"])
    assert (again.headers["upload-offset"], again.headers["upload-length"]) == (str(len(content)),) * 2


async def test_a_photo_that_no_record_names_is_its_senders_alone(town: Town) -> None:
    worker, manager = await town.phone("worker"), await town.phone("manager")
    await send(worker, jpeg(), town.one)
    assert await arrived(worker, town, jpeg())
    assert not await arrived(manager, town, jpeg())


async def test_the_same_bytes_are_there_once_whoever_sends_them(town_on: Town) -> None:
    town, content = town_on, jpeg()
    for name in ("worker", "mate", "worker"):
        assert (await send(await town.phone(name), content, town.one)).status_code == 201
    assert await town.site.store.rows("SELECT count(*) FROM photo") == [(1,)]
    assert await town.site.store.rows("SELECT count(*) FROM photo_from") == [(2,)]


async def test_naming_a_hash_does_not_open_the_photo_of_another_site(town_on: Town) -> None:
    """Who has heard a hash and writes it into a record of his own has not thereby seen the bytes."""
    town, content = town_on, jpeg()
    worker, stranger = await town.phone("worker"), await town.phone("stranger")
    await send(worker, content, town.one)
    named: dict[str, Any] = {"photos.p1": {"sha": sha_of(content), "at": 1, "w": 1, "h": 1}}
    answer = await stranger.push(town.two, [note(town.people["stranger"], **named)])
    assert answer.json()["results"][0]["status"] == "applied", answer.text
    assert (await stranger.http.get(f"/api/photos/{sha_of(content)}")).status_code == 404
    await send(stranger, content, town.two)
    assert (await stranger.http.get(f"/api/photos/{sha_of(content)}")).status_code == 200


async def test_a_refused_batch_shows_nobody_its_photo(town: Town) -> None:
    worker, mate, content = await town.phone("worker"), await town.phone("mate"), jpeg()
    named: dict[str, Any] = {"photos.p1": {"sha": sha_of(content), "at": 1, "w": 1, "h": 1}}
    answer = await mate.push(town.one, [note(town.people["worker"], **named)])
    assert answer.json()["results"][0]["code"] == "forbidden"
    await send(worker, content, town.one)
    assert (await mate.http.get(f"/api/photos/{sha_of(content)}")).status_code == 404


async def test_a_photo_taken_off_still_stands_in_the_records_history(town: Town) -> None:
    worker, foreman, content = await town.phone("worker"), await town.phone("foreman"), jpeg()
    r = await name_in_a_note(worker, town, "worker", sha_of(content))
    await send(worker, content, town.one)
    off = {"k": "set", "c": "notes.note", "r": r, "f": "photos.p1", "v": None}
    assert (await worker.push(town.one, [off], base=9)).json()["results"][0]["status"] == "applied"
    assert (await foreman.http.get(f"/api/photos/{sha_of(content)}")).status_code == 200


async def test_A6_who_leaves_the_site_sees_no_photo_of_it_any_more_not_even_his_own(town: Town) -> None:
    worker, manager, content = await town.phone("worker"), await town.phone("manager"), jpeg()
    await name_in_a_note(worker, town, "worker", sha_of(content))
    await send(worker, content, town.one)
    half_done = await begin(worker, town, jpeg(seed=1))
    assert (await worker.http.get(f"/api/photos/{sha_of(content)}")).status_code == 200
    gone = await manager.http.patch(f"/api/people/{town.people['worker']}", json={"project": town.one, "ended": True})
    assert gone.status_code == 200, gone.text
    answer = await worker.http.get(f"/api/photos/{sha_of(content)}")
    assert answer.status_code == 404
    assert (await patch(worker, half_done, 0, jpeg(seed=1))).status_code == 403
    assert (await manager.http.get(f"/api/photos/{sha_of(content)}")).status_code == 200


async def test_a_listener_is_poked_when_a_photo_has_arrived(town_on: Town) -> None:
    worker, heard = await town_on.phone("worker"), asyncio.Event()
    database = town_on.site.store.database
    hear, seen = database.committed, {await town_on.site.access.head(town_on.one)}

    def listen(heads: Any) -> None:
        hear(heads)
        if town_on.one in heads:
            if heads[town_on.one] in seen:  # the log has not moved: a photo has come
                heard.set()
            seen.add(heads[town_on.one])

    database.committed = listen
    await send(worker, jpeg(), town_on.one)
    await asyncio.wait_for(heard.wait(), 10)


# the protocol


async def test_what_uploads_can_do_is_told_to_anybody(town: Town) -> None:
    answer = await (await town.client()).options("/api/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == answer.headers["tus-resumable"] == "1.0.0"
    wanted = {"creation", "creation-with-upload", "checksum", "expiration", "termination"}
    assert set(answer.headers["tus-extension"].split(",")) == wanted
    assert "sha1" in answer.headers["tus-checksum-algorithm"].split(",")
    assert int(answer.headers["tus-max-size"]) == Limits().file_bytes_max


async def test_another_version_of_the_protocol_is_told_which_there_is(town: Town) -> None:
    worker = await town.phone("worker")
    answer = await worker.http.post("/api/uploads", headers={"Tus-Resumable": "0.2.2", "Upload-Length": "1"})
    assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")
    assert answer.json()["code"] == "wrong_tus_version"


async def test_uploads_obey_the_rules_of_all_changing_requests(town: Town) -> None:
    worker, mate, nobody = await town.phone("worker"), await town.phone("mate"), Phone(await town.client())
    where = await begin(worker, town, jpeg())
    assert (await create(nobody, jpeg(), town.one)).status_code == 401
    assert (await patch(mate, where, 0, b"x")).status_code == 404
    assert (await head(mate, where)).status_code == 404
    elsewhere = {name: value for name, value in worker.http.headers.items() if name not in map(str.lower, FROM_APP)}
    worker.http.headers = httpx.Headers(elsewhere)
    assert (await patch(worker, where, 0, b"x")).status_code == 403


NONSENSE: list[tuple[dict[str, str], int]] = [
    ({"Upload-Length": "0"}, 400),
    ({"Upload-Length": "-1"}, 400),
    ({"Upload-Length": "1e3"}, 400),
    ({"Upload-Defer-Length": "1"}, 400),
    ({"Upload-Length": "5", "Upload-Metadata": ""}, 400),
    ({"Upload-Length": "5", "Upload-Metadata": "sha256 !!"}, 400),
    ({"Upload-Length": "5", "Upload-Metadata": metadata(sha256="A" * 64, project="p")}, 400),
    ({"Upload-Length": "5", "Upload-Metadata": metadata(sha256="a" * 64, project="../..")}, 400),
    ({"Upload-Length": "5", "Upload-Metadata": metadata(sha256="a" * 64, project="p" * 5000)}, 413),
    ({"Upload-Length": "5", "Upload-Metadata": metadata(sha256="a" * 64, project="elsewhere")}, 403),
    ({"Upload-Length": str(26 * 1024 * 1024), "Upload-Metadata": "{right}"}, 413),
    ({"Upload-Length": str(900 * 1024 * 1024), "Upload-Metadata": "{right}," + metadata(**{"as": "file"})}, 413),
]


async def test_an_upload_that_says_nonsense_is_not_begun(town: Town) -> None:
    worker = await town.phone("worker")
    right = metadata(sha256="a" * 64, project=town.one)
    for headers, status in NONSENSE:
        told = {**TUS, **{name: value.replace("{right}", right) for name, value in headers.items()}}
        answer = await worker.http.post("/api/uploads", headers=told)
        assert answer.status_code == status, (headers, answer.text)
    assert town.site.photos.parts.open_of(town.people["worker"]) == []


async def test_a_piece_at_the_wrong_place_changes_nothing(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    where = await begin(worker, town, content)
    await patch(worker, where, 0, content[:100])
    wrong = await patch(worker, where, 50, content[50:200])
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["offset"]) == (409, "wrong_offset", 100)
    assert (await head(worker, where)).headers["upload-offset"] == "100"
    plain = await worker.http.patch(where, content=b"x", headers={**TUS, "Upload-Offset": "100"})
    assert plain.status_code == 415
    assert (await worker.http.patch(where, content=b"x", headers=BODY)).status_code == 400


async def test_more_than_was_announced_is_refused_and_none_of_it_kept(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    where = await begin(worker, town, content)
    await patch(worker, where, 0, content[:-10])
    too_much = await patch(worker, where, len(content) - 10, content[-10:] + b"!")
    assert too_much.status_code == 413

    async def unannounced() -> AsyncIterator[bytes]:
        yield content[-10:]
        yield b"!"

    headers = {**BODY, "Upload-Offset": str(len(content) - 10)}
    assert (await worker.http.patch(where, content=unannounced(), headers=headers)).status_code == 413
    assert (await head(worker, where)).headers["upload-offset"] == str(len(content) - 10)
    assert (await patch(worker, where, len(content) - 10, content[-10:])).status_code == 204


async def test_a_piece_with_a_wrong_checksum_is_as_if_it_had_not_come(town: Town) -> None:
    worker = await town.phone("worker")
    for seed, name in enumerate(["sha1", "sha256", "md5"]):
        content = jpeg(seed=seed)
        where = await begin(worker, town, content)

        def checked(of: bytes, name: str = name) -> dict[str, str]:
            return {"Upload-Checksum": f"{name} {base64.b64encode(hashlib.new(name, of).digest()).decode()}"}

        assert (await patch(worker, where, 0, content[:50], **checked(content[:50]))).status_code == 204
        wrong = await patch(worker, where, 50, content[50:], **checked(content))
        assert (wrong.status_code, wrong.json()["code"]) == (460, "wrong_checksum")
        assert (await head(worker, where)).headers["upload-offset"] == "50"
        assert (await patch(worker, where, 50, content[50:], **checked(content[50:]))).status_code == 204
        assert await arrived(worker, town, content)


async def test_an_unknown_checksum_is_refused(town: Town) -> None:
    worker = await town.phone("worker")
    where = await begin(worker, town, jpeg())
    assert (await patch(worker, where, 0, b"x", **{"Upload-Checksum": "crc32 AAAA"})).status_code == 400


async def test_what_was_to_be_checked_and_broke_off_with_the_server_is_dropped(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    where = await begin(worker, town, content)
    await patch(worker, where, 0, content[:50])
    parts = town.site.photos.parts
    told = parts.find(town.people["worker"], where.rpartition("/")[2])
    assert told
    part = parts.open(told)
    part.set_floor()
    part.write(b"garbled")
    part.close()  # and here the server was killed
    parts.hashes.forget(told.id)
    assert (await head(worker, where)).headers["upload-offset"] == "50"
    assert (await patch(worker, where, 50, content[50:])).status_code == 204


async def test_bytes_that_are_not_what_their_name_says_are_thrown_away(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    where = await begin(worker, town, content)
    answer = await patch(worker, where, 0, content[:-1] + b"!")
    assert (answer.status_code, answer.json()["code"], answer.json()["do"]) == (422, "wrong_hash", "retry")
    assert (await head(worker, where)).status_code == 404
    assert not await arrived(worker, town, content)


async def test_an_upload_is_given_up_and_nothing_of_it_stays(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    where = await begin(worker, town, content)
    await patch(worker, where, 0, content[:50])
    assert (await worker.http.delete(where, headers=TUS)).status_code == 204
    assert (await head(worker, where)).status_code == 404
    left = [path for path in town.site.photos.parts.folder.rglob("*") if path.is_file()]
    assert left == []


async def test_an_upload_ends_after_a_week_and_is_swept(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    where = await begin(worker, town, content)
    assert (await head(worker, where)).headers["upload-expires"].endswith("GMT")
    town.clock.ms += LIVES_MS
    late = await patch(worker, where, 0, content)
    assert (late.status_code, late.json()["code"]) == (410, "upload_expired")
    await town.site.photos.sweep()
    assert (await head(worker, where)).status_code == 404


async def test_a_phone_that_lost_the_address_begins_anew_in_the_same_place(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    first, second = await begin(worker, town, content), await begin(worker, town, content)
    assert (await head(worker, first)).status_code == 404
    assert (await head(worker, second)).status_code == 200


async def test_a_proxy_that_passes_only_POST_is_no_obstacle(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    where = await begin(worker, town, content)
    headers = {**BODY, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert (await worker.http.post(where, content=content, headers=headers)).status_code == 204
    assert await arrived(worker, town, content)


# limits


async def test_everybody_has_so_many_uploads_open_at_once(tmp_path: Path) -> None:
    async with town(tmp_path, limits=Limits(uploads_open_max=2)) as built:
        worker, mate = await built.phone("worker"), await built.phone("mate")
        statuses = [(await create(worker, jpeg(seed=i), built.one)).status_code for i in range(3)]
        assert statuses == [201, 201, 429]
        assert (await create(mate, jpeg(), built.one)).status_code == 201
        assert (await send(worker, jpeg(seed=0), built.one)).status_code == 201  # the first one, begun again
        assert (await create(worker, jpeg(seed=9), built.one)).status_code == 201


async def test_a_project_has_so_much_space(tmp_path: Path) -> None:
    content = jpeg(900, 700)
    async with town(tmp_path, limits=Limits(project_bytes_max=len(content) + 1000)) as built:
        worker = await built.phone("worker")
        assert (await send(worker, content, built.one)).status_code == 201
        full = await create(worker, jpeg(seed=1), built.one)
        assert (full.status_code, full.json()["code"]) == (413, "project_full")


async def test_a_full_disk_is_told_before_anything_is_lost(tmp_path: Path) -> None:
    async with town(tmp_path, limits=Limits(disk_free_bytes_min=2**60)) as built:
        full = await create(await built.phone("worker"), jpeg(), built.one)
        assert (full.status_code, full.json()["code"]) == (507, "disk_full")
        assert "retry-after" in full.headers


# two at once, and the server stopped at bad moments


class Dripping:
    """A body of which the rest comes when it is let."""

    def __init__(self, first: bytes, rest: bytes) -> None:
        self.first, self.rest, self.begun, self.let = first, rest, asyncio.Event(), asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.begun.set()
        yield self.first
        await self.let.wait()
        yield self.rest


async def test_a_new_request_ends_the_one_whose_network_broke(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    where = await begin(worker, town, content)
    broken = Dripping(content[:100], content[100:])
    headers = {**BODY, "Upload-Offset": "0"}
    hanging = asyncio.create_task(worker.http.patch(where, content=broken.__aiter__(), headers=headers))
    await asyncio.wait_for(broken.begun.wait(), 10)
    assert (await head(worker, where)).headers["upload-offset"] in ("0", "100")
    offset = int((await head(worker, where)).headers["upload-offset"])
    assert (await patch(worker, where, offset, content[offset:])).status_code == 204
    assert (await hanging).status_code == 423
    assert await arrived(worker, town, content)


async def test_two_requests_at_once_never_mix_their_bytes(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg(900, 700)
    where = await begin(worker, town, content)
    answers = await asyncio.gather(*(patch(worker, where, 0, content) for _ in range(5)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 204
    assert set(statuses) <= {204, 409, 423}
    assert await arrived(worker, town, content)


async def test_another_process_that_writes_to_it_is_not_disturbed(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    where = await begin(worker, town, content)
    parts = town.site.photos.parts
    told = parts.find(town.people["worker"], where.rpartition("/")[2])
    assert told
    part = parts.open(told)
    assert part.lock()
    assert (await patch(worker, where, 0, content)).status_code == 423
    part.close()
    assert (await patch(worker, where, 0, content)).status_code == 204


async def test_P23_a_server_stopped_behind_the_last_byte_finishes_when_asked_how_far_it_is(town_on: Town) -> None:
    town = town_on
    worker, content = await town.phone("worker"), jpeg()
    where = await begin(worker, town, content)
    parts = town.site.photos.parts
    told = parts.find(town.people["worker"], where.rpartition("/")[2])
    assert told
    part = parts.open(told)
    part.write(content)
    part.close()  # killed here, before anything was verified
    parts.hashes.forget(told.id)
    assert not await arrived(worker, town, content)
    assert (await head(worker, where)).headers["upload-offset"] == str(len(content))
    assert await arrived(worker, town, content)


async def test_an_upload_survives_a_server_that_stops_at_any_step_of_its_end(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, photos = await town.phone("worker"), town.site.photos
    steps: list[tuple[Any, str]] = [(photos.bytes, "link"), (photos.store, "change"), (photos.parts, "finish")]
    for seed, (owner, step) in enumerate(steps):
        content = jpeg(seed=seed)
        where = await begin(worker, town, content)
        with monkeypatch.context() as broken:
            broken.setattr(owner, step, dies)
            assert (await patch(worker, where, 0, content)).status_code == 500, step
        assert (await head(worker, where)).headers["upload-offset"] == str(len(content)), step
        assert await arrived(worker, town, content), step
        assert (await worker.http.get(f"/api/photos/{sha_of(content)}?w=320")).status_code == 200, step


async def test_what_a_power_cut_left_under_a_name_is_replaced(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    sha, folder = sha_of(content), town.site.photos.bytes.folder
    assert folder
    left = folder / "kept" / sha[:2] / sha
    left.write_bytes(b"")
    await send(worker, content, town.one)
    assert left.read_bytes() == content
    assert [file.name for file in left.parent.iterdir()] == [sha]


def dies(*_: object, **__: object) -> None:
    raise RuntimeError("killed")
