"""A round: all pushes that wait are judged together and saved in one transaction (P1–P3, P8).

Pure: a dialect loads what `needs` names, calls `settle`, writes the `Saves`, commits, and only
then hands out the answers. Nothing here knows SQL, threads or clocks.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec

from server.core.admit import admit
from server.core.batch import Batch, Op, Refused, effective_time, gap, payload_of
from server.core.declaration import Declarations, Kind
from server.core.merge import VALUE, Record, is_deleted
from server.core.person import SERVER, Actor
from server.core.problem import Problem
from server.store.job import ask
from server.store.photo_use import named_in

log: Final = logging.getLogger("gongbu.store")

Statement: TypeAlias = tuple[str, Sequence[Any]]  # SQL with ? placeholders, its arguments
Answer: TypeAlias = dict[str, Any]  # one entry of P5's results, without the message


class Item(msgspec.Struct, frozen=True):
    """One batch as it came. `read` is what it says, or why it cannot be admitted whatever the
    records say; `actor` is None for a person who is no member of its project."""

    n: int
    project: str
    payload: str
    sig: str
    read: Batch | Refused
    actor: Actor | None


class Push(msgspec.Struct, frozen=True):
    """The batches of one request. Without a device it is the server's own: `ops` for `project`.

    `also` are statements that belong into the same transaction.
    """

    device: str
    person: str
    received: int
    sent: int
    items: Sequence[Item] = ()
    project: str = ""
    ops: Sequence[Op] = ()
    also: Sequence[Statement] = ()


class Place(msgspec.Struct):
    """Where a device stands: its last number, and whether it may still send."""

    last_n: int
    revoked: bool


@dataclass(slots=True)
class Loaded:
    """What the database held when the round began, by project and by device."""

    heads: dict[str, int]
    devices: dict[str, Place]
    answers: dict[tuple[str, int], Answer] = field(default_factory=dict)
    records: dict[str, dict[str, Record]] = field(default_factory=dict)


@dataclass(slots=True)
class Saves:
    """Rows to write, in the order of the columns in `migrations/`; `made` are records that were not loaded."""

    batches: list[tuple[Any, ...]] = field(default_factory=list)
    refused: list[tuple[Any, ...]] = field(default_factory=list)
    made: list[tuple[Any, ...]] = field(default_factory=list)
    records: list[tuple[Any, ...]] = field(default_factory=list)
    touches: list[tuple[str, str, int]] = field(default_factory=list)
    moved: list[tuple[str, str, str, int]] = field(default_factory=list)
    photos: set[tuple[str, str, str]] = field(default_factory=set)  # sha, project, r
    heads: dict[str, int] = field(default_factory=dict)
    devices: dict[str, int] = field(default_factory=dict)
    computes: set[tuple[str, str]] = field(default_factory=set)  # project, kind
    also: list[Statement] = field(default_factory=list)


Outcome: TypeAlias = list[Answer] | Problem


class Watch(msgspec.Struct, frozen=True):
    """What is computed from what: `feeds` a kind of record → the computed kinds that depend on
    it; `groups` a kind → the field, written once, by which its records are grouped for that."""

    feeds: Mapping[str, Sequence[str]] = {}
    groups: Mapping[str, str] = {}


def weight(push: Push) -> int:
    """How many ops a push brings."""
    return len(push.ops) + sum(len(item.read.ops) for item in push.items if isinstance(item.read, Batch))


def devices_of(pushes: Iterable[Push]) -> list[str]:
    return sorted({push.device for push in pushes if push.items})


def projects_of(pushes: Iterable[Push]) -> list[str]:
    names = {item.project for push in pushes for item in push.items}
    return sorted(names | {push.project for push in pushes if push.ops})


def repeats(pushes: Iterable[Push], devices: Mapping[str, Place]) -> list[tuple[str, int]]:
    """The (device, n) that were answered before."""
    return [
        (push.device, item.n)
        for push in pushes
        if push.items and push.device in devices
        for item in push.items
        if item.n <= devices[push.device].last_n
    ]


def wanted(pushes: Iterable[Push], loaded: Loaded, *, boldly: bool = False) -> dict[str, list[str]]:
    """The records, by project, that the round's new batches name.

    `boldly` leaves out those that usual batches make: nearly never is one there, and `made` then meets it.
    """
    named: dict[str, set[str]] = {}
    for push in pushes:
        if push.ops:
            named.setdefault(push.project, set()).update([op["r"] for op in push.ops])
        last_n = loaded.devices[push.device].last_n if push.device in loaded.devices else 0
        for item in push.items:
            if item.n > last_n and isinstance(item.read, Batch) and not (boldly and item.read.is_usual):
                named.setdefault(item.project, set()).update([op["r"] for op in item.read.ops])
    return {project: list(records) for project, records in named.items()}


class Round:
    """Judges pushes one after the other; each sees what those before it did."""

    def __init__(self, loaded: Loaded, declarations: Declarations, watch: Watch) -> None:
        self.loaded, self.declarations, self.watch = loaded, declarations, watch
        self.saves = Saves()
        self._stored = {p: dict(rows) for p, rows in loaded.records.items()}
        self._touched: dict[str, dict[str, Record]] = {}

    def settle(self, pushes: Iterable[Push]) -> list[Outcome]:
        """The outcome of each push, in order; then `saves` is what must be written."""
        outcomes = [self._push(push) for push in pushes]
        self._save_records()
        return outcomes

    def _push(self, push: Push) -> Outcome:
        if not push.items:
            return self._own(push)
        place = self.loaded.devices.get(push.device)
        if place is None or place.revoked:
            return Problem("signed_out")
        expected = gap(place.last_n, (item.n for item in push.items))
        if expected is not None:
            return Problem("gap", expected=expected)
        return [self._answer(push, item, place) for item in push.items]

    def _answer(self, push: Push, item: Item, place: Place) -> Answer:
        """The one answer to a number: given before, or now (P1)."""
        key = (push.device, item.n)
        if item.n > place.last_n:
            self.loaded.answers[key] = self._item(push, item)
            self.saves.devices[push.device] = place.last_n = item.n
        return self.loaded.answers[key]

    def _item(self, push: Push, item: Item) -> Answer:
        try:
            return self._admit(push, item)
        except Refused as refused:
            answer = _refusal(item.n, refused)
        except Exception:
            # A fault of ours must not block the phone's queue or lose its words.  (P3)
            log.exception("admission failed", extra={"device": push.device, "n": item.n})
            answer = _refusal(item.n, Refused("invalid", reason="broken"))
        self.saves.refused.append(
            (push.device, item.n, item.project, push.person, push.received, push.sent,
             item.payload, item.sig, _text(answer))
        )  # fmt: skip
        return answer

    def _admit(self, push: Push, item: Item) -> Answer:
        if isinstance(item.read, Refused):
            raise item.read
        if item.actor is None or item.project not in self.loaded.heads:
            raise Refused("forbidden")
        seq = self.loaded.heads[item.project] + 1
        et = effective_time(item.read.t, push.sent, push.received)
        held = self._apply(item.read, item.actor, seq, et)
        answer: Answer = {"n": item.n, "status": "applied", "seq": seq, "held": held}
        self._log(item.project, seq, push, item.n, item.payload, item.sig, answer)
        return answer

    def _own(self, push: Push) -> Outcome:
        """A batch of the server itself: its number is its seq, and it knows everything."""
        self.saves.also.extend(push.also)
        if not push.ops:
            return []
        if push.project not in self.loaded.heads:
            return Problem("not_found")
        seq = self.loaded.heads[push.project] + 1
        ops = list(push.ops)
        batch = Batch(seq, push.project, seq - 1, push.received, self.declarations.v, ops)
        actor = Actor(push.person, SERVER, frozenset())
        held = self._apply(batch, actor, seq, push.received)
        answer: Answer = {"n": seq, "status": "applied", "seq": seq, "held": held}
        self._log(push.project, seq, push, seq, payload_of(batch), "", answer)
        return [answer]

    def _apply(self, batch: Batch, actor: Actor, seq: int, et: int) -> list[int]:
        project = batch.project
        stored = self._stored.setdefault(project, {})
        admitted = admit(batch, actor, stored, self.declarations, seq, et)
        changed = admitted.records
        for r, record in changed.items():
            if r in stored:
                self._note_change(project, stored[r], record)
        for c in {record["c"] for record in changed.values()}:
            self.saves.computes.update((project, kind) for kind in self.watch.feeds.get(c, ()))
        stored.update(changed)
        self._touched.setdefault(project, {}).update(admitted.records)
        if not batch.is_usual:  # nor does it name a photo
            self.saves.photos.update((sha, project, r) for sha, r in named_in(batch.ops, self.declarations.kinds))
        return admitted.held

    def _note_change(self, project: str, before: Record, after: Record) -> None:
        self.saves.touches.append((project, after["r"], after["seq"]))
        kind = self.declarations.kinds.get(after["c"])
        if after["c"] in self.watch.feeds and kind is not None:
            day = text_at(before, kind.day)
            if day is not None and day != text_at(after, kind.day):
                self.saves.moved.append((project, after["r"], day, after["seq"]))

    def _log(self, project: str, seq: int, push: Push, n: int, payload: str, sig: str, answer: Answer) -> None:
        self.loaded.heads[project] = self.saves.heads[project] = seq
        outcome = _text({"held": answer["held"]})
        self.saves.batches.append(
            (project, seq, push.device, n, push.person, push.received, push.sent, payload, sig, outcome)
        )

    def _save_records(self) -> None:
        """Only the last state of each record is written, however often the round touched it."""
        kinds, groups = self.declarations.kinds, self.watch.groups
        for project, records in self._touched.items():
            loaded = self.loaded.records.get(project, {})
            for r, record in records.items():
                c = record["c"]
                kind = kinds.get(c)
                if kind is not None and (kind.alerts or kind.makes):
                    self._ask(project, r, kind)
                day = text_at(record, kind.day) if kind is not None else None
                group = text_at(record, groups.get(c))
                deleted = int(record["del"] is not None and is_deleted(record))
                row = (project, r, c, record["seq"], record["aud"], day, group, deleted, encode(record).decode())
                (self.saves.records if r in loaded else self.saves.made).append(row)

    def _ask(self, project: str, r: str, kind: Kind) -> None:
        """For the work that follows a record of this kind."""
        args = {"project": project, "r": r}
        if kind.alerts:
            self.saves.also.append(ask(f"alert:{project}:{r}", "alert", args, 0))
        if kind.makes is not None:
            self.saves.also.append(ask(f"make:{project}:{r}", "make", args, 0))


encode: Final = msgspec.json.Encoder().encode
decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


def text_at(record: Record, name: str | None) -> str | None:
    """The text in a field of this name, if there is one: the day that a record stands under, or its group."""
    if name is None:
        return None
    writes = record["f"].get(name)
    value = writes[-1][VALUE] if writes else record["set"].get(name)
    return value if type(value) is str else None


def applied(n: int, seq: int, outcome: str) -> Answer:
    """The answer of an admitted batch, from its row in the log."""
    return {"n": n, "status": "applied", "seq": seq, "held": decode(outcome)["held"]}


def _refusal(n: int, refused: Refused) -> Answer:
    answer: Answer = {"n": n, "status": "refused", "code": refused.code, "op": refused.op}
    if refused.field is not None:
        answer["field"] = refused.field
    if refused.reason is not None:
        answer["reason"] = refused.reason
    return answer


def _text(value: Any) -> str:
    return encode(value).decode()
