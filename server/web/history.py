"""What happened to a record: who wrote what, when it came, what was held; and what was refused (P3).

A batch may touch records that the reader must not see, so only the ops of the asked record are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import get

from server.core.batch import envelope
from server.core.person import granted
from server.core.problem import Problem
from server.store.store import Entry, Kept
from server.web.answer import message
from server.web.caller import Caller, TheCaller
from server.web.names import names_of_people
from server.web.site import TheSite
from server.web.wire import AskedId, AskedKind

EVENTS_MAX: Final = 1000
REFUSED_MAX: Final = 200


class Event(msgspec.Struct):
    seq: int
    person: str
    name: str
    device: str
    received: int
    t: int  # by the device's clock
    skew_ms: int  # how far that clock was behind the server's when it sent
    ops: list[dict[str, Any]]
    held: list[int]  # which of `ops` were held as amendments


class History(msgspec.Struct):
    history: list[Event]


class Refusal(msgspec.Struct):
    device: str
    n: int
    person: str
    name: str
    received: int
    code: str
    message: str
    op: int | None
    field: str | None
    reason: str | None
    payload: str


class Refusals(msgspec.Struct):
    refused: list[Refusal]


@get("/api/history", summary="Every batch that touched a record", tags=["records"])
async def history(caller: TheCaller, site: TheSite, project: AskedId, c: AskedKind, r: AskedId) -> History:
    """Oldest first. 404 for a record that is not there or not for the caller: one answer."""
    actor = await caller.actor(project)
    record = await site.store.record(project, r)
    if record is None or record["c"] != c or not granted(record["aud"], actor.audiences):
        raise Problem("not_found")
    entries = await site.store.history(project, r)
    names = await names_of_people(project)
    return History([event(entry, r, names) for entry in entries[-EVENTS_MAX:]])


def event(entry: Entry, r: str, names: Mapping[str, str]) -> Event:
    batch, held = envelope(entry.payload), set(msgspec.json.decode(entry.outcome)["held"])
    mine = [(i, op) for i, op in enumerate(batch.ops) if op["r"] == r]
    return Event(
        entry.seq,
        entry.person,
        names.get(entry.person, ""),
        entry.device,
        entry.received,
        batch.t,
        entry.received - entry.sent,
        [{key: value for key, value in op.items() if key not in ("c", "r")} for _, op in mine],
        [place for place, (i, _) in enumerate(mine) if i in held],
    )


@get("/api/refused", summary="The newest refused batches of a project, with their words", tags=["records"])
async def refused(caller: TheCaller, site: TheSite, project: AskedId) -> Refusals:
    """For the manager: what people wrote is not lost because a rule refused it."""
    await caller.actor(project, ["manager"])
    names = await names_of_people(project)
    return Refusals([refusal(kept, names, caller) for kept in await site.store.refused(project, REFUSED_MAX)])


def refusal(kept: Kept, names: Mapping[str, str], caller: Caller) -> Refusal:
    why = msgspec.json.decode(kept.outcome)
    return Refusal(
        kept.device,
        kept.n,
        kept.person,
        names.get(kept.person, ""),
        kept.received,
        why["code"],
        message(why["code"], caller.lang),
        why.get("op"),
        why.get("field"),
        why.get("reason"),
        kept.payload,
    )


routes = [history, refused]
