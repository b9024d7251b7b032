"""Computed kinds: records in, records out, made by a module's function after the commit.

A module names, for each kind that it computes, the kinds that feed it and the field by which
both are grouped (a person, say). When a record changes, the days around it are computed again
for its group, and what differs from what is stored is appended as a batch of the server.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from server.core.batch import Op
from server.core.merge import Record
from server.core.value import Value
from server.store.round import Statement, decode
from server.store.store import Store

FIRST_DAY: Final = "0001-01-01"
LAST_DAY: Final = "9999-12-31"
GROUPS_AT_ONCE_MAX: Final = 100  # those with all their days come one by one
Span = tuple[str, str]  # first and last day, inclusive
Dated = tuple[str | None, Record]
ALWAYS: Final[Span] = (FIRST_DAY, LAST_DAY)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a function computes from. `records` are live ones of one group, with a day within
    `around` of first..last or with none, by (day, r)."""

    project: str
    group: str
    first: str
    last: str
    records: Sequence[Record]
    context: Mapping[str, Sequence[Record]]


@dataclass(frozen=True, slots=True)
class Result:
    """One record that ought to be there. `key` is stable; `day` lies within first..last."""

    key: str
    day: str
    set: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Computed:
    """How a kind is computed. `by` is a field of the inputs and of the kind itself, written
    once; a change of a kind in `context` computes everything again."""

    kind: str
    inputs: tuple[str, ...]
    by: str
    around: int
    context: tuple[str, ...]
    compute: Callable[[Inputs], Iterable[Result]]


def watch_of(computed: Iterable[Computed]) -> dict[str, tuple[str, ...]]:
    """Kind of record → computed kinds that it feeds."""
    watch: dict[str, tuple[str, ...]] = {}
    for one in computed:
        for c in (*one.inputs, *one.context):
            watch[c] = (*watch.get(c, ()), one.kind)
    return watch


