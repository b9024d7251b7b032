"""Work that failed too often and was given up: who runs the site sees it, and has it tried again."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import JSONBody
from msgspec import Meta

from server.core.problem import Problem
from server.store.dead import Dead, dead_jobs, revive
from server.web.caller import TheCaller
from server.web.site import TheSite
from server.web.wire import AskedId


class Jobs(msgspec.Struct):
    jobs: list[Dead]


class Again(msgspec.Struct):
    project: Annotated[str, Meta(max_length=64)]
    key: Annotated[str, Meta(max_length=400)]


@get("/api/jobs", summary="Work of a project that was given up", tags=["jobs"])
async def given_up(caller: TheCaller, site: TheSite, project: AskedId) -> Jobs:
    await caller.actor(project, ["manager"])
    return Jobs([one for one in await dead_jobs(site.store) if one.project == project])


@post("/api/jobs/again", summary="Try it again", tags=["jobs"], status_code=200)
async def again(caller: TheCaller, site: TheSite, data: JSONBody[Again]) -> Jobs:
    """What is still given up. 404 for a job that is not there or of another project."""
    await caller.actor(data.project, ["manager"])
    found = {one.key: one for one in await dead_jobs(site.store) if one.project == data.project}
    if data.key not in found:
        raise Problem("not_found")
    await site.store.change([revive(data.key, site.now())])
    return Jobs([one for key, one in found.items() if key != data.key])


routes = [given_up, again]
