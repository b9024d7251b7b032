"""A device's session: made, described to the phone, carried in cookies, prolonged (P11).

The cookie holds an opaque token whose hash alone is stored. A new sign-in ends the session that the
device had. On a shared phone each person's device has a cookie of its own beside the plain one.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Response
from litestar.datastructures import Cookie

from server.web.caller import COOKIE, Caller
from server.web.device import NewDevice, device_id
from server.web.request import HttpRequest
from server.web.site import Site
from server.web.token import hashed, new_token

DAY_MS: Final = 86_400_000
SESSION_DAYS: Final = 180
SEEN_EACH_MS: Final = 3_600_000
Change = tuple[str, tuple[Any, ...]]


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


async def begin(
    request: HttpRequest,
    site: Site,
    person: str,
    device: NewDevice,
    first: list[Change] | None = None,
    must: tuple[int, ...] = (),
) -> Response[Me]:
    """Make or renew the device and its session, and set the cookies.

    `first` goes into the same transaction; those of it in `must` have to change a row, else
    NothingChanged is raised and nothing happened at all.
    """
    token, id = new_token(), device_id(person, device.key)
    await site.store.change([*(first or []), *session_changes(id, person, device, token, site.now())], must=must)
    return with_cookies(request, site, await describe(site, person, id), token)


def session_changes(id: str, person: str, device: NewDevice, token: str, now: int) -> list[Change]:
    return [
        (
            "INSERT INTO device (id, person, label, key, last_n, created, seen) VALUES (?, ?, ?, ?, 0, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET label = excluded.label, seen = excluded.seen, revoked = NULL",
            (id, person, device.label, device.key.text, now, now),
        ),
        ("DELETE FROM session WHERE device = ?", (id,)),
        (
            "INSERT INTO session (hash, person, device, created, seen, expires) VALUES (?, ?, ?, ?, ?, ?)",
            (hashed(token), person, id, now, now, now + SESSION_DAYS * DAY_MS),
        ),
    ]


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
    name, last_n = (
        await site.store.rows(
            "SELECT p.name, d.last_n FROM person p JOIN device d ON d.person = p.id WHERE p.id = ? AND d.id = ?",
            person,
            device,
        )
    )[0]
    return Me(Named(person, name), device, last_n, await site.access.projects(person), site.now())


async def prolong(site: Site, caller: Caller) -> None:
    """Note that the phone was here, at most once an hour, and let the session last on from now."""
    now, lasts = site.now(), SESSION_DAYS * DAY_MS
    if caller.session.expires > now + lasts - SEEN_EACH_MS:
        return
    await site.store.change(
        [
            ("UPDATE session SET seen = ?, expires = ? WHERE hash = ?", (now, now + lasts, caller.session.hash)),
            ("UPDATE device SET seen = ? WHERE id = ?", (now, caller.device)),
        ]
    )
