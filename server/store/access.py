"""Who may: sessions, devices and memberships, as they are at this moment.

Everything read here is kept until `revision` moves. Triggers raise it in the transaction that
changes a right, whichever process makes the change, and every question looks at it first: so
an answer is cheap, and what was taken away is away at the next request (P11).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from server.core.person import Actor
from server.store.database import Database

CACHED_MAX: Final = 20_000
EPOCH_BITS: Final = 48
SESSION: Final = (
    "SELECT session.hash, session.person, session.device, person.name, person.language,"
    " session.expires, device.key FROM session JOIN person ON person.id = session.person"
    " JOIN device ON device.id = session.device AND device.person = session.person"
    " WHERE person.closed IS NULL AND device.revoked IS NULL"
)
BY_DEVICE: Final = (
    "SELECT '', person.id, device.id, person.name, person.language, 9007199254740991, device.key"
    " FROM device JOIN person ON person.id = device.person"
    " WHERE person.closed IS NULL AND device.revoked IS NULL AND person.id = ? AND device.id = ?"
)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in device of a person. `hash` is that of the cookie's token, `key` a JWK."""

    hash: str
    person: str
    device: str
    name: str
    language: str
    expires: int
    key: str


@dataclass(frozen=True)
class Membership:
    """A person on a site. One that ended is kept, so that his phone can be told (A6).

    `epoch` is a number made from all that decides what he sees: it differs exactly when that
    does, and nobody has to remember to raise it. `audiences` are the labels granted (A5).
    """

    project: str
    person: str
    name: str  # of the project
    roles: frozenset[str]
    teams: frozenset[str]
    teams_of: Mapping[str, frozenset[str]]
    ended: int | None
    audiences: frozenset[str]
    epoch: int

    @cached_property
    def labels(self) -> list[str]:
        """The audiences in order, as they go over the wire."""
        return sorted(self.audiences)

    def actor(self, device: str) -> Actor | None:
        if self.ended is not None:
            return None
        return Actor(self.person, device, self.roles, self.teams, self.teams_of)


class Access:
    """Answers from memory while the revision stands still."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._revision = -1
        self._forget()

    def _forget(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._projects: dict[str, Mapping[str, Membership]] = {}
        self._actors: dict[tuple[str, str, str], Actor | None] = {}
        self._sites: dict[str, list[str]] = {}

    async def fresh(self, project: str = "") -> int | None:
        """Look at the revision, drop what it outdates; answers the project's head if it has one."""
        revision, head = await self._database.pulse(project)
        if revision != self._revision:
            self._forget()
            self._revision = revision
        return head

    @property
    def revision(self) -> int:
        return self._revision

    async def head(self, project: str) -> int:
        """The newest seq of a project's log."""
        return (await self._database.pulse(project))[1] or 0

    async def session(self, token_hash: str, now: int) -> Session | None:
        """The session of a cookie, if neither it nor its device or person has been ended."""
        await self.fresh()
        session = self._sessions.get(token_hash)
        if session is None:
            revision = self._revision
            found = await self._database.look(f"{SESSION} AND session.hash = ?", token_hash)
            if not found:
                return None
            session = Session(*found[0])
            if revision == self._revision:
                _bounded(self._sessions)[token_hash] = session
        return session if session.expires > now else None

    async def session_of(self, person: str, device: str) -> Session | None:
        """The same for a device without a cookie, for what the server does in its name."""
        found = await self._database.look(BY_DEVICE, person, device)
        return Session(*found[0]) if found else None

    async def member(self, project: str, person: str) -> Membership | None:
        """A person's place on a site; None for a stranger."""
        await self.fresh()
        return await self.known(project, person)

    async def known(self, project: str, person: str) -> Membership | None:
        """The same for a caller who has just asked for `fresh`."""
        return (await self._members(project)).get(person)

    async def actor(self, project: str, person: str, device: str) -> Actor | None:
        """Who acts; None for a stranger and for one whose membership ended."""
        key = (project, person, device)
        if key not in self._actors:
            member = (await self._members(project)).get(person)
            _bounded(self._actors)[key] = member.actor(device) if member else None
        return self._actors[key]

    async def memberships(self, person: str) -> list[Membership]:
        """Every site that a person is or was on, by name."""
        await self.fresh()
        if person not in self._sites:
            rows = await self._database.look("SELECT project FROM member WHERE person = ?", person)
            _bounded(self._sites)[person] = [project for (project,) in rows]
        found = [(await self._members(project)).get(person) for project in self._sites[person]]
        return sorted((m for m in found if m), key=lambda m: (m.name, m.project))

    async def projects(self, person: str) -> list[dict[str, Any]]:
        """The `projects` of a sign-in's answer (P11): those that have not ended."""
        entries = []
        for member in await self.memberships(person):
            if member.ended is None:
                entries.append(
                    {
                        "id": member.project,
                        "name": member.name,
                        "roles": sorted(member.roles),
                        "teams": sorted(member.teams),
                        "head": await self.head(member.project),
                        "epoch": member.epoch,
                    }
                )
        return entries

    async def _members(self, project: str) -> Mapping[str, Membership]:
        members = self._projects.get(project)
        if members is None:
            revision = self._revision
            members = await self._load(project)
            if revision == self._revision and members:
                self._projects[project] = members
        return members

    async def _load(self, project: str) -> Mapping[str, Membership]:
        rows = await self._database.look(
            "SELECT member.person, member.roles, member.ended, project.name FROM member"
            " JOIN project ON project.id = member.project WHERE member.project = ?", project,
        )  # fmt: skip
        teams_of: dict[str, set[str]] = {}
        for person, team in await self._database.look(
            "SELECT person, team FROM member_team WHERE project = ?", project
        ):
            teams_of.setdefault(person, set()).add(team)
        frozen = {person: frozenset(teams) for person, teams in teams_of.items()}
        kept = await self._database.look("SELECT value FROM meta WHERE key = 'generation'")
        generation = kept[0][0] if kept else ""
        return {
            person: _membership(project, person, name, roles, ended, frozen, generation)
            for person, roles, ended, name in rows
        }


def _membership(
    project: str,
    person: str,
    name: str,
    roles: str,
    ended: int | None,
    teams_of: Mapping[str, frozenset[str]],
    generation: str,
) -> Membership:
    gone = ended is not None
    held = frozenset() if gone else frozenset(roles.split())
    teams = frozenset() if gone else teams_of.get(person, frozenset())
    labels = frozenset() if gone else Actor(person, "", held, teams, teams_of).audiences
    epoch = epoch_of(generation, held, teams, labels)
    return Membership(project, person, name, held, teams, teams_of, ended, labels, epoch)


def epoch_of(generation: str, *parts: frozenset[str]) -> int:
    """A number that differs when any of these does (A6)."""
    text = json.dumps([generation, *(sorted(part) for part in parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[: EPOCH_BITS // 8]) or 1


def _bounded(cache: dict[Any, Any]) -> dict[Any, Any]:
    if len(cache) >= CACHED_MAX:
        cache.clear()
    return cache
