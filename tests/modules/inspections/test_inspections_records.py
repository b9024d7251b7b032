"""Inspections and defects on a whole server: who may do what, what is never lost, what is sealed."""

from __future__ import annotations

import importlib
from typing import Any, Final

import pytest

from server.core.merge import conflicts
from tests.modules.inspections.story import (
    ANSWERS,
    DEFECT,
    INSPECTION,
    KINDS,
    PHOTO,
    PLAN,
    SCORE,
    SIGNATURE,
    TEMPLATE,
    WALK,
    act,
    begun,
    do,
    new,
    published,
    put,
    record,
    sealing,
    submitted,
    told,
    values,
)
from tests.server.web.kit import EVERYBODY, Town

computed_module: Final = importlib.import_module("server.modules.inspections.computed")
MAKERS: Final = {"inspector", "supervisor", "manager", "office"}
INSPECTORS: Final = {"inspector", "supervisor", "manager", "foreman"}
ABOVE: Final = {"supervisor", "manager"}


def wanted(name: str, allowed: set[str], otherwise: str = "forbidden") -> str:
    """A stranger cannot even tell that the record is there; what he sends to another site is forbidden."""
    return "applied" if name in allowed else "forbidden" if name == "stranger" else otherwise


# Who may


@pytest.mark.parametrize("name", EVERYBODY)
async def test_who_may_make_what(town: Town, name: str) -> None:
    template = await published(town)
    phone = await town.phone(name)
    made = {
        TEMPLATE: (new(TEMPLATE, WALK), MAKERS),
        PLAN: (new(PLAN, {"template": template["r"], "first": "2026-09-21", "every": "day"}), MAKERS),
        INSPECTION: (begun(template), INSPECTORS),
        DEFECT: (new(DEFECT, {"description": "缺护栏"}), INSPECTORS),
        SCORE: (new(SCORE, {"inspection": "x"}), set()),
    }
    for c, (op, allowed) in made.items():
        assert await told(phone, town.one, op) == wanted(name, allowed), c


@pytest.mark.parametrize("name", EVERYBODY)
async def test_who_may_fill_in_hand_in_approve_and_return(town: Town, name: str) -> None:
    """The inspector began it; mate, a worker, is named in it."""
    template = await published(town)
    made = begun(template, people=[town.people["mate"]])
    await do(await town.phone("inspector"), town.one, made)
    phone = await town.phone(name)
    edit = put(made, {**ANSWERS, "signature": SIGNATURE})
    assert await told(phone, town.one, *edit) == wanted(name, {*ABOVE, "inspector", "mate"})
    if name == "worker":
        assert (await values(phone, town.one, made))["date"] == "2026-09-21", "a worker reads it"
    waiting = await submitted(town, template)
    if name != "stranger":
        back = act(waiting, "return", note="补照片")
        assert await told(phone, town.one, back) == wanted(name, ABOVE)
        assert await told(phone, town.one, act(waiting, "return")) != "applied", "without a note"
    other = await submitted(town, template)
    reader = await town.phone("supervisor")
    assert await told(phone, town.one, await sealing(reader, town.one, other, "approve")) == wanted(name, ABOVE)


async def test_nobody_approves_what_he_made_or_led(town: Town) -> None:
    template = await published(town)
    supervisor, manager = await town.phone("supervisor"), await town.phone("manager")
    own = begun(template)
    await do(supervisor, town.one, own, *put(own, {"signature": SIGNATURE}), act(own, "submit"))
    assert await told(supervisor, town.one, await sealing(supervisor, town.one, own, "approve")) == "forbidden"
    await do(manager, town.one, await sealing(manager, town.one, own, "approve"))
    led = await submitted(town, template, lead=town.people["supervisor"])
    assert await told(supervisor, town.one, await sealing(supervisor, town.one, led, "approve")) == "forbidden"


async def test_it_is_handed_in_signed_or_not_at_all(town: Town) -> None:
    made = begun(await published(town))
    inspector = await town.phone("inspector")
    await do(inspector, town.one, made)
    assert await told(inspector, town.one, act(made, "submit")) == "bad_transition needs"
    await do(inspector, town.one, *put(made, {"signature": SIGNATURE}), act(made, "submit"))


@pytest.mark.parametrize("name", EVERYBODY)
async def test_who_may_do_what_with_a_defect(town: Town, name: str) -> None:
    """It is team a's, the foreman's and the worker's."""
    inspector, foreman = await town.phone("inspector"), await town.phone("foreman")
    phone = await town.phone(name)

    async def assigned() -> dict[str, Any]:
        made = new(DEFECT, {"description": "缺护栏", "team": town.team_a})
        await do(inspector, town.one, made, act(made, "assign"))
        return made

    made = new(DEFECT, {"description": "缺护栏", "team": town.team_a})
    await do(inspector, town.one, made)
    assert await told(phone, town.one, act(made, "assign")) == wanted(name, {*ABOVE, "inspector"})
    made = await assigned()
    fix = [*put(made, {"after.aaaaaaaaaa": PHOTO}), act(made, "fixed")]
    assert await told(phone, town.one, *fix) == wanted(name, {"foreman", "worker"})
    for wished in ("reopen", "close"):
        made = await assigned()
        await do(foreman, town.one, *put(made, {"after.aaaaaaaaaa": PHOTO}), act(made, "fixed"))
        op = (
            act(made, "reopen", note="仍缺")
            if wished == "reopen"
            else await sealing(inspector, town.one, made, "close")
        )
        assert await told(phone, town.one, op) == wanted(name, {*ABOVE, "inspector"}), wished


