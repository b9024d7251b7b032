"""Photos and files in the database: what has arrived, who sent it, which records name it, who sees it (P10).

A photo is named by the SHA-256 of its bytes and is there once, whoever sends it. `photo_use` is
written by the writer, in the transaction of the batch that names it, which may be long before the
bytes come. Who knows a name but may see no record with it in a project to which somebody sent the
bytes is told what a stranger is told: nothing of that name is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from server.core.person import granted
from server.store.round import Statement
from server.store.store import Store

FIELDS: Final = "sha, bytes, type, clean, w, h, state, reason, facts, arrived"
NAMED: Final = (
    "SELECT photo_use.sha, photo_use.project, record.aud FROM photo_use"
    " JOIN record ON record.project = photo_use.project AND record.r = photo_use.r"
    " WHERE photo_use.sha {among} AND EXISTS (SELECT 1 FROM photo_from"
    " WHERE photo_from.sha = photo_use.sha AND photo_from.project = photo_use.project)"
)
STATES: Final = "SELECT sha, state, reason FROM photo WHERE sha {among}"
SENT: Final = "SELECT sha, project FROM photo_from WHERE sha {among} AND person = ?"
PUT_PHOTO: Final = (
    "INSERT INTO photo (sha, bytes, type, w, h, state, arrived) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (sha) DO UPDATE SET arrived = excluded.arrived,"
    " state = CASE photo.state WHEN 'file' THEN excluded.state ELSE photo.state END"
)
PUT_FROM: Final = (
    "INSERT INTO photo_from (sha, project, person, name, at) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (sha, project, person) DO UPDATE SET at = excluded.at, name = excluded.name"
)
# What no batch names, not even one that was refused and may be repaired, and nobody sent lately.
ORPHANS: Final = (
    "SELECT sha FROM photo WHERE arrived < ? AND NOT EXISTS (SELECT 1 FROM photo_use WHERE photo_use.sha = photo.sha)"
    " AND NOT EXISTS (SELECT 1 FROM photo_from JOIN batch ON batch.project = photo_from.project"
    " WHERE photo_from.sha = photo.sha AND batch.payload LIKE '%' || photo.sha || '%')"
    " AND NOT EXISTS (SELECT 1 FROM photo_from JOIN refused ON refused.project = photo_from.project"
    " WHERE photo_from.sha = photo.sha AND refused.payload LIKE '%' || photo.sha || '%')"
    " ORDER BY arrived LIMIT ?"
)


class Photo(msgspec.Struct, frozen=True):
    """A row of `photo`; see the migration for its words."""

    sha: str
    bytes: int
    type: str
    clean: str
    w: int
    h: int
    state: str
    reason: str
    facts: str
    arrived: int

    @property
    def is_shown(self) -> bool:
        """Whether it is a picture that people look at."""
        return self.state in ("arrived", "ready")


class Arrival(msgspec.Struct, frozen=True):
    """Verified bytes and who sent them, to be written down."""

    sha: str
    bytes: int
    type: str
    w: int
    h: int
    state: str
    project: str
    person: str
    name: str
    at: int


class PhotoIndex:
    """Questions about photos; one per process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        is_sqlite = store.dialect == "sqlite"
        among = "IN (SELECT value FROM json_each(?))" if is_sqlite else "= ANY(?)"
        self._named, self._sent, self._states = (sql.format(among=among) for sql in (NAMED, SENT, STATES))
        self._list: Any = (lambda shas: msgspec.json.encode(shas).decode()) if is_sqlite else list

    async def find(self, sha: str) -> Photo | None:
        rows = await self._store.look(f"SELECT {FIELDS} FROM photo WHERE sha = ?", sha)
        return Photo(*rows[0]) if rows else None

    async def seen(self, person: str, shas: Sequence[str], project: str | None = None) -> set[str]:
        """Those of these that a person may see, in one project or in any: he sent them himself, or
        sees a record that names them. He must still be on the project."""
        audiences = {
            member.project: member.audiences
            for member in await self._store.access.memberships(person)
            if member.ended is None and project in (None, member.project)
        }
        if not audiences or not shas:
            return set()
        wanted = self._list(shas)
        found = {sha for sha, site in await self._store.look(self._sent, wanted, person) if site in audiences}
        if len(found) < len(shas):
            for sha, site, audience in await self._store.look(self._named, wanted):
                if site in audiences and granted(audience, audiences[site]):
                    found.add(sha)
        return found

    async def states(self, shas: Iterable[str]) -> dict[str, tuple[str, str]]:
        """(state, reason) of those that have arrived."""
        rows = await self._store.look(self._states, self._list(sorted(shas)))
        return {sha: (state, reason) for sha, state, reason in rows}

    async def projects(self, sha: str) -> list[str]:
        """To which it was sent."""
        rows = await self._store.look("SELECT DISTINCT project FROM photo_from WHERE sha = ?", sha)
        return [project for (project,) in rows]

    async def name_of(self, sha: str) -> str:
        """What the newest sender called it."""
        rows = await self._store.look("SELECT name FROM photo_from WHERE sha = ? ORDER BY at DESC LIMIT 1", sha)
        return str(rows[0][0]) if rows else ""

    async def kinds(self, sha: str) -> set[str]:
        """The kinds of the records that name it."""
        named = (
            "SELECT DISTINCT record.c FROM photo_use"
            " JOIN record ON record.project = photo_use.project AND record.r = photo_use.r WHERE photo_use.sha = ?"
        )
        return {c for (c,) in await self._store.rows(named, sha)}

    async def taken_up(self, project: str) -> int:
        """Bytes of all that was sent to a project."""
        sent = "SELECT sha FROM photo_from WHERE project = ?"
        asked = f"SELECT coalesce(sum(bytes), 0) FROM photo WHERE sha IN ({sent})"
        return int((await self._store.rows(asked, project))[0][0])

    async def orphans(self, before: int, limit: int) -> list[str]:
        return [sha for (sha,) in await self._store.rows(ORPHANS, before, limit)]


def arriving(arrival: Arrival) -> list[Statement]:
    one = arrival
    return [
        (PUT_PHOTO, (one.sha, one.bytes, one.type, one.w, one.h, one.state, one.at)),
        (PUT_FROM, (one.sha, one.project, one.person, one.name, one.at)),
    ]


def forgetting(sha: str) -> list[Statement]:
    return [("DELETE FROM photo_from WHERE sha = ?", (sha,)), ("DELETE FROM photo WHERE sha = ?", (sha,))]
