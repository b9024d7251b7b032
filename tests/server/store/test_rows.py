"""Ordinary rows through Piccolo, on both engines: whole or not at all, in turn with the writer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from server.core.problem import Problem
from server.store.database import Clash
from server.store.engine import CONNECTIONS_MAX, DATABASE_FILE, PooledSQLiteEngine, engine_for
from server.store.migrate import migrate
from server.store.store import Store
from server.store.tables import Device, Person, Project, Session
from tests.server.site import Site, add, new_id, notice


def person(name: str = "王建国", **columns: Any) -> Person:
    return Person(id=new_id(), name=name, created=1, **columns)


async def test_transactions_take_turns_so_no_update_is_lost(store: Store) -> None:
    one = person()
    await one.save()
    assert await Person.select(Person.name).where(Person.id == one.id) == [{"name": "王建国"}]

    async def rename(i: int) -> None:
        async with store.transaction():
            found = await Person.objects().get(Person.id == one.id)
            assert found is not None
            found.name += f" {i}"
            await found.save()

    await asyncio.gather(*(rename(i) for i in range(8)))
    rows = await Person.select(Person.name).where(Person.id == one.id)
    assert len(rows[0]["name"].split()) == 9


async def test_a_piccolo_transaction_that_fails_is_undone(store: Store) -> None:
    async def fail() -> None:
        async with store.transaction():
            await Project(id=new_id(), name="never", created=1).save()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await Project.count() == 0


async def test_piccolo_and_the_writer_take_turns(store: Store) -> None:
    saves = [person().save() for _ in range(20)]
    changes = [store.change([add("person", id=new_id(), name="c", created=1)]) for _ in range(20)]
    await asyncio.gather(*(asyncio.ensure_future(work) for work in [*saves, *changes]))
    assert await store.rows("SELECT count(*) FROM person") == [(40,)]


async def test_a_change_is_whole_or_not_at_all(store: Store) -> None:
    id = new_id()
    with pytest.raises(Clash):
        await store.change([add("person", id=id, name="a", created=1), add("person", id=id, name="b", created=1)])
    assert await store.rows("SELECT count(*) FROM person") == [(0,)]


async def test_what_is_taken_is_a_clash_on_both_engines_and_blocks_nobody(store: Store) -> None:
    await person(login="wang").save()
    for _ in range(2 * CONNECTIONS_MAX):
        with pytest.raises(Clash):
            await Person.insert(person(login="wang"))
        with pytest.raises(Clash):
            async with store.transaction():
                await Person.insert(person("never"), person(login="wang"))
        with pytest.raises(Clash):
            await Device.insert(Device(id=new_id(), person="nobody", key="{}", created=1))
    assert await Person.count() == 1


async def test_a_transaction_that_is_cancelled_is_undone_and_blocks_nobody(store: Store) -> None:
    for _ in range(2 * CONNECTIONS_MAX):
        begun = asyncio.Event()

        async def stay(begun: asyncio.Event = begun) -> None:
            async with store.transaction():
                await Person.insert(person())
                begun.set()
                await asyncio.Event().wait()

        staying, waiting = asyncio.create_task(stay()), asyncio.create_task(stay())
        await begun.wait()
        waiting.cancel()
        staying.cancel()
        await asyncio.gather(staying, waiting, return_exceptions=True)
    assert await Person.count() == 0


async def test_a_transaction_in_a_transaction_is_part_of_it(store: Store) -> None:
    async def fail() -> None:
        async with store.transaction():
            async with store.transaction():
                await Person.insert(person())
            assert await Person.count() == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await Person.count() == 0


async def test_who_would_wait_for_himself_is_told_at_once(store: Store) -> None:
    with pytest.raises(RuntimeError, match="waits"):
        async with store.transaction():
            await store.change([add("person", id=new_id(), name="c", created=1)])
    assert await Person.count() == 0


async def test_pushes_and_transactions_take_turns(site: Site) -> None:
    async def rename(i: int) -> None:
        async with site.store.transaction():
            await Project.update(name=f"{i}").where(Project.id == site.project)
            assert await Project.exists().where(Project.id == site.project, Project.name == f"{i}")

    async def push() -> list[Any]:
        return [(await site.worker.write(notice(f"{i}")))["status"] for i in range(10)]

    statuses, *_ = await asyncio.gather(push(), *(rename(i) for i in range(10)))
    assert statuses == ["applied"] * 10


async def test_a_right_that_is_taken_away_is_felt_at_once(site: Site) -> None:
    store, worker = site.store, site.worker
    assert await store.access.session_of(worker.person, worker.device)
    for change in (Person.update(closed=1).where(Person.id == worker.person), Session.delete(force=True)):
        before, _ = await store.pulse(site.project)
        async with store.transaction():
            await change
        after, _ = await store.pulse(site.project)
        assert after > before


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)  # SQLite has no connection to lose
async def test_a_connection_that_was_lost_is_replaced(store: Store) -> None:
    await person().save()
    idle = "pid FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"

    async def lose() -> None:
        async with store.transaction():
            await Person.insert(person())
            await store.rows(f"SELECT pg_terminate_backend(pid), {idle}")
            await Person.insert(person())

    for _ in range(2 * CONNECTIONS_MAX):
        with pytest.raises(Problem, match="unavailable"):
            await lose()
    assert await Person.count() == 1


async def test_the_sqlite_engine_is_durable_and_checks_references(tmp_path: Path) -> None:
    await migrate(None, tmp_path / DATABASE_FILE)
    engine = engine_for(None, tmp_path)
    assert isinstance(engine, PooledSQLiteEngine)
    loan = await engine.get_connection()
    for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
        async with loan.execute(f"PRAGMA {pragma}") as cursor:
            assert list((await cursor.fetchone()).values()) == [value]
    await loan.close()
