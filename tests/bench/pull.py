"""Pull: a fresh phone's first one beside the bare limit, and a hundred changes for a phone that is up to date."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import zstandard

from server.store.engine import DATABASE_FILE
from tests.bench.client import Connection, get, post
from tests.bench.figure import Figure, median, quantile
from tests.bench.push import push_to_town, quiet
from tests.bench.town import PROJECT, Phone, Server, Town, folder, free_port, make_town, now_ms, running, served

SIZES = (20_000, 100_000)
ROUNDS, CHANGE_ROUNDS = 5, 30
CHANGES, PER_BATCH = 100, 50
CURSOR_S = 0.05
PAGE = 2_000  # as the phone asks
HEADER_BYTES_MAX = 65_536


@dataclass
class Pulled:
    records: int
    wire_bytes: int
    seconds: float
    cursor: int
    epoch: int


def unpacked(body: bytes, encoding: bytes | None) -> bytes:
    if encoding == b"zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return gzip.decompress(body) if encoding == b"gzip" else body


def first_line(body: bytes, encoding: bytes | None) -> dict[str, Any]:
    """The header, without unpacking the page behind it."""
    if encoding == b"zstd":
        start = zstandard.ZstdDecompressor().stream_reader(body).read(HEADER_BYTES_MAX)
    else:
        start = zlib.decompressobj(31).decompress(body, HEADER_BYTES_MAX) if encoding else body[:HEADER_BYTES_MAX]
    header: dict[str, Any] = json.loads(start.split(b"\n", 1)[0])
    return header


async def pull_all(server: Server, phone: Phone, encoding: str, limit: int = PAGE) -> Pulled:
    """Page after page from nothing to the head; what is unpacked afterwards costs the phone, not the server."""
    there = await Connection.to(server.port)
    pages, cursor, epoch, more = [], 0, "", True
    began = time.perf_counter()
    while more:
        path = f"/api/pull?project={PROJECT}&cursor={cursor}&limit={limit}{epoch}"
        answer = await there.ask(get(path, phone.cookie, encoding))
        pages.append(answer)
        header = first_line(answer.body, answer.headers.get(b"content-encoding"))
        cursor, more, epoch = header["cursor"], header["more"], f"&epoch={header['epoch']}"
    seconds = time.perf_counter() - began
    there.close()
    lines = sum(unpacked(p.body, p.headers.get(b"content-encoding")).count(b"\n") - 1 for p in pages)
    return Pulled(lines, sum(page.wire_bytes for page in pages), seconds, cursor, int(epoch.partition("=")[2]))


async def pull_bare(server: Server, file: Path) -> float:
    there = await Connection.to(server.port)
    began = time.perf_counter()
    answer = await there.ask(get(f"/pull?file={file}"))
    seconds = time.perf_counter() - began
    there.close()
    if answer.status != 200 or not answer.body:
        raise RuntimeError(str(answer.status))
    return seconds


async def changes_ms(
    server: Server, town: Town, start: Pulled, records: list[dict[str, Any]]
) -> tuple[list[float], int]:
    """Again and again a hundred records are edited, and a phone that was up to date pulls them."""
    there, draw, taken, sizes = await Connection.to(server.port), Random(3), [], []
    cursor = start.cursor
    by_worker: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_worker.setdefault(record["by"], []).append(record)
    for _ in range(CHANGE_ROUNDS):
        for phone in draw.sample(town.workers, CHANGES // PER_BATCH):
            edited = draw.sample(by_worker[phone.person], PER_BATCH)
            ops = [
                {"k": "set", "c": r["c"], "r": r["r"], "f": "note", "v": f"changed {now_ms()} {draw.random()}"}
                for r in edited
            ]
            answer = await there.ask(post("/api/push", phone.body(phone.batch(ops, cursor)), phone.cookie))
            if b'"applied"' not in answer.body:
                raise RuntimeError(answer.body.decode())
        await asyncio.sleep(CURSOR_S)  # the measured pull comes after the push, not in its wake
        request = get(
            f"/api/pull?project={PROJECT}&cursor={cursor}&epoch={start.epoch}", town.boss.cookie, "zstd, gzip"
        )
        began = time.perf_counter()
        answer = await there.ask(request)
        taken.append((time.perf_counter() - began) * 1000)
        sizes.append(answer.wire_bytes)
        text = unpacked(answer.body, answer.headers.get(b"content-encoding"))
        if text.count(b"\n") < CHANGES + 1:
            raise RuntimeError(f"{text.count(10)} lines")
        cursor = json.loads(text.split(b"\n", 1)[0])["head"]
    return taken, max(sizes)


async def some_records(server: Server, phone: Phone) -> list[dict[str, Any]]:
    there = await Connection.to(server.port)
    answer = await there.ask(get(f"/api/pull?project={PROJECT}&cursor=0&limit=5000", phone.cookie))
    there.close()
    found = [json.loads(line) for line in answer.body.decode().split("\n")[1:] if line]
    return [record for record in found if record["c"] == "labour.checkin"]


def figures() -> list[Figure]:
    told: list[Figure] = []
    seconds: dict[int, float] = {}
    p50: dict[int, float] = {}
    with folder() as at:
        town, there = make_town(at), 0
        for size in SIZES:
            with served(at) as server:
                push_to_town(server, town, size - there, size)
                quiet(server)
                there = size
            told += _first(at, town, size, seconds)
            with served(at) as server:
                told += _changes(server, town, size, p50)
    small, large = SIZES
    per = (seconds[large] / large) / (seconds[small] / small)
    told.append(Figure("first pull: cost a record, 100,000 over 20,000", "linear", f"{per:.2f}", per <= 1.25))
    flat = p50[large] / p50[small]
    told.append(Figure("100 changes: p50 at 100,000 over 20,000", "the same", f"{flat:.2f}", flat <= 1.25))
    return told


def _first(at: Path, town: Town, size: int, seconds: dict[int, float]) -> list[Figure]:
    ours: dict[str, list[Pulled]] = {"zstd": [], "gzip": []}
    bare: list[float] = []
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.bare", str(port), str(at)]
    with served(at) as server, running(command, port, at) as limit:
        for _ in range(ROUNDS):
            bare.append(asyncio.run(pull_bare(limit, at / DATABASE_FILE)))
            for encoding, pulled in ours.items():
                pulled.append(asyncio.run(pull_all(server, town.boss, encoding)))
    floor = median(bare)
    took = {encoding: median(p.seconds for p in pulled) for encoding, pulled in ours.items()}
    seconds[size] = took["zstd"]
    told = [
        Figure(
            f"first pull of {size:,}: time over the bare limit", "≤ 1.6",
            f"{took['zstd'] / floor:.2f} zstd, {took['gzip'] / floor:.2f} gzip ({took['zstd']:.2f} s of {floor:.2f} s)",
            took["zstd"] / floor <= 1.6, {"bare_s": bare, **took},
        )
    ]  # fmt: skip
    for encoding, pulled in ours.items():
        each = pulled[0].wire_bytes / pulled[0].records
        told.append(Figure(f"first pull of {size:,}: bytes a record, {encoding}", "≤ 80", f"{each:.0f}", each <= 80))
    return told


def _changes(server: Server, town: Town, size: int, p50: dict[int, float]) -> list[Figure]:
    async def measured() -> tuple[list[float], int]:
        start = await pull_all(server, town.boss, "zstd")
        return await changes_ms(server, town, start, await some_records(server, town.boss))

    taken, most = asyncio.run(measured())
    p50[size] = quantile(taken, 0.5)
    return [
        Figure(
            f"100 changes for a phone up to date, at {size:,}", "p50 ≤ 3 ms, ≤ 10 KB",
            f"p50 {p50[size]:.1f} ms, {most / 1000:.1f} KB", p50[size] <= 3 and most <= 10_000,
            {"p99_ms": quantile(taken, 0.99)},
        )
    ]  # fmt: skip