async def test_a_fix_needs_a_photo_and_is_closed_by_somebody_else(town: Town) -> None:
    inspector, supervisor = await town.phone("inspector"), await town.phone("supervisor")
    made = new(DEFECT, {"description": "缺护栏", "person": town.people["inspector"]})
    await do(supervisor, town.one, made, act(made, "assign"))
    assert await told(inspector, town.one, act(made, "fixed")) == "bad_transition needs"
    await do(inspector, town.one, *put(made, {"after.aaaaaaaaaa": PHOTO}), act(made, "fixed"))
    assert await told(inspector, town.one, await sealing(inspector, town.one, made, "close")) == "forbidden"
    await do(supervisor, town.one, await sealing(supervisor, town.one, made, "close"))


async def test_it_is_not_assigned_to_nobody(town: Town) -> None:
    made = new(DEFECT, {"description": "缺护栏"})
    inspector = await town.phone("inspector")
    await do(inspector, town.one, made)
    assert await told(inspector, town.one, act(made, "assign")) == "bad_transition condition"


# Templates


async def test_a_published_template_does_not_change_and_a_new_version_changes_no_draft(town: Town) -> None:
    office, inspector = await town.phone("office"), await town.phone("inspector")
    first = await published(town, {**WALK, "family": "walk", "version": 1})
    made = begun(first)
    await do(inspector, town.one, made, *put(made, ANSWERS))
    second = await published(
        town, {**WALK, "family": "walk", "version": 2, "items.a1.text": "改了", "items.a2.kind": "text"}
    )
    assert await told(office, town.one, *put(first, {"items.a1.text": "改了"})) == "sealed"
    await do(office, town.one, await sealing(office, town.one, first, "retire"))
    assert (await values(inspector, town.one, made))["template"] == first["r"]
    assert (await values(inspector, town.one, first))["items.a1.text"] == "第 1 项"
    assert await told(inspector, town.one, *put(made, {"template": second["r"]})) == "invalid once"
    await town.site.sync.settle()
    score = await score_of(town, made)
    assert (score["score"], score["asked"], score["template"]) == (10_000, 3, first["r"])


async def test_an_empty_template_is_not_published(town: Town) -> None:
    office = await town.phone("office")
    made = new(TEMPLATE, {"name": "空"})
    await do(office, town.one, made)
    assert await told(office, town.one, await sealing(office, town.one, made, "publish")) == "bad_transition needs"


# Several people, no network


async def test_two_people_filling_different_items_offline_lose_nothing(town_on: Town) -> None:
    """Both begin from the same head, neither knows of the other; both databases."""
    town = town_on
    template = await published(town)
    made = begun(template, people=[town.people["foreman"]])
    inspector, foreman = await town.phone("inspector"), await town.phone("foreman")
    await do(inspector, town.one, made)
    head = (await inspector.pull(town.one))[0]["head"]
    first = {"answers.a1.result": "pass", "answers.a2.result": "fail", "photos.aaaaaaaaaa": {**PHOTO, "item": "a2"}}
    other = {"answers.a3.result": "pass", "answers.a3.note": "已清理", "photos.bbbbbbbbbb": {**PHOTO, "item": "a3"}}
    await do(inspector, town.one, *put(made, first), base=head)
    await do(foreman, town.one, *put(made, other), base=head)
    found = await record(inspector, town.one, made)
    assert first | other == {
        path: value for path, value in (await values(foreman, town.one, made)).items() if "." in path
    }
    assert conflicts(found, KINDS[INSPECTION]) == []
    await town.site.sync.settle()
    score = await score_of(town, made)
    assert (score["answered"], score["failed"], score["score"]) == (3, 1, 6667)


async def test_two_answers_to_one_item_both_stay_until_somebody_who_saw_them_settles_it(town_on: Town) -> None:
    town = town_on
    template = await published(town)
    made = begun(template, people=[town.people["foreman"]])
    inspector, foreman = await town.phone("inspector"), await town.phone("foreman")
    supervisor = await town.phone("supervisor")
    await do(inspector, town.one, made, *put(made, {"signature": SIGNATURE}))
    head = (await inspector.pull(town.one))[0]["head"]
    await do(inspector, town.one, *put(made, {"answers.a1.result": "pass"}), base=head)
    await do(foreman, town.one, *put(made, {"answers.a1.result": "fail"}), act(made, "submit"), base=head)
    found = await record(supervisor, town.one, made)
    assert conflicts(found, KINDS[INSPECTION]) == ["answers.a1.result"]
    assert sorted(write[-1] for write in found["f"]["answers.a1.result"]) == ["fail", "pass"]
    assert await told(supervisor, town.one, await sealing(supervisor, town.one, made, "approve")) == "stale_approval"
    await do(inspector, town.one, *put(made, {"answers.a1.result": "fail"}))
    await do(supervisor, town.one, await sealing(supervisor, town.one, made, "approve"))


