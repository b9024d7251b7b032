"""P11: who sees an invite's code, and what it opens once its maker may no longer give it."""

from __future__ import annotations

from typing import Any

from tests.server.web.kit import Phone, Town


async def made_by(phone: Phone, project: str, **wanted: Any) -> str:
    answer = await phone.http.post("/api/invites", json={"project": project, **wanted})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def seen_by(phone: Phone, project: str) -> set[str]:
    return {one["id"] for one in (await phone.http.get("/api/invites", params={"project": project})).json()["invites"]}


async def test_P11_nobody_sees_the_code_of_an_invite_that_he_could_not_have_made(town: Town) -> None:
    manager, office, foreman = [await town.phone(name) for name in ("manager", "office", "foreman")]
    ours = await made_by(manager, town.one, team=town.team_a)
    theirs = await made_by(manager, town.one, team=town.team_b)
    leads = await made_by(manager, town.one, team=town.team_a, roles=["supervisor"])
    key_to_office = await made_by(manager, town.one, team=town.team_a, person=town.people["office"])
    manages = await made_by(manager, town.one, team=town.team_a, roles=["manager"])
    key_to_manager = await made_by(manager, town.one, person=town.people["manager"])
    assert await seen_by(foreman, town.one) == {ours}
    assert await seen_by(office, town.one) == {ours, theirs, leads, key_to_office}
    assert await seen_by(manager, town.one) == {ours, theirs, leads, key_to_office, manages, key_to_manager}
    for id in (theirs, leads, key_to_office, manages, key_to_manager):
        assert (await foreman.http.get(f"/print/invites/{id}")).status_code == 404
        assert (await foreman.http.delete(f"/api/invites/{id}")).status_code == 404
