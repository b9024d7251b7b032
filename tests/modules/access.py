"""Who may call labour's addresses: the worker's own sheet, by him, by his foreman, and by those over everybody.

What a whole project's or another team's sheet shows to whom is in test_labour_site.py.
"""

from __future__ import annotations

from typing import Final

from tests.server.web.access import OFFICE, Row, at

OVER_THE_WORKER: Final = OFFICE | {"worker", "foreman", "supervisor"}
HIS: Final = "project={one}&person={worker}"
ACCESS: Final[dict[tuple[str, str], Row]] = {
    ("GET", "/api/labour/month.xlsx"): Row(OVER_THE_WORKER, at(f"/api/labour/month.xlsx?{HIS}&month=2026-09")),
    ("GET", "/print/labour/month"): Row(OVER_THE_WORKER, at(f"/print/labour/month?{HIS}&month=2026-09")),
    ("GET", "/print/labour/day"): Row(OVER_THE_WORKER, at(f"/print/labour/day?{HIS}&day=2026-09-01")),
}
