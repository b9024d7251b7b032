"""The ordinary rows, as Piccolo tables: sites and their people, devices, sessions, invites.

The columns are created by `migrations/`; a test holds the two together on SQLite and PostgreSQL.
The log and the records (`batch`, `record`, …) are not here: the writer owns them, in plain SQL.
Instants are integer milliseconds UTC; an id is a lowercase UUID unless a comment says otherwise;
null means "has not happened". Every change of a row here is seen by all processes at once, because
triggers raise `revision`, and access rights are read again when it moved.
"""

from __future__ import annotations

from typing import Any, Final

from piccolo.columns import BigInt, ForeignKey, Integer, OnDelete, OnUpdate, Text
from piccolo.engine.base import Engine
from piccolo.table import Table

KEEP: Final[dict[str, Any]] = {"on_delete": OnDelete.no_action, "on_update": OnUpdate.no_action, "null": False}


class Project(Table, tablename="project"):
    """A site. `head` is the newest seq of its log and belongs to the writer alone (P8)."""

    id = Text(primary_key=True, default=None)
    name = Text()
    zone = Text(default="Asia/Shanghai")  # IANA name
    lat = BigInt(null=True, default=None)  # 1e-7 degrees: the middle of the fence
    lng = BigInt(null=True, default=None)
    radius_m = Integer(null=True, default=None)
    day_minutes = Integer(default=480)  # one 工
    created = BigInt()
    demo = Integer(default=0)  # 1: made by --demo
    head = BigInt(default=0)


class Person(Table, tablename="person"):
    """Somebody, once, whatever sites he works on. Two people may share a name; never a login."""

    id = Text(primary_key=True, default=None)
    name = Text()  # as it is shown and printed
    login = Text(null=True, default=None)  # unique; null for who came by invite alone
    password = Text(null=True, default=None)  # argon2id, null if there is none
    language = Text(default="zh-CN")
    created = BigInt()
    closed = BigInt(null=True, default=None)  # may no longer sign in anywhere


class Team(Table, tablename="team"):
    """A crew of one site (班组): its trade, who employs it, who leads it."""

    id = Text(primary_key=True, default=None)
    project = ForeignKey(references=Project, index=True, **KEEP)
    name = Text()
    trade = Text(default="")
    employer = Text(default="")
    foreman = Text(null=True, default=None)  # person
    closed = BigInt(null=True, default=None)


class Place(Table, tablename="place"):
    """A named spot of a site, with the code that its poster carries."""

    id = Text(primary_key=True, default=None)
    project = ForeignKey(references=Project, **KEEP)
    name = Text()
    code = Text()  # unique in the project
    lat = BigInt(null=True, default=None)  # 1e-7 degrees
    lng = BigInt(null=True, default=None)
    radius_m = Integer(null=True, default=None)
    closed = BigInt(null=True, default=None)


class Member(Table, tablename="member"):
    """A person on a site. Set `ended` rather than delete: his phone must hear of it (A6)."""

    id = Text(primary_key=True, default=None)  # member_id(project, person)
    project = ForeignKey(references=Project, **KEEP)
    person = ForeignKey(references=Person, index=True, **KEEP)
    roles = Text(default="")  # words separated by one space, e.g. "foreman worker"
    since = BigInt(default=0)
    ended = BigInt(null=True, default=None)


class MemberTeam(Table, tablename="member_team"):
    """A member's place in a team. A person may be in several."""

    id = Text(primary_key=True, default=None)  # member_team_id(project, person, team)
    project = ForeignKey(references=Project, **KEEP)
    person = ForeignKey(references=Person, **KEEP)
    team = ForeignKey(references=Team, **KEEP)


class Device(Table, tablename="device"):
    """A phone of a person: the public key that its batches are signed with, and how far it got."""

    id = Text(primary_key=True, default=None)  # 22 characters of base64url
    person = ForeignKey(references=Person, index=True, **KEEP)
    label = Text(default="")
    key = Text()  # public JWK, JSON text
    last_n = BigInt(default=0)  # belongs to the writer (P1)
    created = BigInt()
    seen = BigInt(null=True, default=None)
    revoked = BigInt(null=True, default=None)


class Session(Table, tablename="session"):
    """A signed-in device. Only the hash of the cookie is stored; sign-out deletes the row."""

    hash = Text(primary_key=True, default=None)  # lowercase hex SHA-256 of the cookie's token
    person = ForeignKey(references=Person, **KEEP)
    device = ForeignKey(references=Device, index=True, **KEEP)
    created = BigInt()
    seen = BigInt(null=True, default=None)
    expires = BigInt()


class Invite(Table, tablename="invite"):
    """Leave to join a site: for one person or, up to `uses_max`, for a team."""

    id = Text(primary_key=True, default=None)
    code = Text()  # unique
    project = ForeignKey(references=Project, index=True, **KEEP)
    team = Text(null=True, default=None)
    person = Text(null=True, default=None)  # who it is meant for, if known
    roles = Text(default="worker")
    uses_max = Integer(default=1)
    uses = Integer(default=0)
    created = BigInt()
    created_by = Text()  # person
    expires = BigInt()
    revoked = BigInt(null=True, default=None)


TABLES: tuple[type[Table], ...] = (
    Project,
    Person,
    Team,
    Place,
    Member,
    MemberTeam,
    Device,
    Session,
    Invite,
)


def bind(engine: Engine[Any]) -> None:
    """Let every table above speak to this engine (one per process; tests bind their own)."""
    for table in TABLES:
        table._meta.db = engine


def member_id(project: str, person: str) -> str:
    return f"{project}:{person}"


def member_team_id(project: str, person: str, team: str) -> str:
    return f"{project}:{person}:{team}"
