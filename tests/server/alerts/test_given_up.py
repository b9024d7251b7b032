"""What failed too often is seen by who runs the site, and tried again when he says so."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from server.cli import run
from server.sync.jobs import TRIES_MAX
from tests.server.alerts.outside import Outside
from tests.server.alerts.test_killed import alone, begun
from tests.server.alerts.test_ladder_climbs import later, subscribed
from tests.server.web.kit import Town


@pytest.mark.parametrize("town", ["sqlite"], indirect=True)
async def test_an_alert_that_could_not_be_sent_is_listed_and_goes_out_when_it_is_tried_again(
    town: Town, world: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, receiver = await subscribed(town, world, "manager")
    await alone(town)
    kinds = town.site.sync.outside.kinds
    real = kinds["alert send"]

    async def fails(args: Any) -> None:
        raise RuntimeError("no luck")

    kinds["alert send"] = fails
    await begun(town, await town.phone("worker"))
    for _ in range(TRIES_MAX + 3):
        await town.site.sync.outside.work(town.clock())
        await town.site.sync.outside.finish()
        town.clock.pass_s(3601)
    kinds["alert send"] = real
    dead = (await manager.http.get("/api/jobs", params={"project": town.one})).json()["jobs"]
    assert {(one["kind"], one["error"]) for one in dead} == {("alert send", "RuntimeError: no luck")}
    world.asked.clear()
    again = {"project": town.one, "key": dead[0]["key"]}
    left = await manager.http.post("/api/jobs/again", json=again)
    assert left.status_code == 200
    assert again["key"] not in [one["key"] for one in left.json()["jobs"]]
    await later(town, 0.1)
    steps = [receiver.read(asked)["step"] for asked in world.at("/push/manager")]
    assert steps.count(int(again["key"].rpartition(":")[2])) == 1
    assert (await manager.http.post("/api/jobs/again", json=again)).status_code == 404


@pytest.mark.parametrize("town", ["sqlite"], indirect=True)
async def test_another_sites_work_is_not_listed(town: Town) -> None:
    key = f"mirror:{uuid.uuid4()}"
    args = f'{{"project":"{town.two}"}}'
    dead = "INSERT INTO job (key, kind, args, due, dead, error) VALUES (?, 'mirror', ?, 0, 1, 'x')"
    await town.site.store.change([(dead, (key, args))])
    manager, stranger = await town.phone("manager"), await town.phone("stranger")
    assert (await manager.http.get("/api/jobs", params={"project": town.one})).json()["jobs"] == []
    theirs = (await stranger.http.get("/api/jobs", params={"project": town.two})).json()["jobs"]
    assert [one["key"] for one in theirs] == [key]
    answer = await manager.http.post("/api/jobs/again", json={"project": town.one, "key": key})
    assert answer.status_code == 404


def test_the_command_lists_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["migrate", "--data", str(tmp_path)]) == 0
    capsys.readouterr()
    assert run(["jobs", "--data", str(tmp_path)]) == 0
    assert "0 given up" in capsys.readouterr().out
