"""Photos: how quickly they come in, beside a plain PUT to the same server and beside @tus/server; what one of 12 MP
costs the server; how much memory the worst of them take.

The client is one socket that sends one request after the other, the same for all three.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import random
import shutil
import sqlite3
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import psutil

from server.store.engine import DATABASE_FILE
from tests.bench.figure import Figure, median
from tests.bench.town import PROJECT, Phone, Server, Town, folder, free_port, make_town, running, served
from tests.server.photos.pictures import jpeg, png, with_exif

PHOTOS: Final = 50
PHOTO_BYTES: Final = 500_000
ROUNDS: Final = 5
LARGE: Final = 20
DEVELOPED_S_MAX: Final = 60
LOOK_EACH_S: Final = 0.01
TUS: Final = {"Tus-Resumable": "1.0.0"}
OCTETS: Final = "application/offset+octet-stream"


def figures() -> list[Figure]:
    return [*_speed(), *_cost()]


# how quickly they come in


def _speed() -> list[Figure]:
    with folder() as data:
        (data / "node").mkdir()
        town, port, other = make_town(data / "town", workers=1), free_port(), free_port()
        ours = [sys.executable, "-m", "tests.bench.photo_server", str(port), str(data / "town")]
        theirs = [shutil.which("node") or "node", "tests/bench/tus.mjs", str(other), str(data / "node")]
        with running(ours, port, data / "town"), running(theirs, other, data / "node"):
            phone = town.workers[0]
            ways: dict[str, Callable[[int], float]] = {
                "PUT": lambda n: _plain(port, phone, _photos(n)),
                "ours, one request": lambda n: _tus(port, phone, _photos(n), at_once=True),
                "ours, two requests": lambda n: _tus(port, phone, _photos(n), at_once=False),
                "@tus/server, one request": lambda n: _tus(other, phone, _photos(n), at_once=True),
                "@tus/server, two requests": lambda n: _tus(other, phone, _photos(n), at_once=False),
            }
            times: dict[str, list[float]] = {name: [] for name in ways}
            for n in range(ROUNDS + 1):  # the first warms up
                for i, (name, way) in enumerate(ways.items()):
                    took = way(n * 10 + i)
                    if n:
                        times[name].append(took)
    return _told({name: median(took) for name, took in times.items()})


def _told(took: dict[str, float]) -> list[Figure]:
    numbers = {name: round(seconds * 1000, 1) for name, seconds in took.items()}
    said = ", ".join(f"{name} {ms:.0f} ms" for name, ms in numbers.items())
    found = []
    for way in ("one request", "two requests"):
        share = took["PUT"] / took[f"ours, {way}"]
        work = f"{PHOTOS} × 500 KB over tus, {way} each, of plain PUT + fsync to the same server"
        found.append(Figure(work, "≥ 0.5", f"{share:.2f} ({said})", share >= 0.5, numbers))
        faster = took[f"@tus/server, {way}"] / took[f"ours, {way}"]
        work = f"the same beside @tus/server, {way} each: how many times as fast"
        found.append(Figure(work, "> 1", f"{faster:.1f}", faster > 1))
    return found


def _photos(seed: int) -> list[bytes]:
    """That nobody has sent before, with a scan as long as it takes."""
    draw, small = random.Random(seed), jpeg(320, 240, seed=seed)
    return [
        small[:-2] + draw.randbytes(PHOTO_BYTES - len(small)).replace(b"\xff", b"\xfe") + small[-2:]
        for _ in range(PHOTOS)
    ]


def _plain(port: int, phone: Phone, photos: list[bytes]) -> float:
    with connected(port) as ask:
        began = time.perf_counter()
        for photo in photos:
            ask("PUT", f"/bench/{uuid.uuid4().hex}", photo, own(phone), 204)
        return time.perf_counter() - began


def _tus(port: int, phone: Phone, photos: list[bytes], *, at_once: bool) -> float:
    told = [_headers(phone, photo) for photo in photos]
    with connected(port) as ask:
        began = time.perf_counter()
        for photo, headers in zip(photos, told, strict=True):
            if at_once:
                ask("POST", "/api/uploads", photo, {**headers, "Content-Type": OCTETS}, 201)
                continue
            where = ask("POST", "/api/uploads", b"", headers, 201)["location"]
            path = "/" + where.partition("://")[2].partition("/")[2] if "://" in where else where
            rest = {name: value for name, value in headers.items() if not name.startswith("Upload-")}
            ask("PATCH", path, photo, {**rest, "Content-Type": OCTETS, "Upload-Offset": "0"}, 204)
        return time.perf_counter() - began


def _headers(phone: Phone, photo: bytes) -> dict[str, str]:
    said = {"sha256": hashlib.sha256(photo).hexdigest(), "project": PROJECT}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())
    return {**TUS, **own(phone), "Upload-Length": str(len(photo)), "Upload-Metadata": metadata}


def own(phone: Phone) -> dict[str, str]:
    return {"Cookie": phone.cookie, "X-Requested-With": "gongbu"}


Ask = Callable[[str, str, bytes, dict[str, str], int], http.client.HTTPMessage]


@contextmanager
def connected(port: int) -> Iterator[Ask]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:

        def ask(method: str, path: str, body: bytes, headers: dict[str, str], wanted: int) -> http.client.HTTPMessage:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != wanted:
                raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
            return answer.headers

        yield ask


# what they cost


def _cost() -> list[Figure]:
    with folder() as data:
        town = make_town(data, workers=1)
        with served(data) as server:
            cpu_ms = _cpu_ms(server, town, data)
        with served(data) as server:
            before, peak = _peak(server, town, data)
    return [
        Figure("server CPU a photo of 12 MP: upload, 1280, 320, clean", "≤ 250 ms", f"{cpu_ms:.0f} ms", cpu_ms <= 250),
        Figure(
            "server memory, all its processes, over 12 to 114 MP and hostile ones",
            "≤ 300 MB",
            f"{peak:.0f} MB ({before:.0f} before)",
            peak <= 300,
        ),
    ]


def _cpu_ms(server: Server, town: Town, data: Path) -> float:
    photos = [jpeg(4000, 3000, seed=i, exif=with_exif(), quality=92) for i in range(LARGE + 1)]
    send(server, town, photos[:1])
    wait_until_ready(data, 1)
    before = server.cpu()
    send(server, town, photos[1:])
    wait_until_ready(data, LARGE + 1)
    return (server.cpu() - before) / LARGE * 1000


def _peak(server: Server, town: Town, data: Path) -> tuple[float, float]:
    """Megabytes before, and at most while the worst of them go through."""
    ready = _ready(data)
    before, worst, is_over = tree_mb(server.process), [0.0], threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_EACH_S):
            worst[0] = max(worst[0], tree_mb(server.process))

    looking = threading.Thread(target=look)
    looking.start()
    photos = _worst()
    send(server, town, photos)
    wait_until_ready(data, ready + len(photos))
    with connected(server.port) as ask, _ignored():
        ask("POST", "/api/uploads", png(50_000, 50_000, rows=b""), _body_of(town, png(50_000, 50_000, rows=b"")), 201)
    is_over.set()
    looking.join()
    return before, worst[0]


def _worst() -> list[bytes]:
    return [
        jpeg(4000, 3000, seed=100),
        jpeg(8000, 6000, seed=101),
        jpeg(8000, 6000, seed=102, progressive=True),
        jpeg(16_000, 3000, seed=103),
        jpeg(16_383, 7000, seed=104),
        png(6000, 4000),
        *_still("HEIF", 6000, 4000),
        *_still("AVIF", 4000, 3000),
        *_still("WEBP", 3600, 2700),
    ]


def _still(format: str, w: int, h: int) -> Iterator[bytes]:
    import io

    from PIL import Image

    if format == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    with Image.open(io.BytesIO(jpeg(w, h, seed=105))) as image:
        kept = io.BytesIO()
        image.save(kept, format)
    yield kept.getvalue()


@contextmanager
def _ignored() -> Iterator[None]:
    """It is refused, as it should be."""
    try:
        yield
    except RuntimeError as refused:
        if "too_many_pixels" not in str(refused):
            raise


def send(server: Server, town: Town, photos: list[bytes]) -> None:
    with connected(server.port) as ask:
        for photo in photos:
            ask("POST", "/api/uploads", photo, _body_of(town, photo), 201)


def _body_of(town: Town, photo: bytes) -> dict[str, str]:
    return {**_headers(town.workers[0], photo), "Content-Type": OCTETS}


def wait_until_ready(data: Path, wanted: int) -> None:
    until = time.monotonic() + DEVELOPED_S_MAX
    while _ready(data) < wanted:
        if time.monotonic() > until:
            raise RuntimeError(f"{_ready(data)} of {wanted} photos were developed")
        time.sleep(0.05)


def _ready(data: Path) -> int:
    with closing(sqlite3.connect(data / DATABASE_FILE)) as database:
        return int(database.execute("SELECT count(*) FROM photo WHERE state = 'ready'").fetchone()[0])


def tree_mb(process: psutil.Popen) -> float:
    """What a process and those that it started take up."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20
