"""Invites: leave to join a site, as a code, a link and a QR; for one person or a team (P11).

A manager invites anybody, the office anybody but a manager, a foreman workers into his own team. Who
could not have made an invite does not see it, and it opens nothing once its maker could not either.
The code follows from the invite's id and the server's secret; the database holds its hash.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from litestar import delete, get, post
from litestar.params import JSONBody

from server.core.problem import Problem
from server.store import tables
from server.store.people import new_id
from server.store.store import Store
from server.web import qr
from server.web.caller import Caller, TheCaller
from server.web.keys import Keys
from server.web.rank import INVITERS, may_hand_out
from server.web.request import HttpRequest
from server.web.site import Site, TheSite
from server.web.token import hashed_code
from server.web.wire import AskedId, Id, PathId, Role

USES_MAX: Final = 200
DAYS_MAX: Final = 90
DAY_MS: Final = 86_400_000


def plain_worker() -> list[Role]:
    return ["worker"]


class NewInvite(msgspec.Struct):
    project: Id
    team: Id | None = None
    person: Id | None = None
    roles: Annotated[list[Role], msgspec.Meta(min_length=1, max_length=7)] = msgspec.field(default_factory=plain_worker)
    uses: Annotated[int, msgspec.Meta(ge=1, le=USES_MAX)] = 1
    days: Annotated[int, msgspec.Meta(ge=1, le=DAYS_MAX)] = 7


class Invite(msgspec.Struct):
    id: str
    project: str
    team: str | None
    person: str | None
    roles: list[str]
    uses: int
    uses_max: int
    created: int
    expires: int
    revoked: int | None
    code: str
    link: str
    qr: str  # an SVG element


class Invites(msgspec.Struct):
    invites: list[Invite]


@get("/api/invites", summary="The open invites of a project", tags=["invites"])
async def invites(request: HttpRequest, caller: TheCaller, site: TheSite, project: AskedId) -> Invites:
    """Those that the caller could have made."""
    await caller.actor(project, INVITERS)
    rows = (
        await tables.Invite.objects()
        .where(tables.Invite.project == project, tables.Invite.revoked.is_null(), tables.Invite.expires > site.now())
        .order_by(tables.Invite.created, ascending=False)
    )
    return Invites([shown(request, site, row) for row in rows if await may_handle(caller, site, row)])


@post("/api/invites", summary="Invite one person, or up to `uses` people of a team", tags=["invites"])
async def new_invite(request: HttpRequest, caller: TheCaller, site: TheSite, data: JSONBody[NewInvite]) -> Invite:
    await caller.actor(data.project, INVITERS)
    await check_goal(site, data)
    if not await may_hand_out(site, caller.person, data.project, data.team, data.person, data.roles):
        raise Problem("forbidden")
    return shown(request, site, await make_invite(site.store, site.keys, data, caller.person, site.now()))


@delete("/api/invites/{id:str}", summary="Take an invite back", tags=["invites"])
async def revoke_invite(caller: TheCaller, site: TheSite, id: PathId) -> None:
    row = await invite_for(caller, site, id)
    async with site.store.transaction():
        await tables.Invite.update({tables.Invite.revoked: site.now()}).where(tables.Invite.id == row.id)


async def invite_for(caller: Caller, site: Site, id: str) -> tables.Invite:
    """The row of an invite that the caller may handle. Raises `not_found` for any other."""
    row = await tables.Invite.objects().where(tables.Invite.id == id).first()
    if row is None or not await may_handle(caller, site, row):
        raise Problem("not_found")
    return row


async def may_handle(caller: Caller, site: Site, row: tables.Invite) -> bool:
    return await may_hand_out(site, caller.person, row.project, row.team, row.person, row.roles.split())


async def check_goal(site: Site, data: NewInvite) -> None:
    """Team and person are of the project."""
    team = tables.Team
    if data.team and not await team.exists().where(
        team.id == data.team, team.project == data.project, team.closed.is_null()
    ):
        raise Problem("malformed", reason="team: not of this project")
    if data.person and await site.access.member(data.project, data.person) is None:
        raise Problem("malformed", reason="person: not of this project")


async def make_invite(store: Store, keys: Keys, data: NewInvite, by: str, now: int) -> tables.Invite:
    """For one person it is good once, whatever `uses` says. Answers the stored row."""
    id = new_id()
    row = tables.Invite(
        id=id,
        code=hashed_code(keys.invite_code(id)),
        project=data.project,
        team=data.team,
        person=data.person,
        roles=" ".join(dict.fromkeys(data.roles)),
        uses_max=1 if data.person else data.uses,
        created=now,
        created_by=by,
        expires=now + data.days * DAY_MS,
    )
    async with store.transaction():
        await tables.Invite.insert(row)
    return row


def shown(request: HttpRequest, site: Site, row: tables.Invite) -> Invite:
    code = site.keys.invite_code(row.id)
    link = site.link(f"/enrol?code={code}", str(request.base_url))
    return Invite(
        id=row.id,
        project=row.project,
        team=row.team,
        person=row.person,
        roles=row.roles.split(),
        uses=row.uses,
        uses_max=row.uses_max,
        created=row.created,
        expires=row.expires,
        revoked=row.revoked,
        code=code,
        link=link,
        qr=qr.svg(link),
    )


routes = [invites, new_invite, revoke_invite]
