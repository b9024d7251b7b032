"""The people of a project, as its office keeps them.

Adding is by one person or by a pasted list, whole or not at all. What changes here reaches the phones
as `core.*` records, and an altered role or team as a new epoch (A6).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Final

import msgspec
from litestar import get, patch, post
from litestar.params import JSONBody
from piccolo.query.functions.aggregate import Count

from server.core.problem import Problem
from server.store import people as store
from server.store import tables
from server.store.people import NewPerson, Taken
from server.web.caller import OFFICE, Caller, TheCaller
from server.web.invites import plain_worker
from server.web.projects import Made
from server.web.rank import is_over, is_over_everywhere, may_give
from server.web.site import Site, TheSite
from server.web.wire import Id, Name, Password, PathId, Role, SignInName, given, named

LIST_MAX: Final = 500
Roles = Annotated[list[Role], msgspec.Meta(min_length=1, max_length=7)]
Teams = Annotated[list[Id], msgspec.Meta(max_length=20)]


class MadeList(msgspec.Struct):
    ids: list[str]


class Member(msgspec.Struct):
    id: str
    name: str
    login: str | None
    roles: list[str]
    teams: list[str]
    phones: int
    ended: int | None
    closed: int | None


class Members(msgspec.Struct):
    people: list[Member]


class NewMember(msgspec.Struct):
    name: Name
    roles: Roles = msgspec.field(default_factory=plain_worker)
    teams: Teams = []
    login: SignInName | None = None
    password: Password | None = None


class NewMembers(msgspec.Struct):
    """`people` one by one, or `lines` as pasted: one a line, `name` or `name, team` (comma or tab)."""

    project: Id
    people: Annotated[list[NewMember], msgspec.Meta(max_length=LIST_MAX)] = []
    lines: Annotated[str, msgspec.Meta(max_length=50_000)] = ""


class MemberChange(msgspec.Struct):
    project: Id
    roles: Roles | msgspec.UnsetType = msgspec.UNSET
    teams: Teams | msgspec.UnsetType = msgspec.UNSET
    ended: bool | msgspec.UnsetType = msgspec.UNSET
    name: Name | msgspec.UnsetType = msgspec.UNSET
    login: SignInName | msgspec.UnsetType = msgspec.UNSET
    password: Password | msgspec.UnsetType = msgspec.UNSET


@get("/api/projects/{id:str}/people", summary="Everybody on a project, with roles and phones", tags=["people"])
async def people(caller: TheCaller, site: TheSite, id: PathId) -> Members:
    await caller.actor(id, OFFICE)
    member, person = tables.Member, tables.Member.person
    rows = (
        await member.select(member.roles, member.ended, person._.id, person._.name, person._.login, person._.closed)
        .where(member.project == id)
        .order_by(person._.name, person._.id)
        .output(nested=True)
    )
    teams, phones = await teams_by_person(id), await phones_by_person(id)
    return Members(
        [
            Member(
                **row["person"],
                roles=row["roles"].split(),
                teams=teams.get(row["person"]["id"], []),
                phones=phones.get(row["person"]["id"], 0),
                ended=row["ended"],
            )
            for row in rows
        ]
    )


async def teams_by_person(project: str) -> dict[str, list[str]]:
    in_team, teams = tables.MemberTeam, defaultdict[str, list[str]](list)
    for row in await in_team.select(in_team.person, in_team.team).where(in_team.project == project):
        teams[row["person"]].append(row["team"])
    return teams


async def phones_by_person(project: str) -> dict[str, int]:
    """How many phones that were not revoked; who has none is left out."""
    device, member = tables.Device, tables.Member
    rows = (
        await device.select(device.person, Count())
        .where(
            device.revoked.is_null(),
            device.person.is_in(member.select(member.person).where(member.project == project)),
        )
        .group_by(device.person)
    )
    return {row["person"]: row["count"] for row in rows}


@post("/api/people", summary="Add people to a project, one by one or as a pasted list", tags=["people"])
async def new_people(caller: TheCaller, site: TheSite, data: JSONBody[NewMembers]) -> MadeList:
    """409 `taken` when a sign-in name is somebody else's; then nobody is added."""
    actor = await caller.actor(data.project, OFFICE)
    team_by_name = {name: id for id, name in (await open_teams(data.project)).items()}
    new = [*data.people, *read_lines(data.lines, team_by_name)]
    if not 0 < len(new) <= LIST_MAX:
        raise Problem("malformed", reason=f"people: 1 to {LIST_MAX}")
    if not all(may_give(actor, one.roles) for one in new):
        raise Problem("forbidden")
    check_teams({team for one in new for team in one.teams}, set(team_by_name.values()))
    return MadeList(await add(site, data.project, [await with_hash(site, one) for one in new]))


