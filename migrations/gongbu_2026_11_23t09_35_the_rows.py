"""The ordinary rows: sites and their people, devices, sessions, invites.

Set down as they were that day and compared with `server/store/tables.py` by a test. A migration,
once released, is never edited: `piccolo migrations new gongbu --auto` writes the next one.
"""

from __future__ import annotations

from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.column_types import BigInt, ForeignKey, Integer, Text
from piccolo.table import Table

ID = "2026-11-23T09:35:20:737156"
VERSION = "1.38.0"
DESCRIPTION = "The ordinary rows"

Column = tuple[str, Any, dict[str, Any]]


class Project(Table, tablename="project"):
    id = Text(primary_key=True, default=None)


class Person(Table, tablename="person"):
    id = Text(primary_key=True, default=None)


class Team(Table, tablename="team"):
    id = Text(primary_key=True, default=None)


class Device(Table, tablename="device"):
    id = Text(primary_key=True, default=None)


def key(name: str = "id") -> Column:
    return name, Text, {"primary_key": True, "default": None}


def text(name: str, default: str = "") -> Column:
    return name, Text, {"default": default}


def maybe_text(name: str) -> Column:
    return name, Text, {"null": True, "default": None}


def number(name: str) -> Column:
    return name, BigInt, {"default": 0}


def small(name: str, default: int = 0) -> Column:
    return name, Integer, {"default": default}


def maybe(name: str, column: Any = BigInt) -> Column:
    return name, column, {"null": True, "default": None}


def of(name: str, table: type[Table], *, index: bool = False) -> Column:
    keep = {"on_delete": OnDelete.no_action, "on_update": OnUpdate.no_action, "null": False}
    return name, ForeignKey, {"references": table, "index": index, **keep}


TABLES: dict[str, tuple[str, list[Column]]] = {
    "Project": (
        "project",
        [
            key(), text("name"), text("zone", "Asia/Shanghai"), maybe("lat"), maybe("lng"), maybe("radius_m", Integer),
            small("day_minutes", 480), number("created"), small("demo"), number("head"),
        ],
    ),
    "Person": (
        "person",
        [
            key(), text("name"), maybe_text("login"), maybe_text("password"), text("language", "zh-CN"),
            number("created"), maybe("closed"),
        ],
    ),
    "Team": (
        "team",
        [
            key(), of("project", Project, index=True), text("name"), text("trade"), text("employer"),
            maybe_text("foreman"), maybe("closed"),
        ],
    ),
    "Place": (
        "place",
        [
            key(), of("project", Project), text("name"), text("code"), maybe("lat"), maybe("lng"),
            maybe("radius_m", Integer), maybe("closed"),
        ],
    ),
    "Member": (
        "member",
        [
            key(), of("project", Project), of("person", Person, index=True), text("roles"), number("since"),
            maybe("ended"),
        ],
    ),
    "MemberTeam": ("member_team", [key(), of("project", Project), of("person", Person), of("team", Team)]),
    "Device": (
        "device",
        [
            key(), of("person", Person, index=True), text("label"), text("key"), number("last_n"), number("created"),
            maybe("seen"), maybe("revoked"),
        ],
    ),
    "Session": (
        "session",
        [
            key("hash"), of("person", Person), of("device", Device, index=True), number("created"), maybe("seen"),
            number("expires"),
        ],
    ),
    "Invite": (
        "invite",
        [
            key(), text("code"), of("project", Project, index=True), maybe_text("team"), maybe_text("person"),
            text("roles", "worker"), small("uses_max", 1), small("uses"), number("created"), text("created_by"),
            number("expires"), maybe("revoked"),
        ],
    ),
}  # fmt: skip


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="gongbu", description=DESCRIPTION)
    for table, (tablename, columns) in TABLES.items():
        manager.add_table(class_name=table, tablename=tablename)
        for name, column, params in columns:
            manager.add_column(
                table_class_name=table, tablename=tablename, column_name=name, column_class=column,
                column_class_name=column.__name__, params=params,
            )  # fmt: skip
    return manager
