"""Signing in: by name and password, or by an invite; who I am; signing out (P11).

A wrong name and a wrong password are one answer that takes one time. An invite that is unknown, used
up, over or revoked is one answer too. Every sign-in gives the device a fresh opaque token and ends
the one it had. A sign-in that is repeated because its answer was lost ends the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody

from server.core.problem import Problem
from server.store.database import NothingChanged
from server.store.people import NewPerson, insert_person, member_changes, tidy, tidy_login
from server.web.caller import COOKIE, Caller, TheCaller, device_of, session_of, token_in
from server.web.device import NewDevice, check_point, device_id
from server.web.limit import address_key
from server.web.password import LENGTH_MAX
from server.web.request import HttpRequest
from server.web.site import Site, TheSite
from server.web.token import hashed, hashed_code, new_token

DAY_MS: Final = 86_400_000
SESSION_DAYS: Final = 180
SEEN_EACH_MS: Final = 3_600_000
PERSON_NAME_MAX: Final = 60
Change = tuple[str, tuple[Any, ...]]


class Login(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=LENGTH_MAX)]
    device: NewDevice


class Enrol(msgspec.Struct):
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=PERSON_NAME_MAX)]
    device: NewDevice


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


@dataclass(frozen=True)
class Invite:
    id: str
    project: str
    team: str | None
    person: str | None
    roles: list[str]
    created: int
    is_open: bool


@post("/api/login", summary="Sign in by name and password", tags=["sign-in"], status_code=200)
async def login(request: HttpRequest, site: TheSite, data: JSONBody[Login]) -> Response[Me]:
    """401 `wrong_login`; 429 `too_many_tries` with Retry-After after ten wrong ones for a name."""
    check_point(data.device.key)
    tries = take_tries(request, site, hashed(tidy_login(data.name)))
    person = await person_with_password(site, data, tries)
    give_tries_back(site, tries)
    return await begin(request, site, person, data.device)


@post("/api/enrol", summary="Join with an invite", tags=["sign-in"], status_code=200)
async def enrol(request: HttpRequest, site: TheSite, data: JSONBody[Enrol]) -> Response[Me]:
    """403 `wrong_invite`; 409 `already_enrolled` when somebody of this name in the team has a phone."""
    check_point(data.device.key)
    tries = take_tries(request, site, None)
    invite = await find_invite(site, data.code)
    if invite is None:
        raise Problem("wrong_invite")
    person = await enrolled_before(site, invite, data) or await join(site, invite, data)
    give_tries_back(site, tries)
    return await begin(request, site, person, data.device)


@get("/api/me", summary="Who is signed in, with projects and roles", tags=["sign-in"])
async def me(request: HttpRequest, caller: TheCaller, site: TheSite) -> Response[Me]:
    """Lets the session last on from now."""
    await prolong(site, caller)
    token = token_in(request.headers.get("cookie", ""), device_of(request))
    return with_cookies(request, await describe(site, caller.person, caller.device), token)


@post("/api/logout", summary="Sign this device out", tags=["sign-in"], status_code=204)
async def logout(request: HttpRequest, site: TheSite) -> Response[None]:
    """Works twice: who is signed out already gets the same answer."""
    session, response = await session_of(request, site), Response(None, status_code=204)
    if session is not None:
        await site.store.change([("DELETE FROM session WHERE hash = ?", (session.hash,))])
        response.delete_cookie(f"{COOKIE}_{session.device}")
    if session is None or hashed(request.cookies.get(COOKIE, "")) == session.hash:
        response.delete_cookie(COOKIE)
    return response


# Tries


def take_tries(request: HttpRequest, site: Site, name: str | None) -> list[tuple[str, str]]:
    """One try of the address and, if given, of the name. Raises `too_many_tries`."""
    address = address_key(request.client.host if request.client else "-")
    tries = [("address", address), *([("name", name)] if name else [])]
    now_s = site.now() / 1000
    for which, key in tries:
        wait_s = limit_of(site, which).take(key, now_s)
        if wait_s:
            raise Problem("too_many_tries", retry_after=math.ceil(wait_s))
    return tries


def give_tries_back(site: Site, tries: list[tuple[str, str]]) -> None:
    for which, key in tries:
        limit_of(site, which).give_back(key, site.now() / 1000)


def limit_of(site: Site, which: str) -> Any:
    return site.by_name if which == "name" else site.by_address


# Who


async def person_with_password(site: Site, data: Login, tries: list[tuple[str, str]]) -> str:
    rows = await site.store.rows("SELECT id, password, closed FROM person WHERE login = ?", tidy_login(data.name))
    id, stored, closed = rows[0] if rows else ("", None, None)
    try:
        is_right = await site.passwords.is_right(data.password, stored if closed is None else None)
    except Problem:
        give_tries_back(site, tries)
        raise
    if not is_right:
        raise Problem("wrong_login")
    return str(id)


async def find_invite(site: Site, code: str) -> Invite | None:
    rows = await site.store.rows(
        "SELECT id, project, team, person, roles, created, uses < uses_max AND revoked IS NULL, expires"
        " FROM invite WHERE code = ?",
        hashed_code(code),
    )
    if not rows:
        return None
    id, project, team, person, roles, created, is_open, expires = rows[0]
    return Invite(id, project, team, person, roles.split(), created, bool(is_open) and expires > site.now())


async def enrolled_before(site: Site, invite: Invite, data: Enrol) -> str | None:
    """The person that this very phone enrolled with this invite, when it asks again."""
    rows = await site.store.rows(
        "SELECT p.id FROM device d JOIN person p ON p.id = d.person JOIN member m ON m.person = p.id"
        " WHERE d.key = ? AND d.revoked IS NULL AND d.created >= ? AND p.name = ? AND p.closed IS NULL"
        " AND m.project = ? AND m.ended IS NULL",
        data.device.key.text,
        invite.created,
        tidy(data.name),
        invite.project,
    )
    return str(rows[0][0]) if rows else None


async def join(site: Site, invite: Invite, data: Enrol) -> str:
    """Count the use and make the member, in one transaction. Returns the person."""
    if not invite.is_open:
        raise Problem("wrong_invite")
    if not tidy(data.name):
        raise Problem("malformed", reason="name: empty")
    person = invite.person or await expected(site, invite, tidy(data.name))
    changes = [count_use(invite, site.now())]
    if person is None:
        new = NewPerson(data.name)
        person, teams = new.id, [invite.team] if invite.team else []
        changes += [
            insert_person(new, site.now()),
            *member_changes(invite.project, new.id, invite.roles, teams, site.now()),
        ]
    try:
        await site.store.change(changes, must=(0,))
    except NothingChanged as used_up:
        raise Problem("wrong_invite") from used_up
    return person


async def expected(site: Site, invite: Invite, name: str) -> str | None:
    """Who was put on the team's list under this name and has never signed in; None for somebody new.

    Raises `already_enrolled`: a name must not take over somebody's records.
    """
    rows = await site.store.rows(
        "SELECT p.id, p.password IS NOT NULL OR EXISTS (SELECT 1 FROM device d WHERE d.person = p.id)"
        " FROM person p JOIN member m ON m.person = p.id AND m.project = ? AND m.ended IS NULL"
        " LEFT JOIN member_team t ON t.person = p.id AND t.project = m.project"
        " WHERE p.name = ? AND p.closed IS NULL AND (t.team = ? OR CAST(? AS TEXT) IS NULL)",
        invite.project,
        name,
        invite.team,
        invite.team,
    )
    free = [str(id) for id, has_signed_in in rows if not has_signed_in]
    if rows and not free:
        raise Problem("already_enrolled")
    return free[0] if free else None


def count_use(invite: Invite, now: int) -> Change:
    return (
        "UPDATE invite SET uses = uses + 1 WHERE id = ? AND uses < uses_max AND revoked IS NULL AND expires > ?",
        (invite.id, now),
    )


# Sessions


async def begin(request: HttpRequest, site: Site, person: str, device: NewDevice) -> Response[Me]:
    """Make or renew the device and its session, and set the cookie."""
    token, id, now = new_token(), device_id(person, device.key), site.now()
    await site.store.change(
        [
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
    )
    return with_cookies(request, await describe(site, person, id), token)


def with_cookies(request: HttpRequest, me: Me, token: str) -> Response[Me]:
    """The answer with the device's own cookie and the plain one, which says who came last."""
    response = Response(me)
    for name in (COOKIE, f"{COOKIE}_{me.device}"):
        response.set_cookie(cookie(name, token, is_secure=request.scope["scheme"] == "https"))
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


routes = [login, enrol, me, logout]
