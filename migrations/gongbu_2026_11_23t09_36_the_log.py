"""The writer's own tables (log, records, jobs), the uniqueness of rows, and the triggers that raise
`revision` and ask for the phones' copies of what changed.

Plain SQL, because the writer speaks it: the same tables on both engines, triggers for each.
"""

from __future__ import annotations

from collections.abc import Iterator

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder

ID = "2026-11-23T09:36:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The log, the records, the jobs"

UNIQUE = (
    "CREATE UNIQUE INDEX person_login ON person (login)",
    "CREATE UNIQUE INDEX place_code ON place (project, code)",
    "CREATE UNIQUE INDEX member_once ON member (project, person)",
    "CREATE UNIQUE INDEX member_team_once ON member_team (project, person, team)",
    "CREATE UNIQUE INDEX invite_code ON invite (code)",
)
# Admitted batches, the exact bytes that were signed (P4, P8), and those that were refused: their
# number is used, their words are kept (P3).
LOG = (
    """CREATE TABLE batch (
  project TEXT NOT NULL REFERENCES project (id), seq BIGINT NOT NULL, device TEXT NOT NULL,
  n BIGINT NOT NULL, person TEXT NOT NULL, received BIGINT NOT NULL, sent BIGINT NOT NULL,
  payload TEXT NOT NULL, sig TEXT NOT NULL, outcome TEXT NOT NULL,
  PRIMARY KEY (project, seq)
)""",
    "CREATE UNIQUE INDEX batch_n ON batch (device, n) WHERE device <> 'server'",
    """CREATE TABLE refused (
  device TEXT NOT NULL, n BIGINT NOT NULL, project TEXT NOT NULL, person TEXT NOT NULL,
  received BIGINT NOT NULL, sent BIGINT NOT NULL, payload TEXT NOT NULL, sig TEXT NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (device, n)
)""",
    "CREATE INDEX refused_project ON refused (project, received)",
)
# What the log folds to. `body` is the JSON text that phones are sent as it stands (P6). `grp` is
# what computed kinds are grouped by, a person say, where something is computed. `touch` holds the
# batches that touched a record after the one that made it, for its history.
RECORDS = (
    """CREATE TABLE record (
  project TEXT NOT NULL, r TEXT NOT NULL, c TEXT NOT NULL, seq BIGINT NOT NULL,
  aud TEXT NOT NULL, day TEXT, grp TEXT, deleted SMALLINT NOT NULL DEFAULT 0, body TEXT NOT NULL,
  PRIMARY KEY (project, r)
)""",
    "CREATE INDEX record_seq ON record (project, seq)",
    "CREATE INDEX record_aud ON record (project, aud, seq)",
    "CREATE INDEX record_day ON record (project, c, day)",
    "CREATE INDEX record_grp ON record (project, c, grp, day) WHERE grp IS NOT NULL",
    "CREATE TABLE touch (project TEXT NOT NULL, r TEXT NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (project, r, seq))",
)
# How far each computed kind has read the log, and days that a record has left since. Jobs are
# done after a commit, at least once; `asked` counts requests, so that one which comes while the
# job runs is not lost with it.
AFTERWARDS = (
    "CREATE TABLE computed (project TEXT NOT NULL, kind TEXT NOT NULL, seq BIGINT NOT NULL,"
    " PRIMARY KEY (project, kind))",
    """CREATE TABLE moved (
  project TEXT NOT NULL, r TEXT NOT NULL, day TEXT NOT NULL, seq BIGINT NOT NULL,
  PRIMARY KEY (project, r, day)
)""",
    """CREATE TABLE job (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, args TEXT NOT NULL DEFAULT '{}',
  due BIGINT NOT NULL DEFAULT 0, asked BIGINT NOT NULL DEFAULT 1,
  lease BIGINT NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,
  dead SMALLINT NOT NULL DEFAULT 0, error TEXT
)""",
    "CREATE INDEX job_due ON job (due) WHERE dead = 0",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE revision (id INTEGER PRIMARY KEY, n BIGINT NOT NULL)",
    "INSERT INTO revision (id, n) VALUES (1, 1)",
)

# What of a row matters to rights (any change of the others does, and of a team, place, member too).
PROJECT = "UPDATE OF id, name, zone, lat, lng, radius_m, day_minutes"
PERSON = "UPDATE OF id, name, closed"
DEVICE = "UPDATE OF id, person, label, key, revoked"
SESSION = "UPDATE OF hash, person, device, expires"
OF_A_SITE = ("team", "place", "member", "member_team")


