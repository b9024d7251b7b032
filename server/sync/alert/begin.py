"""A record asks: begin what its declaration says, end what is over, set the timer of what will be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from server.core import logic
from server.core.declaration import Alert as Rule
from server.core.ladder import Ladder, due_ms, ladder_of
from server.core.merge import Record, is_deleted, shown
from server.core.needs import data_of
from server.core.worktime import Worktime, worked_on
from server.store import alert as rows
from server.store.alert import ENDED, Alert
from server.store.job import ask
from server.store.round import Statement
from server.sync.alert.ground import Ground, alert_id, calm, climb_at

LADDER: Final = "alerts.ladder"
ACT: Final = 5  # in a record's `act`: its name


async def look(ground: Ground, args: Mapping[str, Any]) -> None:
    """Bring the alerts of one record up to date with it."""
    project, r = args["project"], args["r"]
    record = await ground.store.record(project, r)
    kind = None if record is None else ground.declarations.kind(record["c"])
    if record is None or kind is None:
        return
    begun = {one.id: one for one in await rows.alerts_of(ground.store, project, r)}
    values = shown(record, kind)
    data = data_of(values, kind, record["state"])
    statements: list[Statement] = []
    gone = record["del"] is not None and is_deleted(record)
    zone = await ground.zone(project)
    worktime = await ground.worktime(project)
    for name, rule in kind.alerts.items():
        over = gone or record["state"] in rule.ends
        statements += end(ground, [one for one in begun.values() if one.name == name], over=over)
        if over or not logic.holds(rule.if_, data):
            continue
        event = event_of(rule, record, values, zone, worktime)
        if event is None:
            continue
        text, at_ms = event
        if at_ms > ground.now():
            statements.append(ask(f"alert due:{project}:{r}:{name}", "alert", dict(args), at_ms))
        elif (id := alert_id(project, r, name, text)) not in begun:
            statements += await begin(ground, id, project, record, name, rule, data, zone, worktime)
    if statements:
        await ground.store.change(statements)


def event_of(
    rule: Rule, record: Record, values: Mapping[str, Any], zone: str, worktime: Worktime
) -> tuple[str, int] | None:
    """What this rule is about, in one word, and since when (ms); None if nothing has happened."""
    if rule.on == "created":
        return "created", 0
    if rule.on == "act":
        act = record.get("act")
        return (f"act {act[0]} {act[1]}", 0) if act and act[ACT] == rule.act else None
    due = values.get(rule.due or "")
    if due is None:
        return None
    return f"due {due}", due if isinstance(due, int) else end_of_day(worked_on(worktime, due), zone)


def end(ground: Ground, alerts: Sequence[Alert], *, over: bool) -> list[Statement]:
    if not over:
        return []
    return [
        statement
        for one in alerts
        if one.state != ENDED
        for statement in (
            ("UPDATE alert SET state = 'ended', next = NULL WHERE id = ?", (one.id,)),
            *calm(one.id, "the matter is closed"),
            ground.ask_tell(one.id),
        )
    ]


async def begin(
    ground: Ground, id: str, project: str, record: Record, name: str, rule: Rule, data: dict[str, Any], zone: str,
    worktime: Worktime,
) -> list[Statement]:  # fmt: skip
    urgent, level = bool(logic.answer(rule.urgent, data)), logic.answer(rule.level, data)
    said = level if isinstance(level, str) else ""
    ladder = await ladder_for(ground, project, record["c"], said, urgent=urgent)
    to, now = logic.answer(rule.to, data), ground.now()
    steps = ladder.steps
    due = due_ms(ladder, now, steps[0][0], zone, worktime)
    everyone = int(bool(logic.answer(rule.each, data)))
    begin = (
        id, project, record["r"], record["c"], name, now, int(urgent), everyone,
        to if isinstance(to, str) else "all", said, msgspec.json.encode(asdict(ladder)).decode(), due,
    )  # fmt: skip
    return [(rows.BEGIN, begin), climb_at(id, 0, due), ground.ask_tell(id)]


async def ladder_for(ground: Ground, project: str, c: str, level: str, *, urgent: bool) -> Ladder:
    """The project's own for this kind and level, else for the kind, else the one that is shipped."""
    kind = ground.declarations.kind(LADDER)
    best: dict[str, Any] = {}
    for _, said in await ground.all_of(project, LADDER):
        values = data_of(said, kind, None) if kind is not None else {}
        if (
            values.get("kind") == c
            and values.get("level") in (level, None, "")
            and (not best or values.get("level") == level)
        ):
            best = values
    return ladder_of(best, is_urgent=urgent)


def end_of_day(day: str, zone: str) -> int:
    """A date is over when the next one begins on the site, ms UTC."""
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    return int((start + timedelta(days=1)).timestamp() * 1000)