async def add(site: Site, project: str, new: list[NewPerson]) -> list[str]:
    try:
        return await store.add_people(site.store, project, new, site.now())
    except Taken as taken:
        raise Problem("taken", name=taken.what) from taken


async def with_hash(site: Site, one: NewMember) -> NewPerson:
    check_sign_in(one.login, one.password)
    hashed = await site.passwords.hash(one.password) if one.password else None
    return NewPerson(named(one.name), one.login, hashed, roles=one.roles, teams=one.teams)


def check_sign_in(login: str | None, password: str | None) -> None:
    if password and not login:
        raise Problem("malformed", reason="login: a password needs a sign-in name")


def read_lines(text: str, team_by_name: dict[str, str]) -> list[NewMember]:
    return [read_line(line, team_by_name) for line in text.splitlines() if line.strip()]


def read_line(line: str, team_by_name: dict[str, str]) -> NewMember:
    """`张伟`, `张伟, 钢筋班` or the same with a tab or a Chinese comma."""
    parts = [part.strip() for part in line.replace("\t", ",").replace("，", ",").split(",")]
    name, team = parts[0], parts[1] if len(parts) > 1 else ""
    if not 0 < len(name) <= 60 or not name.isprintable():
        raise Problem("malformed", reason=f"lines: {line[:60]!r} is not a name")
    if team and team not in team_by_name:
        raise Problem("malformed", reason=f"lines: no team {team[:60]!r}")
    return NewMember(name, teams=[team_by_name[team]] if team else [])


def check_teams(asked: set[str], known: set[str]) -> None:
    if not asked <= known:
        raise Problem("malformed", reason="teams: not of this project")


@patch("/api/people/{id:str}", summary="Change a person's roles, teams, name, sign-in or stay", tags=["people"])
async def change_person(caller: TheCaller, site: TheSite, id: PathId, data: JSONBody[MemberChange]) -> Made:
    """`ended` true takes him off the project, false takes him on again with the roles that he had.

    A name or a password is the person's everywhere, so the caller must stand over him in all projects.
    """
    actor = await caller.actor(data.project, OFFICE)
    roles, teams, is_ended = await standing(data.project, id)
    if not is_over(actor, roles, teams) or (data.roles and not may_give(actor, data.roles)):
        raise Problem("forbidden")
    new_teams = data.teams if isinstance(data.teams, list) else teams
    check_teams(set(new_teams) - set(teams), set(await open_teams(data.project)))
    await change_account(caller, site, id, data)
    if data.ended is True:
        await store.end_member(site.store, data.project, id, site.now())
    elif data.roles or data.teams is not msgspec.UNSET or (is_ended and data.ended is False):
        await store.set_member(site.store, data.project, id, data.roles or roles, new_teams, site.now())
    return Made(id)


async def standing(project: str, person: str) -> tuple[list[str], list[str], bool]:
    """Roles, teams and whether they are over. Raises `not_found` for who never was on the project."""
    member, in_team = tables.Member, tables.MemberTeam
    row = (
        await member.select(member.roles, member.ended)
        .where(member.project == project, member.person == person)
        .first()
    )
    if row is None:
        raise Problem("not_found")
    teams = (
        await in_team.select(in_team.team)
        .where(in_team.project == project, in_team.person == person)
        .output(as_list=True)
    )
    return row["roles"].split(), teams, row["ended"] is not None


async def change_account(caller: Caller, site: Site, id: str, data: MemberChange) -> None:
    changes = given(name=data.name, login=data.login)
    if not changes and not data.password:
        return
    if not await is_over_everywhere(site, caller.person, id):
        raise Problem("forbidden")
    if data.password and not data.login:
        (found,) = await tables.Person.select(tables.Person.login).where(tables.Person.id == id)
        check_sign_in(found["login"], data.password)
    try:
        if changes:
            await store.change_person(site.store, id, **changes)
    except Taken as taken:
        raise Problem("taken", name=taken.what) from taken
    if data.password:
        await store.set_password(site.store, id, await site.passwords.hash(data.password))


async def open_teams(project: str) -> dict[str, str]:
    """The names of the teams that are not closed, by id."""
    team = tables.Team
    rows = await team.select(team.id, team.name).where(team.project == project, team.closed.is_null())
    return {row["id"]: row["name"] for row in rows}


routes = [people, new_people, change_person]
