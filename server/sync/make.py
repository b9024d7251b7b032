"""A record that the server makes from another one, in its own name (a declaration's `makes`).

What was said without a name goes on as the server's own record. Nothing that others get leads back: the new
id is a hash over the old one, which only those know who see the old record.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from server.core.batch import Op
from server.core.declaration import Declarations
from server.core.merge import Record, is_deleted, shown
from server.core.value import Value
from server.store.store import Store
from server.sync.computed import record_id

TIME: Final = 4  # in a record's `born`: when, ms UTC


async def make(store: Store, declarations: Declarations, project: str, r: str) -> str | None:
    """Once for each record, whatever becomes of it later; answers the new record's id."""
    record = await store.record(project, r)
    kind = None if record is None else declarations.kind(record["c"])
    if record is None or kind is None or kind.makes is None or (record["del"] is not None and is_deleted(record)):
        return None
    made = record_id(project, kind.makes.kind, r)
    if await store.record(project, made) is None:
        theirs = {ours: name for name, ours in kind.makes.fields.items()}
        values: dict[str, Value] = {}
        for path, value in shown(record, kind).items():
            field, dot, key = path.partition(".")
            if field in theirs:
                values[theirs[field] + dot + key] = value
        values |= await _today(store, declarations, project, record, kind.makes.kind)
        op: Op = {"k": "put", "c": kind.makes.kind, "r": made, "set": {**values, **kind.makes.set}}
        await store.put(project, [op])
    return made


async def _today(store: Store, declarations: Declarations, project: str, record: Record, made: str) -> dict[str, Value]:
    """Its dates that a person's would have of themselves: the day on which the old record was written."""
    kind = declarations.kinds[made]
    names = [name for name, field in kind.fields.items() if field.type == "date" and field.default == "today"]
    rows = await store.rows("SELECT zone FROM project WHERE id = ?", project) if names else []
    if not rows:
        return {}
    day = datetime.fromtimestamp(record["born"][TIME] / 1000, ZoneInfo(rows[0][0])).date().isoformat()
    return dict.fromkeys(names, day)
