"""Who may do what to whom: nobody gives away, or takes over, more than he has.

A manager is over everybody on his project, the office over everybody but managers, a foreman over
the plain workers of his own teams.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from server.core.person import Actor
from server.web.caller import OFFICE
from server.web.site import Site

INVITERS: Final = OFFICE | {"foreman"}


def may_give(actor: Actor, roles: Iterable[str]) -> bool:
    if "manager" in actor.roles:
        return True
    if "office" in actor.roles:
        return "manager" not in roles
    return "foreman" in actor.roles and set(roles) <= {"worker"}


def is_over(actor: Actor, roles: Iterable[str], teams: Iterable[str]) -> bool:
    """Whether the actor stands over a member with these roles and teams."""
    return may_give(actor, roles) and (bool(actor.roles & OFFICE) or bool(actor.teams & set(teams)))


async def is_over_somewhere(site: Site, by: str, person: str) -> bool:
    """Enough to sign a lost phone out."""
    return any([await stands_over(site, by, person, one["id"]) for one in await site.access.projects(person)])


async def is_over_everywhere(site: Site, by: str, person: str) -> bool:
    """Needed to act on the person himself (password, a new phone): he may have more rights elsewhere."""
    projects = await site.access.projects(person)
    return bool(projects) and all([await stands_over(site, by, person, one["id"]) for one in projects])


async def stands_over(site: Site, by: str, person: str, project: str) -> bool:
    member, other = await site.access.member(project, by), await site.access.member(project, person)
    actor = member.actor("") if member else None
    return actor is not None and other is not None and is_over(actor, other.roles, other.teams)


async def may_hand_out(
    site: Site, by: str, project: str, team: str | None, person: str | None, roles: Iterable[str]
) -> bool:
    """Whether somebody may make, see and take back such an invite: it is a key to its roles, or to
    its person's account. It holds only while this is true of who made it."""
    member = await site.access.member(project, by)
    actor = member.actor("") if member else None
    if actor is None or not actor.roles & INVITERS or not may_give(actor, roles):
        return False
    if not actor.roles & OFFICE and team not in actor.teams:
        return False
    return person is None or await is_over_everywhere(site, by, person)
