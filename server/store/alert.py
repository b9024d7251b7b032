"""Alerts in the database: what was begun, its steps, attempts and answers, and the ways to reach people.

Every write here is a list of statements, so that a step and the job that takes the next one are one
transaction. Statements are the same text on both engines and safe to repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from server.core.ladder import Member
from server.store.round import Statement
from server.store.store import Row, Store

ROWS_MAX: Final = 100  # of one statement
OPEN: Final = "open"
ACKED: Final = "acked"
ENDED: Final = "ended"

BEGIN: Final = (
    "INSERT INTO alert (id, project, r, c, name, begun, state, urgent, everyone, addressed, level, ladder, next)"
    " VALUES (?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
COLUMNS: Final = "id, project, r, c, name, begun, state, urgent, everyone, addressed, level, ladder, step, next"
MEMBERS: Final = (
    "SELECT member.person, member.roles, person.language, member_team.team FROM member"
    " JOIN person ON person.id = member.person"
    " LEFT JOIN member_team ON member_team.project = member.project AND member_team.person = member.person"
    " WHERE member.project = ? AND member.ended IS NULL AND person.closed IS NULL ORDER BY member.person"
)
# A phone that is signed out, revoked or expired is told nothing.
REACHABLE: Final = (
    "SELECT subscription.person, subscription.device FROM subscription"
    " JOIN device ON device.id = subscription.device"
    " WHERE device.revoked IS NULL AND subscription.person IN"
    " (SELECT person FROM member WHERE project = ? AND ended IS NULL)"
    " AND EXISTS (SELECT 1 FROM session WHERE session.device = device.id AND session.expires > ?)"
    " ORDER BY subscription.device"
)
WAITING: Final = (
    "SELECT a.id, a.channel, a.person, a.target, a.tries, s.endpoint, s.p256dh, s.auth, c.url, c.secret, c.addressees,"
    " person.language FROM alert_attempt AS a"
    " LEFT JOIN subscription AS s ON a.channel = 'push' AND s.device = a.target"
    " LEFT JOIN channel AS c ON c.id = a.target AND c.closed IS NULL"
    " LEFT JOIN person ON person.id = a.person"
    " WHERE a.alert = ? AND a.step = ? AND a.status = 'waiting' AND a.due <= ? AND a.id > ? ORDER BY a.id LIMIT ?"
)

GATHERED: Final = WAITING.replace("SELECT a.id,", "SELECT a.alert, a.id,").replace(
    " WHERE a.alert = ? AND a.step = ? AND a.status = 'waiting' AND a.due <= ? AND a.id > ? ORDER BY a.id LIMIT ?",
    " JOIN alert ON alert.id = a.alert WHERE alert.project = ? AND a.status = 'gathered' AND a.due <= ?"
    " ORDER BY a.channel, a.target, a.id LIMIT ?",
)


class Alert(msgspec.Struct, frozen=True):
    """One alert of one record. `state` open · acked · ended; `next` is when its next step is taken."""

    id: str
    project: str
    r: str
    c: str
    name: str
    begun: int
    state: str
    urgent: int
    everyone: int
    addressed: str
    level: str
    ladder: str
    step: int
    next: int | None


class Attempt(msgspec.Struct, frozen=True):
    """One message to one phone, group or gateway. `target` is a device, a channel, or a person who has neither."""

    id: str
    alert: str
    step: int
    channel: str
    person: str | None
    target: str
    status: str
    due: int
    note: str = ""


class Waiting(msgspec.Struct, frozen=True):
    """An attempt that is due, with where it goes; all of that is None if the way is gone meanwhile."""

    id: str
    channel: str
    person: str | None
    target: str
    tries: int
    endpoint: str | None
    p256dh: str | None
    auth: str | None
    url: str | None
    secret: str | None
    addressees: str | None
    language: str | None


class Done(msgspec.Struct, frozen=True):
    """How an attempt ended, or when it is tried again."""

    id: str
    status: str
    at: int
    due: int
    note: str


async def alert(store: Store, id: str) -> Alert | None:
    rows = await store.rows(f"SELECT {COLUMNS} FROM alert WHERE id = ?", id)
    return Alert(*rows[0]) if rows else None


async def alerts_of(store: Store, project: str, r: str) -> list[Alert]:
    rows = await store.rows(f"SELECT {COLUMNS} FROM alert WHERE project = ? AND r = ? ORDER BY begun, id", project, r)
    return [Alert(*row) for row in rows]


async def members(store: Store, project: str) -> list[Member]:
    """Everybody who is on the site now."""
    return await asyncio.to_thread(_members, await store.rows(MEMBERS, project))  # ten thousand take a while


def _members(rows: Sequence[Row]) -> list[Member]:
    found: dict[str, tuple[str, str, set[str]]] = {}
    for person, roles, language, team in rows:
        found.setdefault(person, (roles, language, set()))[2].add(team)
    return [
        Member(person, frozenset(roles.split()), frozenset(filter(None, teams)), language)
        for person, (roles, language, teams) in found.items()
    ]


async def phones(store: Store, project: str, now_ms: int) -> dict[str, list[str]]:
    """Person → the devices that said yes to notifications and are signed in."""
    found: dict[str, list[str]] = {}
    for person, device in await store.rows(REACHABLE, project, now_ms):
        found.setdefault(person, []).append(device)
    return found


async def channels(store: Store, project: str) -> dict[str, list[str]]:
    """Kind → the project's channels of it."""
    found: dict[str, list[str]] = {}
    sql = "SELECT kind, id FROM channel WHERE project = ? AND closed IS NULL ORDER BY created, id"
    for kind, id in await store.rows(sql, project):
        found.setdefault(kind, []).append(id)
    return found


