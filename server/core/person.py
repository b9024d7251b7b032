"""A person in a project: which roles, whose crew, what may be done and seen (A4, A5).

The words of a declaration: `all` any member · `author` · `<role>` · `self:<field>` the field
names me, alone or among others · `<role>:<field>` I hold the role, and the field's team is one of mine or the field's
person is a member of one of my teams.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from server.core.value import Value

SEES_EVERY_PERSON: Final = frozenset({"supervisor", "manager", "office"})
SEES_EVERY_TEAM: Final = frozenset({"inspector", "supervisor", "manager", "office"})
SEES_OFFICE: Final = frozenset({"manager", "office"})
SERVER: Final = "server"  # the device and the author of what the server itself computes


@dataclass(frozen=True)
class Actor:
    """Who acts: a member of one project, at one device, as the server knows it now."""

    person: str
    device: str
    roles: frozenset[str]
    teams: frozenset[str] = frozenset()
    teams_of: Mapping[str, frozenset[str]] = field(default_factory=dict)  # person → teams

    @cached_property
    def audiences(self) -> frozenset[str]:
        """The labels granted, `person:*` standing for a whole class (A5)."""
        labels = {"all", f"person:{self.person}", f"private:{self.person}", *(f"team:{team}" for team in self.teams)}
        if self.roles & SEES_EVERY_PERSON:
            labels.add("person:*")
        elif "foreman" in self.roles:
            labels |= {f"person:{p}" for p, teams in self.teams_of.items() if teams & self.teams}
        if self.roles & SEES_EVERY_TEAM:
            labels.add("team:*")
        if self.roles & SEES_OFFICE:
            labels.add("office")
        if "manager" in self.roles:
            labels.add("private:*")
        return frozenset(labels)

    @cached_property
    def sees_everything(self) -> bool:
        return {"person:*", "private:*", "team:*", "office"} <= self.audiences

    def may(self, who: Iterable[str], author: str | None, values: Mapping[str, Value]) -> bool:
        """Whether one of a declaration's words names this person for a record.

        `author` is None for a record that is just being made.
        """
        for word in who:  # noqa: SIM110  a loop costs a third of a generator
            if self._is(word, author, values):
                return True
        return False

    def _is(self, word: str, author: str | None, values: Mapping[str, Value]) -> bool:
        role, _, name = word.partition(":")
        if role == "all":
            return True
        if role == "author":
            return author is None or author == self.person
        if role == "self":
            value = values.get(name)
            return value == self.person or (isinstance(value, list) and self.person in value)
        if role not in self.roles:
            return False
        if not name:
            return True
        value = values.get(name)
        if not isinstance(value, str):
            return False
        return value in self.teams or bool(self.teams & self.teams_of.get(value, frozenset()))


def granted(audience: str, audiences: frozenset[str]) -> bool:
    """Whether somebody granted these labels may see a record of this audience."""
    return audience in audiences or audience.partition(":")[0] + ":*" in audiences
