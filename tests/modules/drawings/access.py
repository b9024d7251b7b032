"""Who may look at a plan: everybody on its site, and nobody else."""

from __future__ import annotations

from typing import Final

from tests.modules.drawings.plans import add_plan, picture, rendered
from tests.server.photos.tus import sha_of
from tests.server.web.access import MEMBERS, Asked, Row
from tests.server.web.kit import Phone, Town

SMALL: Final = picture(size=(300, 200))


async def a_plan(town: Town, phone: Phone) -> Asked:
    office = await town.phone("office")
    if (await office.http.get(f"/api/drawings/{sha_of(SMALL)}")).status_code == 404:
        await add_plan(town, office, SMALL)
        await rendered(town, office, SMALL)
    return {"url": f"/api/drawings/{sha_of(SMALL)}"}


async def a_tile(town: Town, phone: Phone) -> Asked:
    return {"url": f"{(await a_plan(town, phone))['url']}/1/0/0/0.webp"}


ACCESS: Final[dict[tuple[str, str], Row]] = {
    ("GET", "/api/drawings/{sha}"): Row(MEMBERS, a_plan),
    ("GET", "/api/drawings/{sha}/{page}/{z}/{x}/{y}"): Row(MEMBERS, a_tile),
}
