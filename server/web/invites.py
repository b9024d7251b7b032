"""Invites: leave to join a site, as a code, a link and a QR; for one person or a team (P11).

A manager invites anybody, the office anybody but a manager, a foreman workers into his own team. Who
could not have made an invite does not see it, and it opens nothing once its maker could not either.
The code follows from the invite's id and the server's secret; the database holds its hash.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import delete, get, post
from litestar.params import JSONBody

from server.core.problem import Problem
from server.store.people import new_id
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


COLUMNS: Final = "id, project, team, person, roles, uses, uses_max, created, expires, revoked"


@get("/api/invites", summary="The open invites of a project", tags=["invites"])
async def invites(request: HttpRequest, caller: TheCaller, site: TheSite, project: AskedId) -> Invites:
    """Those that the caller could have made."""
    await caller.actor(project, INVITERS)
    rows = await site.store.rows(
        f"SELECT {COLUMNS} FROM invite WHERE project = ? AND revoked IS NULL AND expires > ? ORDER BY created DESC",
        project,
        site.now(),
    )
    return Invites([shown(request, site, row) for row in rows if await may_handle(caller, site, row)])


@post("/api/invites", summary="Invite one person, or up to `uses` people of a team", tags=["invites"])
async def new_invite(request: HttpRequest, caller: TheCaller, site: TheSite, data: JSONBody[NewInvite]) -> Invite:
    await caller.actor(data.project, INVITERS)
    await check_goal(site, data)
    if not await may_hand_out(site, caller.person, data.project, data.team, data.person, data.roles):
        raise Problem("forbidden")
    id, now = new_id(), site.now()
    await site.store.change([insert(site.keys, data, id, caller.person, now)])
    row = (id, data.project, data.team, data.person, " ".join(data.roles), 0)
    return shown(request, site, (*row, uses_of(data), now, now + data.days * DAY_MS, None))


@delete("/api/invites/{id:str}", summary="Take an invite back", tags=["invites"])
async def revoke_invite(caller: TheCaller, site: TheSite, id: PathId) -> None:
    row = await invite_for(caller, site, id)
    await site.store.change([("UPDATE invite SET revoked = ? WHERE id = ?", (site.now(), row[0]))])


async def invite_for(caller: Caller, site: Site, id: str) -> tuple[Any, ...]:
    """The row of an invite that the caller may handle. Raises `not_found` for any other."""
    rows = await site.store.rows(f"SELECT {COLUMNS} FROM invite WHERE id = ?", id)
    if not rows or not await may_handle(caller, site, rows[0]):
        raise Problem("not_found")
    return rows[0]


async def may_handle(caller: Caller, site: Site, row: tuple[Any, ...]) -> bool:
    _, project, team, person, roles, *_ = row
    return await may_hand_out(site, caller.person, project, team, person, roles.split())


async def check_goal(site: Site, data: NewInvite) -> None:
    """Team and person are of the project."""
    if data.team and not await site.store.rows(
        "SELECT 1 FROM team WHERE id = ? AND project = ? AND closed IS NULL", data.team, data.project
    ):
        raise Problem("malformed", reason="team: not of this project")
    if data.person and await site.access.member(data.project, data.person) is None:
        raise Problem("malformed", reason="person: not of this project")


def uses_of(data: NewInvite) -> int:
    return 1 if data.person else data.uses


def insert(keys: Keys, data: NewInvite, id: str, by: str, now: int) -> tuple[str, tuple[Any, ...]]:
    columns = "id, code, project, team, person, roles, uses_max, uses, created, created_by, expires"
    return (
        f"INSERT INTO invite ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
        (
            id,
            hashed_code(keys.invite_code(id)),
            data.project,
            data.team,
            data.person,
            " ".join(dict.fromkeys(data.roles)),
            uses_of(data),
            now,
            by,
            now + data.days * DAY_MS,
        ),
    )


def shown(request: HttpRequest, site: Site, row: tuple[Any, ...]) -> Invite:
    id, project, team, person, roles, uses, uses_max, created, expires, revoked = row
    code = site.keys.invite_code(id)
    link = site.link(f"/enrol?code={code}", str(request.base_url))
    where = (id, project, team, person, roles.split(), uses, uses_max, created, expires, revoked)
    return Invite(*where, code, link, qr.svg(link))


routes = [invites, new_invite, revoke_invite]
