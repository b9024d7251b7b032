"""The phones of a person: seeing them, and signing a lost one out."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import delete, get
from litestar.params import QueryParameter

from server.core.problem import Problem
from server.web.caller import Caller, TheCaller
from server.web.rank import is_over_somewhere
from server.web.site import TheSite
from server.web.wire import ID, PathId

AskedPerson = Annotated[str | None, QueryParameter(pattern=ID, description="Whose; one's own if left out")]


class Phone(msgspec.Struct):
    id: str
    label: str
    created: int
    seen: int | None
    revoked: int | None
    current: bool  # the one that asks


class Phones(msgspec.Struct):
    devices: list[Phone]


@get("/api/devices", summary="The phones of a person", tags=["devices"])
async def devices(caller: TheCaller, site: TheSite, person: AskedPerson = None) -> Phones:
    """One's own, or `person`'s for the manager and office of a project that he is on."""
    whose = person or caller.person
    if whose != caller.person and not await is_over_somewhere(site, caller.person, whose):
        raise Problem("forbidden")
    rows = await site.store.rows(
        "SELECT id, label, created, seen, revoked FROM device WHERE person = ? ORDER BY created DESC", whose
    )
    return Phones([phone(caller, *row) for row in rows])


def phone(caller: Caller, id: str, label: str, created: int, seen: int | None, revoked: int | None) -> Phone:
    return Phone(id, label, created, seen, revoked, id == caller.device)


@delete("/api/devices/{id:str}", summary="Revoke a phone: it is signed out at its next request", tags=["devices"])
async def revoke_device(caller: TheCaller, site: TheSite, id: PathId) -> None:
    rows = await site.store.rows("SELECT person FROM device WHERE id = ?", id)
    whose = rows[0][0] if rows else None
    if whose is None or (whose != caller.person and not await is_over_somewhere(site, caller.person, whose)):
        raise Problem("not_found")
    await site.store.change(
        [
            ("UPDATE device SET revoked = ? WHERE id = ? AND revoked IS NULL", (site.now(), id)),
            ("DELETE FROM session WHERE device = ?", (id,)),
        ]
    )


routes = [devices, revoke_device]
