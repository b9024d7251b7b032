"""The demo's photos and its drawing: taken when the story says so, and uploaded as phones upload them.

Records come first, bytes after (P10): what was taken is drawn at once, for its hash; `upload` sends it when the
records that name it are there. Some stay on their phones.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from server.core.value import Value
from server.demo.inspected import CLERK, Shot
from server.demo.plan import floor_plan
from server.demo.scene import photo
from server.store.photo_part import LIVES_MS, As, Told
from server.web.site import Site

PLAN: Final = "drawings.plan"
PLAN_FILE: Final = "2# 楼建筑平面图 B2、1F.pdf"


@dataclass
class Camera:
    """`taken`: sha → content and who took it, in order; without what has not come over."""

    taken: dict[str, tuple[bytes, str, As, str]] = field(default_factory=dict)

    def shoot(self, shot: Shot) -> dict[str, Value]:
        content = drawn(shot.scene, shot.seed)
        sha = hashlib.sha256(content).hexdigest()
        if shot.arrived:
            self.taken.setdefault(sha, (content, shot.by.name, "photo", ""))
        return {"sha": sha, "bytes": len(content)}

    def plan(self) -> Mapping[str, Value]:
        """The values of a drawing's record, its file to be sent with the photos."""
        content = floor_plan()
        sha = hashlib.sha256(content).hexdigest()
        self.taken[sha] = content, CLERK.name, "file", PLAN_FILE
        file: Value = {"sha": sha, "name": PLAN_FILE, "bytes": len(content), "type": "application/pdf"}
        return {
            "name": "2# 楼平面图",
            "place": "2# 楼",
            "discipline": "architecture",
            "version": "A",
            "file.plan": file,
        }


@cache
def drawn(scene: str, seed: int) -> bytes:
    return photo(scene, seed)


async def upload(site: Site, project: str, ids: Mapping[str, str], devices: Mapping[str, str], camera: Camera) -> None:
    for sha, (content, by, sort, name) in camera.taken.items():
        told = Told(
            secrets.token_urlsafe(16), ids[by], project, devices[by], sha, len(content), site.now() + LIVES_MS,
            name=name, as_=sort,
        )  # fmt: skip
        part = site.photos.parts.make(told, at_once=True)
        try:
            part.hash(content)
            part.write(content)
            await site.photos.arrive(part)
        finally:
            part.close()
