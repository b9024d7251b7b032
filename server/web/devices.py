"""The phones of a person: seeing them, and signing a lost one out."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import delete, get
from litestar.params import QueryParameter

from server.core.problem import Problem
from server.store.tables import Device, Session
from server.web.caller import TheCaller
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
    rows = (
        await Device.select(Device.id, Device.label, Device.created, Device.seen, Device.revoked)
        .where(Device.person == whose)
        .order_by(Device.created, ascending=False)
    )
    return Phones([Phone(**row, current=row["id"] == caller.device) for row in rows])


@delete("/api/devices/{id:str}", summary="Revoke a phone: it is signed out at its next request", tags=["devices"])
async def revoke_device(caller: TheCaller, site: TheSite, id: PathId) -> None:
    found = await Device.select(Device.person).where(Device.id == id).first()
    whose = found["person"] if found else None
    if whose is None or (whose != caller.person and not await is_over_somewhere(site, caller.person, whose)):
        raise Problem("not_found")
    async with site.store.transaction():
        await Device.update({Device.revoked: site.now()}).where(Device.id == id, Device.revoked.is_null())
        await Session.delete().where(Session.device == id)


routes = [devices, revoke_device]
