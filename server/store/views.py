"""One read-only SQL view per kind, for reports: the kind `site.visit` is the view `site_visit`.

Made from the declarations, on both engines; made anew when they change. A view shows records
that are not deleted, with the values that a person would see, in stored units.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from server.core.declaration import Declarations, Kind

Statements = list[str]
NOT_A_COLUMN: Final = frozenset({"rows", "photos", "files", "signature"})
WHOLE: Final = frozenset({"number", "money", "minutes", "instant"})


def view_name(c: str) -> str:
    return c.replace(".", "_")


def digest(views: Mapping[str, str]) -> str:
    return hashlib.sha256("\n".join(views.values()).encode()).hexdigest()


def views_of(declarations: Declarations, dialect: str) -> dict[str, str]:
    """Name of each view → the statement that makes it."""
    column = _sqlite_column if dialect == "sqlite" else _postgres_column
    source = "record" if dialect == "sqlite" else "record, LATERAL (SELECT body::jsonb AS b) AS parsed"
    state = "json_extract(body, '$.state')" if dialect == "sqlite" else "b->>'state'"
    author = "json_extract(body, '$.by')" if dialect == "sqlite" else "b->>'by'"
    return {
        view_name(c): f'CREATE VIEW "{view_name(c)}" AS SELECT project AS "_project", r AS "_id", '
        f'seq AS "_seq", {author} AS "_author", {state} AS "_state"'
        + "".join(f', {column(name, kind)} AS "{name}"' for name in _columns(kind))
        + f" FROM {source} WHERE c = '{c}' AND deleted = 0"
        for c, kind in sorted(declarations.kinds.items())
    }


def _columns(kind: Kind) -> list[str]:
    return [name for name, field in kind.fields.items() if field.type not in NOT_A_COLUMN and field.computed is None]


def _sqlite_column(name: str, kind: Kind) -> str:
    created = f"json_extract(body, '$.set.{name}')"
    if kind.rule(name) == "set":
        return (
            f"CASE WHEN json_type(body, '$.f.{name}') IS NULL THEN {created} ELSE"
            f" (SELECT json_group_array(json_extract(value, '$[5]'))"
            f" FROM json_each(body, '$.f.{name}')) END"
        )
    return f"coalesce(json_extract(body, '$.f.{name}[#-1][5]'), {created})"


def _postgres_column(name: str, kind: Kind) -> str:
    created = f"(b->'set'->'{name}')"
    if kind.rule(name) == "set":
        return (
            f"CASE WHEN b->'f'->'{name}' IS NULL THEN {created}::text ELSE"
            f" (SELECT jsonb_agg(w->5)::text FROM jsonb_array_elements(b->'f'->'{name}') AS w) END"
        )
    value = f"(coalesce(b->'f'->'{name}'->-1->5, {created}) #>> '{{}}')"
    if kind.fields[name].type in WHOLE:
        return f"{value}::bigint"
    return f"{value}::boolean" if kind.fields[name].type == "bool" else value
