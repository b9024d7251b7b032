"""A hazard reported without a name: everybody sees the hazard, nobody but the manager who it was."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.modules.kit import ZONE
from tests.server.web.kit import Town, town

PHOTO = {"sha": "a" * 64, "at": 1, "w": 10, "h": 10}


@pytest.fixture(name="site")
async def a_site(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path, real=True) as built:
        yield built


async def test_the_hazard_is_the_servers_own_and_the_tip_the_managers_and_its_authors(site: Town) -> None:
    worker, r = await site.phone("worker"), str(uuid.uuid4())
    said = {"level": "major", "description": "脚手架连墙件被拆", "photos.pk3x9a0b1c": PHOTO}
    op = {"k": "new", "c": "safety.tip", "r": r, "set": said}
    answer = (await worker.push(site.one, [op])).json()
    assert answer["results"][0]["status"] == "applied", answer
    await site.site.sync.settle()
    for name in ("worker", "foreman", "inspector", "supervisor", "manager", "office", "client", "mate"):
        records = (await (await site.phone(name)).pull(site.one))[1:]
        tips = [one for one in records if one["c"] == "safety.tip"]
        (hazard,) = [one for one in records if one["c"] == "safety.hazard"]
        assert bool(tips) == (name in ("worker", "manager")), name
        assert hazard["by"] == "server"
        assert hazard["state"] == "reported"
        assert hazard["set"]["description"] == "脚手架连墙件被拆"
        assert hazard["set"]["from_tip"] is True
        assert hazard["set"]["photos.pk3x9a0b1c"] == PHOTO
        assert hazard["set"]["found_on"] == datetime.fromtimestamp(site.clock() / 1000, ZONE).date().isoformat()
        others = json.dumps([one for one in records if one["c"] not in ("safety.tip", "core.person")])
        assert site.people["worker"] not in others
        assert r not in others


async def test_it_is_made_once_and_what_people_do_with_it_stays(site: Town) -> None:
    worker, inspector = await site.phone("worker"), await site.phone("inspector")
    r = str(uuid.uuid4())
    await worker.push(site.one, [{"k": "new", "c": "safety.tip", "r": r, "set": {"level": "general"}}])
    await site.site.sync.settle()
    (hazard,) = [one for one in (await inspector.pull(site.one))[1:] if one["c"] == "safety.hazard"]
    write = {"k": "set", "c": "safety.hazard", "r": hazard["r"], "f": "measure", "v": "恢复"}
    assert (await inspector.push(site.one, [write], base=10**6)).json()["results"][0]["status"] == "applied"
    edit = {"k": "set", "c": "safety.tip", "r": r, "f": "description", "v": "补充"}
    assert (await worker.push(site.one, [edit], base=10**6)).json()["results"][0]["status"] == "applied"
    await site.site.sync.settle()
    (hazard,) = [one for one in (await inspector.pull(site.one))[1:] if one["c"] == "safety.hazard"]
    assert hazard["f"]["measure"][-1][-1] == "恢复"
