"""Push: twenty phones, fifty records a batch, answered after the commit; beside the bare limit, and after a kill."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from server.store.engine import DATABASE_FILE
from tests.bench.client import Connection, post
from tests.bench.figure import Figure, median, quantile
from tests.bench.town import Server, Town, batches_of, folder, free_port, make_town, running, served

RECORDS, MORE_RECORDS, PER_BATCH = 20_000, 80_000, 50
ROUNDS = 7
QUIET_S, QUIET_SECONDS_MAX = 2.0, 90


@dataclass
class Sent:
    """One run of all phones: wall and server CPU seconds, milliseconds per batch."""

    records: int
    wall_s: float
    cpu_s: float
    batch_ms: list[float]

    @property
    def per_cpu_s(self) -> float:
        return self.records / self.cpu_s


async def send_all(server: Server, path: str, bodies: dict[str, list[bytes]], cookies: dict[str, str]) -> Sent:
    """Every phone sends its batches one after the other; all phones at the same time."""
    taken: list[float] = []

    async def one(device: str) -> None:
        there = await Connection.to(server.port)
        for body in bodies[device]:
            request = post(path, body, cookies.get(device, ""))
            began = time.perf_counter()
            answer = await there.ask(request)
            taken.append((time.perf_counter() - began) * 1000)
            if answer.status != 200 or answer.body.count(b'"applied"') != 1:
                raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")
        there.close()

    cpu, began = server.cpu(), time.perf_counter()
    await asyncio.gather(*(one(device) for device in bodies))
    wall, cpu = time.perf_counter() - began, server.cpu() - cpu
    return Sent(PER_BATCH * sum(map(len, bodies.values())), wall, cpu, taken)


def quiet(server: Server) -> float:
    """Wait until the work after the commits is done; the CPU seconds that it took."""
    before = last = server.cpu()
    still, until = time.monotonic(), time.monotonic() + QUIET_SECONDS_MAX
    while time.monotonic() - still < QUIET_S and time.monotonic() < until:
        time.sleep(0.2)
        now = server.cpu()
        if now - last > 0.02:
            still = time.monotonic()
        last = now
    return last - before


def push_to_town(server: Server, town: Town, records: int, seed: int) -> Sent:
    cookies = {phone.device: phone.cookie for phone in town.workers}
    return asyncio.run(send_all(server, "/api/push", batches_of(town, records, PER_BATCH, seed), cookies))


def push_to_bare(town: Town, at: Path) -> Sent:
    bodies, port = batches_of(town, RECORDS, PER_BATCH, 1), free_port()
    command = [sys.executable, "-m", "tests.bench.bare", str(port), str(at)]
    with running(command, port, at) as server:
        return asyncio.run(send_all(server, "/push", bodies, {}))


def figures() -> list[Figure]:
    ours: list[Sent] = []
    bare: list[Sent] = []
    for _ in range(ROUNDS):
        with folder() as at:
            bare.append(push_to_bare(make_town(at), at))
        with folder() as at:
            town = make_town(at)
            with served(at) as server:
                ours.append(push_to_town(server, town, RECORDS, 1))
    return [*_speed(ours, bare), *memory(), killed()]


def _speed(ours: list[Sent], bare: list[Sent]) -> list[Figure]:
    speed, limit = median(s.per_cpu_s for s in ours), median(s.per_cpu_s for s in bare)
    p50 = median(quantile(s.batch_ms, 0.5) for s in ours)
    p99 = median(quantile(s.batch_ms, 0.99) for s in ours)
    bare50, bare99 = (median(quantile(s.batch_ms, q) for s in bare) for q in (0.5, 0.99))
    return [
        Figure(
            "push: records per server-CPU-second, of the bare limit", "≥ 0.5",
            f"{speed / limit:.2f} ({speed:,.0f} of {limit:,.0f})", speed / limit >= 0.5,
            {"ours": [s.per_cpu_s for s in ours], "bare": [s.per_cpu_s for s in bare]},
        ),
        Figure(
            "push: a batch, p99 over p50", "≤ 2", f"{p99 / p50:.2f} (p50 {p50:.0f} ms, p99 {p99:.0f} ms)",
            p99 <= 2 * p50,
            {"p50_ms": p50, "p99_ms": p99, "bare_p50_ms": bare50, "bare_p99_ms": bare99},
        ),
        Figure(
            "push: records a second, wall", "", f"{median(s.records / s.wall_s for s in ours):,.0f}", None,
            {"bare": median(s.records / s.wall_s for s in bare)},
        ),
    ]  # fmt: skip


def memory() -> list[Figure]:
    """Resident memory after 20,000 records and after 100,000; what is computed afterwards is told beside."""
    with folder() as at:
        town = make_town(at)
        with served(at) as server:
            start = server.memory_mb()
            push_to_town(server, town, RECORDS, 1)
            after = quiet(server)
            at_20k = server.memory_mb()
            push_to_town(server, town, MORE_RECORDS, 2)
            quiet(server)
            at_100k = server.memory_mb()
    flat = at_100k <= at_20k * 1.15
    return [
        Figure(
            "push: server memory after 100,000 records", "≤ 150 MB, flat", f"{at_20k:.0f} → {at_100k:.0f} MB",
            at_100k <= 150 and flat, {"start_mb": start, "at_20k_mb": at_20k, "at_100k_mb": at_100k},
        ),
        Figure("push: CPU for the shifts of 20,000 check-ins, afterwards", "", f"{after:.1f} s", None),
    ]  # fmt: skip


def killed() -> Figure:
    """SIGKILL in the middle of pushing; then every record that was acknowledged must be in the database."""
    with folder() as at:
        town = make_town(at)
        with served(at) as server:
            acknowledged = asyncio.run(_push_and_kill(server, town))
        with served(at):
            pass  # what a restart does to the files
        with sqlite3.connect(at / DATABASE_FILE) as there:
            stored = {r for (r,) in there.execute("SELECT r FROM record")}
            logged = set(there.execute("SELECT device, n FROM batch"))
    lost = [r for _, _, ids in acknowledged for r in ids if r not in stored]
    lost += [str(n) for device, n, _ in acknowledged if (device, n) not in logged]
    records = sum(len(ids) for _, _, ids in acknowledged)
    return Figure(
        "push: acknowledged records lost to kill -9", "0", f"{len(lost)} of {records:,}", not lost and records > 0
    )


async def _push_and_kill(server: Server, town: Town) -> list[tuple[str, int, list[str]]]:
    acknowledged: list[tuple[str, int, list[str]]] = []
    bodies = batches_of(town, RECORDS, PER_BATCH, 1)

    async def one(device: str, cookie: str) -> None:
        there = await Connection.to(server.port)
        for body in bodies[device]:
            answer = await there.ask(post("/api/push", body, cookie))
            batch = json.loads(json.loads(body)["batches"][0]["payload"])
            if b'"applied"' in answer.body:
                acknowledged.append((device, batch["n"], [op["r"] for op in batch["ops"]]))
            if len(acknowledged) == 150:
                server.kill()

    await asyncio.gather(*(one(p.device, p.cookie) for p in town.workers), return_exceptions=True)
    return acknowledged
