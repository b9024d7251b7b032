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
from server.web.caller import Caller
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
    await _check(actor, site.store, asked)
    row = await site.store.rows("SELECT name, zone, day_minutes FROM project WHERE id = ?", asked.project)
    name, zone, day_minutes = row[0]
    is_asked = _chosen(actor, asked)
    worked = [one async for one in _shifts(site.store, actor, asked) if is_asked(one.worker)]
    crews = await _crews(site.store, asked, is_asked)
    if asked.team is not None:
        worked = [one for one in worked if one.team == asked.team]
    names = await _names(site.store, asked.project)
    made = sheet(
        name, asked.first, asked.last, still_on_site(worked, site.now()), crews, names, day_minutes or 480
    )  # fmt: skip
    return Read(made, name, ZoneInfo(zone))


async def _check(actor: Actor, store: Store, asked: Asked) -> None:
    if asked.person is not None and not granted(f"person:{asked.person}", actor.audiences):
        raise Problem("forbidden")
    if asked.team is None:
        return
    if asked.team not in actor.teams and "person:*" not in actor.audiences:
        raise Problem("forbidden")
    if not await store.rows("SELECT 1 FROM team WHERE id = ? AND project = ?", asked.team, asked.project):
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


async def _crews(store: Store, asked: Asked, is_asked: Callable[[str], bool]) -> list[Crew]:
    """The teams with the members whose lines are shown, the foreman first."""
    members: dict[str, list[str]] = {}
    for team, person, roles in await store.rows(
        "SELECT t.team, t.person, m.roles FROM member_team t JOIN person p ON p.id = t.person"
        " JOIN member m ON m.project = t.project AND m.person = t.person AND m.ended IS NULL"
        " WHERE t.project = ? ORDER BY CASE WHEN m.roles LIKE '%foreman%' THEN 0 ELSE 1 END, p.name, p.id",
        asked.project,
    ):
        if is_asked(person) and ON_THE_CREW & set(roles.split()):
            members.setdefault(team, []).append(person)
    rows = await store.rows(
        "SELECT t.id, t.name, t.trade, t.employer, p.name FROM team t LEFT JOIN person p ON p.id = t.foreman"
        " WHERE t.project = ? ORDER BY t.name, t.id",
        asked.project,
    )
    return [
        Crew(id, name, trade, employer, foreman or "", members.get(id, ()))
        for id, name, trade, employer, foreman in rows
        if asked.team in (None, id)
    ]


async def _names(store: Store, project: str) -> dict[str, str]:
    rows = await store.rows(
        "SELECT p.id, p.name FROM member m JOIN person p ON p.id = m.person WHERE m.project = ?", project
    )
    return dict(rows)
