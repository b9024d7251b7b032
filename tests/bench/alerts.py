"""Alerts: from a hazard admitted to its push requests handed over, and a fan-out to ten thousand phones.

The push service is a stand-in of its own process on the loopback address; encryption, signature, database and
connections are the real ones.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.store.engine import DATABASE_FILE
from server.sync.alert.channel.push import topic
from server.sync.alert.ground import alert_id
from tests.bench.client import Connection, get, post
from tests.bench.figure import Figure, quantile
from tests.bench.town import (
    PROJECT,
    Phone,
    Server,
    Town,
    checkin,
    folder,
    free_port,
    make_town,
    now_ms,
    running,
    served,
)

RECEIVERS, REPORTS, ROUNDS, MANY = 200, 20, 5, 10_000
IDLE_S, BETWEEN_S, PATIENCE_S = 15.0, 0.03, 60.0


@dataclass
class Came:
    """A push request: when it was there (seconds of the machine's clock), for which phone, of which alert."""

    at: float
    path: str
    topic: str


@contextmanager
def push_service(at: Path) -> Iterator[int]:
    port = free_port()
    with running([sys.executable, "-m", "tests.bench.push_service", str(port)], port, at, "/"):
        yield port


@contextmanager
def site_with_phones(receivers: int, role: str) -> Iterator[tuple[Server, Town, int]]:
    """A server whose site has so many phones that take notifications, and the push service's port."""
    os.environ["GONGBU_ALLOW_PRIVATE_ADDRESSES"] = "1"
    try:
        with folder() as at, push_service(at) as port:
            town = make_town(at, workers=REPORTS, listeners=receivers)
            subscribe(town, port, role)
            with served(at) as server:
                yield server, town, port
    finally:
        del os.environ["GONGBU_ALLOW_PRIVATE_ADDRESSES"]


def subscribe(town: Town, port: int, role: str) -> None:
    """Each listener's phone says yes. They share a key, which costs the server as much as one each."""
    point = derive_private_key(42, SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    key, auth = _url64(point), _url64(b"0123456789abcdef")
    with sqlite3.connect(town.folder / DATABASE_FILE) as there:
        there.executemany(
            "INSERT INTO subscription (device, person, endpoint, p256dh, auth, created) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (one.device, one.person, f"http://127.0.0.1:{port}/push/{one.device}", key, auth, now_ms())
                for one in town.listeners
            ],
        )
        there.executemany("UPDATE member SET roles = ? WHERE person = ?", [(role, p.person) for p in town.listeners])
    there.close()


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def op_of(c: str, **values: Any) -> dict[str, Any]:
    return {"k": "new", "c": c, "r": str(uuid.uuid4()), "set": values}


async def came(port: int) -> list[Came]:
    """What the push service got since it was last asked."""
    there = await Connection.to(port)
    answer = await there.ask(get("/log"))
    there.close()
    rows = (line.split(" ") for line in answer.body.decode().splitlines())
    return [Came(float(at), path, topic) for at, path, topic in rows]


async def all_of(port: int, count: int) -> list[Came]:
    found: list[Came] = []
    until = time.monotonic() + PATIENCE_S
    while len(found) < count and time.monotonic() < until:
        await asyncio.sleep(0.05)
        found += await came(port)
    if len(found) < count:
        raise RuntimeError(f"{len(found)} of {count} messages came")
    return found


async def admitted(server: Server, phone: Phone, op: dict[str, Any]) -> float:
    there = await Connection.to(server.port)
    answer = await there.ask(post("/api/push", phone.body(phone.batch([op])), phone.cookie))
    there.close()
    if b'"applied"' not in answer.body:
        raise RuntimeError(answer.body.decode())
    return time.perf_counter()


def figures() -> list[Figure]:
    return [*told_at_once(), *fan_out()]


def told_at_once() -> list[Figure]:
    with site_with_phones(RECEIVERS, "inspector") as (server, town, port):
        shared = asyncio.run(_reports(server, town, port, 1))
        every = asyncio.run(_reports(server, town, port, REPORTS))
    return [
        _latency("one hazard, 200 receivers: admitted → push request handed over", shared, 1),
        _latency("20 hazards at once, 200 receivers each: all 4,000 handed over", every, REPORTS),
    ]


def _latency(work: str, ms: list[float], reports: int) -> Figure:
    p99 = quantile(ms, 0.99)
    reached = f"p50 {quantile(ms, 0.5):.0f} ms, p99 {p99:.0f} ms, worst {max(ms):.0f} ms"
    return Figure(work, "p99 ≤ 1 s", reached, p99 <= 1000, {"reports": reports})


async def _reports(server: Server, town: Town, port: int, reports: int) -> list[float]:
    taken: list[float] = []
    for _ in range(ROUNDS if reports == 1 else 1):
        ops = [op_of("safety.hazard", level="major", description="临边防护缺失") for _ in range(reports)]
        pairs = zip(town.workers, ops, strict=False)
        at = await asyncio.gather(*(admitted(server, phone, op) for phone, op in pairs))
        since = {topic(alert_id(PROJECT, op["r"], "reported", "created")): t for op, t in zip(ops, at, strict=True)}
        found = await all_of(port, RECEIVERS * reports)
        taken += [(one.at - since[one.topic]) * 1000 for one in found]
    return taken


def fan_out() -> list[Figure]:
    with site_with_phones(MANY, "worker") as (server, town, port):
        before = server.memory_mb()
        return asyncio.run(_fan_out(server, town, port, before))


async def _fan_out(server: Server, town: Town, port: int, before: float) -> list[Figure]:
    writer, draw = town.workers[0], Random(3)
    await _sync(server, writer, draw, asyncio.Event(), 2.0)
    idle = await _sync(server, writer, draw, asyncio.Event(), IDLE_S)
    over, peak = asyncio.Event(), [before]
    op = op_of("safety.broadcast", sort="evacuate", to="all", text="立即撤离")
    cpu = server.cpu()
    began = await admitted(server, town.boss, op)

    async def messages() -> list[Came]:
        found: list[Came] = []
        while len(found) < MANY and time.perf_counter() < began + PATIENCE_S:
            await asyncio.sleep(0.5)
            found += await came(port)
            peak.append(server.memory_mb())
        over.set()
        return found

    busy, found = await asyncio.gather(_sync(server, writer, draw, over, PATIENCE_S), messages())
    cpu = server.cpu() - cpu
    if len(found) < MANY:
        raise RuntimeError(f"{len(found)} of {MANY} messages came")
    first, last = min(one.at for one in found), max(one.at for one in found)
    rate, idle99, busy99 = MANY / (last - began), quantile(idle, 0.99), quantile(busy, 0.99)
    return [
        Figure("10,000 phones told: messages a second", "≥ 300",
               f"{rate:.0f} ({MANY / cpu:.0f} a CPU second, first after {first - began:.2f} s)", rate >= 300,
               {"wall_s": last - began, "cpu_s": cpu}),
        Figure("there: server memory", "bounded", f"{max(peak):.0f} MB (from {before:.0f})", max(peak) <= 200),
        Figure("there: a push of another phone meanwhile, p99 of its idle figure", "≤ 2",
               f"{busy99 / idle99:.1f} ({idle99:.1f} → {busy99:.1f} ms; p50 {quantile(idle, 0.5):.1f} → "
               f"{quantile(busy, 0.5):.1f})", busy99 <= 2 * idle99, {"idle_ms": idle, "busy_ms": busy}),
    ]  # fmt: skip


async def _sync(server: Server, phone: Phone, draw: Random, over: asyncio.Event, most_s: float) -> list[float]:
    """One phone sends a check-in again and again; milliseconds of each."""
    there, taken, until = await Connection.to(server.port), [], time.monotonic() + most_s
    while time.monotonic() < until and not over.is_set():
        request = post(
            "/api/push", phone.body(phone.batch([checkin(phone, draw, draw.randrange(10_000))])), phone.cookie
        )
        began = time.perf_counter()
        answer = await there.ask(request)
        taken.append((time.perf_counter() - began) * 1000)
        if b'"applied"' not in answer.body:
            raise RuntimeError(answer.body.decode())
        await asyncio.sleep(BETWEEN_S)
    there.close()
    return taken
