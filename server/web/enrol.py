"""Joining with an invite: for one person, or one of a team's number (P11).

An invite that is unknown, used up, over or revoked is one answer. Whoever is on the list under the name
that is typed, and has never signed in, becomes himself; a name never takes over somebody who has.
The use is counted, the person made and the phone signed in in one transaction, so a code is never
used up for nothing; and who asks again because the answer was lost gets it again.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Response, post
from litestar.params import JSONBody
from piccolo.query import Select

from server.core.person import SERVER
from server.core.problem import Problem
from server.store.people import NewPerson, add_people, tidy
from server.store.tables import Device, Invite, Member, MemberTeam, Person
from server.web import tries
from server.web.device import NewDevice, check_point
from server.web.rank import may_hand_out
from server.web.request import HttpRequest
from server.web.session import DAY_MS, Begun, Me, begin, greet
from server.web.site import Site, TheSite
from server.web.token import hashed_code
from server.web.wire import Name, named

AGAIN_MS: Final = DAY_MS


class Enrol(msgspec.Struct):
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    name: Name
    device: NewDevice


@post("/api/enrol", summary="Join with an invite", tags=["sign-in"], status_code=200)
async def enrol(request: HttpRequest, site: TheSite, data: JSONBody[Enrol]) -> Response[Me]:
    """403 `wrong_invite`; 409 `already_enrolled` when somebody of this name in the team has a phone."""
    check_point(data.device.key)
    taken = tries.take(request, site)
    invite = await find_invite(site, data.code)
    before = await enrolled_before(site, invite, data)
    begun = await (begin(site, before, data.device) if before else join(site, invite, data))
    tries.give_back(site, taken)
    return await greet(request, site, begun)


async def find_invite(site: Site, code: str) -> Invite:
    """Raises `wrong_invite` for a code that never was, was taken back, or whose maker may no longer give it."""
    invite = await Invite.objects().where(Invite.code == hashed_code(code), Invite.revoked.is_null()).first()
    if invite is None:
        raise Problem("wrong_invite")
    by, goal = invite.created_by, (invite.project, invite.team, invite.person, invite.roles.split())
    if by != SERVER and not await may_hand_out(site, by, *goal):
        raise Problem("wrong_invite")
    return invite


async def enrolled_before(site: Site, invite: Invite, data: Enrol) -> str | None:
    """The person that this very phone enrolled a short while ago, when it asks again."""
    person = Device.person
    found = (
        await Device.select(person)
        .where(
            Device.key == data.device.key.text,
            Device.revoked.is_null(),
            Device.created >= site.now() - AGAIN_MS,
            person._.closed.is_null(),
            person.is_in(members(invite.project)),
            (person == (invite.person or "")) | (person._.name == tidy(data.name)),
        )
        .first()
    )
    return str(found["person"]) if found else None


def members(project: str) -> Select[Member]:
    return Member.select(Member.person).where(Member.project == project, Member.ended.is_null())


async def join(site: Site, invite: Invite, data: Enrol) -> Begun:
    """One after the other, as all transactions: two who type the same name do not both become him."""
    name = named(data.name)
    async with site.store.transaction():
        await count_use(invite, site.now())
        person = invite.person or await expected(invite, name) or await add_newcomer(site, invite, name)
        return await begin(site, person, data.device)


async def count_use(invite: Invite, now: int) -> None:
    """Raises `wrong_invite` when it is used up, over or taken back, or its maker's account is closed."""
    used = (
        await Invite.update({Invite.uses: Invite.uses + 1})
        .where(Invite.id == invite.id, Invite.uses < Invite.uses_max, Invite.revoked.is_null(), Invite.expires > now)
        .returning(Invite.id)
    )
    if not used or await Person.exists().where(Person.id == invite.created_by, Person.closed.is_not_null()):
        raise Problem("wrong_invite")


async def expected(invite: Invite, name: str) -> str | None:
    """Who was put on the list under this name and has never signed in; None for somebody new.

    Only somebody whom the invite would give no less: with its roles at most, and on no other project.
    Raises `already_enrolled` when the one of this name has signed in.
    """
    new, known = [], 0
    for row in await listed(invite, name):
        if row["password"] is not None or await Device.exists().where(Device.person == row["person"]):
            known += 1
        elif set(row["roles"].split()) <= set(invite.roles.split()):
            new.append(str(row["person"]))
    for person in new:
        if not await is_elsewhere(person, invite.project):
            return person
    if known:
        raise Problem("already_enrolled")
    return None


async def listed(invite: Invite, name: str) -> list[dict[str, Any]]:
    """The project's or, for a team's invite, the team's people of this name."""
    person = Member.person
    asked = Member.select(person, Member.roles, person._.password.as_alias("password")).where(
        Member.project == invite.project, Member.ended.is_null(), person._.name == name, person._.closed.is_null()
    )
    if invite.team:
        crew = MemberTeam.select(MemberTeam.person)
        asked = asked.where(
            person.is_in(crew.where(MemberTeam.project == invite.project, MemberTeam.team == invite.team))
        )
    return await asked


async def is_elsewhere(person: str, project: str) -> bool:
    return await Member.exists().where(Member.person == person, Member.project != project, Member.ended.is_null())


async def add_newcomer(site: Site, invite: Invite, name: str) -> str:
    new = NewPerson(name, roles=invite.roles.split(), teams=[invite.team] if invite.team else [])
    return (await add_people(site.store, invite.project, [new], site.now()))[0]


routes = [enrol]
