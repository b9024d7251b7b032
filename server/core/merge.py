"""Merge: admitted batches in order → records (rules M1–M10, A1–A3).

A record is the plain object that goes over the wire (P6). It is changed in place: the caller
hands in copies it may throw away. Every function here answers the same as `merge.ts`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from server.core.batch import Op, Refused
from server.core.declaration import Kind
from server.core.person import SERVER
from server.core.value import Value, canonical, equal

Record = dict[str, Any]
Write = list[Any]  # [seq, i, device, base, et, value]
SEQ, INDEX, DEVICE, BASE, ET, VALUE = range(6)
by_time: Final = itemgetter(ET, SEQ, INDEX)


class Stamp:
    """Where and when a batch stands: its position, what its author knew, its effective time.

    Nobody knows what is not there yet: a base beyond the head counts as the head (M2).
    """

    __slots__ = ("base", "by", "device", "et", "seq", "v")

    def __init__(self, seq: int, device: str, base: int, et: int, by: str, v: int) -> None:
        self.seq, self.device, self.et = seq, device, et
        self.base = base if base < seq else seq - 1
        self.by, self.v = by, v


def fold(records: dict[str, Record], ops: Sequence[Op], at: Stamp, kinds: Mapping[str, Kind]) -> list[int]:
    """M1: apply an admitted batch; answers the indices of the ops that were held (A3).

    A batch that a record already has is passed over, so folding twice changes nothing.
    """
    seq, held = at.seq, []
    done = {op["r"] for op in ops if op["r"] in records and records[op["r"]]["seq"] >= seq}
    for i, op in enumerate(ops):
        if op["r"] not in done and apply(records, op, i, at, kinds.get(op["c"])):
            held.append(i)
    return held


def apply(records: dict[str, Record], op: Op, i: int, at: Stamp, kind: Kind | None) -> bool:
    """One op. True if it was held (A3). Raises Refused where the rules do not admit it."""
    k = op["k"]
    if k == "new" or k == "put":
        _create(records, op, i, at, kind)
        return False
    record = records.get(op["r"])
    if record is None or record["c"] != op["c"]:
        raise Refused("unknown_record", i)
    if k == "set" or k == "add" or k == "rem" or k == "del":
        return _edit(record, op, i, at, kind)
    if k == "act":
        _act(record, op, i, at, kind)
    elif k == "amend":
        _amend(record, op, i, at, kind)
    else:
        _decline(record, op, i)
    record["seq"] = at.seq
    return False


def knows(at: Stamp, i: int, seq: int, index: int, device: str) -> bool:
    """M2: whether the author of op i knew the op at (seq, index) of a device."""
    return seq <= at.base or (device == at.device and (seq, index) < (at.seq, i))


def copy(record: Record) -> Record:
    """A record that may be changed without the original knowing; its writes are shared."""
    return {**record, "set": {**record["set"]}, "f": {**record["f"]}, "held": [*record["held"]]}


def is_deleted(record: Record) -> bool:
    """M8: there is a deletion, and it knew every live write. Otherwise it is only flagged."""
    deletion = record["del"]
    if deletion is None:
        return False
    seq, i, device, base = deletion[:4]
    at = Stamp(seq, device, base, 0, "", 0)
    writes = [record["born"], *(write for writes in record["f"].values() for write in writes)]
    return all(knows(at, i, write[SEQ], write[INDEX], write[DEVICE]) for write in writes)


def shown(record: Record, kind: Kind | None) -> dict[str, Value]:
    """What a person sees: path → value, erased fields left out, sets in canonical order."""
    values = {path: value for path, value in record["set"].items() if value is not None}
    for path, writes in record["f"].items():
        if kind is not None and kind.rule(path) == "set":
            elements = {canonical(write[VALUE]): write[VALUE] for write in writes}
            if elements:
                values[path] = [elements[key] for key in sorted(elements)]
        elif writes[-1][VALUE] is not None:
            values[path] = writes[-1][VALUE]
    if kind is not None:
        for path in record["set"]:
            if kind.rule(path) == "set" and isinstance(values.get(path), list):
                values[path] = sorted(values[path], key=canonical)
    return values


def shown_at(record: Record, path: str, kind: Kind) -> Value:
    """The shown value of one field, a set in any order; None if it has none."""
    writes = record["f"].get(path)
    if writes and kind.rule(path) == "set":
        return [write[VALUE] for write in writes]
    return writes[-1][VALUE] if writes else record["set"].get(path)


def conflicts(record: Record, kind: Kind | None) -> list[str]:
    """M3: the paths that hold different values whose authors did not know of each other."""
    return sorted(
        path
        for path, writes in record["f"].items()
        if len(writes) > 1
        and (kind is None or kind.rule(path) == "keep")
        and any(not equal(writes[0][VALUE], write[VALUE]) for write in writes)
    )


def version(record: Record, kind: Kind | None) -> str:
    """A2 `ver`: SHA-256 (hex) of the canonical bytes of the covered content as shown."""
    content = {"c": record["c"], "f": shown(record, kind), "r": record["r"]}
    return hashlib.sha256(canonical(content)).hexdigest()


def audience(kind: Kind | None, values: Mapping[str, Value], author: str) -> str:
    """A5: who may see a record, from its declaration and its creating batch."""
    if kind is None:
        return f"person:{author}"  # a newer declaration's kind: its author and those over him
    name = kind.audience_field
    if name is None:
        return kind.audience
    value = author if name == "author" else values.get(name)
    return kind.audience_class + value if isinstance(value, str) else f"person:{author}"


def _create(records: dict[str, Record], op: Op, i: int, at: Stamp, kind: Kind | None) -> None:
    r, values = op["r"], op["set"]
    if r in records and op["k"] == "new":
        raise Refused("invalid", i, reason="exists")
    if op["k"] == "put" and at.device != SERVER:
        raise Refused("invalid", i, "k", "malformed")
    if None in values.values():
        values = {path: value for path, value in values.items() if value is not None}
    else:
        values = values.copy()  # the record grows; the batch stays what was signed
    records[r] = {
        "r": r, "c": op["c"], "seq": at.seq, "aud": audience(kind, values, at.by), "by": at.by,
        "state": kind.first_state if kind is not None else None, "v": at.v,
        "born": [at.seq, i, at.device, at.base, at.et],
        "set": values, "f": {}, "seal": None, "held": [], "del": None,
    }  # fmt: skip


def _edit(record: Record, op: Op, i: int, at: Stamp, kind: Kind | None) -> bool:
    """set, add, rem and del: held if the record was sealed behind the author's back (A3)."""
    seal, deletion = record["seal"], record["del"]
    if deletion is not None:
        _meet_deletion(record, op, i, at)
    if seal is not None:
        if knows(at, i, seal["seq"], seal["i"], seal["device"]):
            raise Refused("sealed", i, op.get("f"))
        record["held"].append(
            {"of": [at.seq, i], "op": op, "by": at.by, "device": at.device, "base": at.base, "et": at.et}
        )
        record["seq"] = at.seq
        return True
    if op["k"] == "set":
        _write(record, op["f"], op["v"], i, at, kind)
    else:
        _change(record, op, i, at)
    record["seq"] = at.seq
    return False


