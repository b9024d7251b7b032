"""A server in memory: the log, one answer for each (device, n), the records; admission is `server.core`.

It promises what the real one promises, and is written for reading: no storage, no queue. A crash is a flag:
`crash="before"` forgets the whole request, `crash="after"` keeps it and loses the answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from server.core import admit as admission
from server.core import batch as batches
from server.core import merge
from server.core.batch import Refused
from server.core.declaration import Declarations
from server.core.merge import Record
from server.core.person import SERVER, Actor, granted

Answer = dict[str, Any]
Crash = Literal["before", "after"] | None
PAGE: Final = 7  # records; small, so that a pull takes many pages


class Crashed(Exception):
    """The server died: whoever asked hears nothing."""


class Gap(Exception):
    """P1: a number was left out."""

    def __init__(self, expected: int) -> None:
        super().__init__(expected)
        self.expected = expected


@dataclass(frozen=True)
class Member:
    roles: frozenset[str]
    teams: frozenset[str]


@dataclass(frozen=True)
class Entry:
    """One admitted batch of the log, with what the server decided about it."""

    project: str
    seq: int
    device: str
    person: str
    n: int
    base: int
    t: int
    sent: int
    received: int
    et: int
    v: int
    declared: int  # the server's version of the declarations at the time
    ops: list[dict[str, Any]]
    held: list[int]
    actor: Actor


@dataclass(frozen=True)
class Page:
    header: dict[str, Any]
    lines: list[str]


@dataclass
class Project:
    head: int = 0
    records: dict[str, Record] = field(default_factory=dict)
    log: list[Entry] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)


@dataclass
class Server:
    declarations: Declarations
    projects: dict[str, Project]
    person_of: dict[str, str]  # device → person
    answers: dict[tuple[str, int], Answer] = field(default_factory=dict)
    judged: list[dict[str, Any]] = field(default_factory=list)  # every batch that could be read, and what became of it

    def push(self, device: str, sent: int, payloads: Sequence[str], received: int, crash: Crash = None) -> list[Answer]:
        """Answers in order. Raises Gap, Malformed or Crashed."""
        if crash == "before":
            raise Crashed
        envelopes = [batches.envelope(payload) for payload in payloads]
        expected = batches.gap(self.last_n(device), [envelope.n for envelope in envelopes])
        if expected is not None:
            raise Gap(expected)
        answers = []
        for envelope, payload in zip(envelopes, payloads, strict=True):
            if (device, envelope.n) not in self.answers:
                self.answers[device, envelope.n] = self._take(device, sent, envelope, payload, received)
            answers.append(self.answers[device, envelope.n])
        if crash == "after":
            raise Crashed
        return answers

    def last_n(self, device: str) -> int:
        return max((n for owner, n in self.answers if owner == device), default=0)

    def pull(self, device: str, project: str, cursor: int, epoch: Any, limit: int = PAGE) -> Page | None:
        """A page of the caller's records after `cursor`; None for who is not a member."""
        actor = self.actor(device, project)
        if actor is None:
            return None
        there = self.projects[project]
        fresh = cursor == 0 and epoch is None
        now_epoch = epoch_of(actor)
        start = cursor if epoch in (None, now_epoch) else 0
        found = sorted(
            (r for r in there.records.values() if r["seq"] > start and granted(r["aud"], actor.audiences)),
            key=lambda record: (record["seq"], record["r"]),
        )
        taken = [record for record in found if not (fresh and merge.is_deleted(record))]
        page = taken[:limit]
        while len(page) < len(taken) and page and taken[len(page)]["seq"] == page[-1]["seq"]:
            page.append(taken[len(page)])
        more = len(page) < len(taken)
        header = {
            "head": there.head, "cursor": page[-1]["seq"] if more else there.head, "more": more,
            "epoch": now_epoch, "audiences": sorted(actor.audiences), "from": start,
        }  # fmt: skip
        return Page(header, [json.dumps(record) for record in page])

    def put(self, project: str, ops: list[dict[str, Any]], now: int) -> None:
        """A batch of the server's own (computed kinds)."""
        there = self.projects[project]
        batch = batches.Batch(self.last_n(SERVER) + 1, project, there.head, now, self.declarations.v, ops)
        self.answers[SERVER, batch.n] = self._take(SERVER, now, None, batches.payload_of(batch), now)

    def actor(self, device: str, project: str) -> Actor | None:
        if device == SERVER:
            return Actor(SERVER, SERVER, frozenset())
        there = self.projects.get(project)
        person = self.person_of[device]
        if there is None or person not in there.members:
            return None
        member = there.members[person]
        teams_of = {name: other.teams for name, other in there.members.items()}
        return Actor(person, device, member.roles, member.teams, teams_of)

    def state(self) -> str:
        """All that is stored, as text: two equal texts mean that nothing happened in between."""
        return json.dumps([self._stored(), sorted(self.answers)], sort_keys=True)

    def contents(self) -> str:
        """The same without the answers."""
        return json.dumps(self._stored(), sort_keys=True)

    def _stored(self) -> list[Any]:
        return [[name, there.head, len(there.log), there.records] for name, there in self.projects.items()]

    def _take(self, device: str, sent: int, envelope: batches.Envelope | None, payload: str, received: int) -> Answer:
        envelope = envelope or batches.envelope(payload)
        actor = self.actor(device, envelope.project)
        try:
            if actor is None:
                raise Refused("forbidden")
            batch = batches.opened(envelope, len(payload.encode()))
            return self._admit(batch, actor, sent, received)
        except Refused as no:
            answer = {"n": envelope.n, "status": "refused", "code": no.code, "op": no.op}
            return answer | ({"field": no.field} if no.field else {}) | ({"reason": no.reason} if no.reason else {})

    def _admit(self, batch: batches.Batch, actor: Actor, sent: int, received: int) -> Answer:
        there = self.projects[batch.project]
        seq, et = there.head + 1, batches.effective_time(batch.t, sent, received)
        self.judged.append({"project": batch.project, "seq": seq, "et": et, "batch": batch, "actor": actor})
        named = {op["r"]: there.records[op["r"]] for op in batch.ops if op["r"] in there.records}
        admitted = admission.admit(batch, actor, named, self.declarations, seq, et)
        there.head = seq
        there.records.update(admitted.records)
        there.log.append(
            Entry(
                batch.project,
                seq,
                actor.device,
                actor.person,
                batch.n,
                batch.base,
                batch.t,
                sent,
                received,
                et,
                batch.v,
                self.declarations.v,
                batch.ops,
                admitted.held,
                actor,
            )
        )
        answer: Answer = {"n": batch.n, "status": "applied", "seq": seq}
        return answer | {"held": admitted.held} if admitted.held else answer


def epoch_of(actor: Actor) -> str:
    return json.dumps([sorted(actor.roles), sorted(actor.audiences)])
