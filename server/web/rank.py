"""Who may do what to whom: nobody gives away, or takes over, more than he has.

A manager is over everybody on his project, the office over everybody but managers, a foreman over
the plain workers of his own teams.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from server.core.person import Actor
from server.web.caller import OFFICE, Caller
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


async def is_over_somewhere(caller: Caller, site: Site, person: str) -> bool:
    """Enough to sign a lost phone out."""
    return any([await stands_over(caller, site, person, one["id"]) for one in await site.access.projects(person)])


async def is_over_everywhere(caller: Caller, site: Site, person: str) -> bool:
    """Needed to act on the person himself (password, a new phone): he may have more rights elsewhere."""
    projects = await site.access.projects(person)
    return bool(projects) and all([await stands_over(caller, site, person, one["id"]) for one in projects])


async def stands_over(caller: Caller, site: Site, person: str, project: str) -> bool:
    actor = await site.access.actor(project, caller.person, caller.device)
    member = await site.access.member(project, person)
    return actor is not None and member is not None and is_over(actor, member.roles, member.teams)
