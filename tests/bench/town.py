"""What every figure starts from: a data folder with people and phones, a server process on it, and its figures.

The server is the real one, `gongbu serve` in a process of its own on a free port of the loopback address.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import psutil
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key

from server.core.declaration import load
from server.store.store import open_store
from server.store.tables import member_id, member_team_id
from server.web.password import hash_now
from tests.server.site import add, jwk, sign

ROOT: Final = Path(__file__).resolve().parents[2]
DECLARATIONS: Final = load(ROOT / "shared" / "modules")
START_SECONDS_MAX: Final = 30
STOP_SECONDS_MAX: Final = 20
PROJECT: Final = "bench"
TEAM: Final = "crew"
PASSWORD: Final = "bench bench"
DAY_MS: Final = 86_400_000


@dataclass
class Phone:
    """A phone that signs its batches as a real one does."""

    person: str
    device: str
    token: str
    key: EllipticCurvePrivateKey
    n: int = 0

    @property
    def cookie(self) -> str:
        return f"gongbu={self.token}"

    def batch(self, ops: Sequence[dict[str, Any]], base: int = 0) -> dict[str, str]:
        self.n += 1
        now = now_ms()
        says = {"n": self.n, "project": PROJECT, "base": base, "t": now, "v": DECLARATIONS.v, "ops": list(ops)}
        payload = json.dumps(says, separators=(",", ":"))
        return {"payload": payload, "sig": sign(self.key, payload)}

    def body(self, *batches: dict[str, str]) -> bytes:
        request = {"proto": 1, "device": self.device, "sent": now_ms(), "batches": batches}
        return json.dumps(request, separators=(",", ":")).encode()


@dataclass
class Town:
    """A folder with its people; `workers` write, `boss` sees everything."""

    folder: Path
    boss: Phone
    workers: list[Phone]
    listeners: list[Phone]


@dataclass
class Server:
    process: psutil.Popen
    port: int
    folder: Path
    started_s: float = 0
    peak: int = field(default=0)

    def cpu(self) -> float:
        """Seconds of processor, this process and its children."""
        with suppress(psutil.NoSuchProcess):
            return sum(cpu_of(one) for one in [self.process, *self.process.children(recursive=True)])
        return 0.0

    def memory_mb(self) -> float:
        """With the processes that it began."""
        found = float(self.process.memory_info().rss)
        for one in self.process.children():
            with suppress(psutil.NoSuchProcess):
                found += one.memory_info().rss
        return found / 2**20

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def cpu_of(process: psutil.Process) -> float:
    """Seconds of processor, all threads. Linux tells nanoseconds by the process's own clock (clock_getcpuclockid(3)),
    where the usual accounts count ticks of 10 ms: a twentieth of what a bare server needs for 20,000 records."""
    if sys.platform == "linux":
        with suppress(OSError):
            return time.clock_gettime((~process.pid << 3) | 2)
    return float(sum(process.cpu_times()[:2]))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def make_town(folder: Path, workers: int = 20, listeners: int = 0, everybody_sees: bool = False) -> Town:
    """People, devices and sessions, written as the server's own tables."""
    boss = _phone("boss", 0)
    crew = [_phone(f"worker{i:04}", i + 1) for i in range(workers)]
    more = [_phone(f"listener{i:04}", i + 10_001) for i in range(listeners)]
    asyncio.run(_write(folder, boss, crew, more, "foreman" if everybody_sees else "worker"))
    return Town(folder, boss, crew, more)


def _phone(person: str, number: int) -> Phone:
    token = hashlib.sha256(person.encode()).hexdigest()
    return Phone(person, f"phone-{number}", token, derive_private_key(number + 7, SECP256R1()))


