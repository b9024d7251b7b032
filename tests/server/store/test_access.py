"""Rights: read once, kept while nothing changes, gone at the very next question."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from server.store.access import epoch_of
from server.store.sqlite import PULSE_S
from server.store.store import Store, open_store
from tests.server.site import DECLARATIONS, NOW, Site, add, join, new_id, notice


async def test_a_session_is_read_once_and_then_remembered(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    session = site.worker.session
    await site.store.access.session(session.hash, NOW)
    asked: list[str] = []
    real = site.store.database.look

    async def spied(sql: str, *args: Any) -> Any:
        asked.append(sql)
        return await real(sql, *args)

    monkeypatch.setattr(site.store.database, "look", spied)
    for _ in range(5):
        assert await site.store.access.session(session.hash, NOW) == session
        await site.store.access.member(site.project, session.person)
    assert asked == []


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM session WHERE hash = '{hash}'",
        "UPDATE session SET expires = 5 WHERE hash = '{hash}'",
        "UPDATE device SET revoked = 5 WHERE id = '{device}'",
        "UPDATE person SET closed = 5 WHERE id = '{person}'",
    ],
)
async def test_P11_whatever_ends_a_session_ends_it_at_the_next_request_in_every_process(
    site: Site, database_url: str | None, tmp_path: Path, sql: str
) -> None:
    session = site.worker.session
    assert await site.store.access.session(session.hash, NOW) == session
    other = await open_store(database_url, tmp_path, DECLARATIONS)  # as the command line opens it
    await other.change([(sql.format(hash=session.hash, device=session.device, person=session.person), ())])
    await asyncio.sleep(PULSE_S)  # what another process changes is felt at most so much later
    assert await site.store.access.session(session.hash, NOW) is None
    await other.close()


async def test_a_session_of_another_persons_device_is_none(site: Site) -> None:
    await site.store.change(
        [add("session", hash="mixed", person=site.worker.person, device=site.office.device, created=1, expires=NOW * 2)]
    )
    assert await site.store.access.session("mixed", NOW) is None


async def test_an_expired_session_is_none(site: Site) -> None:
    assert await site.store.access.session(site.worker.session.hash, NOW * 3) is None


async def test_an_actor_has_the_roles_and_teams_of_this_moment(site: Site) -> None:
    access = site.store.access
    await access.fresh()
    before = await access.actor(site.project, site.worker.person, site.worker.device)
    assert before is not None
    assert before.roles == {"worker"}
    assert before.teams == {site.team}
    await site.store.change([("UPDATE member SET roles = 'foreman worker' WHERE person = ?", (site.worker.person,))])
    await access.fresh()
    after = await access.actor(site.project, site.worker.person, site.worker.device)
    assert after is not None
    assert after.roles == {"foreman", "worker"}
    assert f"person:{site.foreman.person}" in after.audiences
    assert await access.actor(site.project, site.stranger.person, site.stranger.device) is None


async def test_A6_the_epoch_differs_exactly_when_what_is_seen_does(site: Site) -> None:
    access = site.store.access

    async def epoch(person: str) -> int:
        member = await access.member(site.project, person)
        assert member is not None
        return member.epoch

    worker, foreman, office = (p.person for p in (site.worker, site.foreman, site.office))
    first = {person: await epoch(person) for person in (worker, foreman, office)}
    await site.store.change([("UPDATE person SET name = 'new name' WHERE id = ?", (worker,))])
    assert {person: await epoch(person) for person in (worker, foreman, office)} == first
    await join(site.store, site.project, office, site.team)
    assert await epoch(worker) == first[worker]
    assert await epoch(foreman) != first[foreman]
    assert await epoch(office) != first[office]
    await site.store.change([("DELETE FROM member_team WHERE person = ?", (office,))])
    assert {person: await epoch(person) for person in (worker, foreman, office)} == first
    assert all(0 < value < 2**53 for value in first.values())


async def test_sign_in_lists_the_projects_that_have_not_ended(site: Site) -> None:
    access = site.store.access
    (entry,) = await access.projects(site.worker.person)
    assert entry["id"] == site.project
    assert (entry["name"], entry["roles"], entry["teams"]) == ("One", ["worker"], [site.team])
    assert entry["head"] == await site.head()
    await site.store.change([("UPDATE member SET ended = 1 WHERE person = ?", (site.worker.person,))])
    assert await access.projects(site.worker.person) == []


async def test_committing_batches_leaves_the_revision_alone(site: Site) -> None:
    await site.store.access.fresh()
    before = site.store.access.revision
    await site.worker.write(notice("x"))
    await site.store.access.fresh()
    assert site.store.access.revision == before


async def test_a_device_without_a_cookie_has_a_session_for_what_the_server_does_for_it(site: Site) -> None:
    session = await site.store.access.session_of(site.worker.person, site.worker.device)
    assert session is not None
    assert (session.person, session.key) == (site.worker.person, site.worker.session.key)
    assert await site.store.access.session_of(site.worker.person, site.office.device) is None


def test_epochs_fit_into_a_whole_number_of_javascript() -> None:
    epochs = {epoch_of("", frozenset({new_id()})) for _ in range(200)}
    assert len(epochs) == 200
    assert all(0 < epoch < 2**48 for epoch in epochs)


async def test_the_store_says_which_engine_it_is(store: Store, dialect: str) -> None:
    assert store.dialect == dialect
