"""Signing in by name and password, who I am, one's own password, signing out (P11).

A wrong name and a wrong password are one answer that takes one time.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody

from server.core.problem import Problem
from server.store.people import set_password, tidy_login
from server.store.tables import Person, Session
from server.web import tries
from server.web.caller import COOKIE, TheCaller, device_of, session_of, token_in
from server.web.device import NewDevice, check_point
from server.web.password import LENGTH_MAX
from server.web.request import HttpRequest
from server.web.session import Me, begin, describe, greet, prolong, with_cookies
from server.web.site import Site, TheSite
from server.web.token import hashed
from server.web.wire import LINE, Password


class Login(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=LINE)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=LENGTH_MAX)]
    device: NewDevice


class SignIn(msgspec.Struct):
    """How a person signs in by name: not at all for who came by an invite and never got a name."""

    login: str | None
    has_password: bool


class NewPassword(msgspec.Struct):
    old: Annotated[str, msgspec.Meta(max_length=LENGTH_MAX)]
    new: Password


@post("/api/login", summary="Sign in by name and password", tags=["sign-in"], status_code=200)
async def login(request: HttpRequest, site: TheSite, data: JSONBody[Login]) -> Response[Me]:
    """401 `wrong_login`; 429 `too_many_tries` with Retry-After after ten wrong ones for a name."""
    check_point(data.device.key)
    taken = tries.take(request, site, hashed(tidy_login(data.name)))
    person = await person_with_password(site, data, taken)
    tries.give_back(site, taken)
    return await greet(request, site, await begin(site, person, data.device))


@get("/api/me", summary="Who is signed in, with projects and roles", tags=["sign-in"])
async def me(request: HttpRequest, caller: TheCaller, site: TheSite) -> Response[Me]:
    """Lets the session last on from now."""
    await prolong(site, caller)
    token = token_in(request.headers.get("cookie", ""), device_of(request))
    return with_cookies(request, site, await describe(site, caller.person, caller.device), token)


@get("/api/password", summary="How the caller signs in by name", tags=["sign-in"])
async def sign_in(caller: TheCaller) -> SignIn:
    (found,) = await Person.select(Person.login, Person.password).where(Person.id == caller.person)
    return SignIn(found["login"], found["password"] is not None)


@post("/api/password", summary="Change one's own password", tags=["sign-in"], status_code=204)
async def change_password(request: HttpRequest, caller: TheCaller, site: TheSite, data: JSONBody[NewPassword]) -> None:
    """Signs the person's other phones out. 403 `wrong_password`, also where there is none; 429 as at signing in."""
    taken = tries.take(request, site, hashed(caller.person))
    (found,) = await Person.select(Person.password).where(Person.id == caller.person)
    try:
        is_right = await site.passwords.is_right(data.old, found["password"])
        fresh = await site.passwords.hash(data.new) if is_right else ""
    except Problem:
        tries.give_back(site, taken)
        raise
    if not is_right:
        raise Problem("wrong_password")
    tries.give_back(site, taken)
    await set_password(site.store, caller.person, fresh, but=caller.session.hash)


@post("/api/logout", summary="Sign this device out", tags=["sign-in"], status_code=204)
async def logout(request: HttpRequest, site: TheSite) -> Response[None]:
    """Works twice: who is signed out already gets the same answer."""
    session, response = await session_of(request, site), Response(None, status_code=204)
    if session is not None:
        async with site.store.transaction():
            await Session.delete().where(Session.hash == session.hash)
        response.delete_cookie(f"{COOKIE}_{session.device}")
    if session is None or hashed(request.cookies.get(COOKIE, "")) == session.hash:
        response.delete_cookie(COOKIE)
    return response


async def person_with_password(site: Site, data: Login, taken: tries.Taken) -> str:
    named = Person.login == tidy_login(data.name)
    found = await Person.select(Person.id, Person.password).where(named, Person.closed.is_null()).first()
    try:
        is_right = await site.passwords.is_right(data.password, found["password"] if found else None)
    except Problem:
        tries.give_back(site, taken)
        raise
    if found is None or not is_right:
        raise Problem("wrong_login")
    return str(found["id"])


routes = [login, me, sign_in, change_password, logout]
