"""A sheet as somebody may see it: shifts and crews read from the store, others' lines left out (A5).

A worker gets his own line, a foreman his crew's, those who see every person all of them. Asking
for somebody else by name is refused; a stranger to the project is refused whatever he asks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from server.core.merge import shown
from server.core.person import Actor, granted
from server.core.problem import Problem
from server.modules.labour.sheet import Crew, Sheet, Worked, sheet, still_on_site
from server.store.store import Store
from server.store.tables import Member, MemberTeam, Project, Team
from server.web.caller import Caller
from server.web.names import names_of_people
from server.web.site import Site

SHIFT: Final = "labour.shift"
ON_THE_CREW: Final = frozenset({"worker", "foreman"})
record_of: Final = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True)
class Asked:
    """Which lines: of a project, from day to day, of one team or one person if named."""

    project: str
    first: str
    last: str
    team: str | None = None
    person: str | None = None


@dataclass(frozen=True)
class Read:
    """The sheet, and the project's name and zone to print it with."""

    sheet: Sheet
    project: str
    zone: ZoneInfo


async def read_sheet(caller: Caller, site: Site, asked: Asked) -> Read:
    """Raises `forbidden`, `not_found` (no such team)."""
    actor = await caller.actor(asked.project)
    await _check(actor, asked)
    told = Project.select(Project.name, Project.zone, Project.day_minutes)
    (project,) = await told.where(Project.id == asked.project)
    names = await names_of_people(asked.project)
    is_asked = _chosen(actor, asked)
    worked = [one async for one in _shifts(site.store, actor, asked) if is_asked(one.worker)]
    crews = await _crews(asked, is_asked, names)
    if asked.team is not None:
        worked = [one for one in worked if one.team == asked.team]
    made = sheet(
        project["name"], asked.first, asked.last, still_on_site(worked, site.now()), crews, names,
        project["day_minutes"] or 480,
    )  # fmt: skip
    return Read(made, project["name"], ZoneInfo(project["zone"]))


async def _check(actor: Actor, asked: Asked) -> None:
    if asked.person is not None and not granted(f"person:{asked.person}", actor.audiences):
        raise Problem("forbidden")
    if asked.team is None:
        return
    if asked.team not in actor.teams and "person:*" not in actor.audiences:
        raise Problem("forbidden")
    if not await Team.exists().where(Team.id == asked.team, Team.project == asked.project):
        raise Problem("not_found")


def _chosen(actor: Actor, asked: Asked) -> Callable[[str], bool]:
    """Whose lines the sheet shows: those that the caller may see, and that were asked for."""

    def is_chosen(person: str) -> bool:
        return asked.person in (None, person) and granted(f"person:{person}", actor.audiences)

    return is_chosen


async def _shifts(store: Store, actor: Actor, asked: Asked) -> AsyncIterator[Worked]:
    async for chunk in store.records(asked.project, SHIFT, asked.first, asked.last):
        for audience, body in chunk:
            if granted(audience, actor.audiences):
                yield worked_of(shown(record_of(body), None))


def worked_of(values: Mapping[str, Any]) -> Worked:
    return Worked(
        worker=values["worker"],
        work_date=values["work_date"],
        team=values.get("team"),
        start=values.get("start"),
        end=values.get("end"),
        minutes=values["minutes"],
        approved_minutes=values["approved_minutes"],
        flags=frozenset(values.get("flags", ())),
    )


async def _crews(asked: Asked, is_asked: Callable[[str], bool], names: Mapping[str, str]) -> list[Crew]:
    """The teams with the members whose lines are shown, the foreman first."""
    members = await _members(asked.project, is_asked)
    rows = (
        await Team.select(Team.id, Team.name, Team.trade, Team.employer, Team.foreman)
        .where(Team.project == asked.project)
        .order_by(Team.name, Team.id)
    )
    return [
        Crew(
            row["id"], row["name"], row["trade"], row["employer"], names.get(row["foreman"], ""),
            members.get(row["id"], ()),
        )
        for row in rows
        if asked.team in (None, row["id"])
    ]  # fmt: skip


async def _members(project: str, is_asked: Callable[[str], bool]) -> dict[str, list[str]]:
    """By team: foremen first, then by name."""
    rows = await Member.select(Member.person, Member.roles).where(Member.project == project, Member.ended.is_null())
    roles = {row["person"]: set(row["roles"].split()) for row in rows if is_asked(row["person"])}
    in_teams = (
        await MemberTeam.select(MemberTeam.team, MemberTeam.person)
        .where(MemberTeam.project == project)
        .order_by(MemberTeam.person._.name, MemberTeam.person)
    )
    members: dict[str, list[str]] = {}
    for row in sorted(in_teams, key=lambda row: "foreman" not in roles.get(row["person"], ())):
        if ON_THE_CREW & roles.get(row["person"], set()):
            members.setdefault(row["team"], []).append(row["person"])
    return members
