"""tus: an upload is resumed, verified, and becomes a photo for those who see a record that names it."""

from __future__ import annotations

from tests.server.photos.pictures import jpeg, with_exif
from tests.server.photos.tus import create, head, name_in_a_note, patch, send, sha_of
from tests.server.web.kit import Town


async def test_P10_a_photo_sent_in_pieces_is_seen_by_who_sees_its_record(town_on: Town) -> None:
    town = town_on
    worker, content = await town.phone("worker"), jpeg(exif=with_exif())
    sha = sha_of(content)
    await name_in_a_note(worker, town, "worker", sha)  # records first, bytes after
    created = await create(worker, content, town.one)
    assert created.status_code == 201, created.text
    where = created.headers["location"]
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
    whole = await worker.http.get(f"/api/photos/{sha}")
    assert whole.headers["content-type"] == "image/jpeg"
    assert b"Exif" not in whole.content
    assert b"Telephone" not in whole.content


async def test_a_small_photo_comes_in_one_request(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    answer = await send(worker, content, town.one)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, str(len(content)))
    assert (await worker.http.get(f"/api/photos/{sha_of(content)}")).content == content
