"""A record's group is found by itself: it names one person, so kind and project in each entry only made it long.

That index was a third of what a record cost to store: its entries lie all over it, and each page touched goes to disk.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T14:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Records found by their group"

INDEX = (
    "DROP INDEX record_grp",
    "CREATE INDEX record_grp ON record (grp, day) WHERE grp IS NOT NULL",
)


async def make() -> None:
    engine = engine_finder()
    assert engine is not None
    for statement in INDEX:
        await engine.run_ddl(statement)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="gongbu", description=DESCRIPTION)
    manager.add_raw(make)
    return manager
