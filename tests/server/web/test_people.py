"""The office keeps people, teams, places and projects; what it changes reaches the phones."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.server.web.kit import PASSWORD, Phone, Town


async def names(town: Town, phone: Phone) -> dict[str, dict[str, Any]]:
    found = (await phone.http.get(f"/api/projects/{town.one}/people")).json()["people"]
    return {one["name"]: one for one in found}


async def test_a_pasted_list_adds_everybody_or_nobody(town_on: Town) -> None:
    office = await town_on.phone("office")
    lines = "张伟, 钢筋班\n\n李强\t木工班\n王芳，钢筋班\n赵敏\n"
    answer = await office.http.post("/api/people", json={"project": town_on.one, "lines": lines})
    assert answer.status_code == 201, answer.text
    found = await names(town_on, office)
    assert [found[name]["teams"] for name in ("张伟", "李强", "王芳", "赵敏")] == [
        [town_on.team_a], [town_on.team_b], [town_on.team_a], [],
    ]  # fmt: skip
    bad = await office.http.post("/api/people", json={"project": town_on.one, "lines": "孙悦\n周杰, 没有的班\n"})
    assert (bad.status_code, bad.json()["code"]) == (400, "malformed")
    assert "没有的班" in bad.json()["reason"]
    assert "孙悦" not in await names(town_on, office)


async def test_somebody_added_with_a_password_can_sign_in(town: Town) -> None:
    office = await town.phone("office")
    new = {"name": "陈静", "login": "ChenJing", "password": PASSWORD, "roles": ["supervisor"]}
    assert (await office.http.post("/api/people", json={"project": town.one, "people": [new]})).status_code == 201
    assert (await Phone(await town.client()).login("chenjing")).status_code == 200
    again = await office.http.post("/api/people", json={"project": town.one, "people": [new]})
    assert (again.status_code, again.json()["code"]) == (409, "taken")


async def test_A6_a_changed_role_is_a_new_epoch_at_the_next_pull(town_on: Town) -> None:
    worker, manager = await town_on.phone("worker"), await town_on.phone("manager")
    before = (await worker.pull(town_on.one))[0]
    url = f"/api/people/{town_on.people['worker']}"
    answer = await manager.http.patch(
        url, json={"project": town_on.one, "roles": ["foreman"], "teams": [town_on.team_b]}
    )
    assert answer.status_code == 200, answer.text
    after = (await worker.pull(town_on.one, epoch=before["epoch"], cursor=before["cursor"]))[0]
    assert after["epoch"] != before["epoch"]
    assert after["from"] == 0
    assert f"person:{town_on.people['mate']}" in after["audiences"]


async def test_A6_who_is_taken_off_the_project_sees_nothing_more_of_it(town: Town) -> None:
    worker, manager = await town.phone("worker"), await town.phone("manager")
    url = f"/api/people/{town.people['worker']}"
    await manager.http.patch(url, json={"project": town.one, "ended": True})
    assert (await worker.http.get("/api/me")).json()["projects"] == []
    assert (
        await worker.http.get("/api/history", params={"project": town.one, "c": "a.b", "r": "x"})
    ).status_code == 403
    await manager.http.patch(url, json={"project": town.one, "ended": False})
    assert [one["id"] for one in (await worker.http.get("/api/me")).json()["projects"]] == [town.one]


async def test_the_office_does_not_touch_managers_nor_make_them(town: Town) -> None:
    office = await town.phone("office")
    manager, worker = town.people["manager"], town.people["worker"]
    cases: list[tuple[str, dict[str, Any]]] = [
        (manager, {"roles": ["worker"]}),
        (manager, {"password": "taken over!"}),
        (manager, {"ended": True}),
        (worker, {"roles": ["manager"]}),
    ]
    for person, change in cases:
        answer = await office.http.patch(f"/api/people/{person}", json={"project": town.one, **change})
        assert answer.status_code == 403, change


async def test_a_new_password_signs_every_phone_of_the_person_out(town: Town) -> None:
    worker, manager = await town.phone("worker"), await town.phone("manager")
    url = f"/api/people/{town.people['worker']}"
    answer = await manager.http.patch(url, json={"project": town.one, "password": "another password"})
    assert answer.status_code == 200, answer.text
    assert (await worker.http.get("/api/me")).status_code == 401
    assert (await worker.login("worker", "another password")).status_code == 200


async def test_a_new_project_team_and_place_come_down_as_core_records(town_on: Town) -> None:
    manager = await town_on.phone("manager")
    made = await manager.http.post("/api/projects", json={"name": "三号工地", "lat": 1, "lng": 2, "radius_m": 50})
    assert made.status_code == 201, made.text
    project = made.json()["id"]
    team = await manager.http.post("/api/teams", json={"project": project, "name": "架子工班", "trade": "架子工"})
    place = await manager.http.post("/api/places", json={"project": project, "name": "塔吊", "code": "tower-1"})
    assert (team.status_code, place.status_code) == (201, 201), place.text
    await town_on.site.sync.settle()
    kinds = sorted(record["c"] for record in (await manager.pull(project))[1:])
    assert kinds == ["core.person", "core.place", "core.project", "core.team"]
    new = {"name": "四号工地", "lat": None, "lng": None, "radius_m": None}
    renamed = await manager.http.patch(f"/api/projects/{project}", json=new)
    assert renamed.status_code == 200, renamed.text
    assert (await manager.http.get("/api/projects")).json()[-1]["name"] in ("四号工地", "一号工地")


async def test_a_team_is_changed_and_closed(town_on: Town) -> None:
    office = await town_on.phone("office")
    url = f"/api/teams/{town_on.team_b}"
    change = {"name": "木工二班", "foreman": town_on.people["mate"], "closed": True}
    answer = await office.http.patch(url, json=change)
    assert answer.status_code == 200, answer.text
    joined = await office.http.post("/api/people", json={"project": town_on.one, "lines": "张伟, 木工二班"})
    assert joined.status_code == 400, "nobody joins a closed team"
    assert (await office.http.patch(url, json={"foreman": town_on.people["stranger"]})).status_code == 400
    await town_on.site.sync.settle()
    shown = {record["r"]: record for record in (await office.pull(town_on.one))[1:]}[town_on.team_b]
    assert "木工二班" in str(shown)


async def test_the_same_code_twice_at_once_is_taken_once(town_on: Town) -> None:
    manager = await town_on.phone("manager")
    body = {"project": town_on.one, "name": "西门", "code": "west"}
    answers = await asyncio.gather(*(manager.http.post("/api/places", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/teams", {"name": "钢筋班"}),
        ("/api/places", {"name": "东门二", "code": "gate-1"}),
    ],
)
async def test_a_name_or_code_that_is_there_already_is_taken(town: Town, path: str, body: dict[str, str]) -> None:
    manager = await town.phone("manager")
    answer = await manager.http.post(path, json={"project": town.one, **body})
    assert (answer.status_code, answer.json()["code"]) == (409, "taken")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/projects", {"name": "x", "zone": "Mars/Olympus"}),
        ("/api/projects", {"name": "x", "zone": "../../etc/passwd"}),
        ("/api/projects", {"name": "x", "lat": 1}),
        ("PATCH", {"lat": 1}),
        ("PATCH", {"lat": 1, "lng": None, "radius_m": None}),
        ("/api/projects", {"name": "   "}),
        ("/api/projects", {"name": "a\u0000b"}),
        ("/api/teams", {"name": "x", "foreman": "nobody"}),
        ("/api/places", {"name": "x", "code": "with space"}),
        ("/api/people", {"people": [{"name": "x", "password": PASSWORD}]}),
        ("/api/people", {"people": [{"name": "x", "teams": ["elsewhere"]}]}),
        ("/api/people", {"people": []}),
    ],
)
async def test_what_cannot_be_is_malformed_and_says_where(town: Town, path: str, body: dict[str, Any]) -> None:
    manager = await town.phone("manager")
    if path == "PATCH":
        answer = await manager.http.patch(f"/api/projects/{town.one}", json=body)
    else:
        answer = await manager.http.post(path, json={"project": town.one, **body})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), answer.text
    assert answer.json()["reason"]


async def test_the_office_gives_a_sign_in_name_and_a_password(town: Town) -> None:
    office = await town.phone("office")
    made = await office.http.post("/api/people", json={"project": town.one, "lines": "新人"})
    path, change = f"/api/people/{made.json()['ids'][0]}", {"project": town.one, "password": "a longer secret"}
    answer = await office.http.patch(path, json=change)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    taken = await office.http.patch(path, json={**change, "login": "worker"})
    assert (taken.status_code, taken.json()["code"]) == (409, "taken")
    assert (await office.http.patch(path, json={**change, "login": "xin"})).status_code == 200
    assert (await Phone(await town.client()).login("xin", "a longer secret")).status_code == 200
