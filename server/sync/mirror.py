"""The mirror: people, teams, places and the site itself as `core.*` records.

Their truth stands in ordinary tables; the records go out through the log like any other, so
that phones know names, crews, devices and the fence offline. A trigger asks for this job in
the transaction that changes a row.
"""

from __future__ import annotations

from typing import Any, Final

from server.core.batch import Op, is_uuid
from server.core.declaration import Declarations
from server.core.value import Value
from server.store.round import decode
from server.store.store import Store
from server.sync.computed import record_id

KINDS: Final = ("core.project", "core.person", "core.team", "core.place")
Mirrored = dict[str, tuple[str, dict[str, Value]]]  # r → kind, values


async def mirror(store: Store, declarations: Declarations, project: str) -> int:
    """Make the records say what the tables say; answers how many changed."""
    kinds = [kind for kind in KINDS if kind in declarations.kinds]
    wanted = {r: what for r, what in (await _wanted(store, project)).items() if what[0] in kinds}
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


async def _wanted(store: Store, project: str) -> Mirrored:
    site = await store.rows("SELECT name, zone, lat, lng, radius_m, day_minutes FROM project WHERE id = ?", project)
    if not site:
        return {}
    names = ("name", "zone", "lat", "lng", "radius_m", "day_minutes")
    mirrored: Mirrored = {}
    _add(mirrored, project, "core.project", project, dict(zip(names, site[0], strict=True)))
    for id, name, trade, employer, foreman in await store.rows(
        "SELECT id, name, trade, employer, foreman FROM team WHERE project = ?", project
    ):
        values = {"name": name, "trade": trade, "employer": employer, "foreman": foreman}
        _add(mirrored, project, "core.team", id, values)
    for id, name, code, lat, lng, radius_m in await store.rows(
        "SELECT id, name, code, lat, lng, radius_m FROM place WHERE project = ? AND closed IS NULL", project
    ):
        values = {"name": name, "code": code, "lat": lat, "lng": lng, "radius_m": radius_m}
        _add(mirrored, project, "core.place", id, values)
    await _add_people(store, project, mirrored)
    return mirrored


async def _add_people(store: Store, project: str, mirrored: Mirrored) -> None:
    """Everybody who is or was on the site: a name stays readable after its bearer has left."""
    teams = await _lists(store, "SELECT person, team FROM member_team WHERE project = ? ORDER BY team", project)
    devices = await _lists(
        store,
        "SELECT device.person, device.id FROM device JOIN member ON member.person = device.person"
        " WHERE member.project = ? ORDER BY device.id",
        project,
    )
    for id, name, roles, ended in await store.rows(
        "SELECT person.id, person.name, member.roles, member.ended FROM member"
        " JOIN person ON person.id = member.person WHERE member.project = ?", project,
    ):  # fmt: skip
        here = ended is None
        values = {
            "name": name,
            "roles": sorted(roles.split()) if here else [],
            "teams": teams.get(id, []) if here else [],
            "devices": devices.get(id, []),
        }
        _add(mirrored, project, "core.person", id, values)


async def _lists(store: Store, sql: str, project: str) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for name, item in await store.rows(sql, project):
        lists.setdefault(name, []).append(item)
    return lists


def _add(mirrored: Mirrored, project: str, kind: str, id: str, values: dict[str, Any]) -> None:
    said = {name: value for name, value in values.items() if value not in (None, "", [])}
    mirrored[mirror_id(project, kind, id)] = (kind, said)