async def test_what_comes_after_the_approval_is_an_amendment(town_on: Town) -> None:
    town = town_on
    template = await published(town)
    made = await submitted(town, template)
    inspector, supervisor = await town.phone("inspector"), await town.phone("supervisor")
    before = (await inspector.pull(town.one))[0]["head"]
    await do(supervisor, town.one, await sealing(supervisor, town.one, made, "approve"))
    assert await told(inspector, town.one, *put(made, {"answers.a1.result": "fail"}), base=before) == "held"
    assert (await values(supervisor, town.one, made))["answers.a1.result"] == "pass"
    assert await told(inspector, town.one, *put(made, {"answers.a2.result": "fail"})) == "sealed"
    found = await record(supervisor, town.one, made)
    of = found["held"][0]["of"]
    await do(supervisor, town.one, {"k": "decline", "c": INSPECTION, "r": made["r"], "of": of, "note": "现场已复核"})
    assert (await record(supervisor, town.one, made))["held"] == []
    await town.site.sync.settle()
    assert (await score_of(town, made))["score"] == 10_000


# What is computed


async def score_of(town: Town, made: dict[str, Any]) -> dict[str, Any]:
    phone = await town.phone("worker")
    found = [one for one in (await phone.pull(town.one))[1:] if one["c"] == SCORE]
    return next(one["set"] for one in found if one["set"]["inspection"] == made["r"])


async def test_the_score_follows_the_answers_and_goes_with_the_inspection(town: Town) -> None:
    template = await published(town)
    inspector = await town.phone("inspector")
    made = begun(template, place="五层")
    await do(inspector, town.one, made)
    await town.site.sync.settle()
    assert await scores(town) == 0, "nothing was answered"
    await do(inspector, town.one, *put(made, ANSWERS))
    await town.site.sync.settle()
    assert await score_of(town, made) == {
        "inspection": made["r"], "date": "2026-09-21", "template": template["r"], "place": "五层",
        "score": 10_000, "grade": "excellent", "answered": 3, "asked": 3, "failed": 0, "missing": 0,
    }  # fmt: skip
    await do(inspector, town.one, *put(made, {"answers.a1.result": "fail", "date": "2026-09-20"}))
    await town.site.sync.settle()
    score = await score_of(town, made)
    assert (await scores(town), score["score"], score["grade"], score["date"]) == (1, 6667, "fail", "2026-09-20")
    await do(inspector, town.one, {"k": "del", "c": INSPECTION, "r": made["r"]})
    await town.site.sync.settle()
    assert await scores(town) == 0


async def test_a_changed_draft_computes_again_the_scores_of_its_own_inspections_alone(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A template may be tried out before it is published; who goes on editing it must not cost everybody's sums."""
    other = begun(await published(town))
    draft = new(TEMPLATE, WALK)
    tried = begun(draft)
    inspector = await town.phone("inspector")
    await do(inspector, town.one, draft, tried, *put(tried, ANSWERS), other, *put(other, ANSWERS))
    await town.site.sync.settle()
    computed: list[str] = []
    real = computed_module.score

    def noted(template: Any, found: Any) -> Any:
        computed.append(found["template"])
        return real(template, found)

    monkeypatch.setattr(computed_module, "score", noted)
    await do(inspector, town.one, *put(draft, {"items.a3.kind": "text"}))
    await town.site.sync.settle()
    assert computed == [draft["r"]]
    assert (await score_of(town, tried))["answered"] == 2


async def scores(town: Town) -> int:
    phone = await town.phone("worker")
    return sum(one["c"] == SCORE for one in (await phone.pull(town.one))[1:])


async def test_as_long_as_something_required_is_missing_the_score_has_no_grade(town: Town) -> None:
    template = await published(town, {**WALK, "items.a3.required": True})
    inspector = await town.phone("inspector")
    made = begun(template)
    await do(inspector, town.one, made, *put(made, {"answers.a1.result": "pass"}))
    await town.site.sync.settle()
    score = await score_of(town, made)
    assert (score["score"], score.get("grade"), score["missing"]) == (10_000, None, 1)


async def test_the_largest_template_is_one_batch_and_two_hundred_answers_come_in_a_few(town: Town) -> None:
    office, inspector = await town.phone("office"), await town.phone("inspector")
    shipped = (await office.http.get("/api/inspections/library/jgj59")).json()["values"]
    template = await published(town, shipped)
    made = begun(template)
    keys = sorted({path.split(".")[1] for path in shipped if path.startswith("items.")})
    writes = put(made, {f"answers.{key}.points": 0 for key in keys})
    await do(inspector, town.one, made, *writes)
    await town.site.sync.settle()
    score = await score_of(town, made)
    assert (score["score"], score["answered"], score["grade"]) == (10_000, 189, "excellent")
