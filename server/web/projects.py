"""Projects, their teams and their places, as the office keeps them.

What changes here reaches the phones as `core.*` records.
"""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import get, patch, post
from litestar.params import JSONBody

from server.core.problem import Problem
from server.store import people as store
from server.store.people import Taken
from server.store.tables import Team
from server.web.caller import OFFICE, TheCaller
from server.web.site import Site, TheSite
from server.web.wire import Id, Latitude, Longitude, Name, PathId, Radius, Text, given, named


class Made(msgspec.Struct):
    id: str


class NewTeam(msgspec.Struct):
    project: Id
    name: Name
    trade: Text = ""
    employer: Text = ""
    foreman: Id | None = None


class TeamChange(msgspec.Struct):
    name: Name | msgspec.UnsetType = msgspec.UNSET
    trade: Text | msgspec.UnsetType = msgspec.UNSET
    employer: Text | msgspec.UnsetType = msgspec.UNSET
    foreman: Id | msgspec.UnsetType | None = msgspec.UNSET
    closed: bool | msgspec.UnsetType = msgspec.UNSET


class NewPlace(msgspec.Struct):
    project: Id
    name: Name
    code: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,40}$")]
    lat: Latitude | None = None
    lng: Longitude | None = None
    radius_m: Radius | None = None


class NewProject(msgspec.Struct):
    name: Name
    zone: Annotated[str, msgspec.Meta(max_length=64)] = "Asia/Shanghai"
    lat: Latitude | None = None
    lng: Longitude | None = None
    radius_m: Radius | None = None
    day_minutes: Annotated[int, msgspec.Meta(ge=60, le=1440)] = 480


class ProjectChange(msgspec.Struct):
    name: Name | msgspec.UnsetType = msgspec.UNSET
    zone: Annotated[str, msgspec.Meta(max_length=64)] | msgspec.UnsetType = msgspec.UNSET
    lat: Latitude | msgspec.UnsetType | None = msgspec.UNSET
    lng: Longitude | msgspec.UnsetType | None = msgspec.UNSET
    radius_m: Radius | msgspec.UnsetType | None = msgspec.UNSET
    day_minutes: Annotated[int, msgspec.Meta(ge=60, le=1440)] | msgspec.UnsetType = msgspec.UNSET


@get("/api/projects", summary="The caller's projects, as in `/api/me`", tags=["people"])
async def projects(caller: TheCaller, site: TheSite) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await site.access.projects(caller.person)
    return found


@post("/api/projects", summary="A new project, with the caller as its manager", tags=["people"])
async def new_project(caller: TheCaller, site: TheSite, data: JSONBody[NewProject]) -> Made:
    """For who is manager somewhere already."""
    if not any("manager" in one["roles"] for one in await site.access.projects(caller.person)):
        raise Problem("forbidden")
    check_zone(data.zone)
    name, fence, now = named(data.name), fence_of(data), site.now()
    async with site.store.transaction():
        id = await store.add_project(site.store, name, now, zone=data.zone, fence=fence, day_minutes=data.day_minutes)
        await store.set_member(site.store, id, caller.person, ["manager"], [], now)
    return Made(id)


@patch("/api/projects/{id:str}", summary="Change a project's name, zone or fence", tags=["people"])
async def change_project(caller: TheCaller, site: TheSite, id: PathId, data: JSONBody[ProjectChange]) -> Made:
    await caller.actor(id, ["manager"])
    check_whole_fence(data)
    changes = given(**{name: getattr(data, name) for name in data.__struct_fields__})
    if isinstance(data.zone, str):
        check_zone(data.zone)
    if isinstance(data.name, str):
        changes["name"] = named(data.name)
    if changes:
        await store.change_project(site.store, id, **changes)
    return Made(id)


def fence_of(data: NewProject) -> store.Fence | None:
    """A fence is whole or none."""
    if data.lat is not None and data.lng is not None and data.radius_m is not None:
        return data.lat, data.lng, data.radius_m
    if (data.lat, data.lng, data.radius_m) != (None, None, None):
        raise Problem("malformed", reason="lat, lng and radius_m belong together")
    return None


def check_whole_fence(data: ProjectChange) -> None:
    told = [one for one in (data.lat, data.lng, data.radius_m) if one is not msgspec.UNSET]
    if told and (len(told) < 3 or 0 < told.count(None) < 3):
        raise Problem("malformed", reason="lat, lng and radius_m belong together")


def check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise Problem("malformed", reason="zone: unknown time zone") from error


@post("/api/teams", summary="A new team", tags=["people"])
async def new_team(caller: TheCaller, site: TheSite, data: JSONBody[NewTeam]) -> Made:
    await caller.actor(data.project, OFFICE)
    await check_foreman(site, data.project, data.foreman)
    try:
        id = await store.add_team(
            site.store,
            data.project,
            named(data.name),
            trade=data.trade,
            employer=data.employer,
            foreman=data.foreman,
        )
    except Taken as taken:
        raise Problem("taken", name=taken.what) from taken
    return Made(id)


@patch("/api/teams/{id:str}", summary="Change a team's name, trade, employer or foreman, or close it", tags=["people"])
async def change_team(caller: TheCaller, site: TheSite, id: PathId, data: JSONBody[TeamChange]) -> Made:
    """A closed team keeps its people and its past; nobody new joins it."""
    found = await Team.select(Team.project).where(Team.id == id).first()
    actor = await site.access.actor(found["project"], caller.person, caller.device) if found else None
    if found is None or actor is None or not actor.roles & OFFICE:
        raise Problem("not_found")
    if isinstance(data.foreman, str):
        await check_foreman(site, found["project"], data.foreman)
    changes = given(trade=data.trade, employer=data.employer, foreman=data.foreman)
    if isinstance(data.name, str):
        changes["name"] = named(data.name)
    if isinstance(data.closed, bool):
        changes["closed"] = site.now() if data.closed else None
    if changes:
        await store.change_team(site.store, id, **changes)
    return Made(id)


async def check_foreman(site: Site, project: str, foreman: str | None) -> None:
    if foreman and await site.access.member(project, foreman) is None:
        raise Problem("malformed", reason="foreman: not of this project")


@post("/api/places", summary="A new named place, with the code that its poster carries", tags=["people"])
async def new_place(caller: TheCaller, site: TheSite, data: JSONBody[NewPlace]) -> Made:
    await caller.actor(data.project, OFFICE)
    try:
        id = await store.add_place(
            site.store,
            data.project,
            named(data.name),
            data.code,
            lat=data.lat,
            lng=data.lng,
            radius_m=data.radius_m,
        )
    except Taken as taken:
        raise Problem("taken", name=taken.what) from taken
    return Made(id)


routes = [projects, new_project, change_project, new_team, change_team, new_place]
