"""The protocol's own clients, tus-js-client and tuspy, on a real server: killed in the middle on either side, they
go on where they were."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from tusclient.client import TusClient

from server.store.engine import DATABASE_FILE
from tests.bench.photos import tree_mb
from tests.server.photos.pictures import jpeg, png
from tests.server.photos.served import PROJECT, Served, served
from tests.server.photos.tus import BODY, TUS, metadata, sha_of
from tests.server.web.kit import FROM_APP

SCRIPT = Path(__file__).with_name("send.mjs")
MB = 1024 * 1024


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("uploads")) as one:
        yield one


def document(size: int, seed: int) -> bytes:
    """Bytes that nobody has sent before, taken as a PDF."""
    return b"%PDF-1.7\n" + random.Random(seed).randbytes(size)


class JsClient:
    """tus-js-client in a Node of its own."""

    def __init__(self, site: Served, folder: Path, content: bytes, **more: Any) -> None:
        self.sha, file = sha_of(content), folder / sha_of(content)
        file.write_bytes(content)
        said = {"sha256": self.sha, "project": PROJECT, "name": "photo.jpg", **more.pop("metadata", {})}
        told = {"url": site.url, "cookie": site.town.workers[0].cookie, "file": str(file), "metadata": said}
        self.options = json.dumps({**told, "store": str(folder / "urls.json"), **more})
        (folder / "urls.json").touch()
        self.told: list[dict[str, Any]] = []

    def start(self) -> None:
        self.process = subprocess.Popen(["node", SCRIPT, self.options], stdout=subprocess.PIPE, text=True)

    def until(self, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What it says when that is reached."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.told.append(json.loads(line))
            if reached(self.told[-1]):
                return self.told[-1]
        raise AssertionError(f"it ended: {self.told[-5:]}")

    def until_share(self, share: float) -> None:
        self.until(lambda told: told.get("sent", 0) >= share * told.get("total", 1) > 0)

    def until_done(self) -> None:
        self.until(lambda told: "done" in told)
        assert self.process.wait(30) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def has(site: Served, sha: str) -> bool:
    with site.client(site.town.workers[0]) as phone:
        answer = phone.post("/api/photos/have", json={"project": PROJECT, "shas": [sha]})
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["have"] == [sha])


@pytest.mark.parametrize("with_upload", [False, True])
def test_tus_js_client_sends_a_photo(site: Served, tmp_path: Path, with_upload: bool) -> None:
    content = jpeg(seed=time.time_ns())
    phone = JsClient(site, tmp_path, content, withUpload=with_upload)
    phone.start()
    phone.until_done()
    assert has(site, phone.sha)


def test_tus_js_client_is_killed_in_the_middle_and_goes_on(site: Served, tmp_path: Path) -> None:
    content = document(40 * MB, 1)
    phone = JsClient(site, tmp_path, content, metadata={"as": "file"}, chunk=4 * MB)
    phone.start()
    phone.until_share(0.3)
    phone.kill()
    assert not has(site, phone.sha)
    phone.told.clear()
    phone.start()
    phone.until_done()
    assert "resumes" in phone.told[0]
    assert next(told["sent"] for told in phone.told if "sent" in told) >= 8 * MB, "what had arrived was not sent again"
    assert has(site, phone.sha)


def test_the_server_is_killed_inside_a_request_and_tus_js_client_goes_on(site: Served, tmp_path: Path) -> None:
    phone = JsClient(site, tmp_path, document(100 * MB, 3), metadata={"as": "file"})
    phone.start()
    phone.until_share(0.1)
    site.kill()
    site.start()
    phone.until_done()
    assert {"did": "HEAD", "status": 200} in phone.told
    assert has(site, phone.sha)


def test_tuspy_with_checksums_goes_on_after_the_server_was_killed(site: Served, tmp_path: Path) -> None:
    content = document(5 * MB, 4)
    file = tmp_path / "plan.pdf"
    file.write_bytes(content)
    headers = {**FROM_APP, "Cookie": site.town.workers[1].cookie}
    said = {"sha256": sha_of(content), "project": PROJECT, "as": "file"}

    def uploader(url: str | None = None) -> Any:
        client = TusClient(f"{site.url}/api/uploads", headers=headers)
        return client.uploader(str(file), chunk_size=MB, metadata=said, upload_checksum=True, url=url)

    first = uploader()
    first.upload(stop_at=2 * MB)
    site.kill()
    site.start()
    second = uploader(first.url)
    assert second.offset == 2 * MB
    second.upload()
    with site.client(site.town.workers[1]) as phone:
        answer = phone.get(f"/api/files/{sha_of(content)}")
        assert answer.content == content
        assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("seed", [1])
def test_P23_photos_sent_while_the_server_is_killed_again_and_again_arrive_whole_and_once(
    site: Served, seed: int
) -> None:
    """What was acknowledged is there after each kill; what was not goes on, or begins anew."""
    print(f"seed {seed}")
    draw = random.Random(seed)
    photos = [jpeg(900, 700, seed=time.time_ns() + i) for i in range(20)]
    acknowledged: list[str] = []
    with ThreadPoolExecutor(1) as aside:
        sending = aside.submit(send_all, site, photos, acknowledged)
        for _ in range(2):
            wanted = len(acknowledged) + draw.randrange(2, 6)
            while len(acknowledged) < wanted and not sending.done():
                time.sleep(draw.random() / 100)
            site.kill()
            known = list(acknowledged)
            site.start()
            assert all(has(site, sha) for sha in known), "an acknowledged photo is gone"
        sending.result(60)
    assert all(has(site, sha_of(content)) for content in photos)
    with closing(sqlite3.connect(site.folder / DATABASE_FILE)) as database:
        rows = database.execute("SELECT sha, count(*) FROM photo_from GROUP BY sha").fetchall()
    assert {count for sha, count in rows if sha in acknowledged} == {1}


def send_all(site: Served, photos: list[bytes], acknowledged: list[str]) -> None:
    """One after the other, in two requests each, as a phone that never gives up."""
    with site.client(site.town.workers[0]) as phone:
        for content in photos:
            told = metadata(sha256=sha_of(content), project=PROJECT)
            where = ""
            while True:
                with suppress(httpx.TransportError):
                    if not where:
                        headers = {**TUS, "Upload-Length": str(len(content)), "Upload-Metadata": told}
                        where = phone.post("/api/uploads", headers=headers).headers.get("location", "")
                    stands = phone.head(where, headers=TUS)
                    if stands.status_code == 404:
                        where = ""
                        continue
                    offset = int(stands.headers["upload-offset"])
                    rest = {**BODY, "Upload-Offset": str(offset)}
                    is_whole = offset == len(content)
                    if is_whole or phone.patch(where, content=content[offset:], headers=rest).status_code == 204:
                        acknowledged.append(sha_of(content))
                        break


def test_the_servers_memory_stays_under_300_MB_whatever_photos_come(site: Served) -> None:
    """All its processes together, looked at as often as can be while they are decoded."""
    photos = [
        jpeg(8000, 6000, seed=90),
        jpeg(8000, 6000, seed=91, progressive=True),
        jpeg(16_000, 3000, seed=92),
        png(6000, 4000),
    ]
    most = 0.0
    with site.client(site.town.workers[0]) as phone, site.client(site.town.workers[0]) as other:
        for content in photos:
            told = {"sha256": sha_of(content), "project": PROJECT}
            headers = {**BODY, "Upload-Length": str(len(content)), "Upload-Metadata": metadata(**told)}
            assert phone.post("/api/uploads", content=content, headers=headers).status_code == 201
            with ThreadPoolExecutor(1) as aside:
                shown = aside.submit(other.get, f"/api/photos/{sha_of(content)}?w=320")
                while not shown.done():
                    most = max(most, tree_mb(site.server.process))
            assert shown.result().status_code == 200
    print(f"{most:.0f} MB at most")
    assert 50 < most < 300
