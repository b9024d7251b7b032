-- People and sites, the log, the records, the jobs; triggers that raise `revision`.
--
-- Sections are marked `--: both`, `--: sqlite`, `--: postgres` and run in the order they stand.
-- A migration, once released, is never edited: add a new file.

--: both
CREATE TABLE project (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, zone TEXT NOT NULL DEFAULT 'Asia/Shanghai',
  lat BIGINT, lng BIGINT, radius_m INTEGER, day_minutes INTEGER NOT NULL DEFAULT 480,
  created BIGINT NOT NULL, demo INTEGER NOT NULL DEFAULT 0,
  head BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE person (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, login TEXT, password TEXT,
  language TEXT NOT NULL DEFAULT 'zh-CN', created BIGINT NOT NULL, closed BIGINT
);
CREATE UNIQUE INDEX person_login ON person (login);
CREATE TABLE team (
  id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES project (id), name TEXT NOT NULL,
  trade TEXT NOT NULL DEFAULT '', employer TEXT NOT NULL DEFAULT '', foreman TEXT, closed BIGINT
);
CREATE INDEX team_project ON team (project);
CREATE TABLE place (
  id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES project (id), name TEXT NOT NULL,
  code TEXT NOT NULL, lat BIGINT, lng BIGINT, radius_m INTEGER, closed BIGINT
);
CREATE UNIQUE INDEX place_code ON place (project, code);
CREATE TABLE member (
  id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES project (id),
  person TEXT NOT NULL REFERENCES person (id), roles TEXT NOT NULL DEFAULT '',
  since BIGINT NOT NULL DEFAULT 0, ended BIGINT
);
CREATE UNIQUE INDEX member_once ON member (project, person);
CREATE INDEX member_person ON member (person);
CREATE TABLE member_team (
  id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES project (id),
  person TEXT NOT NULL REFERENCES person (id), team TEXT NOT NULL REFERENCES team (id)
);
CREATE UNIQUE INDEX member_team_once ON member_team (project, person, team);
CREATE TABLE device (
  id TEXT PRIMARY KEY, person TEXT NOT NULL REFERENCES person (id),
  label TEXT NOT NULL DEFAULT '', key TEXT NOT NULL, last_n BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL, seen BIGINT, revoked BIGINT
);
CREATE INDEX device_person ON device (person);
CREATE TABLE session (
  hash TEXT PRIMARY KEY, person TEXT NOT NULL REFERENCES person (id),
  device TEXT NOT NULL REFERENCES device (id), created BIGINT NOT NULL, seen BIGINT,
  expires BIGINT NOT NULL
);
CREATE INDEX session_device ON session (device);
CREATE TABLE invite (
  id TEXT PRIMARY KEY, code TEXT NOT NULL, project TEXT NOT NULL REFERENCES project (id),
  team TEXT, person TEXT, roles TEXT NOT NULL DEFAULT 'worker',
  uses_max INTEGER NOT NULL DEFAULT 1, uses INTEGER NOT NULL DEFAULT 0,
  created BIGINT NOT NULL, created_by TEXT NOT NULL, expires BIGINT NOT NULL, revoked BIGINT
);
CREATE UNIQUE INDEX invite_code ON invite (code);
CREATE INDEX invite_project ON invite (project);

-- The log: admitted batches, the exact bytes that were signed.  (P4, P8)
CREATE TABLE batch (
  project TEXT NOT NULL REFERENCES project (id), seq BIGINT NOT NULL, device TEXT NOT NULL,
  n BIGINT NOT NULL, person TEXT NOT NULL, received BIGINT NOT NULL, sent BIGINT NOT NULL,
  payload TEXT NOT NULL, sig TEXT NOT NULL, outcome TEXT NOT NULL,
  PRIMARY KEY (project, seq)
);
CREATE UNIQUE INDEX batch_n ON batch (device, n) WHERE device <> 'server';

-- Batches that were refused: their number is used, their words are kept.  (P3)
CREATE TABLE refused (
  device TEXT NOT NULL, n BIGINT NOT NULL, project TEXT NOT NULL, person TEXT NOT NULL,
  received BIGINT NOT NULL, sent BIGINT NOT NULL, payload TEXT NOT NULL, sig TEXT NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (device, n)
);
CREATE INDEX refused_project ON refused (project, received);

-- What the log folds to. `body` is the JSON text that phones are sent as it stands.  (P6)
-- `grp` is what computed kinds are grouped by, a person say, where something is computed.
CREATE TABLE record (
  project TEXT NOT NULL, r TEXT NOT NULL, c TEXT NOT NULL, seq BIGINT NOT NULL,
  aud TEXT NOT NULL, day TEXT, grp TEXT, deleted SMALLINT NOT NULL DEFAULT 0, body TEXT NOT NULL,
  PRIMARY KEY (project, r)
);
CREATE INDEX record_seq ON record (project, seq);
CREATE INDEX record_aud ON record (project, aud, seq);
CREATE INDEX record_day ON record (project, c, day);
CREATE INDEX record_grp ON record (project, c, grp, day) WHERE grp IS NOT NULL;

-- Batches that touched a record after the one that made it, for its history.
CREATE TABLE touch (
  project TEXT NOT NULL, r TEXT NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (project, r, seq)
);

-- How far each computed kind has read the log, and days that a record has left since.
CREATE TABLE computed (
  project TEXT NOT NULL, kind TEXT NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (project, kind)
);
CREATE TABLE moved (
  project TEXT NOT NULL, r TEXT NOT NULL, day TEXT NOT NULL, seq BIGINT NOT NULL,
  PRIMARY KEY (project, r, day)
);

-- Work to do after a commit, at least once. `asked` counts requests, so that one which
-- comes while the job runs is not lost with it.
CREATE TABLE job (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, args TEXT NOT NULL DEFAULT '{}',
  due BIGINT NOT NULL DEFAULT 0, asked BIGINT NOT NULL DEFAULT 1,
  lease BIGINT NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,
  dead SMALLINT NOT NULL DEFAULT 0, error TEXT
);
CREATE INDEX job_due ON job (due) WHERE dead = 0;

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE revision (id INTEGER PRIMARY KEY, n BIGINT NOT NULL);
INSERT INTO revision (id, n) VALUES (1, 1);

--: sqlite
CREATE TRIGGER project_made AFTER INSERT ON project BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || NEW.id, 'mirror', json_object('project', NEW.id))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER project_changed AFTER UPDATE OF id, name, zone, lat, lng, radius_m, day_minutes ON project BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || NEW.id, 'mirror', json_object('project', NEW.id))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER person_changed AFTER UPDATE OF id, name, closed ON person BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args)
    SELECT 'mirror:' || project, 'mirror', json_object('project', project) FROM member WHERE person = NEW.id
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER device_made AFTER INSERT ON device BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args)
    SELECT 'mirror:' || project, 'mirror', json_object('project', project) FROM member WHERE person = NEW.person
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER device_changed AFTER UPDATE OF id, person, label, key, revoked ON device BEGIN
  UPDATE revision SET n = n + 1;
