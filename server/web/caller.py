"""Who is asking: the person and device behind the session cookie, looked up anew at each request.

A revoked device, a closed person or a session past its end is signed out here, at once (P11).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from litestar.di import NamedDependency

from server.core.person import Actor
from server.core.problem import Problem
from server.store.access import Session
from server.web.answer import language_of
from server.web.language import Language
from server.web.request import HttpRequest
from server.web.site import Site, TheSite
from server.web.token import hashed

COOKIE: Final = "gongbu"
TOKEN_MAX: Final = 100
OFFICE: Final = frozenset({"manager", "office"})


@dataclass(frozen=True)
class Caller:
    site: Site
    session: Session
    lang: Language

    @property
    def person(self) -> str:
        return self.session.person

    @property
    def device(self) -> str:
        return self.session.device

    async def actor(self, project: str, roles: Iterable[str] = ()) -> Actor:
        """The caller as a member of this project, holding one of `roles` if any are named.

        A stranger and an unknown project get the same answer. Raises `forbidden`.
        """
        actor = await self.site.access.actor(project, self.person, self.device)
        wanted = frozenset(roles)
        if actor is None or (wanted and not wanted & actor.roles):
            raise Problem("forbidden")
        return actor


TheCaller = NamedDependency[Caller]  # as a handler asks for it


async def session_of(request: HttpRequest, site: Site) -> Session | None:
    """The live session of the cookie, or None."""
    return await session_by(request.headers.get("cookie", ""), device_of(request), site)


async def session_by(cookies: str, device: str, site: Site) -> Session | None:
    """The same from a cookie header. `device` is which of a shared phone's people asks, if told."""
    token = token_in(cookies, device)
    if not 0 < len(token) <= TOKEN_MAX:
        return None
    session = await site.access.session(hashed(token), site.now())
    return session if session and device in ("", session.device) else None


def token_in(cookies: str, device: str) -> str:
    """On a shared phone each person's device has a cookie of its own; the plain one is who came last."""
    found = dict(pair.strip().partition("=")[::2] for pair in cookies.split(";"))
    return (found.get(f"{COOKIE}_{device}", "") if device else "") or found.get(COOKIE, "")


def device_of(request: HttpRequest) -> str:
    """The header `X-Device`, or `?device=` where none can be set."""
    return request.headers.get("x-device", "") or str(request.query_params.get("device", ""))


async def caller(request: HttpRequest, site: TheSite) -> Caller:
    """Injected as `caller`. Raises `signed_out`."""
    session = await session_of(request, site)
    if session is None:
        raise Problem("signed_out")
    return Caller(site, session, language_of(request.scope))
