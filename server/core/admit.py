"""Admission: may this person write this batch, does it fit the declaration, what comes of it.

Pure: `admit` answers the changed records or raises Refused, and touches nothing that it was
given. The server runs it inside the transaction that stores the batch; the phone runs its twin
before it lets a person save (rules A1–A4, M6, M9, P2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from server.core import logic, merge
from server.core.batch import RECORD_PARTS_MAX, Batch, Op, Refused
from server.core.declaration import Declarations, Kind
from server.core.field import element_reason
from server.core.merge import Record, Stamp, shown
from server.core.needs import data_of, is_asked, missing
from server.core.person import SERVER, Actor, granted
from server.core.value import Value


@dataclass(frozen=True, slots=True)
class Admitted:
    """`records`: those that the batch touched, as they are now; `held`: ops kept as amendments."""

    records: dict[str, Record]
    held: list[int]


def admit(
    batch: Batch,
    actor: Actor,
    records: Mapping[str, Record],
    declarations: Declarations,
    seq: int,
    et: int,
) -> Admitted:
    """Judge and apply a batch at `seq` (its place in the log if it is admitted).

    `records` holds the stored records that its ops name; `et` is its effective time (M7).
    Raises Refused.
    """
    at = Stamp(seq, actor.device, batch.base, et, actor.person, batch.v)
    newer = batch.v > declarations.v
    kinds = declarations.kinds
    work: dict[str, Record] = {}
    held = []
    for i, op in enumerate(batch.ops):
        r = op["r"]
        if r not in work and r in records:
            work[r] = merge.copy(records[r])
        kind = kinds.get(op["c"])
        if kind is None and not newer:
            raise Refused("invalid", i, "c", "unknown_kind")
        if actor.device != SERVER:
            _judge(op, i, work.get(r), actor, kind, newer, batch.is_usual)
        if merge.apply(work, op, i, at, kind):
            held.append(i)
    if not batch.is_usual or kinds[batch.ops[0]["c"]].error_checks:  # those are all of one kind
        _check_results(batch, work, kinds)
    return Admitted(work, held)


def _judge(op: Op, i: int, record: Record | None, actor: Actor, kind: Kind | None, newer: bool, is_usual: bool) -> None:
    k = op["k"]
    if k == "put":
        raise Refused("invalid", i, "k", "malformed")  # the server's own word
    if record is not None and not granted(record["aud"], actor.audiences):
        raise Refused("unknown_record", i)
    if k == "new":
        if kind is not None:
            _must(not kind.computed_by and actor.may(kind.may.create, None, op["set"]), i)
            if not is_usual:
                _judge_new(op["set"], i, kind, newer)
        return
    if record is None or record["c"] != op["c"]:
        raise Refused("unknown_record", i)
    if kind is None:
        _must(record["by"] == actor.person, i)
    elif k == "act":
        _judge_act(op, i, record, actor, kind)
    elif k in ("amend", "decline"):
        _must_decide(record, i, actor, kind)
    else:
        who = kind.may.delete or kind.may.edit if k == "del" else kind.may.edit
        _must(actor.may(who, record["by"], _values(who, record, kind)), i)
        if k != "del":
            _judge_value(op, i, kind, newer)


def _must(allowed: bool, i: int) -> None:
    if not allowed:
        raise Refused("forbidden", i)


def _values(who: Iterable[str], record: Record, kind: Kind) -> Mapping[str, Value]:
    """The record's shown values of the fields that the words of a declaration name."""
    names = {word.partition(":")[2] for word in who if ":" in word}
    return {name: merge.shown_at(record, name, kind) for name in names}


def _judge_new(values: Mapping[str, Value], i: int, kind: Kind, newer: bool) -> None:
    reasons = kind.reasons
    for path, value in values.items():
        judge = reasons.get(path)
        reason = kind.reason(path, value) if judge is None else judge(value)
        if reason is not None and value is not None:
            _refuse_value(i, path, reason, kind, newer)
    given = {path.partition(".")[0] for path, value in values.items() if value is not None}
    for name in kind.required:
        if name not in given and is_asked(kind, name, values, kind.first_state):
            raise Refused("invalid", i, name, "required")


