"""Jobs that failed too often: for people to see, and to have them tried again (see sync/jobs)."""

from __future__ import annotations

import msgspec

from server.store.round import Statement
from server.store.store import Store


class Dead(msgspec.Struct, frozen=True):
    """A job that was given up. `project` is empty where it is of none; `at` is when it was tried last, or would
    have been next, ms UTC."""

    key: str
    kind: str
    project: str
    tries: int
    at: int
    error: str


async def dead_jobs(store: Store, limit: int = 500) -> list[Dead]:
    """The newest first."""
    sql = "SELECT key, kind, args, tries, due, error FROM job WHERE dead = 1 ORDER BY due DESC, key LIMIT ?"
    rows = [(key, kind, msgspec.json.decode(args), *rest) for key, kind, args, *rest in await store.rows(sql, limit)]
    alerts = sorted({args["alert"] for _, _, args, *_ in rows if "alert" in args})
    marks = ", ".join("?" * len(alerts))
    found = await store.rows(f"SELECT id, project FROM alert WHERE id IN ({marks})", *alerts) if alerts else []
    project_of = {id: project for id, project in found}  # noqa: C416  rows are not pairs to the checker
    return [
        Dead(key, kind, args.get("project") or project_of.get(args.get("alert"), ""), tries, due, error or "")
        for key, kind, args, tries, due, error in rows
    ]


def revive(key: str, due: int) -> Statement:
    """Try it again, as if it had never failed."""
    return "UPDATE job SET dead = 0, tries = 0, lease = 0, due = ? WHERE key = ? AND dead = 1", (due, key)
