"""What Piccolo's migrations are about: `piccolo migrations new gongbu --auto` compares these tables
with what the files of `migrations/` have made of them."""

from __future__ import annotations

from pathlib import Path

from piccolo.conf.apps import AppConfig

from server.store.tables import TABLES

APP_CONFIG = AppConfig(
    app_name="gongbu",
    migrations_folder_path=str(Path(__file__).parent.parent.parent / "migrations"),
    table_classes=list(TABLES),
)
