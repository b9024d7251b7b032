"""Live: pokes reach the members of the project, nobody else, and end with the right to them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from server.core.problem import Problem
from server.sync import live
from server.sync.live import Hub
from tests.server.site import Phone, Site, another_phone, notice


class Ear:
    """The far end of one connection."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.content = b""
        self.started: dict[str, Any] | None = None
        self.ended = False
        self._gone = asyncio.Event()

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.started = message
        else:
            self.content += message["body"]
            self.ended |= not message["more_body"]
            if self.ended:
                self._gone.set()
        self.heard.set()

    async def receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def hang_up(self) -> None:
        self._gone.set()

    def pokes(self) -> list[tuple[str, int]]:
        found = [json.loads(part[6:]) for part in self.content.decode().split("\n") if part.startswith("data: ")]
        return [(poke["project"], poke["head"]) for poke in found]

    async def until(self, done: Any) -> None:
        """Wait for the state; the suite's own limit ends a wait that is in vain."""
        async with asyncio.timeout(20):
            while not done():
                self.heard.clear()
                await self.heard.wait()


@asynccontextmanager
async def listening(phone: Phone) -> AsyncIterator[Ear]:
    ear = Ear()
    task = asyncio.create_task(phone.sync.live(phone.session, ear.receive, ear.send))
    await ear.until(lambda: b"retry" in ear.content)
    yield ear
    ear.hang_up()
    await task


async def test_P7_a_commit_pokes_the_members_of_its_project_and_nobody_else(site: Site) -> None:
    async with listening(site.worker) as member, listening(site.stranger) as stranger:
        assert member.started is not None
        assert (b"content-type", b"text/event-stream; charset=utf-8") in member.started["headers"]
        answer = await site.office.write(notice("news"))
        await member.until(lambda: (site.project, answer["seq"]) in member.pokes())
        assert {project for project, _ in stranger.pokes()} == {site.other}
        assert b"news" not in member.content


async def test_a_poke_is_heard_from_another_process(site: Site) -> None:
    """Another store on the same database, as another server process has it (PostgreSQL)."""
    if site.store.dialect == "sqlite":
        return  # SQLite is one server process
    from server.store.postgres import PostgresDatabase
    from server.store.round import Watch
    from tests.server.site import DECLARATIONS

    heard: asyncio.Queue[Any] = asyncio.Queue()
    assert isinstance(site.store.database, PostgresDatabase)
    other = PostgresDatabase(site.store.database.url, DECLARATIONS, Watch())
    other.committed = heard.put_nowait
    await other.start()
    try:
        async with asyncio.timeout(20):
            await heard.get()  # what it catches up with when it begins to listen
            answer = await site.office.write(notice("news"))
            assert await heard.get() == {site.project: answer["seq"]}
    finally:
        await other.close()


async def test_a_listener_that_fails_at_its_first_look_listens_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    if site.store.dialect == "sqlite":
        return  # hears of its own commits only
    from server.store import postgres
    from server.store.round import Watch
    from tests.server.site import DECLARATIONS

    heard: asyncio.Queue[Any] = asyncio.Queue()
    assert isinstance(site.store.database, postgres.PostgresDatabase)
    other = postgres.PostgresDatabase(site.store.database.url, DECLARATIONS, Watch())
    other.committed = heard.put_nowait
    catch_up, failed = other._catch_up, asyncio.Event()

    async def fail_once() -> None:
        if not failed.is_set():
            failed.set()
            raise Problem("unavailable")
        await catch_up()

    monkeypatch.setattr(postgres, "LISTEN_AGAIN_S", 0.01)
    monkeypatch.setattr(other, "_catch_up", fail_once)
    await other.start()
    try:
        async with asyncio.timeout(20):
            await heard.get()
        assert failed.is_set()
    finally:
        await other.close()


async def test_a_connection_ends_when_its_session_does(site: Site) -> None:
    async with listening(site.worker) as ear:
        await site.sync.hub.recheck()
        await site.store.change([("DELETE FROM session WHERE hash = ?", (site.worker.session.hash,))])
        await site.sync.hub.recheck()
        await ear.until(lambda: ear.ended)
    assert len(site.sync.hub) == 0


async def test_a_connection_ends_when_its_device_is_revoked(site: Site) -> None:
    async with listening(site.worker) as ear:
        await site.store.change([("UPDATE device SET revoked = 1 WHERE id = ?", (site.worker.device,))])
        await site.sync.hub.recheck()
        await ear.until(lambda: ear.ended)


async def test_a_right_that_ends_while_a_connection_is_being_made_ends_it(site: Site) -> None:
    ear = Ear()

    async def revoked_at_the_first_byte(message: Any) -> None:
        if message["type"] == "http.response.start":
            await site.store.change([("UPDATE device SET revoked = 1 WHERE id = ?", (site.worker.device,))])
            await site.sync.hub.recheck()
        await ear.send(message)

    task = asyncio.create_task(site.sync.live(site.worker.session, ear.receive, revoked_at_the_first_byte))
    await ear.until(lambda: ear.ended)
    await task


