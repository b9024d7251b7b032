"""Joining with an invite: for one person, or one of a team's number (P11).

An invite that is unknown, used up, over or revoked is one answer. Whoever is on the list under the name
that is typed, and has never signed in, becomes himself; a name never takes over somebody who has.
The use is counted, the person made and the phone signed in in one transaction, so a code is never
used up for nothing; and who asks again because the answer was lost gets it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from litestar import Response, post
from litestar.params import JSONBody

from server.core.person import SERVER
from server.core.problem import Problem
from server.store.database import NothingChanged
from server.store.people import NewPerson, insert_person, member_changes, tidy
from server.web import tries
from server.web.device import NewDevice, check_point
from server.web.rank import may_hand_out
from server.web.request import HttpRequest
from server.web.session import DAY_MS, Change, Me, begin
from server.web.site import Site, TheSite
from server.web.token import hashed_code
from server.web.wire import Name, named

AGAIN_MS: Final = DAY_MS


class Enrol(msgspec.Struct):
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    name: Name
    device: NewDevice


@dataclass(frozen=True)
class Invite:
    id: str
    project: str
    team: str | None
    person: str | None
    roles: list[str]
    is_open: bool


@post("/api/enrol", summary="Join with an invite", tags=["sign-in"], status_code=200)
async def enrol(request: HttpRequest, site: TheSite, data: JSONBody[Enrol]) -> Response[Me]:
    """403 `wrong_invite`; 409 `already_enrolled` when somebody of this name in the team has a phone."""
    check_point(data.device.key)
    taken = tries.take(request, site)
    invite = await find_invite(site, data.code)
    before = await enrolled_before(site, invite, data)
    if before:
        answer = await begin(request, site, before, data.device)
    else:
        answer = await join(request, site, invite, data)
    tries.give_back(site, taken)
    return answer


async def find_invite(site: Site, code: str) -> Invite:
    """Raises `wrong_invite` for a code that never was, was taken back, or whose maker may no longer give it."""
    rows = await site.store.rows(
        "SELECT i.id, project, team, person, roles, uses < uses_max, expires, created_by, m.closed FROM invite i"
        " LEFT JOIN person m ON m.id = created_by WHERE code = ? AND revoked IS NULL",
        hashed_code(code),
    )
    if not rows:
        raise Problem("wrong_invite")
    id, project, team, person, roles, has_uses, expires, by, closed = rows[0]
    is_open = bool(has_uses) and expires > site.now() and closed is None
    invite = Invite(id, project, team, person, roles.split(), is_open)
    if by != SERVER and not await may_hand_out(site, by, project, team, person, invite.roles):
        raise Problem("wrong_invite")
    return invite


async def enrolled_before(site: Site, invite: Invite, data: Enrol) -> str | None:
    """The person that this very phone enrolled a short while ago, when it asks again."""
    rows = await site.store.rows(
        "SELECT p.id FROM device d JOIN person p ON p.id = d.person JOIN member m ON m.person = p.id"
        " WHERE d.key = ? AND d.revoked IS NULL AND d.created >= ? AND p.closed IS NULL"
        " AND m.project = ? AND m.ended IS NULL AND (p.name = ? OR p.id = ?)",
        data.device.key.text,
        site.now() - AGAIN_MS,
        invite.project,
        tidy(data.name),
        invite.person or "",
    )
    return str(rows[0][0]) if rows else None


async def join(request: HttpRequest, site: Site, invite: Invite, data: Enrol) -> Response[Me]:
    if not invite.is_open:
        raise Problem("wrong_invite")
    name, now = named(data.name), site.now()
    person = invite.person or await expected(site, invite, name)
    first = [count_use(invite, now)]
    must: tuple[int, ...] = (0,)
    if person is None:
        new = NewPerson(name)
        person = new.id
        teams = [invite.team] if invite.team else []
        first += [insert_person(new, now), *member_changes(invite.project, person, invite.roles, teams, now)]
    elif not invite.person:
        first += still_without_a_phone(person)
        must = (0, len(first) - 1)
    try:
        return await begin(request, site, person, data.device, first, must)
    except NothingChanged as gone:  # somebody else was quicker
        raise Problem("wrong_invite") from gone


async def expected(site: Site, invite: Invite, name: str) -> str | None:
    """Who was put on the list under this name and has never signed in; None for somebody new.

    Only somebody whom the invite would give no less: with its roles at most, and on no other project.
    Raises `already_enrolled` when the one of this name has signed in.
    """
    rows = await site.store.rows(
        "SELECT p.id, m.roles, p.password IS NOT NULL OR EXISTS (SELECT 1 FROM device d WHERE d.person = p.id),"
        " EXISTS (SELECT 1 FROM member o WHERE o.person = p.id AND o.project <> m.project AND o.ended IS NULL)"
        " FROM person p JOIN member m ON m.person = p.id AND m.project = ? AND m.ended IS NULL"
        " LEFT JOIN member_team t ON t.person = p.id AND t.project = m.project"
        " WHERE p.name = ? AND p.closed IS NULL AND (t.team = ? OR CAST(? AS TEXT) IS NULL)",
        invite.project,
        name,
        invite.team,
        invite.team,
    )
    for id, roles, has_signed_in, is_elsewhere in rows:
        if not has_signed_in and not is_elsewhere and set(roles.split()) <= set(invite.roles):
            return str(id)
    if any(has_signed_in for _, _, has_signed_in, _ in rows):
        raise Problem("already_enrolled")
    return None


def count_use(invite: Invite, now: int) -> Change:
    return (
        "UPDATE invite SET uses = uses + 1 WHERE id = ? AND uses < uses_max AND revoked IS NULL AND expires > ?",
        (invite.id, now),
    )


def still_without_a_phone(person: str) -> list[Change]:
    """Two who type the same name at once do not both become him.

    The first statement takes the row's lock: PostgreSQL would ask the second one's question of the
    moment before it waited.
    """
    lock = "UPDATE person SET language = language WHERE id = ?"
    still = f"{lock} AND closed IS NULL AND NOT EXISTS (SELECT 1 FROM device d WHERE d.person = person.id)"
    return [(lock, (person,)), (still, (person,))]


routes = [enrol]