def _meet_deletion(record: Record, op: Op, i: int, at: Stamp) -> None:
    """M8: who knew of it may not edit; who knew and edits what came back settles the flag."""
    deletion = record["del"]
    if not knows(at, i, deletion[SEQ], deletion[INDEX], deletion[DEVICE]):
        return
    if is_deleted(record):
        raise Refused("unknown_record", i)
    if record["seal"] is None:
        record["del"] = None


def _write(record: Record, path: str, value: Value, i: int, at: Stamp, kind: Kind | None) -> None:
    """M3, M4, M6 and M7: the write takes the place of every write that its author knew."""
    seq, base, device, et = at.seq, at.base, at.device, at.et
    born, created, fields = record["born"], record["set"], record["f"]
    rule = "keep" if kind is None else kind.rule(path)
    if born[SEQ] == seq:
        _write_at_birth(created, path, value)
        return
    if rule == "once":
        raise Refused("invalid", i, path, "once")
    lives = fields.get(path)
    if lives is None:
        if path not in created:
            fields[path] = [[seq, i, device, base, et, value]]
            return
        lives = [[*born, created.pop(path)]]
    kept = []
    for write in lives:
        if write[0] <= base or (write[2] == device and (write[0], write[1]) < (seq, i)):
            if write[4] > et:
                et = write[4]
        else:
            kept.append(write)
    kept.append([seq, i, device, base, et, value])
    if len(kept) > 1:
        kept.sort(key=by_time)
        if rule == "last":
            del kept[:-1]
    fields[path] = kept


