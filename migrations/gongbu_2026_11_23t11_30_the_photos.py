"""Photos and files: what has arrived, who sent it, which records name it (P10).

Plain SQL, because the writer fills `photo_use` in the transaction of the batch: the same tables on both engines.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T11:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The photos"

# `state`: `file` (a document), `arrived` (a photo whose bytes are verified), `ready` (its smaller ones
# are made), `refused` (it cannot be decoded; `reason` is a code). `type` is what the bytes are, `clean`
# the type of what people are shown. `facts` are those of its EXIF, as JSON. Instants are ms UTC.
# An orphan is a photo that no record names; the day it arrived is when its time begins.
TABLES = (
    """CREATE TABLE photo (
  sha TEXT PRIMARY KEY, bytes BIGINT NOT NULL, type TEXT NOT NULL, clean TEXT NOT NULL DEFAULT '',
  w INTEGER NOT NULL DEFAULT 0, h INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
  facts TEXT NOT NULL DEFAULT '{}', arrived BIGINT NOT NULL
)""",
    "CREATE INDEX photo_arrived ON photo (arrived)",
    """CREATE TABLE photo_from (
  sha TEXT NOT NULL REFERENCES photo (sha), project TEXT NOT NULL REFERENCES project (id), person TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '', at BIGINT NOT NULL,
  PRIMARY KEY (sha, project, person)
)""",
    "CREATE INDEX photo_from_project ON photo_from (project, sha)",
    # Kept for good: a photo that was taken off a record still stands in its history.
    """CREATE TABLE photo_use (
  sha TEXT NOT NULL, project TEXT NOT NULL, r TEXT NOT NULL,
  PRIMARY KEY (sha, project, r)
)""",
)


async def make() -> None:
    engine = engine_finder()
    assert engine is not None
    for statement in TABLES:
        await engine.run_ddl(statement)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="gongbu", description=DESCRIPTION)
    manager.add_raw(make)
    return manager
