"""A device's session: made, described to the phone, carried in cookies, prolonged (P11).

The cookie holds an opaque token whose hash alone is stored. A new sign-in ends the session that the
device had. On a shared phone each person's device has a cookie of its own beside the plain one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar import Response
from litestar.datastructures import Cookie

from server.store.tables import Device, Session
from server.web.caller import COOKIE, Caller
from server.web.device import NewDevice, device_id
from server.web.request import HttpRequest
from server.web.site import Site
from server.web.token import hashed, new_token

DAY_MS: Final = 86_400_000
SESSION_DAYS: Final = 180
SEEN_EACH_MS: Final = 3_600_000


@dataclass(frozen=True)
class Begun:
    """A new session; `token` is what its cookie will hold."""

    person: str
    device: str
    token: str


class Named(msgspec.Struct):
    id: str
    name: str


class Me(msgspec.Struct):
    """What a phone needs to begin: who, which device, how far it got, and the projects."""

    person: Named
    device: str
    last_n: int
    projects: list[dict[str, Any]]
    now: int


async def begin(site: Site, person: str, device: NewDevice) -> Begun:
    """Make or renew the device, and its session, in a transaction of its own or the one around it."""
    now, begun = site.now(), Begun(person, device_id(person, device.key), new_token())
    async with site.store.transaction():
        row = Device(id=begun.device, person=person, label=device.label, key=device.key.text, created=now, seen=now)
        await Device.insert(row).on_conflict(
            target=Device.id, action="DO UPDATE", values=[Device.label, Device.seen, (Device.revoked, None)]
        )
        await Session.delete().where(Session.device == begun.device)
        await Session.insert(
            Session(
                hash=hashed(begun.token),
                person=person,
                device=begun.device,
                created=now,
                seen=now,
                expires=now + SESSION_DAYS * DAY_MS,
            )
        )
    return begun


async def greet(request: HttpRequest, site: Site, begun: Begun) -> Response[Me]:
    """The answer to a new sign-in, once it is stored."""
    return with_cookies(request, site, await describe(site, begun.person, begun.device), begun.token)


def with_cookies(request: HttpRequest, site: Site, me: Me, token: str) -> Response[Me]:
    """The answer with the device's own cookie and the plain one, which says who came last."""
    is_secure, response = request.scope["scheme"] == "https" or site.settings.is_public, Response(me)
    for name in (COOKIE, f"{COOKIE}_{me.device}"):
        response.set_cookie(cookie(name, token, is_secure=is_secure))
    return response


def cookie(name: str, token: str, *, is_secure: bool) -> Cookie:
    lasts_s = SESSION_DAYS * DAY_MS // 1000
    return Cookie(key=name, value=token, max_age=lasts_s, httponly=True, samesite="lax", secure=is_secure)


async def describe(site: Site, person: str, device: str) -> Me:
    name = Device.person._.name.as_alias("name")
    (row,) = await Device.select(name, Device.last_n).where(Device.id == device, Device.person == person)
    return Me(Named(person, row["name"]), device, row["last_n"], await site.access.projects(person), site.now())


async def prolong(site: Site, caller: Caller) -> None:
    """Note that the phone was here, at most once an hour, and let the session last on from now."""
    now, lasts = site.now(), SESSION_DAYS * DAY_MS
    if caller.session.expires > now + lasts - SEEN_EACH_MS:
        return
    async with site.store.transaction():
        await Session.update({Session.seen: now, Session.expires: now + lasts}).where(
            Session.hash == caller.session.hash
        )
        await Device.update({Device.seen: now}).where(Device.id == caller.device)
