"""The rules M2–M8 and A1–A3 said a second time, slowly: from the whole log to what every record must hold.

It shares no code with `server.core.merge`: it looks at all writes of a field at once, where merge goes from one
to the next, and it hashes with the standard library. What both say alike is probably meant.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.core.declaration import Declarations, Kind
from tests.simulation.server import Entry

Value = Any


@dataclass(frozen=True)
class Mark:
    """One write with all that decides about it."""

    seq: int
    i: int
    device: str
    base: int
    et: int  # as it came, not yet raised
    value: Value = None
    adds: bool = True  # for elements of a set: added, or removed

    def knew(self, other: Mark) -> bool:
        """M2. Nobody knows what is not there yet, whatever base he names."""
        if other.seq <= self.base and other.seq < self.seq:
            return True
        return self.device == other.device and (other.seq, other.i) < (self.seq, self.i)


@dataclass
class Seal:
    mark: Mark
    ver: str


@dataclass
class Story:
    """What happened to one record, in the order of the log."""

    c: str
    born: Mark
    by: str
    aud: str
    state: str | None
    created: dict[str, Value]
    writes: dict[str, list[tuple[Mark, str]]] = field(default_factory=dict)  # path → write, rule at that time
    deletions: list[Mark] = field(default_factory=list)
    last_touch: Mark | None = None
    seal: Seal | None = None
    held: dict[tuple[int, int], tuple[dict[str, Any], Mark]] = field(default_factory=dict)
    ever_held: list[tuple[int, int]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def canonical(value: Value) -> str:
    """V3, by the standard library."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def stories(log: Iterable[Entry], declared: Mapping[int, Declarations]) -> dict[str, Story]:
    told: dict[str, Story] = {}
    for entry in log:
        for i, op in enumerate(entry.ops):
            mark = Mark(entry.seq, i, entry.device, entry.base, entry.et, op.get("v"), op["k"] != "rem")
            _tell(told, op, mark, entry, declared[entry.declared].kind(op["c"]))
    return told


def _tell(told: dict[str, Story], op: dict[str, Any], mark: Mark, entry: Entry, kind: Kind | None) -> None:
    if op["k"] in ("new", "put"):
        created = {path: value for path, value in op["set"].items() if value is not None}
        state = next(iter(kind.states), None) if kind else None
        told[op["r"]] = Story(op["c"], mark, entry.person, _audience(op, entry, kind), state, created)
        return
    story = told[op["r"]]
    if op["k"] == "act":
        _tell_act(story, op, mark, kind)
    elif op["k"] in ("amend", "decline"):
        _tell_decision(story, op, mark, kind)
    elif story.seal is not None:
        if mark.knew(story.seal.mark):
            story.faults.append(f"11: {mark} knew of the seal and was admitted")
        story.held[mark.seq, mark.i] = (op, mark)
        story.ever_held.append((mark.seq, mark.i))
    else:
        _tell_edit(story, op, mark, kind)
    story.last_touch = mark


def _audience(op: dict[str, Any], entry: Entry, kind: Kind | None) -> str:
    sort, _, name = (kind.audience if kind else "person:{author}").partition(":")
    if not name:
        return sort
    value = entry.person if name == "{author}" else op["set"].get(name.strip("{}"))
    return f"{sort}:{value}" if isinstance(value, str) else f"person:{entry.person}"


def _tell_edit(story: Story, op: dict[str, Any], mark: Mark, kind: Kind | None) -> None:
    if op["k"] == "del":
        story.deletions.append(mark)
        return
    if mark.seq == story.born.seq:
        _tell_birth(story, op)
        return
    rule = _rule(kind, op["f"]) if op["k"] == "set" else "set"
    if rule == "once":
        story.faults.append(f"M6: {op['f']} was written again by {mark}")
    story.writes.setdefault(op["f"], []).append((mark, rule))


def _tell_birth(story: Story, op: dict[str, Any]) -> None:
    """The creating batch may go on writing: no second write, only a better first one."""
    path, value = op["f"], op.get("v")
    if op["k"] != "set":
        rest = [item for item in story.created.get(path, []) if canonical(item) != canonical(value)]
        value = [*rest, value] if op["k"] == "add" else rest
    if value is None or (op["k"] != "set" and not value):
        story.created.pop(path, None)
    else:
        story.created[path] = value


