"""Answers come in, and phones are told how an alert stands: its state goes into the log as the server's record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.core.problem import Problem
from server.store import alert as rows
from server.store.alert import OPEN, Alert
from server.store.round import Statement
from server.sync.alert.ground import ALERT, Ground, calm
from server.sync.computed import record_id


async def answer(ground: Ground, id: str, person: str, answer: str, via: str) -> Alert:
    """Somebody has seen it. The first answer of a person counts; only a call for help comes after it.
    Raises Problem `not_found`, also for who is not on that site."""
    one = await rows.alert(ground.store, id)
    if one is None or await ground.store.access.known(one.project, person) is None:
        raise Problem("not_found")
    keep = (
        "INSERT INTO alert_answer (alert, person, at, answer, via) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (alert, person) DO UPDATE SET at = excluded.at, answer = excluded.answer, via = excluded.via"
        " WHERE alert_answer.answer <> excluded.answer AND excluded.answer <> 'seen'"
    )
    statements: list[Statement] = [(keep, (id, person, ground.now(), answer, via)), ground.ask_tell(id)]
    if not one.everyone:
        statements.append(("UPDATE alert SET state = 'acked', next = NULL WHERE id = ? AND state = 'open'", (id,)))
        statements += calm(id, "answered")
    else:
        statements.append(
            (
                "UPDATE alert_attempt SET status = 'answered'"
                " WHERE alert = ? AND person = ? AND status IN ('waiting', 'gathered')",
                (id, person),
            )
        )
    await ground.store.change(statements)
    return one


async def tell(ground: Ground, args: Mapping[str, Any]) -> None:
    one = await rows.alert(ground.store, args["alert"])
    if one is None or ground.declarations.kind(ALERT) is None:
        return
    values = await values_of(ground, one)
    r = record_id(one.project, ALERT, one.id)
    stored = await ground.store.record(one.project, r)
    if stored is None or stored["set"] != values:
        await ground.store.put(one.project, [{"k": "put", "c": ALERT, "r": r, "set": values}])


async def values_of(ground: Ground, one: Alert) -> dict[str, Any]:
    sql = "SELECT DISTINCT person FROM alert_attempt WHERE alert = ? AND person IS NOT NULL ORDER BY person"
    to = [person for (person,) in await ground.store.rows(sql, one.id)]
    values: dict[str, Any] = {
        "alert": one.id, "about": one.r, "kind": one.c, "name": one.name, "level": one.level,
        "urgent": bool(one.urgent), "everyone": bool(one.everyone), "status": one.state,
        "begun": one.begun, "step": one.step, "to": to,
    }  # fmt: skip
    if one.next is not None and one.state == OPEN:
        values["next"] = one.next
    for person, _, answer, _ in await rows.answers(ground.store, one.id):
        values.setdefault(answer, []).append(person)
    return {name: value for name, value in values.items() if value not in ("", [])}
