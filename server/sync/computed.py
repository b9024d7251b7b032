"""Computed kinds: records in, records out, made by a module's function after the commit.

A module names, for each kind that it computes, the kinds that feed it and the field by which
both are grouped (a person, say). When a record changes, the days around it are computed again
for its group, and what differs from what is stored is appended as a batch of the server.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from server.core.batch import OPS_MAX, Op
from server.core.merge import Record
from server.core.value import Value
from server.store.round import Statement, Watch, decode
from server.store.store import Store

log: Final = logging.getLogger("gongbu.computed")
DAYS_MAX: Final = 100  # of a group, computed at a time
FIRST_DAY: Final = "0001-01-01"
LAST_DAY: Final = "9999-12-31"
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
    """How a kind is computed. `by` is a field of the inputs and of the kind itself, written once; a
    change of a kind in `context` computes everything again. Where `by` refers to records (the template of
    an inspection), their kind stands in `keys`: the context of a group has its own one alone, and a change
    of it computes that group again."""

    kind: str
    inputs: tuple[str, ...]
    by: str
    around: int
    context: tuple[str, ...]
    compute: Callable[[Inputs], Iterable[Result]]
    keys: tuple[str, ...] = ()


def watch_of(computed: Iterable[Computed]) -> Watch:
    """What the store has to note down for these. Raises ValueError if two of them want the
    records of one kind grouped by different fields."""
    feeds: dict[str, tuple[str, ...]] = {}
    groups: dict[str, str] = {}
    for one in computed:
        for c in (*one.inputs, *one.context, *one.keys):
            feeds[c] = (*feeds.get(c, ()), one.kind)
        for c in (*one.inputs, one.kind):
            if groups.setdefault(c, one.by) != one.by:
                raise ValueError(f"{c} is grouped by {groups[c]}, and by {one.by} for {one.kind}")
    return Watch(feeds, groups)


def record_id(project: str, kind: str, key: str) -> str:
    """The id of a computed record: the same for the same key, a UUID as any other."""
    digest = hashlib.sha256(f"{project}\n{kind}\n{key}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


async def recompute(store: Store, one: Computed, project: str) -> int:
    """Bring a computed kind up to date with the log; answers how many records changed.

    It may be repeated at any time: what is there already is not written again. A few months of a
    group are in memory at a time, and what they come to is written before there is too much of it.
    """
    head = await store.access.head(project)
    since = await _read_up_to(store, one, project)
    if not since:
        await _group_what_is_there(store, one, project)
    dirty = await _dirty(store, one, project, since, head)
    context = {c: await _live(store, project, c) for c in one.context} if dirty else {}
    ops: list[Op] = []
    changed = 0
    for group in sorted(dirty):
        context |= await _key(store, one, project, group)
        for spans in pieces_of(await _spans(store, one, project, group, dirty[group])):
            found = await _read(store, one, project, group, spans)
            try:
                ops += await asyncio.to_thread(_differences, one, project, group, spans, found, context)
            except Exception:
                # What nobody can compute of one person must not keep everybody else's sums.
                log.exception("a group could not be computed", extra={"kind": one.kind, "group": group})
            if len(ops) >= OPS_MAX:
                changed += len(ops)
                await store.put(project, ops)
                ops = []
    await store.put(project, ops, also=_mark(one, project, head))
    return changed + len(ops)


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
    kinds = _marks(one.inputs)
    changed = await store.rows(
        f"SELECT DISTINCT grp, day FROM record WHERE project = ? AND seq > ? AND seq <= ? AND c IN ({kinds})",
        project, since, head, *one.inputs,
    )  # fmt: skip
    changed += await store.rows(
        "SELECT DISTINCT grp, moved.day FROM moved JOIN record"
        " ON record.project = moved.project AND record.r = moved.r"
        f" WHERE moved.project = ? AND moved.seq > ? AND c IN ({kinds})",
        project, since, *one.inputs,
    )  # fmt: skip
    if since and await _context_changed(store, one, project, since):
        changed += await store.rows(
            f"SELECT DISTINCT grp, NULL FROM record WHERE project = ? AND c IN ({kinds})", project, *one.inputs
        )
    if since and one.keys:
        sql = f"SELECT r, NULL FROM record WHERE project = ? AND seq > ? AND seq <= ? AND c IN ({_marks(one.keys)})"
        changed += await store.rows(sql, project, since, head, *one.keys)
    dirty: Dirty = {}
    for group, day in changed:
        if group is not None:
            dirty.setdefault(group, set()).add(day)
    return dirty


async def _group_what_is_there(store: Store, one: Computed, project: str) -> None:
    """Records that were written before anything was computed from them have no group yet."""
    value = f"json_extract(body, '$.set.{one.by}')" if store.dialect == "sqlite" else f"body::json->'set'->>'{one.by}'"
    sql = f"UPDATE record SET grp = {value} WHERE project = ? AND grp IS NULL AND c IN ({_marks(one.inputs)})"
    await store.change([(sql, (project, *one.inputs))])


async def _context_changed(store: Store, one: Computed, project: str, since: int) -> bool:
    if not one.context:
        return False
    sql = f"SELECT 1 FROM record WHERE project = ? AND seq > ? AND c IN ({_marks(one.context)}) LIMIT 1"
    return bool(await store.rows(sql, project, since, *one.context))


async def _live(store: Store, project: str, c: str) -> list[Record]:
    return [decode(body) async for chunk in store.records(project, c) for _, body in chunk]


async def _key(store: Store, one: Computed, project: str, group: str) -> dict[str, list[Record]]:
    """The record that a group is named by, where it is one."""
    found: dict[str, list[Record]] = {c: [] for c in one.keys}
    if one.keys:
        sql = f"SELECT c, body FROM record WHERE project = ? AND r = ? AND deleted = 0 AND c IN ({_marks(one.keys)})"
        for c, body in await store.rows(sql, project, group, *one.keys):
            found[c].append(decode(body))
    return found


async def _spans(store: Store, one: Computed, project: str, group: str, days: set[str | None]) -> list[Span]:
    """What to compute of a group. All of it means every day of which there is anything, unless
    there are records without a day: those may come to anything."""
    spans = spans_of(days, one.around)
    if spans != [ALWAYS]:
        return spans
    kinds = (*one.inputs, one.kind)
    rows = await store.rows(
        f"SELECT DISTINCT day FROM record WHERE project = ? AND c IN ({_marks(kinds)}) AND grp = ?",
        project, *kinds, group,
    )  # fmt: skip
    return spans_of([day for (day,) in rows], one.around)


Found = tuple[list[Dated], list[Dated]]  # inputs, stored results


async def _read(store: Store, one: Computed, project: str, group: str, spans: list[Span]) -> Found:
    """Inputs and stored results of a group, over all the days that it needs."""
    first = shift(spans[0][0], -one.around)
    last = shift(spans[-1][1], one.around)
    kinds = (*one.inputs, one.kind)
    rows = await store.rows(
        f"SELECT c, day, body FROM record WHERE project = ? AND c IN ({_marks(kinds)}) AND grp = ?"
        " AND deleted = 0 AND (day IS NULL OR day BETWEEN ? AND ?) ORDER BY day, r",
        project, *kinds, group, first, last,
    )  # fmt: skip
    found: Found = ([], [])
    for c, day, body in rows:
        found[c == one.kind].append((day, decode(body)))
    return found


def _marks(values: Collection[Any]) -> str:
    return ",".join("?" * len(values))


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


def pieces_of(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """The same days in parts that lie within DAYS_MAX, so that a long backlog is not read at once."""
    piece: list[Span] = []
    for span in _short(spans):
        if piece and span[1] >= shift(piece[0][0], DAYS_MAX):
            yield piece
            piece = []
        piece.append(span)
    if piece:
        yield piece


def _short(spans: Iterable[Span]) -> Iterator[Span]:
    for first, last in spans:
        while (first, last) != ALWAYS and (end := shift(first, DAYS_MAX - 1)) < last:
            yield first, end
            first = shift(end, 1)
        yield first, last


def shift(day: str, days: int) -> str:
    """So many days later; stops at the ends of the calendar."""
    try:
        return (date.fromisoformat(day) + timedelta(days)).isoformat()
    except OverflowError:
        return FIRST_DAY if days < 0 else LAST_DAY


def _within(records: Sequence[Dated], first: str, last: str) -> list[Record]:
    """Those of these days, and those without a day."""
    return [record for day, record in records if day is None or first <= day <= last]


def _differences(
    one: Computed,
    project: str,
    group: str,
    spans: Sequence[Span],
    found: Found,
    context: Mapping[str, Sequence[Record]],
) -> list[Op]:
    """All that must be written for a group."""
    records, stored = found
    ops: list[Op] = []
    for first, last in spans:
        near = _within(records, shift(first, -one.around), shift(last, one.around))
        inputs = Inputs(project, group, first, last, near, context)
        ops += _difference(one, inputs, _within(stored, first, last))
    return ops


def _difference(one: Computed, inputs: Inputs, stored: Sequence[Record]) -> list[Op]:
    """What must be written so that the stored results of these days are the wanted ones."""
    wanted = {record_id(inputs.project, one.kind, result.key): dict(result.set) for result in one.compute(inputs)}
    there = {record["r"]: record["set"] for record in stored}
    ops: list[Op] = [
        {"k": "put", "c": one.kind, "r": r, "set": values} for r, values in wanted.items() if there.get(r) != values
    ]
    return ops + [{"k": "del", "c": one.kind, "r": r} for r in there if r not in wanted]
