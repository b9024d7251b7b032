"""A record that the server makes from another one, in its own name (a declaration's `makes`).

What was said without a name goes on as the server's own record. Nothing that others get leads back: the new
id is a hash over the old one, which only those know who see the old record.
"""

from __future__ import annotations

from server.core.batch import Op
from server.core.declaration import Declarations
from server.core.merge import is_deleted, shown
from server.core.value import Value
from server.store.store import Store
from server.sync.computed import record_id


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
        op: Op = {"k": "put", "c": kind.makes.kind, "r": made, "set": {**values, **kind.makes.set}}
        await store.put(project, [op])
    return made
