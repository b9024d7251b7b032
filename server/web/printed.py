"""Pages to print: the poster of a place, and the slip or wall sheet of an invite."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from litestar import Response, get

from server.core.problem import Problem
from server.store.tables import Person, Place, Project, Team
from server.web.caller import OFFICE, TheCaller
from server.web.invites import invite_for, shown
from server.web.page import page
from server.web.request import HttpRequest
from server.web.site import TheSite
from server.web.wire import PathId


@get("/print/places/{id:str}/poster", summary="A place's poster with its QR", tags=["print"], media_type="text/html")
async def poster(caller: TheCaller, site: TheSite, id: PathId) -> Response[str]:
    """The code reads `gongbu:place:<project>:<place>:<code>`: it says where, and opens nothing."""
    row = (
        await Place.select(Place.project, Place.name, Place.code, Place.project._.name.as_alias("site_name"))
        .where(Place.id == id, Place.closed.is_null())
        .first()
    )
    actor = await site.access.actor(row["project"], caller.person, caller.device) if row else None
    if row is None or actor is None or not actor.roles & (OFFICE | {"foreman", "supervisor"}):
        raise Problem("not_found")
    text = f"gongbu:place:{row.pop('project')}:{id}:{row['code']}"
    return page("poster.html", lang=caller.lang, text=text, **row)


@get("/print/invites/{id:str}", summary="An invite to hand out", tags=["print"], media_type="text/html")
async def invite(request: HttpRequest, caller: TheCaller, site: TheSite, id: PathId) -> Response[str]:
    found = shown(request, site, await invite_for(caller, site, id))
    if found.revoked is not None or found.expires <= site.now() or found.uses >= found.uses_max:
        raise Problem("not_found")
    (row,) = await Project.select(Project.name, Project.zone).where(Project.id == found.project)
    until = f"{datetime.fromtimestamp(found.expires / 1000, ZoneInfo(row['zone'])):%Y-%m-%d %H:%M}"
    team, person = await name_of(Team, found.team), await name_of(Person, found.person)
    told = {"invite": found, "site_name": row["name"], "team": team, "person": person, "until": until}
    return page("invite.html", lang=caller.lang, **told)


async def name_of(table: type[Team] | type[Person], id: str | None) -> str | None:
    found = await table.select(table.name).where(table.id == id).first() if id else None
    return found["name"] if found else None


routes = [poster, invite]