def _tell_act(story: Story, op: dict[str, Any], mark: Mark, kind: Kind | None) -> None:
    if kind is None or story.state not in kind.acts[op["act"]].from_:
        story.faults.append(f"A1: {op['act']} from {story.state} was admitted")
        return
    story.state = kind.acts[op["act"]].to
    if kind.states[story.state].seals:
        _check_seen(story, op, kind)
        story.seal = Seal(mark, op["ver"])


def _tell_decision(story: Story, op: dict[str, Any], mark: Mark, kind: Kind | None) -> None:
    late = story.held.pop(tuple(op["of"]), None)
    if late is None or story.seal is None:
        story.faults.append(f"11: {op['of']} was decided and is not held")
        return
    if op["k"] == "decline":
        return
    entry, born = late
    et = max(born.et, story.seal.mark.et)
    all_knowing = Mark(mark.seq, mark.i, born.device, mark.seq - 1, et, entry.get("v"), entry["k"] != "rem")
    _tell_edit(story, entry, all_knowing, kind)
    _check_seen(story, op, kind)
    story.seal = Seal(Mark(mark.seq, mark.i, mark.device, mark.base, max(mark.et, et)), op["ver"])


def _check_seen(story: Story, op: dict[str, Any], kind: Kind | None) -> None:
    if version(op["r"], story, kind) != op["ver"]:
        story.faults.append(f"12: {op['k']} of {op['r']} names other content than was there")
    if conflicts(story, kind):
        story.faults.append(f"12: {op['r']} was approved in conflict")


def _rule(kind: Kind | None, path: str) -> str:
    declared = kind.fields.get(path.split(".")[0]) if kind else None
    if declared is None:
        return "keep"
    return declared.merge or ("set" if declared.type == "multi_choice" else "keep")


@dataclass(frozen=True)
class Live:
    """A write that is still there, its et raised to that of all it replaced (M7)."""

    mark: Mark
    et: int

    @property
    def rank(self) -> tuple[int, int, int]:
        return self.et, self.mark.seq, self.mark.i


def live(story: Story, path: str) -> list[Live]:
    """Every write of a field that is still there, the shown one last.

    A write takes the place of all that its author knew; an element added or removed (M5), only of adds of the
    same element; where the rule is `last` (M4), the greatest alone stays.
    """
    standing = [Live(mark, mark.et) for mark in _first(story, path)]
    for mark, rule in story.writes.get(path, []):
        replaced = [one for one in standing if mark.knew(one.mark) and (rule != "set" or _same(one.mark, mark))]
        standing = [one for one in standing if one not in replaced]
        if mark.adds:
            standing.append(Live(mark, max([mark.et, *(one.et for one in replaced)])))
        if rule == "last":
            standing = [max(standing, key=lambda one: one.rank)]
    return sorted(standing, key=lambda one: one.rank)


def _first(story: Story, path: str) -> list[Mark]:
    """What the creating batch wrote: one value, or the elements of a set."""
    if path not in story.created:
        return []
    born, value = story.born, story.created[path]
    as_set = isinstance(value, list) and any(rule == "set" for _, rule in story.writes.get(path, []))
    return [Mark(born.seq, born.i, born.device, born.base, born.et, item) for item in (value if as_set else [value])]


def _same(one: Mark, other: Mark) -> bool:
    return canonical(one.value) == canonical(other.value)


def paths(story: Story) -> list[str]:
    return sorted({*story.created, *story.writes})


def is_set(story: Story, path: str, kind: Kind | None) -> bool:
    return _rule(kind, path) == "set"


def shown(story: Story, kind: Kind | None) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for path in paths(story):
        standing = live(story, path)
        if path not in story.writes:
            value = story.created[path]
            values[path] = sorted(value, key=canonical) if is_set(story, path, kind) else value
        elif is_set(story, path, kind):
            elements = {canonical(one.mark.value): one.mark.value for one in standing}
            if elements:
                values[path] = [elements[key] for key in sorted(elements)]
        elif standing and standing[-1].mark.value is not None:
            values[path] = standing[-1].mark.value
    return values


def conflicts(story: Story, kind: Kind | None) -> list[str]:
    return [
        path
        for path in paths(story)
        if _rule(kind, path) == "keep"
        and (path in story.writes)
        and len({canonical(one.mark.value) for one in live(story, path)}) > 1
    ]


def version(r: str, story: Story, kind: Kind | None) -> str:
    content = {"c": story.c, "f": shown(story, kind), "r": r}
    return hashlib.sha256(canonical(content).encode()).hexdigest()