def sqlite_triggers() -> Iterator[str]:
    by_site = "VALUES ('mirror:' || {0}, 'mirror', json_object('project', {0}))"
    by_person = "SELECT 'mirror:' || project, 'mirror', json_object('project', project) FROM member WHERE person = {0}"

    def trigger(name: str, event: str, asks: str = "") -> str:
        ask = (
            f" INSERT INTO job (key, kind, args) {asks}"
            " ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;"
        )
        return f"CREATE TRIGGER {name} AFTER {event} BEGIN UPDATE revision SET n = n + 1;{ask if asks else ''} END"

    yield trigger("project_made", "INSERT ON project", by_site.format("NEW.id"))
    yield trigger("project_changed", f"{PROJECT} ON project", by_site.format("NEW.id"))
    yield trigger("person_changed", f"{PERSON} ON person", by_person.format("NEW.id"))
    yield trigger("device_made", "INSERT ON device", by_person.format("NEW.person"))
    yield trigger("device_changed", f"{DEVICE} ON device")
    yield trigger("device_gone", "DELETE ON device")
    yield trigger("session_changed", f"{SESSION} ON session")
    yield trigger("session_gone", "DELETE ON session")
    for table in OF_A_SITE:
        yield trigger(f"{table}_made", f"INSERT ON {table}", by_site.format("NEW.project"))
        yield trigger(f"{table}_changed", f"UPDATE ON {table}", by_site.format("NEW.project"))
        yield trigger(f"{table}_gone", f"DELETE ON {table}", by_site.format("OLD.project"))


POSTGRES_FUNCTIONS = (
    'ALTER TABLE record ALTER COLUMN aud TYPE TEXT COLLATE "C"',  # a class of labels is a range of it
    """CREATE FUNCTION ask_mirror(site TEXT) RETURNS void LANGUAGE sql AS $$
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || site, 'mirror', json_build_object('project', site)::text)
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = job.asked + 1, dead = 0
$$""",
    """CREATE FUNCTION raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE revision SET n = n + 1;
  PERFORM pg_notify('gongbu', 'revision');
  RETURN NULL;
END $$""",
    """CREATE FUNCTION mirror_site() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'DELETE' THEN PERFORM ask_mirror(NEW.project); END IF;
  IF TG_OP <> 'INSERT' THEN PERFORM ask_mirror(OLD.project); END IF;
  RETURN NULL;
END $$""",
    """CREATE FUNCTION mirror_project() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM ask_mirror(NEW.id); RETURN NULL; END $$""",
    """CREATE FUNCTION mirror_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM ask_mirror(project) FROM member WHERE person = NEW.id; RETURN NULL; END $$""",
    """CREATE FUNCTION mirror_device() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM ask_mirror(project) FROM member WHERE person = NEW.person; RETURN NULL; END $$""",
)


def postgres_triggers() -> Iterator[str]:
    def revision(table: str, events: str) -> str:
        return f"CREATE TRIGGER {table}_revision AFTER {events} ON {table} EXECUTE FUNCTION raise_revision()"

    def mirror(table: str, events: str, asks: str) -> str:
        return f"CREATE TRIGGER {table}_mirror AFTER {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {asks}()"

    yield revision("project", f"INSERT OR {PROJECT}")
    yield revision("person", PERSON)
    yield revision("device", f"INSERT OR DELETE OR {DEVICE}")
    yield revision("session", f"DELETE OR {SESSION}")
    yield mirror("project", f"INSERT OR {PROJECT}", "mirror_project")
    yield mirror("person", PERSON, "mirror_person")
    yield mirror("device", "INSERT", "mirror_device")
    for table in OF_A_SITE:
        yield revision(table, "INSERT OR UPDATE OR DELETE")
        yield mirror(table, "INSERT OR UPDATE OR DELETE", "mirror_site")


async def make() -> None:
    engine = engine_finder()
    assert engine is not None
    own = sqlite_triggers() if engine.engine_type == "sqlite" else (*POSTGRES_FUNCTIONS, *postgres_triggers())
    for statement in (*UNIQUE, *LOG, *RECORDS, *AFTERWARDS, *own):
        await engine.run_ddl(statement)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="gongbu", description=DESCRIPTION)
    manager.add_raw(make)
    return manager
