"""The ladder climbs: one step, once. Whom it means and how is written down with the job that takes the next."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from server.core.ladder import GROUP_CHANNELS, Ladder, Member, Rung, due_ms, people_of
from server.core.merge import shown
from server.core.worktime import USUAL
from server.store import alert as rows
from server.store.alert import ACKED, ENDED, Alert, Attempt
from server.store.job import ask
from server.store.round import Statement
from server.sync.alert.ground import Ground, ask_sending, climb_at

BREATH_S: Final = 0.1
HASTE: Final = 3  # parts that are written without one
GATHER_MS: Final = 5_000  # all alerts of a digest climb at the same minute; the message waits for the last of them


async def climb(ground: Ground, args: Mapping[str, Any]) -> None:
    one, step = await rows.alert(ground.store, args["alert"]), args["step"]
    if one is None or one.state == ENDED or one.step != step or (one.state == ACKED and not one.everyone):
        return
    ladder = read_ladder(one.ladder)
    steps = ladder.steps
    if step >= len(steps):
        return
    answered = {person for person, *_ in await rows.answers(ground.store, one.id)}
    attempts = await attempts_of(ground, one, step, steps[step][1], answered)
    if ladder.digest_min is not None:
        attempts = [msgspec.structs.replace(a, status="gathered") if a.status == "waiting" else a for a in attempts]
    *parts, rest = [attempts[i : i + rows.ROWS_MAX] for i in range(0, len(attempts), rows.ROWS_MAX)] or [[]]
    # A big step in parts: the first go out while the next are written, and phones need not wait.
    for n, part in enumerate(parts):
        await ground.store.change([*rows.put_attempts(part), ask_send(ground, one, ladder, step)])
        await asyncio.sleep(BREATH_S if n >= HASTE and ground.is_busy() else 0)
    await ground.store.change([*rows.put_attempts(rest), *await taken(ground, one, ladder, step)])


async def taken(ground: Ground, one: Alert, ladder: Ladder, step: int) -> list[Statement]:
    """The step is taken, what it wrote down is to be sent, and the next one has its time."""
    now, steps = ground.now(), ladder.steps
    taken: list[Statement] = [
        (
            "INSERT INTO alert_step (alert, step, due, taken) VALUES (?, ?, ?, ?) ON CONFLICT (alert, step) DO NOTHING",
            (one.id, step, one.next or now, now),
        ),
        ask_send(ground, one, ladder, step),
        ground.ask_tell(one.id),
    ]
    due = None
    if step + 1 < len(steps):
        zone = await ground.zone(one.project)
        worktime = await ground.worktime(one.project) if ladder.worktime else USUAL
        due = due_ms(ladder, one.begun, steps[step + 1][0], zone, worktime)
        due = max(due, now + 1)
        taken.append(climb_at(one.id, step + 1, due))
    taken.append(("UPDATE alert SET step = ?, next = ? WHERE id = ? AND step = ?", (step + 1, due, one.id, step)))
    return taken


def ask_send(ground: Ground, one: Alert, ladder: Ladder, step: int) -> Statement:
    if ladder.digest_min is None:
        return ask_sending(one.id, step, ground.now())
    due = ground.now() + GATHER_MS
    return ask(f"alert digest:{one.project}", "alert digest", {"project": one.project}, due)


async def attempts_of(
    ground: Ground, one: Alert, step: int, rungs: Sequence[Rung], answered: set[str]
) -> list[Attempt]:
    """Each phone, group and gateway once, whatever number of rungs mean it."""
    members = await rows.members(ground.store, one.project)
    values = await values_of(ground, one)
    ways = await rows.phones(ground.store, one.project, ground.now())
    groups = await rows.channels(ground.store, one.project)

    def made() -> list[Attempt]:
        found: dict[str, Attempt] = {}
        for rung in rungs:
            people = people_of(rung.who, one.addressed, values, members)
            for attempt in (
                to_groups(one, step, rung, groups)
                if rung.channel in GROUP_CHANNELS
                else to_phones(one, step, people, ways, answered)
            ):
                found.setdefault(attempt.id, attempt)
        return [found[id] for id in sorted(found)]

    return await asyncio.to_thread(made)  # of ten thousand people it takes a tenth of a second


def to_groups(one: Alert, step: int, rung: Rung, groups: Mapping[str, Sequence[str]]) -> list[Attempt]:
    return [
        Attempt(f"{one.id}:{step}:{rung.channel}:{id}", one.id, step, rung.channel, None, id, "waiting", 0)
        for id in groups.get(rung.channel, ())
    ]


def to_phones(
    one: Alert,
    step: int,
    people: Sequence[Member],
    ways: Mapping[str, Sequence[str]],
    answered: set[str],
) -> list[Attempt]:
    made: list[Attempt] = []
    for person in people:
        if person.id in answered:
            continue
        at = f"{one.id}:{step}:push"
        if person.id not in ways:
            note = "no phone of theirs takes notifications"
            made.append(Attempt(f"{at}:{person.id}", one.id, step, "push", person.id, person.id, "no_way", 0, note))
        made += [
            Attempt(f"{at}:{device}", one.id, step, "push", person.id, device, "waiting", 0)
            for device in ways.get(person.id, ())
        ]
    return made


async def values_of(ground: Ground, one: Alert) -> dict[str, Any]:
    record = await ground.store.record(one.project, one.r)
    kind = ground.declarations.kind(one.c)
    return {} if record is None or kind is None else shown(record, kind)


def read_ladder(text: str) -> Ladder:
    said = msgspec.json.decode(text)
    quiet = said["quiet"]
    rungs = tuple(Rung(**rung) for rung in said["rungs"])
    return Ladder(rungs, tuple(quiet) if quiet else None, said["digest_min"], said.get("worktime", False))
