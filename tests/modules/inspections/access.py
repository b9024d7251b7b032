"""Who may call the addresses of inspections: the shipped library is everybody's who has signed in; a site's
templates are its members'; files are read for those who may make templates."""

from __future__ import annotations

import uuid
from typing import Final

from tests.server.web.access import MEMBERS, OFFICE, SIGNED_IN, Asked, Row, at
from tests.server.web.kit import Phone, Town

TEMPLATE: Final = "inspections.template"
MAKERS: Final = OFFICE | {"inspector", "supervisor"}


async def a_template(town: Town, phone: Phone) -> str:
    maker = await town.phone("inspector")
    op = {"k": "new", "c": TEMPLATE, "r": str(uuid.uuid4()), "set": {"name": "日常巡查", "items.a1.text": "通道畅通"}}
    assert (await maker.push(town.one, [op])).json()["results"][0]["status"] == "applied"
    return str(op["r"])


async def a_file(town: Town, phone: Phone) -> Asked:
    return {"url": f"/api/inspections/templates/{await a_template(town, phone)}.xlsx?project={town.one}"}


ACCESS: Final[dict[tuple[str, str], Row]] = {
    ("GET", "/api/inspections/library"): Row(SIGNED_IN, at("/api/inspections/library")),
    ("GET", "/api/inspections/library/{key}"): Row(SIGNED_IN, at("/api/inspections/library/walk")),
    ("GET", "/api/inspections/templates/{file}"): Row(MEMBERS, a_file),
    ("POST", "/api/inspections/templates/read"): Row(
        MAKERS,
        at(
            "/api/inspections/templates/read?project={one}",
            name="巡查",
            sections=[{"key": "s1", "items": [{"key": "a1", "text": "通道", "kind": "check"}]}],
        ),
    ),
}
