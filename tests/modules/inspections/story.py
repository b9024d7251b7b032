"""An inspection as phones write it: its ops, and its record as somebody's phone has it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, Final

from server.core.declaration import load
from server.core.merge import Record, shown, version
from tests.server.web.kit import Phone, Town

TEMPLATE, INSPECTION, PLAN, DEFECT, SCORE = (
    "inspections.template", "inspections.inspection", "inspections.plan", "quality.defect", "inspections.score",
)  # fmt: skip
KINDS: Final = load(Path("shared/modules")).kinds
SIGNATURE: Final = {"w": 400, "h": 180, "strokes": [[1, 2, 3, 4]], "at": 1_790_000_000_000}
PHOTO: Final = {"sha": "ab" * 32, "at": 1_790_000_000_000, "w": 4, "h": 3}
WALK: Final = {
    "name": "巡查", "scheme": "weighted", "sections.s1.title": "通道",
    **{f"items.a{i}.{name}": value for i in (1, 2, 3)
       for name, value in {"section": "s1", "order": i, "text": f"第 {i} 项", "kind": "check"}.items()},
}  # fmt: skip
ALL: Final = 2**50
"""A base beyond the head counts as the head (M2)."""
Op = dict[str, Any]


def new(c: str, values: dict[str, Any]) -> Op:
    return {"k": "new", "c": c, "r": str(uuid.uuid4()), "set": values}


def put(made: Op, values: dict[str, Any]) -> list[Op]:
    return [{"k": "set", "c": made["c"], "r": made["r"], "f": path, "v": value} for path, value in values.items()]


def act(made: Op, name: str, **more: Any) -> Op:
    return {"k": "act", "c": made["c"], "r": made["r"], "act": name, **more}


async def told(phone: Phone, project: str, *ops: Op, base: int | None = None) -> str:
    """`applied`, or the code of the refusal; held ones say so. The author knows all there is, unless told."""
    answer = (await phone.push(project, list(ops), base=ALL if base is None else base)).json()["results"][0]
    if answer["status"] == "refused":
        return str(answer["code"] + (f" {answer['reason']}" if answer.get("reason") else ""))
    return "held" if answer.get("held") else "applied"


async def do(phone: Phone, project: str, *ops: Op, base: int | None = None) -> None:
    assert await told(phone, project, *ops, base=base) == "applied"


async def record(phone: Phone, project: str, made: Op) -> Record:
    found: Record = next(one for one in (await phone.pull(project))[1:] if one["r"] == made["r"])
    return found


async def values(phone: Phone, project: str, made: Op) -> dict[str, Any]:
    return shown(await record(phone, project, made), KINDS[made["c"]])


async def sealing(phone: Phone, project: str, made: Op, name: str) -> Op:
    """An approval of what the phone shows now."""
    return act(made, name, ver=version(await record(phone, project, made), KINDS[made["c"]]))


async def published(town: Town, content: dict[str, Any] | None = None) -> Op:
    office = await town.phone("office")
    made = new(TEMPLATE, WALK if content is None else content)
    await do(office, town.one, made)
    await do(office, town.one, await sealing(office, town.one, made, "publish"))
    return made


def begun(template: Op, **more: Any) -> Op:
    return new(INSPECTION, {"template": template["r"], "date": "2026-09-21", **more})


ANSWERS: Final = {f"answers.a{i}.result": "pass" for i in (1, 2, 3)}


async def submitted(town: Town, template: Op, **more: Any) -> Op:
    """By the inspector, answered and signed."""
    inspector = await town.phone("inspector")
    made = begun(template, **more)
    signed = put(made, {**ANSWERS, "signature": SIGNATURE})
    await do(inspector, town.one, made, *signed, act(made, "submit"))
    return made