async def _write(folder: Path, boss: Phone, crew: list[Phone], more: list[Phone], role: str) -> None:
    store = await open_store(None, folder, DECLARATIONS)
    now, password = now_ms(), hash_now(PASSWORD)
    rows = [
        add("project", id=PROJECT, name="Bench", zone="Asia/Shanghai", created=now),
        add("team", id=TEAM, project=PROJECT, name="Crew"),
    ]
    for phone, roles in [
        (boss, "worker supervisor manager office"),
        *((p, "worker") for p in crew),
        *((p, role) for p in more),
    ]:
        person = phone.person
        rows += [
            add("person", id=person, name=person, login=person, password=password, created=now),
            add("member", id=member_id(PROJECT, person), project=PROJECT, person=person, roles=roles),
            add("member_team", id=member_team_id(PROJECT, person, TEAM), project=PROJECT, person=person, team=TEAM),
            add("device", id=phone.device, person=person, key=jwk(phone.key), created=now),
            add(
                "session", hash=hashlib.sha256(phone.token.encode()).hexdigest(), person=person, device=phone.device,
                created=now, expires=now + 365 * DAY_MS,
            ),
        ]  # fmt: skip
    for start in range(0, len(rows), 500):
        await store.change(rows[start : start + 500])
    await store.close()


def checkin(phone: Phone, draw: Random, number: int) -> dict[str, Any]:
    """A check-in as phones write them, some 300 bytes."""
    day = 20_000 + number // 2
    at = day * DAY_MS + draw.randrange(30_000_000)
    return {
        "k": "new",
        "c": "labour.checkin",
        "r": new_id(draw, now_ms()),
        "set": {
            "worker": phone.person,
            "direction": "in" if number % 2 == 0 else "out",
            "at": at,
            "work_date": time.strftime("%Y-%m-%d", time.gmtime(day * 86_400)),
            "place": {
                "lat": 312_304_000 + draw.randrange(9_000),
                "lng": 1_214_737_000 + draw.randrange(9_000),
                "accuracy_m": draw.randrange(4, 60),
                "fix_age_s": draw.randrange(30),
            },
            "fence": "inside",
            "method": "own",
            "team": TEAM,
        },
    }


def new_id(draw: Random, now: int) -> str:
    """A UUIDv7, as phones make them."""
    value = (now << 80) | (7 << 76) | (draw.getrandbits(12) << 64) | (2 << 62) | draw.getrandbits(62)
    return str(uuid.UUID(int=value))


def batches_of(town: Town, records: int, per_batch: int, seed: int) -> dict[str, list[bytes]]:
    """Bodies of push requests by device, each one signed batch of so many new check-ins."""
    draw = Random(seed)
    share = records // len(town.workers)
    made: dict[str, list[bytes]] = {}
    for phone in town.workers:
        first = phone.n * per_batch
        made[phone.device] = [
            phone.body(phone.batch([checkin(phone, draw, first + start + i) for i in range(per_batch)]))
            for start in range(0, share, per_batch)
        ]
    return made


@contextmanager
def folder() -> Iterator[Path]:
    """A data folder on the disk that the project lies on: a memory disk would make FULL cost nothing."""
    home = ROOT / "bench-data"
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="town-", dir=home, ignore_cleanup_errors=True) as name:
        yield Path(name)


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@contextmanager
def served(data: Path) -> Iterator[Server]:
    """`gongbu serve` on a folder, stopped at the end."""
    port = free_port()
    command = [sys.executable, "-m", "server", "serve", "--data", str(data), "--port", str(port)]
    with running(command, port, data) as server:
        yield server


@contextmanager
def running(command: list[str], port: int, data: Path, path: str = "/healthz") -> Iterator[Server]:
    """Any server process, from when it answers to its end."""
    began = time.perf_counter()
    with (data / "server.log").open("ab") as log:
        process = psutil.Popen(command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        server = Server(process, port, data)
        try:
            _wait(server, path)
            server.started_s = time.perf_counter() - began
            yield server
        finally:
            _stop(process)


def _wait(server: Server, path: str) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1) as there:
            there.sendall(request)
            if there.makefile("rb").readline().split()[1:2] == [b"200"]:
                return
        time.sleep(0.01)
    raise RuntimeError(f"the server did not start: {(server.folder / 'server.log').read_text()[-2000:]}")


def _stop(process: psutil.Popen) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()
