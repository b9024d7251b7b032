"""P11: signing in by password or invite, staying signed in, being signed out."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from server.store import people
from tests.server.web.kit import PASSWORD, Phone, Town, note

DAY_S = 86_400


async def invite(town: Town, by: str = "manager", **wanted: Any) -> dict[str, Any]:
    phone = await town.phone(by)
    answer = await phone.http.post("/api/invites", json={"project": town.one, **wanted})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_P11_a_sign_in_answers_with_person_device_and_projects(town: Town) -> None:
    phone = Phone(await town.client())
    answer = await phone.login("  WORKER ")
    me = answer.json()
    assert me["person"] == {"id": town.people["worker"], "name": "worker"}
    assert len(me["device"]) == 22
    assert me["last_n"] == 0
    assert [(one["id"], one["roles"], one["teams"]) for one in me["projects"]] == [
        (town.one, ["worker"], [town.team_a])
    ]
    assert me["now"] == town.clock.ms
    assert (await phone.http.get("/api/me")).json() == me


async def test_P11_the_cookie_is_closed_to_scripts_and_other_sites(town: Town) -> None:
    answer = await Phone(await town.client()).login("worker")
    for cookie in answer.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
    safe = await town.client()
    safe.base_url = httpx.URL("https://localhost")
    answer = await Phone(safe).login("worker")
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


async def test_P11_the_same_key_signing_in_again_is_the_same_device_and_goes_on_counting(town: Town) -> None:
    phone = await town.phone("worker")
    first = phone.me["device"]
    await phone.push(town.one, [note(town.people["worker"])])
    await phone.http.post("/api/logout")
    answer = await phone.login("worker")
    assert (answer.json()["device"], answer.json()["last_n"]) == (first, 1)


async def test_P11_no_password_and_no_token_lies_readable_in_the_database(town: Town) -> None:
    phone = await town.phone("worker")
    token = phone.http.cookies["gongbu"]
    made = await invite(town)
    stored = str(
        [await town.site.store.rows(f"SELECT * FROM {table}") for table in ("session", "person", "invite", "device")]
    )
    assert token not in stored
    assert PASSWORD not in stored
    assert made["code"] not in stored


async def test_P11_a_password_is_kept_as_argon2id_of_the_declared_cost(town: Town) -> None:
    manager = await town.phone("manager")
    change = {"project": town.one, "password": "another password"}
    await manager.http.patch(f"/api/people/{town.people['worker']}", json=change)
    rows = await town.site.store.rows("SELECT password FROM person WHERE login = 'worker'")
    assert rows[0][0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_P11_a_wrong_name_and_a_wrong_password_are_one_answer(town: Town) -> None:
    phone = Phone(await town.client())
    one = await phone.login("worker", "wrong password")
    two = await phone.login("nobody at all", "wrong password")
    assert (one.status_code, one.content) == (two.status_code, two.content) == (401, one.content)
    await people.close_person(town.site.store, town.people["worker"], 1)
    three = await phone.login("worker")
    assert three.content == one.content


async def test_P11_ten_wrong_passwords_for_a_name_make_it_wait(town: Town) -> None:
    guesser = Phone(await town.client())
    for _ in range(10):
        assert (await guesser.login("worker", "guess")).status_code == 401
    answer = await guesser.login("worker")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    town.clock.pass_s(int(answer.headers["retry-after"]))
    assert (await guesser.login("worker")).status_code == 200


async def test_P11_many_wrong_names_from_one_address_make_that_address_wait_and_no_other(town: Town) -> None:
    guesser, neighbour = Phone(await town.client("203.0.113.9")), Phone(await town.client("203.0.113.10"))
    for name in range(60):
        await guesser.login(f"name{name}", "guess")
    assert (await guesser.login("worker")).status_code == 429
    assert (await neighbour.login("worker")).status_code == 200


async def test_P11_one_locked_name_does_not_eat_the_tries_of_an_office(town: Town) -> None:
    office = await town.client("203.0.113.9")
    for _ in range(80):
        await Phone(office).login("mate", "guess")
    assert (await Phone(office).login("worker")).status_code == 200


@pytest.mark.parametrize("path", ["/api/login", "/api/enrol"])
async def test_P11_control_characters_are_malformed_on_both_databases(town_on: Town, path: str) -> None:
    phone = Phone(await town_on.client())
    body = {"name": "a\u0000b", "password": "x", "code": "AAAA", "device": phone.device}
    answer = await phone.http.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_P11_an_invite_ends_with_the_rights_of_who_made_it(town: Town) -> None:
    made = await invite(town, roles=["manager"])
    await people.end_member(town.site.store, town.one, town.people["manager"], town.clock.ms)
    answer = await Phone(await town.client()).enrol(made["code"], "云志远")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_invite")


async def test_P11_signing_in_rightly_is_never_limited(town: Town) -> None:
    phone = Phone(await town.client())
    assert {(await phone.login("worker")).status_code for _ in range(25)} == {200}


async def test_P11_many_guesses_at_once_do_not_slip_past_the_limit(town: Town) -> None:
    guessers = [Phone(await town.client(f"203.0.113.{at}")) for at in range(30)]
    answers = await asyncio.gather(*(guesser.login("worker", "guess") for guesser in guessers))
    assert [answer.status_code for answer in answers].count(401) == 10


async def test_P11_a_revoked_phone_is_signed_out_at_its_next_request(town_on: Town) -> None:
    lost, manager = await town_on.phone("worker"), await town_on.phone("manager")
    gone = await manager.http.delete(f"/api/devices/{lost.me['device']}")
    assert gone.status_code == 204, gone.text
    for request in (lost.http.get("/api/me"), lost.push(town_on.one, [note(town_on.people["worker"])])):
        answer = await request
        assert (answer.status_code, answer.json()["code"], answer.json()["do"]) == (401, "signed_out", "sign_in")


async def test_P11_a_phone_that_was_revoked_may_come_back_with_the_password(town: Town) -> None:
    phone = await town.phone("worker")
    await phone.http.delete(f"/api/devices/{phone.me['device']}")
    assert (await phone.http.get("/api/me")).status_code == 401
    assert (await phone.login("worker")).status_code == 200
    assert (await phone.push(town.one, [note(town.people["worker"])])).json()["results"][0]["status"] == "applied"


async def test_P11_signing_out_ends_the_session_and_can_be_repeated(town: Town) -> None:
    phone = await town.phone("worker")
    token = phone.http.cookies["gongbu"]
    assert (await phone.http.post("/api/logout")).status_code == 204
    assert (await phone.http.post("/api/logout")).status_code == 204
    phone.http.cookies.set("gongbu", token)
    assert (await phone.http.get("/api/me")).status_code == 401


async def test_P11_a_session_ends_by_itself_and_lasts_as_long_as_it_is_used(town: Town) -> None:
    idle, used = await town.phone("worker"), await town.phone("worker")
    for _ in range(4):
        town.clock.pass_s(50 * DAY_S)
        assert (await used.http.get("/api/me")).status_code == 200
    assert (await idle.http.get("/api/me")).status_code == 401


async def test_P11_two_people_stay_signed_in_on_one_phone(town: Town) -> None:
    http = await town.client()
    first, second = Phone(http), Phone(http)
    await first.login("worker")
    await second.login("mate")
    for phone, name in ((first, "worker"), (second, "mate")):
        answer = await http.get("/api/me", headers={"X-Device": phone.me["device"]})
        assert answer.json()["person"]["name"] == name
    await http.post("/api/logout", headers={"X-Device": second.me["device"]})
    assert (await http.get("/api/me", params={"device": second.me["device"]})).status_code == 401
    assert (await http.get("/api/me", params={"device": first.me["device"]})).status_code == 200


async def test_P11_an_invite_lets_one_person_in_once(town_on: Town) -> None:
    made = await invite(town_on, team=town_on.team_a)
    phone = Phone(await town_on.client())
    answer = await phone.enrol(made["code"].lower().replace("-", " "), " 张  伟 ")
    assert answer.status_code == 200, answer.text
    me = answer.json()
    assert me["person"]["name"] == "张 伟"
    assert (me["projects"][0]["roles"], me["projects"][0]["teams"]) == (["worker"], [town_on.team_a])
    second = await Phone(await town_on.client()).enrol(made["code"], "李强")
    assert (second.status_code, second.json()["code"]) == (403, "wrong_invite")


async def test_P11_an_enrolment_whose_answer_was_lost_is_answered_again(town: Town) -> None:
    made = await invite(town)
    phone = Phone(await town.client())
    first, again = await phone.enrol(made["code"], "张伟"), await phone.enrol(made["code"], "张伟")
    assert again.status_code == 200
    assert first.json()["person"] == again.json()["person"]


async def test_P11_a_team_invite_is_good_for_its_number_of_people_even_at_once(town_on: Town) -> None:
    made = await invite(town_on, team=town_on.team_a, uses=3)
    phones = [Phone(await town_on.client(f"203.0.113.{at}")) for at in range(6)]
    answers = await asyncio.gather(*(phone.enrol(made["code"], f"工人{at}") for at, phone in enumerate(phones)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 403, 403, 403]
    assert len(await town_on.site.store.rows("SELECT id FROM person WHERE name LIKE '工人%'")) == 3


@pytest.mark.parametrize("how", ["unknown", "expired", "revoked"])
async def test_P11_an_invite_that_does_not_hold_is_one_answer(town: Town, how: str) -> None:
    made = await invite(town, days=1)
    if how == "expired":
        town.clock.pass_s(DAY_S + 1)
    if how == "revoked":
        manager = await town.phone("manager")
        assert (await manager.http.delete(f"/api/invites/{made['id']}")).status_code == 204
    code = "AAAA-BBBB-CCCC" if how == "unknown" else made["code"]
    answer = await Phone(await town.client()).enrol(code, "张伟")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_invite")


async def test_P11_guessing_codes_is_limited_by_address(town: Town) -> None:
    guesser = Phone(await town.client())
    answers = [(await guesser.enrol(f"AAAA-BBBB-{at:04}", "x")).status_code for at in range(61)]
    assert answers[-1] == 429


async def test_P11_who_is_on_the_teams_list_becomes_himself(town: Town) -> None:
    listed = await people.add_people(
        town.site.store, town.one, [people.NewPerson("王建国", teams=[town.team_a])], town.clock.ms
    )
    made = await invite(town, team=town.team_a, uses=5)
    answer = await Phone(await town.client()).enrol(made["code"], "王建国")
    assert answer.json()["person"]["id"] == listed[0]
    thief = await Phone(await town.client()).enrol(made["code"], "王建国")
    assert (thief.status_code, thief.json()["code"]) == (409, "already_enrolled")


async def test_P11_two_who_type_the_same_listed_name_at_once_do_not_both_become_him(town_on: Town) -> None:
    listed = people.NewPerson("王建国", teams=[town_on.team_a])
    await people.add_people(town_on.site.store, town_on.one, [listed], town_on.clock.ms)
    made = await invite(town_on, team=town_on.team_a, uses=9)
    phones = [Phone(await town_on.client(f"203.0.113.{at}")) for at in range(4)]
    answers = await asyncio.gather(*(phone.enrol(made["code"], "王建国") for phone in phones))
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.status_code for answer in answers} <= {200, 403, 409}
    assert await town_on.site.store.rows("SELECT uses FROM invite WHERE id = ?", made["id"]) == [(1,)]


async def test_P11_a_workers_code_does_not_turn_anybody_into_a_listed_manager(town: Town) -> None:
    boss = people.NewPerson("云志远", roles=["manager"])
    traveller = people.NewPerson("罗四海", teams=[town.team_a])
    await people.add_people(town.site.store, town.one, [boss, traveller], town.clock.ms)
    await people.set_member(town.site.store, town.two, traveller.id, ["manager"], [], town.clock.ms)
    made = await invite(town, uses=5)
    for name, listed in (("云志远", boss.id), ("罗四海", traveller.id)):
        me = (await Phone(await town.client()).enrol(made["code"], name)).json()
        assert me["person"]["id"] != listed
        assert [one["roles"] for one in me["projects"]] == [["worker"]]


async def test_P11_a_personal_invite_whose_answer_was_lost_is_answered_again(town: Town) -> None:
    made = await invite(town, person=town.people["worker"])
    phone = Phone(await town.client())
    first, again = await phone.enrol(made["code"], "typed"), await phone.enrol(made["code"], "typed")
    assert (first.status_code, again.status_code) == (200, 200)
    other = await Phone(await town.client()).enrol(made["code"], "typed")
    assert other.status_code == 403


async def test_P11_a_personal_invite_is_a_new_phone_for_that_person(town: Town) -> None:
    made = await invite(town, person=town.people["worker"])
    answer = await Phone(await town.client()).enrol(made["code"], "whatever is typed")
    assert answer.json()["person"] == {"id": town.people["worker"], "name": "worker"}


async def test_P11_nobody_invites_above_himself(town: Town) -> None:
    foreman, office = await town.phone("foreman"), await town.phone("office")
    cases: list[tuple[Phone, dict[str, Any], int]] = [
        (foreman, {"team": town.team_a}, 201),
        (foreman, {"team": town.team_b}, 403),
        (foreman, {}, 403),
        (foreman, {"team": town.team_a, "roles": ["foreman"]}, 403),
        (foreman, {"team": town.team_a, "person": town.people["worker"]}, 201),
        (foreman, {"team": town.team_a, "person": town.people["manager"]}, 403),
        (foreman, {"team": town.team_a, "person": town.people["mate"]}, 403),
        (office, {"roles": ["supervisor"]}, 201),
        (office, {"roles": ["manager"]}, 403),
        (office, {"person": town.people["manager"]}, 403),
        (office, {"person": town.people["stranger"]}, 400),
        (office, {"team": "no-such-team"}, 400),
    ]
    for phone, wanted, status in cases:
        answer = await phone.http.post("/api/invites", json={"project": town.one, **wanted})
        assert answer.status_code == status, (wanted, answer.text)


async def test_P11_a_personal_invite_to_who_has_more_rights_elsewhere_is_refused(town: Town) -> None:
    worker = town.people["worker"]
    await people.set_member(town.site.store, town.two, worker, ["manager"], [], town.clock.ms)
    manager = await town.phone("manager")
    answer = await manager.http.post("/api/invites", json={"project": town.one, "person": worker})
    assert answer.status_code == 403
    changed = await manager.http.patch(f"/api/people/{worker}", json={"project": town.one, "password": "taken over!"})
    assert changed.status_code == 403


@pytest.mark.parametrize(
    "device",
    [
        {},
        {"key": {}},
        {"key": {"kty": "RSA", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}},
        {"key": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}},
        {"key": {"kty": "EC", "crv": "P-256", "x": "!" * 43, "y": "A" * 43}},
        {"label": "x" * 200, "key": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}},
    ],
)
async def test_P11_a_device_without_a_usable_key_is_malformed(town: Town, device: dict[str, Any]) -> None:
    http = await town.client()
    answer = await http.post("/api/login", json={"name": "worker", "password": PASSWORD, "device": device})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert "reason" in answer.json()


async def test_P11_a_server_clock_set_back_locks_nobody_out_for_longer(town: Town) -> None:
    phone = Phone(await town.client())
    for _ in range(10):
        await phone.login("worker", "wrong password")
    town.clock.pass_s(-DAY_S)
    assert (await phone.login("worker")).status_code == 429
    town.clock.pass_s(61)
    assert (await phone.login("worker")).status_code == 200


async def test_one_changes_his_own_password_and_his_other_phones_are_signed_out(town: Town) -> None:
    mine, other, colleague = await town.phone("worker"), await town.phone("worker"), await town.phone("mate")
    assert (await mine.http.get("/api/password")).json() == {"login": "worker", "has_password": True}
    change = {"old": PASSWORD, "new": "a longer secret"}
    assert (await mine.http.post("/api/password", json=change)).status_code == 204
    asked = [(await phone.http.get("/api/me")).status_code for phone in (mine, other, colleague)]
    assert asked == [200, 401, 200]
    again = Phone(await town.client())
    assert (await again.login("worker")).status_code == 401
    assert (await again.login("worker", "a longer secret")).status_code == 200


async def test_a_wrong_old_password_changes_nothing_and_can_not_be_guessed(town: Town) -> None:
    phone = await town.phone("worker")
    guess = {"old": "guess", "new": "a longer secret"}
    for _ in range(10):
        answer = await phone.http.post("/api/password", json=guess)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
    right = {**guess, "old": PASSWORD}
    answer = await phone.http.post("/api/password", json=right)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert (await Phone(await town.client()).login("worker")).status_code == 200


async def test_a_new_password_has_a_least_length_and_who_has_none_gets_none(town: Town) -> None:
    phone = await town.phone("worker")
    answer = await phone.http.post("/api/password", json={"old": PASSWORD, "new": "short"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    await town.site.store.change([("UPDATE person SET password = NULL WHERE id = ?", (town.people["worker"],))])
    assert (await phone.http.get("/api/password")).json()["has_password"] is False
    answer = await phone.http.post("/api/password", json={"old": "", "new": "a longer secret"})
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