async def test_a_poke_that_comes_during_the_greeting_is_not_replaced_by_an_older_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    head_of = site.store.access.head

    async def slow_head(project: str) -> int:
        head = await head_of(project)
        await site.office.write(notice("meanwhile"))
        site.sync.hub.poke({project: await head_of(project)})
        return head

    ear = Ear()
    monkeypatch.setattr(site.store.access, "head", slow_head)
    task = asyncio.create_task(site.sync.live(site.worker.session, ear.receive, ear.send))
    await ear.until(lambda: b"retry" in ear.content)
    monkeypatch.undo()
    await ear.until(lambda: (site.project, 0) < max(ear.pokes(), default=("", 0)))
    assert ear.pokes()[-1] == (site.project, await site.head())
    ear.hang_up()
    await task


async def test_a_database_that_was_away_for_a_while_ends_no_rechecks(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RECHECK_S", 0.01)
    fresh, away = site.store.access.fresh, asyncio.Event()

    async def not_there(project: str = "") -> int | None:
        away.set()
        raise Problem("unavailable")

    beat = asyncio.create_task(site.sync.hub.run())
    async with listening(site.worker) as ear:
        monkeypatch.setattr(site.store.access, "fresh", not_there)
        await away.wait()
        monkeypatch.setattr(site.store.access, "fresh", fresh)
        await site.store.change([("UPDATE device SET revoked = 1 WHERE id = ?", (site.worker.device,))])
        await ear.until(lambda: ear.ended)
    beat.cancel()


async def test_A6_whose_membership_ends_is_poked_once_more_and_then_no_longer(site: Site) -> None:
    async with listening(site.worker) as ear:
        before = len(ear.pokes())
        await site.store.change([("UPDATE member SET ended = 1 WHERE person = ?", (site.worker.person,))])
        await site.sync.hub.recheck()
        await ear.until(lambda: len(ear.pokes()) > before)
        async with listening(site.foreman) as other:
            answer = await site.office.write(notice("inside"))
            await other.until(lambda: (site.project, answer["seq"]) in other.pokes())
        # An earlier head may be told twice on PostgreSQL; what came after the end is not told at all.
        assert (site.project, answer["seq"]) not in ear.pokes()


async def test_the_oldest_connections_of_a_phone_make_room(site: Site) -> None:
    ears = [Ear() for _ in range(live.PER_DEVICE_MAX + 2)]
    tasks = []
    for ear in ears:
        tasks.append(asyncio.create_task(site.sync.live(site.worker.session, ear.receive, ear.send)))
        await ear.until(lambda ear=ear: b"retry" in ear.content)
    for ear in ears[:2]:
        await ear.until(lambda ear=ear: ear.ended)
    assert [ear.ended for ear in ears] == [True, True] + [False] * live.PER_DEVICE_MAX
    for ear in ears:
        ear.hang_up()
    await asyncio.gather(*tasks)
    assert len(site.sync.hub) == 0


async def test_a_slow_phone_misses_pokes_but_never_the_newest(site: Site) -> None:
    ear, gate = Ear(), asyncio.Event()

    async def slow(message: Any) -> None:
        if message["type"] != "http.response.start":
            await gate.wait()
        await ear.send(message)

    task = asyncio.create_task(site.sync.live(site.worker.session, ear.receive, slow))
    await asyncio.sleep(0)
    for i in range(5):
        await site.office.write(notice(f"{i}"))
    head = await site.head()
    gate.set()
    await ear.until(lambda: (site.project, head) in ear.pokes())
    assert len(ear.pokes()) < 6
    ear.hang_up()
    await task


async def test_a_person_with_two_phones_hears_on_both(site: Site) -> None:
    second = await another_phone(site.sync, site.clock, site.project, site.worker.person)
    async with listening(site.worker) as one, listening(second) as two:
        answer = await site.office.write(notice("x"))
        for ear in (one, two):
            await ear.until(lambda ear=ear: (site.project, answer["seq"]) in ear.pokes())


async def test_keep_alives_are_sent_while_nothing_happens(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "RECHECK_S", 0.01)
    monkeypatch.setattr(live, "KEEP_ALIVE_S", 0.02)
    beat = asyncio.create_task(site.sync.hub.run())
    async with listening(site.worker) as ear:
        await ear.until(lambda: b": still here" in ear.content)
    beat.cancel()


async def test_closing_ends_every_connection(site: Site) -> None:
    async with listening(site.worker) as one, listening(site.office) as two:
        await site.sync.stop()
        assert one.ended
        assert two.ended


def test_a_poke_carries_no_content() -> None:
    assert live.poke("p", 7) == b'event: poke\ndata: {"project":"p","head":7}\n\n'
    assert Hub.poke.__doc__


async def test_who_comes_while_the_server_stops_is_sent_home_at_once(site: Site) -> None:
    await site.sync.hub.close()
    ear = Ear()
    async with asyncio.timeout(20):
        await site.sync.live(site.worker.session, ear.receive, ear.send)
    assert ear.started is not None
    assert ear.ended
    assert len(site.sync.hub) == 0
