"""The mirror: people, teams, places and the site itself as `core.*` records.

Their truth stands in ordinary tables; the records go out through the log like any other, so
that phones know names, crews, devices and the fence offline. A trigger asks for this job in
the transaction that changes a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from server.core.batch import Op, is_uuid
from server.core.declaration import Declarations
from server.core.value import Value
from server.store.round import decode
from server.store.store import Store
from server.store.tables import Device, Member, MemberTeam, Place, Project, Team
from server.sync.computed import record_id

KINDS: Final = ("core.project", "core.person", "core.team", "core.place")
Mirrored = dict[str, tuple[str, dict[str, Value]]]  # r → kind, values


async def mirror(store: Store, declarations: Declarations, project: str) -> int:
    """Make the records say what the tables say; answers how many changed."""
    kinds = [kind for kind in KINDS if kind in declarations.kinds]
    wanted = {r: what for r, what in (await _wanted(project)).items() if what[0] in kinds}
    marks = ",".join("?" * len(KINDS))
    rows = await store.rows(
        f"SELECT r, c, body FROM record WHERE project = ? AND c IN ({marks}) AND deleted = 0", project, *KINDS
    )
    there = {r: (c, decode(body)["set"]) for r, c, body in rows}
    ops: list[Op] = [
        {"k": "put", "c": c, "r": r, "set": values} for r, (c, values) in wanted.items() if there.get(r) != (c, values)
    ]
    ops += [{"k": "del", "c": c, "r": r} for r, (c, _) in there.items() if r not in wanted]
    if ops:
        await store.put(project, ops)
    return len(ops)


def mirror_id(project: str, kind: str, id: str) -> str:
    """The id itself where it may be a record's, else one made from it."""
    return id if is_uuid(id) else record_id(project, kind, id)


async def _wanted(project: str) -> Mirrored:
    fence = (Project.lat, Project.lng, Project.radius_m)
    site = (
        await Project.select(Project.name, Project.zone, *fence, Project.day_minutes)
        .where(Project.id == project)
        .first()
    )
    if site is None:
        return {}
    mirrored: Mirrored = {}
    _add(mirrored, project, "core.project", project, site)
    teams = Team.select(Team.id, Team.name, Team.trade, Team.employer, Team.foreman)
    for row in await teams.where(Team.project == project):
        _add(mirrored, project, "core.team", row.pop("id"), row)
    places = Place.select(Place.id, Place.name, Place.code, Place.lat, Place.lng, Place.radius_m)
    for row in await places.where(Place.project == project, Place.closed.is_null()):
        _add(mirrored, project, "core.place", row.pop("id"), row)
    await _add_people(project, mirrored)
    return mirrored


async def _add_people(project: str, mirrored: Mirrored) -> None:
    """Everybody who is or was on the site: a name stays readable after its bearer has left."""
    on_site = Member.select(Member.person).where(Member.project == project)
    teams = _lists(
        await MemberTeam.select(MemberTeam.person, MemberTeam.team.as_alias("item"))
        .where(MemberTeam.project == project)
        .order_by(MemberTeam.team)
    )
    devices = _lists(
        await Device.select(Device.person, Device.id.as_alias("item"))
        .where(Device.person.is_in(on_site))
        .order_by(Device.id)
    )
    people = Member.select(Member.person, Member.person._.name.as_alias("name"), Member.roles, Member.ended)
    for row in await people.where(Member.project == project):
        id, here = row["person"], row["ended"] is None
        values = {
            "name": row["name"],
            "roles": sorted(row["roles"].split()) if here else [],
            "teams": teams.get(id, []) if here else [],
            "devices": devices.get(id, []),
        }
        _add(mirrored, project, "core.person", id, values)


def _lists(rows: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """The items of each person, in their order."""
    lists: dict[str, list[str]] = {}
    for row in rows:
        lists.setdefault(row["person"], []).append(row["item"])
    return lists


def _add(mirrored: Mirrored, project: str, kind: str, id: str, values: dict[str, Any]) -> None:
    said = {name: value for name, value in values.items() if value not in (None, "", [])}
    mirrored[mirror_id(project, kind, id)] = (kind, said)
