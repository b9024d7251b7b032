"""A ladder: whom an alert reaches, by which channel, and when it climbs.

An alert begins at an instant; every rung stands some minutes after it. Whoever answers stops the climb.
In the quiet hours nothing but an urgent alert makes a noise: a rung that falls into them waits for their end.
A ladder may count its minutes in the site's working time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.core.worktime import USUAL as USUAL_TIME
from server.core.worktime import Worktime, after

CHANNELS: Final = ("push", "wecom", "dingtalk", "feishu", "webhook", "email")
GROUP_CHANNELS: Final = frozenset(CHANNELS) - {"push"}  # they reach a group or a gateway, not one phone
WHO: Final = (
    "to", "person", "team", "foreman", "worker", "inspector", "supervisor", "manager", "office", "client", "all",
)  # fmt: skip
RUNGS_MAX: Final = 30
DAY_MIN: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to one circle of people, so many minutes after the beginning."""

    after_min: int
    channel: str
    who: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """`quiet` and `digest_min` are minutes of the site's day; an urgent ladder has neither, and counts every
    minute, where another may count `worktime` alone."""

    rungs: tuple[Rung, ...]
    quiet: tuple[int, int] | None = None
    digest_min: int | None = None
    worktime: bool = False

    @property
    def steps(self) -> list[tuple[int, tuple[Rung, ...]]]:
        """The rungs of one moment together, in the order of time."""
        ordered = sorted(self.rungs, key=lambda rung: rung.after_min)
        return [(minutes, tuple(rungs)) for minutes, rungs in groupby(ordered, key=lambda rung: rung.after_min)]


URGENT: Final = Ladder(
    (
        Rung(0, "push", "to"), Rung(0, "push", "team"), Rung(0, "push", "inspector"), Rung(0, "push", "supervisor"),
        Rung(0, "push", "manager"), Rung(0, "wecom", "to"), Rung(0, "dingtalk", "to"), Rung(0, "feishu", "to"),
        Rung(5, "webhook", "supervisor"), Rung(5, "push", "supervisor"), Rung(5, "push", "manager"),
        Rung(10, "email", "manager"), Rung(15, "push", "manager"), Rung(30, "push", "manager"),
    )
)  # fmt: skip
USUAL: Final = Ladder(
    (
        Rung(0, "push", "to"), Rung(0, "push", "person"), Rung(0, "push", "foreman"), Rung(0, "push", "inspector"),
        Rung(60, "push", "supervisor"), Rung(60, "wecom", "to"), Rung(60, "dingtalk", "to"), Rung(60, "feishu", "to"),
        Rung(240, "push", "manager"), Rung(240, "email", "manager"),
    ),
    quiet=(22 * 60, 6 * 60),
)  # fmt: skip


def ladder_of(values: Mapping[str, Any], *, is_urgent: bool) -> Ladder:
    """A ladder record's shown values → the ladder; without a usable rung it is the default one."""
    default = URGENT if is_urgent else USUAL
    rungs = tuple(_rungs(values.get("rungs") or {}))
    if not rungs:
        return default
    if is_urgent:
        return Ladder(rungs)
    start, end = values.get("quiet_from"), values.get("quiet_to")
    quiet = (start, end) if isinstance(start, int) and isinstance(end, int) and start != end else None
    return Ladder(rungs, quiet, values.get("digest_at"), values.get("worktime") is True)


def _rungs(rows: Mapping[str, Mapping[str, Any]]) -> list[Rung]:
    found = [
        Rung(int(row.get("after_min") or 0), row["channel"], row["who"])
        for _, row in sorted(rows.items())
        if row.get("channel") in CHANNELS and row.get("who") in WHO
    ]
    return found[:RUNGS_MAX]


def due_ms(ladder: Ladder, begun_ms: int, after_min: int, zone: str, worktime: Worktime = USUAL_TIME) -> int:
    """When a step is taken, ms UTC: not before its minutes are over, nor in the quiet hours; what is
    gathered for a digest goes at the digest's next time."""
    due = begun_ms + after_min * 60_000
    if ladder.worktime and after_min:
        wall = f"{_local(begun_ms, zone):%Y-%m-%dT%H:%M}"
        due = max(due, at_wall(after(worktime, wall, after_min), zone))
    if ladder.digest_min is not None:
        return next_at(due, ladder.digest_min, zone)
    if ladder.quiet is not None and is_quiet(due, ladder.quiet, zone):
        return next_at(due, ladder.quiet[1], zone)
    return due


def is_quiet(at_ms: int, quiet: tuple[int, int], zone: str) -> bool:
    local = _local(at_ms, zone)
    minute, (start, end) = local.hour * 60 + local.minute, quiet
    return start <= minute < end if start < end else minute >= start or minute < end


def next_at(at_ms: int, minute: int, zone: str) -> int:
    """The next time that clocks on the site show this minute of the day, ms UTC; now, if they do."""
    local = _local(at_ms, zone)
    wanted = local.replace(hour=minute // 60 % 24, minute=minute % 60, second=0, microsecond=0)
    if wanted < local.replace(second=0, microsecond=0):
        wanted += timedelta(days=1)
    return max(at_ms, int(wanted.timestamp() * 1000))


def at_wall(wall: str, zone: str) -> int:
    """The instant when clocks on the site show it, ms UTC."""
    return int(datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def _local(at_ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone))


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the site, as far as an alert asks."""

    id: str
    roles: frozenset[str]
    teams: frozenset[str]
    language: str = "zh-CN"


def people_of(who: str, to: str, values: Mapping[str, Any], members: Sequence[Member]) -> list[Member]:
    """Who is meant by one word of a rung. `to` is the word that the alert itself names; `values` are the
    record's: its `person`, its `people`, its `team` (or the teams of its `person`)."""
    if who == "to":
        return people_of(to, "all", values, members) if to and to != "to" else []
    if who == "all":
        return list(members)
    if who == "person":
        return [member for member in members if member.id == values.get("person")]
    if who == "people":
        named = frozenset(values.get("people") or ())
        return [member for member in members if member.id in named]
    if who in ("team", "foreman"):
        teams = _teams(values, members)
        crew = [member for member in members if member.teams & teams]
        return crew if who == "team" else [member for member in crew if "foreman" in member.roles]
    return [member for member in members if who in member.roles]


def _teams(values: Mapping[str, Any], members: Sequence[Member]) -> frozenset[str]:
    team = values.get("team")
    if isinstance(team, str):
        return frozenset({team})
    named = next((member for member in members if member.id == values.get("person")), None)
    return named.teams if named else frozenset()
