"""Where the `piccolo` command finds the database (PICCOLO_CONF=server.piccolo_conf).

The server itself does not read this: it is handed its engine by `app.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

from piccolo.conf.apps import AppConfig, AppRegistry

from server.store.engine import engine_for
from server.store.tables import TABLES

ROOT = Path(__file__).parent.parent
DB = engine_for(os.environ.get("DATABASE_URL"), Path(os.environ.get("GONGBU_DATA", "data")))
APP_REGISTRY = AppRegistry(apps=[])
APP_CONFIG = AppConfig(app_name="gongbu", migrations_folder_path=str(ROOT / "migrations"), table_classes=list(TABLES))
