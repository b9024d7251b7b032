"""Pages to print: the poster of a place, and the slip or wall sheet of an invite."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from litestar import Response, get

from server.core.problem import Problem
from server.web.caller import OFFICE, TheCaller
from server.web.invites import invite_for, shown
from server.web.page import page
from server.web.request import HttpRequest
from server.web.site import TheSite
from server.web.wire import PathId


@get("/print/places/{id:str}/poster", summary="A place's poster with its QR", tags=["print"], media_type="text/html")
async def poster(caller: TheCaller, site: TheSite, id: PathId) -> Response[str]:
    """The code reads `gongbu:place:<project>:<place>:<code>`: it says where, and opens nothing."""
    rows = await site.store.rows(
        "SELECT l.project, l.name, l.code, p.name FROM place l JOIN project p ON p.id = l.project"
        " WHERE l.id = ? AND l.closed IS NULL",
        id,
    )
    actor = await site.access.actor(rows[0][0], caller.person, caller.device) if rows else None
    if actor is None or not actor.roles & (OFFICE | {"foreman", "supervisor"}):
        raise Problem("not_found")
    project, name, code, site_name = rows[0]
    text = f"gongbu:place:{project}:{id}:{code}"
    return page("poster.html", lang=caller.lang, text=text, name=name, code=code, site_name=site_name)


@get("/print/invites/{id:str}", summary="An invite to hand out", tags=["print"], media_type="text/html")
async def invite(request: HttpRequest, caller: TheCaller, site: TheSite, id: PathId) -> Response[str]:
    found = shown(request, site, await invite_for(caller, site, id))
    if found.revoked is not None or found.expires <= site.now() or found.uses >= found.uses_max:
        raise Problem("not_found")
    rows = await site.store.rows(
        "SELECT p.name, p.zone, t.name, w.name FROM project p"
        " LEFT JOIN team t ON t.id = ? LEFT JOIN person w ON w.id = ? WHERE p.id = ?",
        found.team,
        found.person,
        found.project,
    )
    site_name, zone, team, person = rows[0]
    until = f"{datetime.fromtimestamp(found.expires / 1000, ZoneInfo(zone)):%Y-%m-%d %H:%M}"
    told = {"invite": found, "site_name": site_name, "team": team, "person": person, "until": until}
    return page("invite.html", lang=caller.lang, **told)


routes = [poster, invite]