def record_id(project: str, kind: str, key: str) -> str:
    """The id of a computed record: the same for the same key, a UUID as any other."""
    digest = hashlib.sha256(f"{project}\n{kind}\n{key}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


async def recompute(store: Store, one: Computed, project: str) -> int:
    """Bring a computed kind up to date with the log; answers how many records changed.

    It may be repeated at any time: what is there already is not written again.
    """
    head = await store.access.head(project)
    since = await _read_up_to(store, one, project)
    dirty = await _dirty(store, one, project, since, head)
    ops: list[Op] = []
    if dirty:
        context = {c: await _live(store, project, c) for c in one.context}
        for groups in _slices(dirty, one.around):
            found = await _read(store, one, project, groups)
            for group, spans in groups.items():
                records, stored = found.get(group, ([], []))
                for first, last in spans:
                    near = _within(records, shift(first, -one.around), shift(last, one.around))
                    inputs = Inputs(project, group, first, last, near, context)
                    ops += _difference(one, inputs, _within(stored, first, last))
                await asyncio.sleep(0)  # requests go first
    await store.put(project, ops, also=_mark(one, project, head))
    return len(ops)


async def _read_up_to(store: Store, one: Computed, project: str) -> int:
    rows = await store.rows("SELECT seq FROM computed WHERE project = ? AND kind = ?", project, one.kind)
    return rows[0][0] if rows else 0


def _mark(one: Computed, project: str, head: int) -> list[Statement]:
    return [
        (
            "INSERT INTO computed (project, kind, seq) VALUES (?, ?, ?)"
            " ON CONFLICT (project, kind) DO UPDATE SET seq = excluded.seq",
            (project, one.kind, head),
        ),
        (
            "DELETE FROM moved WHERE project = ? AND seq <= (SELECT min(seq) FROM computed WHERE project = ?)",
            (project, project),
        ),
    ]


Dirty = dict[str, set[str | None]]  # group → days; None stands for all of them


async def _dirty(store: Store, one: Computed, project: str, since: int, head: int) -> Dirty:
    """The groups and days that changed after `since`."""
    group = _group_sql(store, one.by)
    marks = _marks(one.inputs)
    dirty: Dirty = {}
    changed = await store.rows(
        f"SELECT {group}, day FROM record WHERE project = ? AND seq > ? AND seq <= ? AND c IN ({marks})",
        project, since, head, *one.inputs,
    )  # fmt: skip
    changed += await store.rows(
        f"SELECT {group}, moved.day FROM moved JOIN record ON record.project = moved.project AND record.r = moved.r"
        f" WHERE moved.project = ? AND moved.seq > ? AND record.c IN ({marks})",
        project, since, *one.inputs,
    )  # fmt: skip
    if since and await _context_changed(store, one, project, since):
        changed += await store.rows(
            f"SELECT DISTINCT {group}, NULL FROM record WHERE project = ? AND c IN ({marks})", project, *one.inputs
        )
    for name, day in changed:
        if isinstance(name, str):
            dirty.setdefault(name, set()).add(day)
    return dirty


async def _context_changed(store: Store, one: Computed, project: str, since: int) -> bool:
    if not one.context:
        return False
    sql = f"SELECT 1 FROM record WHERE project = ? AND seq > ? AND c IN ({_marks(one.context)}) LIMIT 1"
    return bool(await store.rows(sql, project, since, *one.context))


async def _live(store: Store, project: str, c: str) -> list[Record]:
    return [decode(body) async for chunk in store.records(project, c) for _, body in chunk]


def _slices(dirty: Dirty, around: int) -> Iterator[dict[str, list[Span]]]:
    """The dirty groups and their spans, as many at a time as may be in memory."""
    part: dict[str, list[Span]] = {}
    for group in sorted(dirty):
        spans = spans_of(dirty[group], around)
        if spans == [ALWAYS]:
            yield {group: spans}
            continue
        part[group] = spans
        if len(part) == GROUPS_AT_ONCE_MAX:
            yield part
            part = {}
    if part:
        yield part


async def _read(
    store: Store, one: Computed, project: str, groups: Mapping[str, list[Span]]
) -> dict[str, tuple[list[Dated], list[Dated]]]:
    """Inputs and stored results of these groups, over all the days that they need."""
    spans = [span for spans in groups.values() for span in spans]
    first = shift(min(first for first, _ in spans), -one.around)
    last = shift(max(last for _, last in spans), one.around)
    kinds = (*one.inputs, one.kind)
    group = _group_sql(store, one.by)
    rows = await store.rows(
        f"SELECT {group}, c, day, body FROM record WHERE project = ? AND c IN ({_marks(kinds)}) AND deleted = 0"
        f" AND (day IS NULL OR day BETWEEN ? AND ?) AND {group} IN ({_marks(groups)}) ORDER BY day, r",
        project, *kinds, first, last, *groups,
    )  # fmt: skip
    found: dict[str, tuple[list[Dated], list[Dated]]] = {}
    for name, c, day, body in rows:
        found.setdefault(name, ([], []))[c == one.kind].append((day, decode(body)))
    return found


def _marks(values: Collection[Any]) -> str:
    return ",".join("?" * len(values))


def _group_sql(store: Store, by: str) -> str:
    """The grouping field: written once, so that it always stands in `set`."""
    if store.dialect == "sqlite":
        return f"json_extract(record.body, '$.set.{by}')"
    return f"(record.body::json->'set'->>'{by}')"


def spans_of(days: Iterable[str | None], around: int) -> list[Span]:
    """The days to compute again when these changed, those that touch as one span."""
    spans: list[Span] = []
    for day in sorted(days, key=lambda day: day or ""):
        if day is None:
            return [ALWAYS]
        first, last = shift(day, -around), shift(day, around)
        if spans and first <= shift(spans[-1][1], 1):
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return spans


def shift(day: str, days: int) -> str:
    """So many days later; stops at the ends of the calendar."""
    try:
        return (date.fromisoformat(day) + timedelta(days)).isoformat()
    except OverflowError:
        return FIRST_DAY if days < 0 else LAST_DAY


def _within(records: Sequence[Dated], first: str, last: str) -> list[Record]:
    """Those of these days, and those without a day."""
    return [record for day, record in records if day is None or first <= day <= last]


def _difference(one: Computed, inputs: Inputs, stored: Sequence[Record]) -> list[Op]:
    """What must be written so that the stored results of these days are the wanted ones."""
    wanted = {record_id(inputs.project, one.kind, result.key): dict(result.set) for result in one.compute(inputs)}
    there = {record["r"]: record["set"] for record in stored}
    ops: list[Op] = [
        {"k": "put", "c": one.kind, "r": r, "set": values} for r, values in wanted.items() if there.get(r) != values
    ]
    return ops + [{"k": "del", "c": one.kind, "r": r} for r in there if r not in wanted]
