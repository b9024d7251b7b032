"""Sites, people, teams and places: their ordinary rows, changed a whole step at a time.

The phones' copies (`core.*` records) follow by themselves: the rows' triggers leave a job.
Nothing here asks who may; that is for whoever calls.
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.store.store import Store
from server.store.tables import member_id, member_team_id

NAME_MAX: Final = 60
Change = tuple[str, tuple[Any, ...]]
Fence = tuple[int, int, int]  # lat and lng in 1e-7 degrees, radius in metres


class Taken(Exception):
    """Somebody or something else has this name, sign-in name or code."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True)
class NewPerson:
    name: str
    login: str | None = None
    password: str | None = None  # its argon2id hash
    language: str = "zh-CN"
    roles: Sequence[str] = ("worker",)
    teams: Sequence[str] = ()
    id: str = field(default_factory=lambda: new_id())


def new_id() -> str:
    return str(uuid.uuid4())


def tidy(name: str) -> str:
    """A name as it is stored: NFC, single spaces, nothing around it."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def tidy_login(login: str) -> str:
    """A sign-in name is the same in capitals, full-width letters or with spaces around it."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


async def add_project(
    store: Store,
    name: str,
    now: int,
    *,
    zone: str = "Asia/Shanghai",
    fence: Fence | None = None,
    day_minutes: int = 480,
    demo: bool = False,
    id: str | None = None,
) -> str:
    id = id or new_id()
    columns = "id, name, zone, lat, lng, radius_m, day_minutes, created, demo, head"
    values = (id, tidy(name), zone, *(fence or (None, None, None)), day_minutes, now, int(demo))
    await store.change([(f"INSERT INTO project ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", values)])
    return id


async def change_project(store: Store, id: str, **changes: Any) -> None:
    """Any of name, zone, lat, lng, radius_m and day_minutes."""
    await store.change([update("project", id, changes)])


async def add_people(store: Store, project: str | None, people: Iterable[NewPerson], now: int) -> list[str]:
    """Add them all or none, as members of the project if one is named. Raises Taken for a sign-in name."""
    people = list(people)
    await refuse_taken_logins(store, [person.login for person in people if person.login])
    changes: list[Change] = []
    for person in people:
        changes.append(insert_person(person, now))
        if project:
            changes += member_changes(project, person.id, person.roles, person.teams, now)
    await store.change(changes)
    return [person.id for person in people]


async def refuse_taken_logins(store: Store, logins: Sequence[str]) -> None:
    tidied = [tidy_login(login) for login in logins]
    if len(set(tidied)) < len(tidied):
        raise Taken(next(login for login in tidied if tidied.count(login) > 1))
    for login in tidied:
        if await store.rows("SELECT 1 FROM person WHERE login = ?", login):
            raise Taken(login)


def insert_person(person: NewPerson, now: int) -> Change:
    login = tidy_login(person.login) if person.login else None
    return (
        "INSERT INTO person (id, name, login, password, language, created) VALUES (?, ?, ?, ?, ?, ?)",
        (person.id, tidy(person.name), login, person.password, person.language, now),
    )


async def set_member(
    store: Store, project: str, person: str, roles: Sequence[str], teams: Sequence[str], now: int
) -> None:
    """Give a person these roles and teams on a site, whatever he had there before."""
    await store.change(member_changes(project, person, roles, teams, now))


def member_changes(project: str, person: str, roles: Sequence[str], teams: Sequence[str], now: int) -> list[Change]:
    who = (project, person)
    return [
        (
            "INSERT INTO member (id, project, person, roles, since) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET roles = excluded.roles, ended = NULL",
            (member_id(*who), *who, " ".join(dict.fromkeys(roles)), now),
        ),
        ("DELETE FROM member_team WHERE project = ? AND person = ?", who),
        *(
            (
                "INSERT INTO member_team (id, project, person, team) VALUES (?, ?, ?, ?)",
                (member_team_id(*who, team), *who, team),
            )
            for team in dict.fromkeys(teams)
        ),
    ]


async def end_member(store: Store, project: str, person: str, now: int) -> None:
    """Off the site: the row stays, so that his phone hears of it (A6)."""
    await store.change(
        [
            ("UPDATE member SET ended = ? WHERE id = ? AND ended IS NULL", (now, member_id(project, person))),
            ("DELETE FROM member_team WHERE project = ? AND person = ?", (project, person)),
        ]
    )


async def set_password(store: Store, person: str, hashed: str) -> None:
    """A new password signs every device of the person out."""
    await store.change(
        [
            ("UPDATE person SET password = ? WHERE id = ?", (hashed, person)),
            ("DELETE FROM session WHERE person = ?", (person,)),
        ]
    )


async def close_person(store: Store, person: str, now: int | None) -> None:
    """No sign-in anywhere from now on; None opens again."""
    await store.change(
        [
            ("UPDATE person SET closed = ? WHERE id = ?", (now, person)),
            ("DELETE FROM session WHERE person = ?", (person,)),
        ]
    )


async def change_person(store: Store, id: str, **changes: Any) -> None:
    """Any of name, login and language. Raises Taken for a sign-in name."""
    if changes.get("login"):
        changes["login"] = tidy_login(changes["login"])
        if await store.rows("SELECT 1 FROM person WHERE login = ? AND id <> ?", changes["login"], id):
            raise Taken(changes["login"])
    await store.change([update("person", id, changes)])


async def add_team(
    store: Store,
    project: str,
    name: str,
    *,
    trade: str = "",
    employer: str = "",
    foreman: str | None = None,
    id: str | None = None,
) -> str:
    id = id or new_id()
    if await store.rows("SELECT 1 FROM team WHERE project = ? AND name = ? AND closed IS NULL", project, tidy(name)):
        raise Taken(tidy(name))
    columns = "id, project, name, trade, employer, foreman"
    await store.change(
        [
            (
                f"INSERT INTO team ({columns}) VALUES (?, ?, ?, ?, ?, ?)",
                (id, project, tidy(name), tidy(trade), tidy(employer), foreman),
            )
        ]
    )
    return id


async def change_team(store: Store, id: str, **changes: Any) -> None:
    """Any of name, trade, employer, foreman and closed."""
    await store.change([update("team", id, changes)])


async def add_place(
    store: Store,
    project: str,
    name: str,
    code: str,
    *,
    lat: int | None = None,
    lng: int | None = None,
    radius_m: int | None = None,
    id: str | None = None,
) -> str:
    id = id or new_id()
    if await store.rows("SELECT 1 FROM place WHERE project = ? AND code = ?", project, code):
        raise Taken(code)
    await store.change(
        [
            (
                "INSERT INTO place (id, project, name, code, lat, lng, radius_m) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (id, project, tidy(name), code, lat, lng, radius_m),
            )
        ]
    )
    return id


def update(table: str, id: str, columns: Mapping[str, Any]) -> Change:
    """Column names come from the functions above, never from a request."""
    names = sorted(columns)
    told = ", ".join(f"{name} = ?" for name in names)
    return (f"UPDATE {table} SET {told} WHERE id = ?", (*(columns[name] for name in names), id))