async def answers(store: Store, id: str) -> list[tuple[str, int, str, str]]:
    """person, at, answer, via; in the order in which they came."""
    rows = await store.rows("SELECT person, at, answer, via FROM alert_answer WHERE alert = ? ORDER BY at, person", id)
    return [(person, at, answer, via) for person, at, answer, via in rows]


async def waiting(store: Store, id: str, step: int, due: int, after: str, limit: int = ROWS_MAX) -> list[Waiting]:
    return [Waiting(*row) for row in await store.rows(WAITING, id, step, due, after, limit)]


async def gathered(store: Store, project: str, due: int, limit: int = 5 * ROWS_MAX) -> list[tuple[str, Waiting]]:
    """What waits for the digest, with the alert that it is of; what goes to one phone stands together."""
    return [(alert, Waiting(*row)) for alert, *row in await store.rows(GATHERED, project, due, limit)]


def put_attempts(attempts: Sequence[Attempt]) -> list[Statement]:
    statements: list[Statement] = []
    for start in range(0, len(attempts), ROWS_MAX):
        part = attempts[start : start + ROWS_MAX]
        marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(part))
        sql = (
            "INSERT INTO alert_attempt (id, alert, step, channel, person, target, status, due, note)"
            f" VALUES {marks} ON CONFLICT (id) DO NOTHING"
        )
        row = [(a.id, a.alert, a.step, a.channel, a.person, a.target, a.status, a.due, a.note) for a in part]
        statements.append((sql, [value for values in row for value in values]))
    return statements


def put_done(done: Sequence[Done]) -> list[Statement]:
    """One statement for a page of them; what was answered meanwhile stays so."""
    if not done:
        return []
    row = "(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT))"
    marks = ", ".join([row] * len(done))
    sql = (
        "UPDATE alert_attempt SET status = v.column2, at = v.column3, due = v.column4, note = v.column5,"
        f" tries = alert_attempt.tries + 1 FROM (VALUES {marks}) AS v"
        " WHERE alert_attempt.id = v.column1 AND alert_attempt.status IN ('waiting', 'gathered')"
    )
    return [(sql, [value for one in done for value in (one.id, one.status, one.at, one.due, one.note)])]


def put_reached(devices: Sequence[str], at: int) -> Statement:
    marks = ", ".join("?" * len(devices))
    return f"UPDATE subscription SET reached = ?, failed = NULL, note = '' WHERE device IN ({marks})", (at, *devices)


def put_failed(device: str, at: int, note: str) -> Statement:
    return "UPDATE subscription SET failed = COALESCE(failed, ?), note = ? WHERE device = ?", (at, note, device)


def drop_subscription(device: str, endpoint: str) -> Statement:
    """The one that the push service no longer knows; a newer one of the same phone stays."""
    return "DELETE FROM subscription WHERE device = ? AND endpoint = ?", (device, endpoint)


