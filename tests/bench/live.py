"""Live: one change to a hundred phones, a thousand phones that listen, and how soon the server is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import Random
from typing import cast

from tests.bench.client import Connection, get, post
from tests.bench.figure import Figure, median, quantile
from tests.bench.push import push_to_town, quiet
from tests.bench.town import PROJECT, Phone, Server, Town, checkin, folder, make_town, served

LISTENERS, MANY, ROUNDS, CPU_ROUNDS, STARTS = 100, 1_000, 15, 150, 5
QUIET_S, SETTLE_S = 1.6, 2.5  # the shifts of a check-in are computed a second after it, and poke again


class Wire(asyncio.Protocol):
    """A connection with as little of its own as can be: what arrives goes to `hear`."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self.hear = hear

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.hear(data)


class Listener:
    """A phone that listens, and pulls as soon as it is poked."""

    def __init__(self, phone: Phone, done: Callable[[], None]) -> None:
        self.phone, self.done = phone, done
        self.cursor, self.epoch, self.answer = 0, b"", b""
        self.is_pulling = self.is_poked = False

    async def begin(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        _, self.puller = await loop.create_connection(lambda: Wire(self.heard), "127.0.0.1", port)
        _, live = await loop.create_connection(lambda: Wire(self.poked), "127.0.0.1", port)
        live.transport.write(get("/api/live", self.phone.cookie))

    def poked(self, data: bytes) -> None:
        if b"event: poke" in data:
            self.is_poked = True
            self.pull()

    def pull(self) -> None:
        if self.is_poked and not self.is_pulling:
            self.is_pulling, self.is_poked = True, False
            path = f"/api/pull?project={PROJECT}&cursor={self.cursor}{self.epoch.decode()}"
            self.puller.transport.write(get(path, self.phone.cookie))

    def heard(self, data: bytes) -> None:
        self.answer += data
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]):
            return
        self.cursor = int(body.split(b'"cursor":', 1)[1].split(b",", 1)[0])
        self.epoch = b"&epoch=" + body.split(b'"epoch":', 1)[1].split(b",", 1)[0]
        self.answer, self.is_pulling = b"", False
        self.done()
        self.pull()


class Crowd:
    """All listeners; `last` is when one of them last got something."""

    def __init__(self, phones: list[Phone]) -> None:
        self.listeners = [Listener(phone, self._done) for phone in phones]
        self.last, self.target = time.perf_counter(), 0
        self.all_there = asyncio.Event()

    def _done(self) -> None:
        self.last = time.perf_counter()
        if self.target and all(listener.cursor >= self.target for listener in self.listeners):
            self.all_there.set()

    async def begin(self, port: int) -> None:
        for listener in self.listeners:
            await listener.begin(port)

    async def quiet(self) -> None:
        while (left := self.last + QUIET_S - time.perf_counter()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(left)

    async def change_ms(self, there: Connection, writer: Phone, draw: Random) -> float:
        """From sending one change until the last of them has pulled it."""
        self.target = max(listener.cursor for listener in self.listeners) + 1
        self.all_there.clear()
        op = checkin(writer, draw, draw.randrange(10_000))
        request = post("/api/push", writer.body(writer.batch([op])), writer.cookie)
        began = time.perf_counter()
        answer = await there.ask(request)
        if b'"applied"' not in answer.body:
            raise RuntimeError(answer.body.decode())
        await self.all_there.wait()
        return (self.last - began) * 1000


async def change_cpu_ms(server: Server, writer: Phone, rounds: int, draw: Random) -> float:
    """Server CPU a change, whoever listens and does not pull."""
    there, cpu = await Connection.to(server.port), server.cpu()
    for _ in range(rounds):
        await there.ask(post("/api/push", writer.body(writer.batch([checkin(writer, draw, 7)])), writer.cookie))
        await asyncio.sleep(0.02)
    there.close()
    return (server.cpu() - cpu) / rounds * 1000


def figures() -> list[Figure]:
    return [*one_change(), a_thousand(), cold_start()]


def one_change() -> list[Figure]:
    draw = Random(5)
    with folder() as at:
        # The change is to be seen by all: it is of the crew, and every listener leads it.
        town = make_town(at, workers=2, listeners=LISTENERS, everybody_sees=True)
        with served(at) as server:
            push_to_town(server, town, 2_000, 1)
            quiet(server)
            taken, alone, poking = asyncio.run(_one_change(server, town, draw))
    p50, poke = quantile(taken, 0.5), poking - alone
    return [
        Figure("one change to 100 live phones: all have pulled it", "p50 ≤ 15 ms", f"p50 {p50:.1f} ms", p50 <= 15,
               {"ms": taken}),
        Figure("one change to 100 live phones: the poke's server CPU", "≤ 4 ms", f"{poke:.1f} ms", poke <= 4,
               {"push_alone_ms": alone, "push_and_poke_ms": poking}),
    ]  # fmt: skip


async def _one_change(server: Server, town: Town, draw: Random) -> tuple[list[float], float, float]:
    writer = town.workers[0]
    alone = await change_cpu_ms(server, writer, CPU_ROUNDS, draw)
    deaf = [await Connection.to(server.port) for _ in town.listeners]
    for connection, phone in zip(deaf, town.listeners, strict=True):
        await connection.listen(get("/api/live", phone.cookie))
    poking = await change_cpu_ms(server, writer, CPU_ROUNDS, draw)
    for connection in deaf:
        connection.close()
    crowd = Crowd(town.listeners)
    await crowd.begin(server.port)
    there = await Connection.to(server.port)
    taken = []
    for _ in range(ROUNDS):
        await crowd.quiet()
        taken.append(await crowd.change_ms(there, town.workers[1], draw))
    return taken, alone, poking


def a_thousand() -> Figure:
    with folder() as at:
        town = make_town(at, workers=2, listeners=MANY)
        with served(at) as server:
            before = server.memory_mb()

            async def measured() -> float:
                kept = []
                for phone in town.listeners:
                    kept.append(await Connection.to(server.port))
                    await kept[-1].listen(get("/api/live", phone.cookie))
                await asyncio.sleep(SETTLE_S)
                cpu = server.cpu()
                await asyncio.sleep(SETTLE_S)
                idle.append((server.cpu() - cpu) / SETTLE_S * 100)
                return server.memory_mb()

            idle: list[float] = []
            after = asyncio.run(measured())
    return Figure(
        "1,000 live phones: server memory",
        "≤ 150 MB",
        f"{after:.0f} MB (from {before:.0f}, idle CPU {idle[0]:.1f} %)",
        after <= 150,
    )


def cold_start() -> Figure:
    with folder() as at:
        town = make_town(at)
        with served(at) as server:
            push_to_town(server, town, 20_000, 1)
            quiet(server)
        starts, cpu = [], []
        for _ in range(STARTS):
            with served(at) as server:
                starts.append(server.started_s)
                cpu.append(server.cpu())
    middle = median(starts)
    return Figure(
        "server: cold start with 20,000 records",
        "≤ 2 s",
        f"{middle:.2f} s (CPU {median(cpu):.2f} s)",
        middle <= 2,
        {"starts_s": starts},
    )
