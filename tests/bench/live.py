"""Live: one change to a hundred phones, a thousand phones that listen, and how soon the server is there."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from random import Random

from tests.bench.client import Connection, get, post
from tests.bench.figure import Figure, median, quantile
from tests.bench.push import push_to_town, quiet
from tests.bench.town import PROJECT, Phone, Server, checkin, folder, make_town, served

LISTENERS, MANY, ROUNDS, STARTS = 100, 1_000, 25, 5
PAUSE_S, SETTLE_S = 0.15, 2.5


@dataclass
class Listener:
    phone: Phone
    live: Connection
    stream: asyncio.StreamReader
    pull: Connection
    cursor: int
    epoch: str = ""

    async def poked(self) -> None:
        while not (line := await self.stream.readline()).startswith(b"event: poke"):
            if not line:
                raise RuntimeError("the server ended the stream")

    async def fetch(self) -> None:
        path = f"/api/pull?project={PROJECT}&cursor={self.cursor}{self.epoch}"
        answer = await self.pull.ask(get(path, self.phone.cookie))
        header = answer.body.split(b"\n", 1)[0]
        self.cursor = int(header.split(b'"cursor":')[1].split(b",")[0])
        self.epoch = "&epoch=" + header.split(b'"epoch":')[1].split(b",")[0].decode()


async def listen(server: Server, phone: Phone) -> Listener:
    live = await Connection.to(server.port)
    stream = await live.listen(get("/api/live", phone.cookie))
    listener = Listener(phone, live, stream, await Connection.to(server.port), 0)
    await listener.poked()  # the first comes with the connection
    return listener


async def change_ms(server: Server, writer: Phone, listeners: list[Listener], draw: Random) -> float:
    """From sending one change until the last of the listeners has pulled."""

    async def follow(listener: Listener) -> None:
        await listener.poked()
        await listener.fetch()

    following = [asyncio.create_task(follow(listener)) for listener in listeners]
    there = await Connection.to(server.port)
    op = checkin(writer, draw, draw.randrange(10_000)) | {}
    request = post("/api/push", writer.body(writer.batch([op])), writer.cookie)
    await asyncio.sleep(0)
    began = time.perf_counter()
    answer = await there.ask(request)
    if b'"applied"' not in answer.body:
        raise RuntimeError(answer.body.decode())
    await asyncio.gather(*following)
    there.close()
    return (time.perf_counter() - began) * 1000


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
    draw, rounds = Random(5), 150
    with folder() as at:
        # The change is to be seen by all: it is of the team's crew, and everybody is over it.
        town = make_town(at, workers=2, listeners=LISTENERS, everybody_sees=True)
        with served(at) as server:
            push_to_town(server, town, 2_000, 1)
            quiet(server)

            async def measured() -> tuple[list[float], float, float]:
                alone = await change_cpu_ms(server, town.workers[0], rounds, draw)
                listeners = [await listen(server, phone) for phone in town.listeners]
                for listener in listeners:
                    await listener.fetch()
                poking = await change_cpu_ms(server, town.workers[0], rounds, draw)
                await asyncio.sleep(SETTLE_S)
                for listener in listeners:  # what was said meanwhile
                    await listener.fetch()
                    await drain(listener.stream)
                taken = []
                for _ in range(ROUNDS):
                    taken.append(await change_ms(server, town.workers[1], listeners, draw))
                    await asyncio.sleep(PAUSE_S)
                return taken, alone, poking

            taken, alone, poking = asyncio.run(measured())
    p50, poke = quantile(taken, 0.5), poking - alone
    return [
        Figure("one change to 100 live phones: all have pulled it", "p50 ≤ 15 ms", f"p50 {p50:.1f} ms", p50 <= 15,
               {"p99_ms": quantile(taken, 0.99)}),
        Figure("one change to 100 live phones: the poke's server CPU", "≤ 4 ms", f"{poke:.1f} ms", poke <= 4,
               {"push_alone_ms": alone, "push_and_poke_ms": poking}),
    ]  # fmt: skip


async def drain(stream: asyncio.StreamReader) -> None:
    while True:
        try:
            await asyncio.wait_for(stream.read(65_536), 0.005)
        except TimeoutError:
            return


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
        starts = []
        for _ in range(STARTS):
            with served(at) as server:
                starts.append(server.started_s)
    middle = median(starts)
    return Figure(
        "server: cold start with 20,000 records", "≤ 2 s", f"{middle:.2f} s", middle <= 2, {"starts_s": starts}
    )
