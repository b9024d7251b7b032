"""Alerts: what was begun, each step, each attempt to reach somebody, each answer; and the ways that there are.

Plain SQL beside the job table, because a step is one transaction with the job that takes the next one.
"""

from __future__ import annotations

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T11:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Alerts, and the ways to reach people"

TABLES = (
    # `ladder` is the one in force at the beginning, as JSON: who changes it later changes no alert that climbs.
    # `step` is the next to be taken, due at `next`; `everyone` 1: each one meant must answer.
    """CREATE TABLE alert (
  id TEXT PRIMARY KEY, project TEXT NOT NULL, r TEXT NOT NULL, c TEXT NOT NULL, name TEXT NOT NULL,
  begun BIGINT NOT NULL, state TEXT NOT NULL, urgent SMALLINT NOT NULL, everyone SMALLINT NOT NULL,
  addressed TEXT NOT NULL, level TEXT NOT NULL, ladder TEXT NOT NULL, step INTEGER NOT NULL DEFAULT 0, next BIGINT
)""",
    "CREATE INDEX alert_record ON alert (project, r)",
    """CREATE TABLE alert_step (
  alert TEXT NOT NULL, step INTEGER NOT NULL, due BIGINT NOT NULL, taken BIGINT NOT NULL,
  PRIMARY KEY (alert, step)
)""",
    # `status`: waiting · sent · failed · gone · no_way (nothing to send to) · answered (before it was sent).
    """CREATE TABLE alert_attempt (
  id TEXT PRIMARY KEY, alert TEXT NOT NULL, step INTEGER NOT NULL, channel TEXT NOT NULL, person TEXT,
  target TEXT NOT NULL, status TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due BIGINT NOT NULL,
  at BIGINT, note TEXT NOT NULL DEFAULT ''
)""",
    "CREATE INDEX alert_attempt_alert ON alert_attempt (alert, step)",
    "CREATE INDEX alert_attempt_waiting ON alert_attempt (alert, step, id) WHERE status = 'waiting'",
    """CREATE TABLE alert_answer (
  alert TEXT NOT NULL, person TEXT NOT NULL, at BIGINT NOT NULL, answer TEXT NOT NULL, via TEXT NOT NULL,
  PRIMARY KEY (alert, person)
)""",
    # One a device. `note` is what the push service said last, where it said no.
    """CREATE TABLE subscription (
  device TEXT PRIMARY KEY REFERENCES device (id), person TEXT NOT NULL REFERENCES person (id),
  endpoint TEXT NOT NULL, p256dh TEXT NOT NULL, auth TEXT NOT NULL, created BIGINT NOT NULL,
  reached BIGINT, failed BIGINT, note TEXT NOT NULL DEFAULT ''
)""",
    "CREATE INDEX subscription_person ON subscription (person)",
    # `secret` is sealed with the server's own key.
    """CREATE TABLE channel (
  id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES project (id), kind TEXT NOT NULL, name TEXT NOT NULL,
  url TEXT NOT NULL, secret TEXT NOT NULL, addressees TEXT NOT NULL DEFAULT '', created BIGINT NOT NULL,
  closed BIGINT
)""",
    "CREATE INDEX channel_project ON channel (project)",
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
