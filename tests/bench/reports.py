"""An inspection with thirty photos as PDF: from the order to the file, and what else the server answers meanwhile.

The photos are of phones (2048 × 1536, with grain, so that they weigh what real ones do) and were developed before, as
they are when somebody prints. The first report of a server starts the process that sets them, and is told beside.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from random import Random
from typing import Any, Final

from PIL import Image

from server.web.pdf import is_there
from tests.bench.figure import Figure, median, quantile
from tests.bench.photos import own, send, wait_until_ready
from tests.bench.town import PROJECT, Phone, Server, folder, make_town, new_id, now_ms, served
from tests.server.photos.pictures import jpeg

PHOTOS, ITEMS, ROUNDS = 30, 60, 4
SIZE: Final = (2048, 1536)
GRAIN: Final = 24
TARGET_S: Final = 5
ASK_EACH_S: Final = 0.02
OVER_S_MAX: Final = 120
TEMPLATE, INSPECTION = "inspections.template", "inspections.inspection"


def figures() -> list[Figure]:
    if not is_there():
        return [Figure("reports: WeasyPrint and pango", "", "not on this machine", None)]
    with folder() as data:
        town = make_town(data, workers=1)
        with served(data) as server:
            photos = [_photo(seed) for seed in range(PHOTOS)]
            send(server, town, photos)
            wait_until_ready(data, PHOTOS)
            r = _inspection(server, town.boss, photos)
            idle = _asked_for(server, town.boss, 1.0)
            first, _, _ = _report(server, town.boss, r)
            with _asking(server, town.boss) as waits:
                told = [_report(server, town.boss, r) for _ in range(ROUNDS)]
    return _told(first, told, idle, waits)


def _told(first: float, told: list[tuple[float, int, int]], idle: list[float], waits: list[float]) -> list[Figure]:
    took, kilobytes, steps = median([one[0] for one in told]), told[0][1] // 1000, told[0][2]
    before, meanwhile = quantile(idle, 0.99) * 1000, quantile(waits, 0.99) * 1000
    return [
        Figure(
            f"an inspection of {ITEMS} items and {PHOTOS} photos as PDF",
            f"≤ {TARGET_S} s",
            f"{took:.1f} s (the first of a server {first:.1f} s), {kilobytes} KB, {steps} steps of progress seen",
            took <= TARGET_S,
            {"s": [one[0] for one in told], "first s": first},
        ),
        Figure(
            "there: what the server answers meanwhile, p99", "", f"{meanwhile:.0f} ms (before {before:.0f} ms)", None
        ),
    ]


def _photo(seed: int) -> bytes:
    smooth = Image.open(io.BytesIO(jpeg(*SIZE, seed=seed)))
    grain = Image.effect_noise(SIZE, GRAIN).convert("RGB")
    kept = io.BytesIO()
    Image.blend(smooth, grain, 0.25).save(kept, "JPEG", quality=82)
    return kept.getvalue()


def _inspection(server: Server, boss: Phone, photos: list[bytes]) -> str:
    draw = Random(3)
    template, r = new_id(draw, now_ms()), new_id(draw, now_ms())
    rows: dict[str, Any] = {"name": "塔吊月检", "family": template, "version": 1, "scheme": "none"}
    rows |= {"sections.s1.title": "全机", "sections.s1.order": 1}
    values: dict[str, Any] = {"template": template, "place": "2# 楼", "date": time.strftime("%Y-%m-%d")}
    for n in range(ITEMS):
        words = f"第 {n + 1} 条：现场查看，抽查三处，记录部位和数量"
        rows |= {f"items.i{n}.section": "s1", f"items.i{n}.order": n, f"items.i{n}.kind": "check"}
        rows[f"items.i{n}.text"] = words
        values |= {f"answers.i{n}.result": "fail" if n % 5 == 0 else "pass", f"answers.i{n}.note": "第二道附着处"}
    for n, content in enumerate(photos):
        sha = hashlib.sha256(content).hexdigest()
        values[f"photos.p{n:09}"] = {"sha": sha, "at": now_ms(), "w": SIZE[0], "h": SIZE[1], "item": f"i{n * 2}"}
    ops = [
        {"k": "new", "c": TEMPLATE, "r": template, "set": rows},
        {"k": "new", "c": INSPECTION, "r": r, "set": values},
    ]
    body = boss.body(boss.batch(ops))
    told = _json(server, boss, "POST", "/api/push", body)
    if told["results"][0]["status"] != "applied":
        raise RuntimeError(f"the inspection was not taken: {told}")
    return r


def _report(server: Server, boss: Phone, r: str) -> tuple[float, int, int]:
    """Seconds from order to file, the file's bytes, and how many different standings were seen."""
    order = json.dumps({"project": PROJECT, "r": r, "report": "inspections.record"}).encode()
    began, seen = time.perf_counter(), set()
    id = _json(server, boss, "POST", "/api/reports", order)["id"]
    while True:
        standing = _json(server, boss, "GET", f"/api/reports/{id}")
        seen.add((standing["status"], standing["done"]))
        if standing["status"] == "ready":
            break
        if standing["status"] == "failed" or time.perf_counter() - began > OVER_S_MAX:
            raise RuntimeError(f"no PDF: {standing}")
        time.sleep(ASK_EACH_S)
    took = time.perf_counter() - began
    return took, len(_call(server, boss, "GET", f"/api/reports/{id}/file")), len(seen)


def _json(server: Server, boss: Phone, method: str, path: str, body: bytes = b"") -> Any:
    return json.loads(_call(server, boss, method, path, body))


def _call(server: Server, boss: Phone, method: str, path: str, body: bytes = b"") -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        connection.request(method, path, body, {**own(boss), "Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
    return content


# what else is answered


def _asked_for(server: Server, boss: Phone, seconds: float) -> list[float]:
    with _asking(server, boss) as waits:
        time.sleep(seconds)
    return waits


@contextmanager
def _asking(server: Server, boss: Phone) -> Iterator[list[float]]:
    """Somebody else asks who he is, again and again; how long each answer took, in seconds."""
    waits: list[float] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.wait(ASK_EACH_S):
            began = time.perf_counter()
            _call(server, boss, "GET", "/api/me")
            waits.append(time.perf_counter() - began)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield waits
    finally:
        is_over.set()
        asking.join()
