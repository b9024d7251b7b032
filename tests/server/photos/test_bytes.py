"""Where the bytes lie: in a folder and in a bucket alike; what is kept, and what is swept."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from server.sync.photos import DAY_MS, ORPHAN_DAYS
from tests.server.photos.pictures import jpeg, with_exif
from tests.server.photos.tus import create, head, name_in_a_note, patch, send, sha_of
from tests.server.web.kit import Town, note, town


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server that speaks S3, with a bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as env:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT": f"http://{host}:{port}",
            "AWS_ALLOW_HTTP": "true",
        }.items():
            env.setenv(name, value)
        boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1").create_bucket(Bucket="site")
        yield "s3://site"
    server.stop()


@pytest.fixture(params=["folder", "S3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "elsewhere")
    return f"{request.getfixturevalue('s3')}/{uuid.uuid4().hex}"


@asynccontextmanager
async def site_at(folder: Path, place: str) -> AsyncIterator[Town]:
    async with town(folder, files=place) as built:
        yield built


async def test_a_photo_lies_in_a_folder_or_a_bucket_and_is_shown_alike(tmp_path: Path, place: str) -> None:
    content = jpeg(1600, 1200, exif=with_exif())
    sha = sha_of(content)
    async with site_at(tmp_path, place) as built:
        worker = await built.phone("worker")
        assert (await send(worker, content, built.one)).status_code == 201
        await built.site.sync.settle()
        whole = await worker.http.get(f"/api/photos/{sha}")
        small = await worker.http.get(f"/api/photos/{sha}?w=320")
        assert (whole.status_code, small.status_code) == (200, 200)
        assert b"Exif\x00\x00II" not in whole.content
        photos = built.site.photos
        assert await photos.content(sha, 1280) == (await worker.http.get(f"/api/photos/{sha}?w=1280")).content
        assert await photos.sha_now(sha) == sha
        kept = await photos.path(sha)
        assert kept is not None
        assert kept.read_bytes() == content


async def test_an_upload_is_resumed_and_the_document_saved(tmp_path: Path, place: str) -> None:
    content = b"%PDF-1.7\n" + bytes(range(256)) * 30_000
    async with site_at(tmp_path, place) as built:
        worker = await built.phone("worker")
        said: dict[str, Any] = {"as": "file"}
        where = (await create(worker, content, built.one, **said)).headers["location"]
        await patch(worker, where, 0, content[:5_000_000])
        assert (await head(worker, where)).headers["upload-offset"] == "5000000"
        assert (await patch(worker, where, 5_000_000, content[5_000_000:])).status_code == 204
        assert (await worker.http.get(f"/api/files/{sha_of(content)}")).content == content


async def test_P10_what_nothing_names_is_swept_after_30_days_and_what_anything_names_never(town_on: Town) -> None:
    town = town_on
    worker, mate = await town.phone("worker"), await town.phone("mate")
    named, refused, orphan = (jpeg(seed=i) for i in range(3))
    for content in (named, refused, orphan):
        await send(worker, content, town.one)
    await name_in_a_note(worker, town, "worker", sha_of(named))
    words: dict[str, Any] = {"photos.p1": {"sha": sha_of(refused), "at": 1, "w": 1, "h": 1}}
    await mate.push(town.one, [note(town.people["worker"], **words)])  # forbidden; kept for the manager to read
    town.clock.ms += ORPHAN_DAYS * DAY_MS
    assert await town.site.photos.sweep() == []
    town.clock.ms += 1
    assert await town.site.photos.sweep() == [sha_of(orphan)]
    assert await town.site.photos.path(sha_of(orphan)) is None
    assert await town.site.photos.bytes.size("kept", sha_of(orphan)) is None
    for content in (named, refused):
        assert (await worker.http.get(f"/api/photos/{sha_of(content)}")).status_code == 200
    assert (await send(worker, orphan, town.one)).status_code == 201
    assert (await worker.http.get(f"/api/photos/{sha_of(orphan)}")).status_code == 200


async def test_an_orphan_that_comes_again_has_another_30_days(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    await send(worker, content, town.one)
    town.clock.ms += ORPHAN_DAYS * DAY_MS
    await send(worker, content, town.one)
    town.clock.ms += DAY_MS
    assert await town.site.photos.sweep() == []


async def test_the_sweep_is_a_job_that_comes_by_itself(town: Town) -> None:
    worker, content = await town.phone("worker"), jpeg()
    await send(worker, content, town.one)
    await town.site.sync.settle()
    town.clock.ms += (ORPHAN_DAYS + 1) * DAY_MS
    town.site.photos.start()
    asked = "SELECT count(*) FROM job WHERE kind = 'photo sweep'"
    while (await town.site.store.rows(asked))[0][0] == 0 and await town.site.photos.find(sha_of(content)):
        pass
    await town.site.sync.settle()
    assert await town.site.photos.find(sha_of(content)) is None


async def test_the_kept_bytes_are_for_the_servers_eyes_alone(town: Town) -> None:
    worker = await town.phone("worker")
    await send(worker, jpeg(), town.one)
    folder = town.site.photos.bytes.folder
    assert folder
    assert folder.stat().st_mode & 0o077 == 0
    assert [file.stat().st_mode & 0o077 for file in (folder / "kept").rglob("*") if file.is_file()] == [0]
