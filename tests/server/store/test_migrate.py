"""Migrations on both engines: once each, from many processes at once, never backwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from server.store import migrate as migrations
from server.store.database import Clash, NothingChanged
from server.store.engine import DATABASE_FILE, PooledSQLiteEngine, engine_for
from server.store.migrate import NewerDatabase, migrate, names, script, statements
from server.store.store import Store, open_store
from server.store.tables import TABLES, Person, Project
from tests.postgres import fresh_database
from tests.server.site import DECLARATIONS, add, new_id

START = """
import asyncio, sys
from pathlib import Path
from server.store.store import open_store
from tests.server.site import DECLARATIONS
async def main():
    store = await open_store(sys.argv[1] or None, Path(sys.argv[2]), DECLARATIONS)
    print(await store.rows("SELECT count(*) FROM project"))
    await store.close()
asyncio.run(main())
"""


@pytest.fixture
async def empty_url(dialect: str, request: pytest.FixtureRequest) -> Any:
    if dialect == "sqlite":
        yield None
        return
    async with fresh_database(request.getfixturevalue("postgres_url")) as url:
        yield url


def modes_in(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def test_a_new_database_is_for_its_owners_eyes_alone(tmp_path: Path) -> None:
    store = await open_store(None, tmp_path, DECLARATIONS)
    await store.change([add("project", id=new_id(), name="x", created=0)])
    modes = modes_in(tmp_path)
    await store.close()
    assert modes == {DATABASE_FILE + end: 0o600 for end in ("", "-wal", "-shm")}


async def test_several_processes_may_start_at_once(empty_url: str | None, tmp_path: Path) -> None:
    root = Path(migrations.FOLDER).parent
    starts = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", START, empty_url or "", str(tmp_path),
            cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]  # fmt: skip
    for start in starts:
        out, err = await start.communicate()
        assert (start.returncode, out.strip()) == (0, b"[(0,)]"), err.decode()
    assert await migrate(empty_url, tmp_path / DATABASE_FILE) == []


async def test_each_migration_runs_once_and_a_second_start_has_nothing_to_do(
    empty_url: str | None, tmp_path: Path
) -> None:
    assert await migrate(empty_url, tmp_path / DATABASE_FILE) == names()
    assert await migrate(empty_url, tmp_path / DATABASE_FILE) == []


async def test_a_database_of_a_newer_version_is_not_touched(store: Store, database_url: str | None) -> None:
    await store.change([("INSERT INTO migration (name, ran) VALUES ('9999_tomorrow', 1)", ())])
    path = getattr(store.database, "path", Path())
    with pytest.raises(NewerDatabase, match="9999_tomorrow"):
        await migrate(database_url, path)


async def test_a_migration_that_fails_leaves_nothing_behind(
    empty_url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_bad.sql").write_text("--: both\nCREATE TABLE half (id TEXT);\nCREATE TABLE half (id TEXT);\n")
    monkeypatch.setattr(migrations, "FOLDER", folder)
    with pytest.raises(Exception, match="half"):
        await migrate(empty_url, tmp_path / DATABASE_FILE)
    (folder / "0001_bad.sql").write_text("--: both\nCREATE TABLE half (id TEXT);\n")
    assert await migrate(empty_url, tmp_path / DATABASE_FILE) == ["0001_bad"]


def test_triggers_are_one_statement_each() -> None:
    found = list(statements(script(names()[0], "sqlite")))
    assert sum(statement.startswith("CREATE TRIGGER") for statement in found) > 10
    assert all(statement.rstrip().endswith(";") for statement in found)
    with pytest.raises(ValueError, match="unfinished"):
        list(statements("CREATE TABLE x ("))


async def test_the_piccolo_tables_have_the_columns_that_the_migrations_made(store: Store) -> None:
    for table in TABLES:
        name = table._meta.tablename
        if store.dialect == "sqlite":
            found = await store.rows(f"SELECT name, \"notnull\" OR pk FROM pragma_table_info('{name}')")
        else:
            found = await store.rows(
                "SELECT column_name, (is_nullable = 'NO')::int FROM information_schema.columns WHERE table_name = ?",
                name,
            )
        declared = {column._meta.name: int(not column._meta.null) for column in table._meta.columns}
        assert dict(found) == declared, name


async def test_piccolo_reads_and_writes_through_the_pool(store: Store) -> None:
    person = Person(id=new_id(), name="王建国", created=1)
    await person.save()
    assert await Person.select(Person.name).where(Person.id == person.id) == [{"name": "王建国"}]

    async def rename(i: int) -> None:
        async with store.transaction():
            found = await Person.objects().get(Person.id == person.id)
            assert found is not None
            found.name += f" {i}"
            await found.save()

    await asyncio.gather(*(rename(i) for i in range(8)))
    rows = await Person.select(Person.name).where(Person.id == person.id)
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
    saves = [Person(id=new_id(), name="p", created=1).save() for _ in range(20)]
    changes = [store.change([add("person", id=new_id(), name="c", created=1)]) for _ in range(20)]
    await asyncio.gather(*(asyncio.ensure_future(work) for work in [*saves, *changes]))
    assert await store.rows("SELECT count(*) FROM person") == [(40,)]


async def test_a_change_is_whole_or_not_at_all(store: Store) -> None:
    id = new_id()
    with pytest.raises(Clash):
        await store.change([add("person", id=id, name="a", created=1), add("person", id=id, name="b", created=1)])
    with pytest.raises(NothingChanged):
        await store.change(
            [add("person", id=id, name="a", created=1), ("UPDATE person SET name = 'x' WHERE id = 'nobody'", ())],
            must=(1,),
        )
    assert await store.rows("SELECT count(*) FROM person") == [(0,)]
    await store.change([add("person", id=id, name="a", created=1)], must=(0,))


async def test_the_sqlite_engine_is_durable_and_checks_references(tmp_path: Path) -> None:
    await migrate(None, tmp_path / DATABASE_FILE)
    engine = engine_for(None, tmp_path)
    assert isinstance(engine, PooledSQLiteEngine)
    loan = await engine.get_connection()
    for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
        async with loan.execute(f"PRAGMA {pragma}") as cursor:
            assert list((await cursor.fetchone()).values()) == [value]
    await loan.close()


async def test_views_follow_the_declarations(store: Store, database_url: str | None, tmp_path: Path) -> None:
    from server.core.declaration import Declarations

    assert await store.rows("SELECT * FROM yard_entry") == []
    fewer = {c: kind for c, kind in DECLARATIONS.kinds.items() if c != "yard.entry"}
    other = await open_store(database_url, tmp_path, Declarations(DECLARATIONS.modules, fewer, 99))
    with pytest.raises(Exception, match="yard_entry"):
        await other.rows("SELECT * FROM yard_entry")
    assert await other.rows("SELECT * FROM yard_notice") == []
    await other.close()