# ways to reach people

PUT_SUBSCRIPTION: Final = (
    "INSERT INTO subscription (device, person, endpoint, p256dh, auth, created) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (device) DO UPDATE SET endpoint = excluded.endpoint, p256dh = excluded.p256dh,"
    " auth = excluded.auth, failed = NULL, note = ''"
)
SUBSCRIPTIONS: Final = (
    "SELECT subscription.device, device.label, subscription.created, reached, failed, note FROM subscription"
    " JOIN device ON device.id = subscription.device WHERE subscription.person = ? AND device.revoked IS NULL"
    " ORDER BY subscription.created DESC"
)
PUT_CHANNEL: Final = (
    "INSERT INTO channel (id, project, kind, name, url, secret, addressees, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
CHANNEL: Final = "id, project, kind, name, url, secret, addressees, created"
ATTEMPTS: Final = (
    "SELECT step, channel, person, target, status, at, tries, note FROM alert_attempt WHERE alert = ?"
    " ORDER BY step, channel, id LIMIT 5000"
)


class Subscription(msgspec.Struct, frozen=True):
    """A phone's yes, as its browser gave it. `p256dh` and `auth` are base64url."""

    device: str
    person: str
    endpoint: str
    p256dh: str
    auth: str
    created: int


class Channel(msgspec.Struct, frozen=True):
    """A robot, gateway or mail server. `url` and `secret` are sealed."""

    id: str
    project: str
    kind: str
    name: str
    url: str
    secret: str
    addressees: str
    created: int


class Tried(msgspec.Struct, frozen=True):
    """An attempt as it is looked at afterwards."""

    step: int
    channel: str
    person: str | None
    target: str
    status: str
    at: int | None
    tries: int
    note: str


async def subscribe(store: Store, one: Subscription) -> None:
    """The newest of a device takes the place of its older one."""
    row = (one.device, one.person, one.endpoint, one.p256dh, one.auth, one.created)
    await store.change([(PUT_SUBSCRIPTION, row)])


async def unsubscribe(store: Store, device: str) -> None:
    await store.change([("DELETE FROM subscription WHERE device = ?", (device,))])


async def subscription(store: Store, device: str) -> Subscription | None:
    sql = "SELECT device, person, endpoint, p256dh, auth, created FROM subscription WHERE device = ?"
    found = await store.rows(sql, device)
    return Subscription(*found[0]) if found else None


async def subscriptions(store: Store, person: str) -> list[tuple[str, str, int, int | None, int | None, str]]:
    """device, label, created, reached, failed, note; the newest first."""
    return [(d, label, c, r, f, note) for d, label, c, r, f, note in await store.rows(SUBSCRIPTIONS, person)]


async def channels_of(store: Store, project: str) -> list[Channel]:
    """Those that are in use."""
    sql = f"SELECT {CHANNEL} FROM channel WHERE project = ? AND closed IS NULL ORDER BY created, id"
    return [Channel(*row) for row in await store.rows(sql, project)]


async def channel_names(store: Store, project: str) -> dict[str, str]:
    """Also of those that are closed by now."""
    return {id: name for id, name in await store.rows("SELECT id, name FROM channel WHERE project = ?", project)}  # noqa: C416


async def channel(store: Store, id: str) -> Channel | None:
    found = await store.rows(f"SELECT {CHANNEL} FROM channel WHERE id = ? AND closed IS NULL", id)
    return Channel(*found[0]) if found else None


async def add_channel(store: Store, one: Channel) -> None:
    row = (one.id, one.project, one.kind, one.name, one.url, one.secret, one.addressees, one.created)
    await store.change([(PUT_CHANNEL, row)])


async def close_channel(store: Store, id: str, at: int) -> None:
    await store.change([("UPDATE channel SET closed = ?, secret = '', url = '' WHERE id = ?", (at, id))])


async def steps(store: Store, id: str) -> list[tuple[int, int, int]]:
    """step, when it was due, when it was taken."""
    sql = "SELECT step, due, taken FROM alert_step WHERE alert = ? ORDER BY step"
    return [(step, due, taken) for step, due, taken in await store.rows(sql, id)]


async def attempts(store: Store, id: str) -> list[Tried]:
    return [Tried(*row) for row in await store.rows(ATTEMPTS, id)]
