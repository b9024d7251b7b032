"""Pages to print: posters and invites, in both languages, without anything inline that the policy blocks."""

from __future__ import annotations

import re

import pytest

from server.web import qr
from tests.server.web.kit import Town


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_poster_carries_the_code_of_its_place(town_on: Town, language: str) -> None:
    foreman = await town_on.phone("foreman")
    page = await foreman.http.get(f"/print/places/{town_on.place}/poster", params={"lang": language})
    assert page.status_code == 200, page.text
    assert qr.svg(f"gongbu:place:{town_on.one}:{town_on.place}:gate-1") in page.text
    assert "东门" in page.text
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in page.text
    assert not re.search(r"<script|style=|<style|\son\w+=", page.text)


async def test_an_invite_is_printed_while_it_holds(town_on: Town) -> None:
    manager = await town_on.phone("manager")
    made = (
        await manager.http.post("/api/invites", json={"project": town_on.one, "team": town_on.team_a, "uses": 30})
    ).json()
    page = await manager.http.get(f"/print/invites/{made['id']}", params={"lang": "zh"})
    assert made["code"] in page.text
    assert made["qr"] in page.text
    assert "钢筋班" in page.text
    assert "30" in page.text
    listed = (await manager.http.get("/api/invites", params={"project": town_on.one})).json()["invites"]
    assert listed == [made]
    await manager.http.delete(f"/api/invites/{made['id']}")
    assert (await manager.http.get(f"/print/invites/{made['id']}")).status_code == 404
    assert (await manager.http.get("/api/invites", params={"project": town_on.one})).json()["invites"] == []


async def test_a_name_is_printed_as_text_whatever_it_is(town: Town) -> None:
    manager = await town.phone("manager")
    name = "<script>alert(1)</script>"
    made = await manager.http.post("/api/places", json={"project": town.one, "name": name, "code": "x"})
    page = await manager.http.get(f"/print/places/{made.json()['id']}/poster")
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
