"""One read-only SQL view per kind, for reports: the kind `site.visit` is the view `site_visit`.

Made from the declarations, on both engines; made anew when they change. A view shows records
that are not deleted, with the values that a person would see, in stored units: a pin or place as JSON,
of photos, files and rows how many there are (`photos_count`). Rows have a view of their own,
`site_visit__lines`, a line for each with its `_id` and `_key`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from server.core.declaration import Declarations, Kind
from server.core.field import KEYED_MAX, Field

Statements = list[str]
NOT_A_COLUMN: Final = frozenset({"signature", *KEYED_MAX})
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
    found = {
        view_name(c): f'CREATE VIEW "{view_name(c)}" AS SELECT project AS "_project", r AS "_id", '
        f'seq AS "_seq", {author} AS "_author", {state} AS "_state"'
        + "".join(f', {column(name, kind)} AS "{name}"' for name in _columns(kind))
        + "".join(f', {_count(name, dialect)} AS "{name}_count"' for name in _counted(kind))
        + f" FROM {source} WHERE c = '{c}' AND deleted = 0"
        for c, kind in sorted(declarations.kinds.items())
    }
    return found | {
        f"{view_name(c)}__{name}": _rows_view(c, name, field.fields or {}, dialect)
        for c, kind in sorted(declarations.kinds.items())
        for name, field in kind.fields.items()
        if field.type == "rows"
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


def _counted(kind: Kind) -> list[str]:
    return [n for n, field in kind.fields.items() if field.type in KEYED_MAX and f"{n}_count" not in kind.fields]


def _count(name: str, dialect: str) -> str:
    """How many keys of a field have a value."""
    if dialect == "sqlite":
        key = f"substr(path, {len(name) + 2}, instr(substr(path, {len(name) + 2}) || '.', '.') - 1)"
        live = (
            "SELECT key AS path, value AS v FROM json_each(body, '$.set')"
            " UNION ALL SELECT key, json_extract(value, '$[#-1][5]') FROM json_each(body, '$.f')"
        )
    else:
        key = "split_part(path, '.', 2)"
        live = (
            "SELECT key AS path, nullif(value, 'null') AS v FROM jsonb_each(b->'set')"
            " UNION ALL SELECT key, nullif(value->-1->5, 'null') FROM jsonb_each(b->'f')"
        )
    return (
        f"(SELECT count(DISTINCT {key}) FROM ({live}) AS live"
        f" WHERE substr(path, 1, {len(name) + 1}) = '{name}.' AND v IS NOT NULL)"
    )


def _rows_view(c: str, name: str, fields: Mapping[str, Field], dialect: str) -> str:
    """The rows of a field, one a line."""
    is_sqlite = dialect == "sqlite"
    start = len(name) + 2
    if is_sqlite:
        each = "json_each(body, '$.{0}')"
        values = {"set": "j.value", "f": "json_extract(j.value, '$[#-1][5]')"}
        key = f"substr(path, {start}, instr(substr(path, {start}), '.') - 1)"
        sub = f"substr(path, {start} + instr(substr(path, {start}), '.'))"
    else:
        each = "jsonb_each(body::jsonb->'{0}')"
        values = {"set": "nullif(j.value, 'null')", "f": "nullif(j.value->-1->5, 'null')"}
        key, sub = "split_part(path, '.', 2)", "split_part(path, '.', 3)"
    live = " UNION ALL ".join(
        f"SELECT project, r, j.key AS path, {values[where]} AS v FROM record, {each.format(where)} AS j"
        f" WHERE c = '{c}' AND deleted = 0 AND substr(j.key, 1, {start - 1}) = '{name}.'"
        for where in ("set", "f")
    )
    parts = ((part, _row_column(part, field, sub, is_sqlite=is_sqlite)) for part, field in fields.items())
    columns = "".join(f', {value} AS "{part}"' for part, value in parts)
    return (
        f'CREATE VIEW "{view_name(c)}__{name}" AS SELECT project AS "_project", r AS "_id", {key} AS "_key"{columns}'
        f" FROM ({live}) AS live WHERE v IS NOT NULL GROUP BY project, r, {key}"
    )


def _row_column(part: str, field: Field, sub: str, *, is_sqlite: bool) -> str:
    value = "v" if is_sqlite else "v #>> '{}'"
    found = f"max(CASE WHEN {sub} = '{part}' THEN {value} END)"
    if is_sqlite or field.type not in WHOLE | {"bool"}:
        return found
    return f"{found}::boolean" if field.type == "bool" else f"{found}::bigint"