END;
CREATE TRIGGER device_gone AFTER DELETE ON device BEGIN
  UPDATE revision SET n = n + 1;
END;
CREATE TRIGGER session_changed AFTER UPDATE OF hash, person, device, expires ON session BEGIN
  UPDATE revision SET n = n + 1;
END;
CREATE TRIGGER session_gone AFTER DELETE ON session BEGIN
  UPDATE revision SET n = n + 1;
END;
CREATE TRIGGER team_made AFTER INSERT ON team BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || NEW.project, 'mirror', json_object('project', NEW.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER team_changed AFTER UPDATE ON team BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || NEW.project, 'mirror', json_object('project', NEW.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER team_gone AFTER DELETE ON team BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || OLD.project, 'mirror', json_object('project', OLD.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER place_made AFTER INSERT ON place BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || NEW.project, 'mirror', json_object('project', NEW.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER place_changed AFTER UPDATE ON place BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || NEW.project, 'mirror', json_object('project', NEW.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER place_gone AFTER DELETE ON place BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || OLD.project, 'mirror', json_object('project', OLD.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER member_made AFTER INSERT ON member BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || NEW.project, 'mirror', json_object('project', NEW.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER member_changed AFTER UPDATE ON member BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || NEW.project, 'mirror', json_object('project', NEW.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER member_gone AFTER DELETE ON member BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || OLD.project, 'mirror', json_object('project', OLD.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER member_team_made AFTER INSERT ON member_team BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || NEW.project, 'mirror', json_object('project', NEW.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER member_team_changed AFTER UPDATE ON member_team BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || NEW.project, 'mirror', json_object('project', NEW.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;
CREATE TRIGGER member_team_gone AFTER DELETE ON member_team BEGIN
  UPDATE revision SET n = n + 1;
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || OLD.project, 'mirror', json_object('project', OLD.project))
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = asked + 1, dead = 0;
END;

--: postgres
ALTER TABLE record ALTER COLUMN aud TYPE TEXT COLLATE "C";  -- a class of labels is a range of it

CREATE FUNCTION ask_mirror(site TEXT) RETURNS void LANGUAGE sql AS $$
  INSERT INTO job (key, kind, args) VALUES ('mirror:' || site, 'mirror', json_build_object('project', site)::text)
    ON CONFLICT (key) DO UPDATE SET due = 0, asked = job.asked + 1, dead = 0
$$;
CREATE FUNCTION raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE revision SET n = n + 1;
  PERFORM pg_notify('gongbu', 'revision');
  RETURN NULL;
END $$;
CREATE FUNCTION mirror_site() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'DELETE' THEN PERFORM ask_mirror(NEW.project); END IF;
  IF TG_OP <> 'INSERT' THEN PERFORM ask_mirror(OLD.project); END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION mirror_project() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM ask_mirror(NEW.id); RETURN NULL; END $$;
CREATE FUNCTION mirror_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM ask_mirror(project) FROM member WHERE person = NEW.id; RETURN NULL; END $$;
CREATE FUNCTION mirror_device() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM ask_mirror(project) FROM member WHERE person = NEW.person; RETURN NULL; END $$;

CREATE TRIGGER project_revision AFTER INSERT OR UPDATE OF id, name, zone, lat, lng, radius_m, day_minutes ON project EXECUTE FUNCTION raise_revision();
CREATE TRIGGER person_revision AFTER UPDATE OF id, name, closed ON person EXECUTE FUNCTION raise_revision();
CREATE TRIGGER device_revision AFTER INSERT OR DELETE OR UPDATE OF id, person, label, key, revoked ON device EXECUTE FUNCTION raise_revision();
CREATE TRIGGER session_revision AFTER DELETE OR UPDATE OF hash, person, device, expires ON session EXECUTE FUNCTION raise_revision();
CREATE TRIGGER team_revision AFTER INSERT OR UPDATE OR DELETE ON team EXECUTE FUNCTION raise_revision();
CREATE TRIGGER place_revision AFTER INSERT OR UPDATE OR DELETE ON place EXECUTE FUNCTION raise_revision();
CREATE TRIGGER member_revision AFTER INSERT OR UPDATE OR DELETE ON member EXECUTE FUNCTION raise_revision();
CREATE TRIGGER member_team_revision AFTER INSERT OR UPDATE OR DELETE ON member_team EXECUTE FUNCTION raise_revision();

CREATE TRIGGER project_mirror AFTER INSERT OR UPDATE OF id, name, zone, lat, lng, radius_m, day_minutes ON project FOR EACH ROW EXECUTE FUNCTION mirror_project();
CREATE TRIGGER person_mirror AFTER UPDATE OF id, name, closed ON person FOR EACH ROW EXECUTE FUNCTION mirror_person();
CREATE TRIGGER device_mirror AFTER INSERT ON device FOR EACH ROW EXECUTE FUNCTION mirror_device();
CREATE TRIGGER team_mirror AFTER INSERT OR UPDATE OR DELETE ON team FOR EACH ROW EXECUTE FUNCTION mirror_site();
CREATE TRIGGER place_mirror AFTER INSERT OR UPDATE OR DELETE ON place FOR EACH ROW EXECUTE FUNCTION mirror_site();
CREATE TRIGGER member_mirror AFTER INSERT OR UPDATE OR DELETE ON member FOR EACH ROW EXECUTE FUNCTION mirror_site();
CREATE TRIGGER member_team_mirror AFTER INSERT OR UPDATE OR DELETE ON member_team FOR EACH ROW EXECUTE FUNCTION mirror_site();