def _judge_value(op: Op, i: int, kind: Kind, newer: bool) -> None:
    path, value = op["f"], op["v"]
    field = kind.field(path)
    if op["k"] == "set":
        reason = kind.reason(path, value)
        if reason is None and field is not None and field.rule == "set":
            reason = "type"  # a set changes by its elements (M5)
    elif field is None or field.rule != "set":
        reason = "path" if field is None else "type"
    else:
        reason = element_reason(field, value)
    if reason is not None:
        _refuse_value(i, path, reason, kind, newer)


def _refuse_value(i: int, path: str, reason: str, kind: Kind, newer: bool) -> None:
    """M9: what a newer declaration may have added is kept; anything else is refused."""
    if newer and path.partition(".")[0] not in kind.written:
        return
    raise Refused("invalid", i, path, reason)


def _judge_act(op: Op, i: int, record: Record, actor: Actor, kind: Kind) -> None:
    act = kind.acts.get(op["act"])
    if act is None:
        raise Refused("invalid", i, "act", "option")
    values = shown(record, kind)
    _must(actor.may(act.roles, record["by"], values), i)
    _must(not actor.may(act.not_, record["by"], values), i)
    if act.needs_note and not (op.get("note") or "").strip():
        raise Refused("invalid", i, "note", "required")
    if needed := missing(act, values, kind, record["state"]):
        raise Refused("bad_transition", i, needed[0], "needs")
    if not logic.holds(act.if_, data_of(values, kind, record["state"])):
        raise Refused("bad_transition", i, reason="condition")


def _must_decide(record: Record, i: int, actor: Actor, kind: Kind) -> None:
    """Who may seal a record decides on what came after the seal (A3)."""
    values = shown(record, kind)
    sealing = [act for act in kind.acts.values() if kind.states[act.to].seals]
    _must(
        any(
            actor.may(act.roles, record["by"], values) and not actor.may(act.not_, record["by"], values)
            for act in sealing
        ),
        i,
    )


def _check_results(batch: Batch, work: Mapping[str, Record], kinds: Mapping[str, Kind]) -> None:
    """What came of each record that the batch wrote, looked at once: its size, its declared checks
    of level error, and how many photos, files or rows it has."""
    checked: set[str] = set()
    counted: set[str] = set()
    for i, op in enumerate(batch.ops):
        r, kind = op["r"], kinds.get(op["c"])
        if op["k"] not in WRITES:
            continue
        if r not in checked:
            checked.add(r)
            _check_size(i, work[r])
            if kind is not None and kind.error_checks:
                _check_declared(i, work[r], kind)
        if kind is not None and kind.keyed and r not in counted and _is_keyed(op):
            counted.add(r)
            _check_count(i, work[r], kind)


WRITES: Final = frozenset({"new", "set", "add", "rem"})


def _check_size(i: int, record: Record) -> None:
    """P2: a record is sent and judged whole, so it has a limit as a batch does."""
    parts = len(record["set"]) + len(record["held"]) + sum(map(len, record["f"].values()))
    if parts > RECORD_PARTS_MAX:
        raise Refused("invalid", i, reason="too_large")


def _check_declared(i: int, record: Record, kind: Kind) -> None:
    data = data_of(shown(record, kind), kind, record["state"])
    for check in kind.error_checks:
        if not logic.holds(check.that, data):
            raise Refused("invalid", i, reason="check")


def _is_keyed(op: Op) -> bool:
    return "." in " ".join(op["set"]) if op["k"] == "new" else "." in op["f"]


def _check_count(i: int, record: Record, kind: Kind) -> None:
    keys: dict[str, set[str]] = {}
    for path in shown(record, kind):
        name, dot, rest = path.partition(".")
        if dot:
            keys.setdefault(name, set()).add(rest.partition(".")[0])
    for name, most in kind.keyed.items():
        if len(keys.get(name, ())) > most:
            raise Refused("invalid", i, name, "max")