def _write_at_birth(created: dict[str, Value], path: str, value: Value) -> None:
    if value is None:
        created.pop(path, None)
    else:
        created[path] = value


def _change(record: Record, op: Op, i: int, at: Stamp) -> None:
    if op["k"] == "del":
        if record["del"] is None or not is_deleted(record):
            record["del"] = [at.seq, i, at.device, at.base, at.et, at.by]
        return
    path, element = op["f"], op["v"]
    if type(record["set"].get(path, [])) is not list:
        raise Refused("invalid", i, path, "type")  # of a newer declaration, and not as a set (M9)
    if record["born"][SEQ] == at.seq:
        _change_at_birth(record["set"], path, element, adds=op["k"] == "add")
        return
    lives = record["f"].pop(path, None)
    if lives is None:
        lives = [[*record["born"], item] for item in record["set"].pop(path, [])]
    kept = _without(lives, element, i, at)
    if op["k"] == "add":
        et = max([at.et, *(write[ET] for write in lives if write not in kept)])
        kept.append([at.seq, i, at.device, at.base, et, element])
        kept.sort(key=by_time)
    if kept:
        record["f"][path] = kept


def _change_at_birth(created: dict[str, Value], path: str, element: Value, *, adds: bool) -> None:
    elements = [item for item in created.get(path, []) if not equal(item, element)]
    created[path] = [*elements, element] if adds else elements
    if not created[path]:
        del created[path]


def _without(lives: list[Write], element: Value, i: int, at: Stamp) -> list[Write]:
    """M5: the adds of an element that this op's author knew are gone; add wins over the rest."""
    return [
        write
        for write in lives
        if not equal(write[VALUE], element) or not knows(at, i, write[SEQ], write[INDEX], write[DEVICE])
    ]


def _act(record: Record, op: Op, i: int, at: Stamp, kind: Kind | None) -> None:
    """A1 and A2: a transition, and for an approving one exactly what was seen."""
    act = kind.acts.get(op["act"]) if kind is not None else None
    if act is None or kind is None:
        raise Refused("invalid", i, "act", "option")
    if record["del"] is not None:
        if is_deleted(record):
            raise Refused("unknown_record", i)
        _meet_deletion(record, op, i, at)
    if record["state"] not in act.from_:
        raise Refused("bad_transition", i)
    if record["seal"] is not None and record["held"]:
        raise Refused("bad_transition", i, reason="held")  # what came late is decided before it is opened again
    seals = kind.states[act.to].seals
    if seals and "ver" not in op:
        raise Refused("invalid", i, "ver", "required")
    if "ver" in op and (conflicts(record, kind) or op["ver"] != version(record, kind)):
        raise Refused("stale_approval", i)
    before = record.get("act")
    et = at.et if before is None else max(at.et, before[ET])
    record["state"] = act.to
    record["act"] = [at.seq, i, at.device, at.base, et, op["act"], at.by, op.get("note")]
    record["seal"] = _seal(at, i, op["ver"], et) if seals else None


def _seal(at: Stamp, i: int, ver: str, et: int) -> dict[str, Value]:
    return {"seq": at.seq, "i": i, "device": at.device, "by": at.by, "et": et, "ver": ver}


def _amend(record: Record, op: Op, i: int, at: Stamp, kind: Kind | None) -> None:
    """A3: a held op is applied and what comes of it approved, in one step."""
    entry = _take_held(record, op, i)
    late, device, et = entry["op"], entry["device"], max(entry["et"], record["seal"]["et"])
    # The approver saw both values, so the accepted one settles all: it knows whatever is there.
    settled = Stamp(at.seq, device, at.seq - 1, et, at.by, at.v)
    record["seal"] = None
    if late["k"] == "set":
        _write(record, late["f"], late["v"], i, settled, kind)
    else:
        _change(record, late, i, settled)
    if conflicts(record, kind) or op["ver"] != version(record, kind):
        raise Refused("stale_approval", i)
    record["seal"] = _seal(at, i, op["ver"], max(at.et, et))


def _decline(record: Record, op: Op, i: int) -> None:
    _take_held(record, op, i)


def _take_held(record: Record, op: Op, i: int) -> dict[str, Any]:
    for place, entry in enumerate(record["held"]):
        if entry["of"] == op["of"]:
            entry = dict(entry)
            del record["held"][place]
            return entry
    raise Refused("unknown_record", i, "of")
