"""Where the `piccolo` command finds the database (PICCOLO_CONF=server.store.piccolo_conf).

The server does not read this: it is handed its engine by `app.py`, and `migrate.py` puts that
engine in the place of this one.
"""

from __future__ import annotations

import os
from pathlib import Path

from piccolo.conf.apps import AppRegistry

from server.store.engine import engine_for

DB = engine_for(os.environ.get("DATABASE_URL"), Path(os.environ.get("GONGBU_DATA", "gongbu-data")))
APP_REGISTRY = AppRegistry(apps=["server.store.piccolo_app"])
