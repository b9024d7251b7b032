"""A whole server with the real modules, and check-ins that real phones push to it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.app import App
from server.config import Settings
from server.core.value import canonical
from tests.server.web.kit import Clock, Phone, Town, settle

ZONE: Final = ZoneInfo("Asia/Shanghai")
CHECKIN: Final = "labour.checkin"


@asynccontextmanager
async def labour_town(folder: Path, database_url: str = "") -> AsyncIterator[Town]:
    clock = Clock(ms("2026-09-21 18:00"))
    app = App(Settings(data=folder / "data", database_url=database_url), clock)
    async with app.lifespan() as site, AsyncExitStack() as stack:
        town = Town(app, site, clock, open=stack)
        await settle(town)
        yield town


def ms(wall: str) -> int:
    return int(datetime.fromisoformat(wall).replace(tzinfo=ZONE).timestamp() * 1000)


def check_in(worker: str, direction: str, wall: str, **more: Any) -> dict[str, Any]:
    """An op that makes a check-in, on the day of its time."""
    values = {"worker": worker, "direction": direction, "at": ms(wall), "work_date": wall[:10], **more}
    return {"k": "new", "c": CHECKIN, "r": str(uuid.uuid4()), "set": values}


def approve(made: dict[str, Any]) -> dict[str, Any]:
    content = canonical({"c": CHECKIN, "f": made["set"], "r": made["r"]})
    return {"k": "act", "c": CHECKIN, "r": made["r"], "act": "approve", "ver": hashlib.sha256(content).hexdigest()}


async def send(phone: Phone, project: str, *ops: dict[str, Any]) -> dict[str, Any]:
    """One batch; its result."""
    answer = await phone.push(project, list(ops))
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["results"][0]
    return result


async def apply(phone: Phone, project: str, *ops: dict[str, Any]) -> None:
    result = await send(phone, project, *ops)
    assert result["status"] == "applied", result
