"""A service that never answers keeps nobody from being told who is told another way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.sync.alert import address
from server.sync.alert.address import Wire
from tests.server.alerts.outside import Answer, Outside, Receiver
from tests.server.alerts.test_killed import begun
from tests.server.alerts.test_ladder_climbs import fire, later, subscribed, told
from tests.server.web.kit import Town

SILENT_PHONES = 6


class Hole:
    """Takes connections, and says nothing. `given_up`: how many were ended by who asked."""

    def __init__(self) -> None:
        self.url, self.given_up = "", 0
        self._open: set[asyncio.StreamWriter] = set()

    async def swallow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        while await reader.read(4096):
            pass
        self.given_up += writer in self._open

    def close(self) -> None:
        for writer in self._open:
            writer.close()
        self._open.clear()


@asynccontextmanager
async def black_hole() -> AsyncIterator[Hole]:
    hole = Hole()
    server = await asyncio.start_server(hole.swallow, "127.0.0.1", 0)
    hole.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield hole
    finally:
        hole.close()
        server.close()


@pytest.mark.parametrize("town", ["sqlite"], indirect=True)
async def test_who_is_reached_another_way_is_told_while_a_silent_service_is_waited_for(
    town: Town, world: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "HOST_AT_ONCE", 2)
    async with black_hole() as hole:
        for n in range(SILENT_PHONES):
            manager = await town.phone("manager")
            yes = Receiver(f"{hole.url}/push/{n}").to_json()
            (await manager.http.post("/api/subscriptions", json=yes)).raise_for_status()
        channel = {"project": town.one, "kind": "wecom", "name": "x", "url": f"{hole.url}/hook"}
        (await manager.http.post("/api/channels", json=channel)).raise_for_status()
        await subscribed(town, world, "supervisor")
        first = await begun(town, await town.phone("worker"))
        await world.wait_for(1)
        await begun(town, await town.phone("mate"))
        await world.wait_for(2)
        assert hole.given_up == 0, "both were told while the silent one was still waited for"
        await attempts_that(town, first, "unreachable: it does not answer")
        assert hole.given_up == 0, "who would have stood in line is told later instead"
        hole.close()
        await town.site.sync.settle()
    attempts = (await told(manager, town, first))["attempts"]
    assert ("supervisor", "sent") in {(one["name"], one["status"]) for one in attempts}
    waiting = [one for one in attempts if one["name"] == "manager" and one["status"] == "waiting"]
    assert len(waiting) == SILENT_PHONES, "nobody is given up"


async def attempts_that(town: Town, r: str, note: str) -> None:
    """Wait until one of the record's attempts says so."""
    sql = "SELECT 1 FROM alert_attempt AS a JOIN alert ON alert.id = a.alert WHERE alert.r = ? AND a.note = ?"
    async with asyncio.timeout(9):
        while not await town.site.store.rows(sql, r, note):  # noqa: ASYNC110  it is the database that knows
            await asyncio.sleep(0.05)


async def test_a_host_with_an_answer_lets_the_next_one_in(world: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "HOST_AT_ONCE", 2)
    wire = Wire(private=True)
    try:
        answers = await asyncio.gather(*(wire.post(f"{world.url}/push/{n}", b"x", {}) for n in range(20)))
        assert [answer.status for answer in answers] == [201] * 20
        assert len(world.asked) == 20
    finally:
        await wire.close()


@pytest.mark.parametrize("town", ["sqlite"], indirect=True)
async def test_a_push_service_that_is_down_for_an_hour_loses_nothing_and_nothing_comes_twice(
    town: Town, world: Outside
) -> None:
    manager, _ = await subscribed(town, world, "manager")
    await subscribed(town, world, "supervisor")
    down: dict[str, Answer] = dict.fromkeys(("/push/manager", "/push/supervisor"), (503, {}, b""))
    world.answers = {path: [answer] * 1000 for path, answer in down.items()}
    worker = await town.phone("worker")
    fires = []
    for _ in range(3):
        fires.append(await fire(town, worker))
        await later(town, 2)
    for _ in range(54):
        await later(town, 1)
    assert len(world.asked) > 0
    world.answers.clear()
    world.asked.clear()
    for _ in range(20):  # the longest pause between two tries is a quarter of an hour
        await later(town, 1)
    for r in fires:
        attempts = [
            one for one in (await told(manager, town, r))["attempts"] if one["name"] in ("manager", "supervisor")
        ]
        assert {one["status"] for one in attempts if one["channel"] == "push"} == {"sent"}
        made = [(one["step"], one["name"]) for one in attempts if one["channel"] == "push"]
        assert len(made) == len(set(made))
        sent = len(made)
        topics = [asked.headers["topic"] for asked in world.asked]
    assert len(topics) == 3 * sent, "each message of each step once"
    before = len(world.asked)
    for _ in range(30):
        await later(town, 1)
    assert len(world.asked) == before, "and never again"
