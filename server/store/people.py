"""Sites, people, teams and places: their ordinary rows, changed a whole step at a time.

The phones' copies (`core.*` records) follow by themselves: the rows' triggers leave a job.
Nothing here asks who may; that is for whoever calls.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from piccolo.table import Table

from server.store.store import Store
from server.store.tables import (
    Member,
    MemberTeam,
    Person,
    Place,
    Project,
    Session,
    Team,
    member_id,
    member_team_id,
)

NAME_MAX: Final = 60
Fence = tuple[int, int, int]  # lat and lng in 1e-7 degrees, radius in metres


class Taken(Exception):
    """Somebody or something else has this name, sign-in name or code."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True)
class NewPerson:
    name: str
    login: str | None = None
    password: str | None = None  # its argon2id hash
    language: str = "zh-CN"
    roles: Sequence[str] = ("worker",)
    teams: Sequence[str] = ()
    id: str = field(default_factory=lambda: new_id())


def new_id() -> str:
    return str(uuid.uuid4())


def tidy(name: str) -> str:
    """A name as it is stored: NFC, single spaces, nothing around it."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def tidy_login(login: str) -> str:
    """A sign-in name is the same in capitals, full-width letters or with spaces around it."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


async def add_project(
    store: Store,
    name: str,
    now: int,
    *,
    zone: str = "Asia/Shanghai",
    fence: Fence | None = None,
    day_minutes: int = 480,
    demo: bool = False,
    id: str | None = None,
) -> str:
    lat, lng, radius_m = fence or (None, None, None)
    row = Project(
        id=id or new_id(),
        name=tidy(name),
        zone=zone,
        lat=lat,
        lng=lng,
        radius_m=radius_m,
        day_minutes=day_minutes,
        created=now,
        demo=int(demo),
    )
    async with store.transaction():
        await Project.insert(row)
    return row.id


async def change_project(store: Store, id: str, **changes: Any) -> None:
    """Any of name, zone, lat, lng, radius_m and day_minutes."""
    async with store.transaction():
        await Project.update(**changes).where(Project.id == id)


async def add_people(store: Store, project: str | None, people: Iterable[NewPerson], now: int) -> list[str]:
    """Add them all or none, as members of the project if one is named. Raises Taken for a sign-in name."""
    people = list(people)
    rows = [person_row(person, now) for person in people]
    async with store.transaction():
        await refuse_taken_logins([row.login for row in rows if row.login])
        await insert_all(rows)
        if project:
            await insert_all([member_row(project, person.id, person.roles, now) for person in people])
            await insert_all([row for person in people for row in team_rows(project, person.id, person.teams)])
    return [person.id for person in people]


async def refuse_taken_logins(logins: list[str]) -> None:
    """Tidied ones; twice the same is taken too."""
    twice = [login for at, login in enumerate(logins) if login in logins[:at]]
    taken = twice or await Person.select(Person.login).where(Person.login.is_in(logins or [""])).output(as_list=True)
    if taken:
        raise Taken(taken[0])


async def insert_all(rows: Sequence[Table]) -> None:
    """Rows of one table; there may be none."""
    if rows:
        await type(rows[0]).insert(*rows)


def person_row(person: NewPerson, now: int) -> Person:
    return Person(
        id=person.id,
        name=tidy(person.name),
        login=tidy_login(person.login) if person.login else None,
        password=person.password,
        language=person.language,
        created=now,
    )


def member_row(project: str, person: str, roles: Sequence[str], now: int) -> Member:
    told = " ".join(dict.fromkeys(roles))
    return Member(id=member_id(project, person), project=project, person=person, roles=told, since=now)


def team_rows(project: str, person: str, teams: Sequence[str]) -> list[MemberTeam]:
    return [
        MemberTeam(id=member_team_id(project, person, team), project=project, person=person, team=team)
        for team in dict.fromkeys(teams)
    ]


async def set_member(
    store: Store, project: str, person: str, roles: Sequence[str], teams: Sequence[str], now: int
) -> None:
    """Give a person these roles and teams on a site, whatever he had there before."""
    async with store.transaction():
        await Member.insert(member_row(project, person, roles, now)).on_conflict(
            target=Member.id, action="DO UPDATE", values=[Member.roles, (Member.ended, None)]
        )
        await leave_teams(project, person)
        await insert_all(team_rows(project, person, teams))


async def leave_teams(project: str, person: str) -> None:
    await MemberTeam.delete().where(MemberTeam.project == project, MemberTeam.person == person)


async def end_member(store: Store, project: str, person: str, now: int) -> None:
    """Off the site: the row stays, so that his phone hears of it (A6)."""
    async with store.transaction():
        await Member.update({Member.ended: now}).where(Member.id == member_id(project, person), Member.ended.is_null())
        await leave_teams(project, person)


async def set_password(store: Store, person: str, hashed: str, but: str = "") -> None:
    """A new password signs every device of the person out, `but` one (a session's hash)."""
    async with store.transaction():
        await Person.update({Person.password: hashed}).where(Person.id == person)
        await Session.delete().where(Session.person == person, Session.hash != but)


async def close_person(store: Store, person: str, now: int | None) -> None:
    """No sign-in anywhere from now on; None opens again."""
    async with store.transaction():
        await Person.update({Person.closed: now}).where(Person.id == person)
        await Session.delete().where(Session.person == person)


async def change_person(store: Store, id: str, **changes: Any) -> None:
    """Any of name, login and language. Raises Taken for a sign-in name."""
    async with store.transaction():
        if changes.get("login"):
            changes["login"] = tidy_login(changes["login"])
            if await Person.exists().where(Person.login == changes["login"], Person.id != id):
                raise Taken(changes["login"])
        await Person.update(**changes).where(Person.id == id)


async def add_team(
    store: Store,
    project: str,
    name: str,
    *,
    trade: str = "",
    employer: str = "",
    foreman: str | None = None,
    id: str | None = None,
) -> str:
    row = Team(
        id=id or new_id(),
        project=project,
        name=tidy(name),
        trade=tidy(trade),
        employer=tidy(employer),
        foreman=foreman,
    )
    async with store.transaction():
        if await Team.exists().where(Team.project == project, Team.name == row.name, Team.closed.is_null()):
            raise Taken(row.name)
        await Team.insert(row)
    return row.id


async def change_team(store: Store, id: str, **changes: Any) -> None:
    """Any of name, trade, employer, foreman and closed."""
    async with store.transaction():
        await Team.update(**changes).where(Team.id == id)


async def add_place(
    store: Store,
    project: str,
    name: str,
    code: str,
    *,
    lat: int | None = None,
    lng: int | None = None,
    radius_m: int | None = None,
    id: str | None = None,
) -> str:
    row = Place(id=id or new_id(), project=project, name=tidy(name), code=code, lat=lat, lng=lng, radius_m=radius_m)
    async with store.transaction():
        if await Place.exists().where(Place.project == project, Place.code == code):
            raise Taken(code)
        await Place.insert(row)
    return row.id
