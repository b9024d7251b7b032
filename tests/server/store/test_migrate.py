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
from server.store.engine import DATABASE_FILE
from server.store.migrate import NewerDatabase, ids, migrate
from server.store.piccolo_app import APP_CONFIG
from server.store.store import Store, open_store
from server.store.tables import TABLES
from tests.postgres import fresh_database
from tests.server.site import DECLARATIONS, add, new_id

MIGRATION = """
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder
ID = "0001"
async def make():
    await engine_finder().run_ddl("{}")
    await engine_finder().run_ddl("{}")
async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="gongbu")
    manager.add_raw(make)
    return manager
"""
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
    assert await migrate(empty_url, tmp_path / DATABASE_FILE) == ids()
    assert await migrate(empty_url, tmp_path / DATABASE_FILE) == []


async def test_a_database_of_a_newer_version_is_not_touched(store: Store, database_url: str | None) -> None:
    await store.change([("INSERT INTO migration (name, app_name) VALUES ('9999-tomorrow', 'gongbu')", ())])
    path = getattr(store.database, "path", Path())
    with pytest.raises(NewerDatabase, match="9999-tomorrow"):
        await migrate(database_url, path)


async def test_a_migration_that_fails_leaves_nothing_behind(
    empty_url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    monkeypatch.setattr(migrations, "FOLDER", folder)
    (folder / "half_made.py").write_text(MIGRATION.format("CREATE TABLE half (id TEXT)", "CREATE TABLE half (id TEXT)"))
    with pytest.raises(Exception, match="half"):
        await migrate(empty_url, tmp_path / DATABASE_FILE)
    (folder / "half_made.py").unlink()
    (folder / "whole.py").write_text(MIGRATION.format("CREATE TABLE half (id TEXT)", "CREATE TABLE other (id TEXT)"))
    assert await migrate(empty_url, tmp_path / DATABASE_FILE) == ["0001"]


async def test_the_piccolo_tables_are_what_the_migrations_made() -> None:
    """So that `piccolo migrations new gongbu --auto` would find nothing to write."""
    from piccolo.apps.migrations.auto.diffable_table import DiffableTable
    from piccolo.apps.migrations.auto.schema_differ import SchemaDiffer
    from piccolo.apps.migrations.auto.schema_snapshot import SchemaSnapshot
    from piccolo.apps.migrations.commands.base import BaseMigrationManager

    made = SchemaSnapshot(await BaseMigrationManager().get_migration_managers(APP_CONFIG))
    declared = [
        DiffableTable(table.__name__, table._meta.tablename, columns=table._meta.non_default_columns)
        for table in TABLES
    ]
    differ = SchemaDiffer(declared, made.get_snapshot(), auto_input="n")
    assert [told for part in differ.get_alter_statements() for told in part.statements] == []


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


async def test_views_follow_the_declarations(store: Store, database_url: str | None, tmp_path: Path) -> None:
    from server.core.declaration import Declarations

    assert await store.rows("SELECT * FROM yard_entry") == []
    fewer = {c: kind for c, kind in DECLARATIONS.kinds.items() if c != "yard.entry"}
    other = await open_store(database_url, tmp_path, Declarations(DECLARATIONS.modules, fewer, 99))
    with pytest.raises(Exception, match="yard_entry"):
        await other.rows("SELECT * FROM yard_entry")
    assert await other.rows("SELECT * FROM yard_notice") == []
    await other.close()
