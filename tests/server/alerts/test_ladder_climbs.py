"""A fire breaks out: who is told, when it climbs, what stops it, and what can be read afterwards."""

from __future__ import annotations

import uuid
from typing import Any

from tests.server.alerts.outside import OK, Outside, Receiver, is_vapid
from tests.server.web.kit import NOW, Phone, Town

MINUTE_S = 60


def hour_of_the_site(hour: int) -> int:
    """The next time that clocks in Shanghai show it, ms UTC."""
    day_ms = 86_400_000
    return (NOW // day_ms + 1) * day_ms + (hour - 8) * 3_600_000


async def subscribed(town: Town, world: Outside, name: str, language: str = "zh-CN") -> tuple[Phone, Receiver]:
    phone, receiver = await town.phone(name), Receiver(f"{world.url}/push/{name}")
    phone.http.headers["Accept-Language"] = language
    answer = await phone.http.post("/api/subscriptions", json=receiver.to_json())
    assert answer.status_code == 201, answer.text
    return phone, receiver


async def fire(town: Town, phone: Phone, level: str = "major", **more: Any) -> str:
    r = str(uuid.uuid4())
    op = {"k": "new", "c": "alarm.fire", "r": r, "set": {"text": "三层木方堆起火", "level": level, **more}}
    answer = (await phone.push(town.one, [op])).json()
    assert answer["results"][0]["status"] == "applied", answer
    await town.site.sync.settle()
    await later(town, 0.01)  # phones are told a moment later
    return r


async def told(phone: Phone, town: Town, r: str) -> dict[str, Any]:
    answer = await phone.http.get("/api/alerts", params={"project": town.one, "r": r})
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()["alerts"]
    found: dict[str, Any] = one
    return found


async def later(town: Town, minutes: float) -> None:
    town.clock.pass_s(minutes * MINUTE_S)
    await town.site.sync.settle()


async def test_a_major_alert_reaches_phones_at_once_encrypted_signed_and_in_their_language(
    town: Town, world: Outside
) -> None:
    manager, receiver = await subscribed(town, world, "manager", "en")
    _, of_supervisor = await subscribed(town, world, "supervisor")
    r = await fire(town, await town.phone("worker"), person=town.people["mate"])
    (asked,) = world.at("/push/manager")
    said = receiver.read(asked)
    assert (said["title"], said["body"]) == ("Fire: Major", "三层木方堆起火")
    assert of_supervisor.read(world.at("/push/supervisor")[0])["title"] == "起火：重大"
    assert said["path"].startswith(f"/r/{r}?")
    assert said["device"] == manager.me["device"]
    assert "mate" not in asked.body.decode("latin-1")
    assert is_vapid(asked, town.site.keys.vapid_public, world.url)
    assert asked.headers["urgency"] == "high"
    assert int(asked.headers["ttl"]) >= 3600
    assert asked.headers["content-encoding"] == "aes128gcm"
    assert len(asked.headers["topic"]) <= 32
    assert len(asked.body) <= 4096


async def test_it_climbs_until_somebody_answers_and_each_step_is_on_record(town: Town, world: Outside) -> None:
    manager, _ = await subscribed(town, world, "manager")
    r = await fire(town, await town.phone("worker"))
    assert len(world.at("/push/manager")) == 1
    await later(town, 5.1)
    assert len(world.at("/push/manager")) == 2
    one = await told(manager, town, r)
    assert [step["step"] for step in one["steps"]] == [0, 1]
    answer = await manager.http.post(f"/api/alerts/{one['id']}/answer", json={"answer": "seen", "via": "notification"})
    assert answer.status_code == 200
    await later(town, 600)
    assert len(world.at("/push/manager")) == 2, "an answered alert climbs no further"
    one = await told(manager, town, r)
    assert one["status"] == "acked"
    assert [(a["person"], a["answer"], a["via"]) for a in one["answers"]] == [
        (town.people["manager"], "seen", "notification")
    ]


async def test_why_was_i_not_told_has_an_answer(town: Town, world: Outside) -> None:
    r = await fire(town, await town.phone("worker"))
    mine = await told(await town.phone("supervisor"), town, r)
    assert {(a["name"], a["status"]) for a in mine["attempts"]} >= {("supervisor", "no_way")}
    worker = await told(await town.phone("worker"), town, r)
    assert all(a["person"] == town.people["worker"] for a in worker["attempts"]), "others' phones are not his business"


async def test_the_phones_are_told_through_the_log(town: Town, world: Outside) -> None:
    manager, _ = await subscribed(town, world, "manager")
    r = await fire(town, await town.phone("worker"))
    records = [line for line in (await manager.pull(town.one))[1:] if line["c"] == "alerts.alert"]
    (record,) = records
    assert record["set"]["about"] == r
    assert record["set"]["status"] == "open"
    assert town.people["manager"] in record["set"]["to"]


async def test_what_is_put_out_ends_its_alert(town: Town, world: Outside) -> None:
    manager, _ = await subscribed(town, world, "manager")
    r = await fire(town, await town.phone("worker"))
    await manager.push(town.one, [{"k": "act", "c": "alarm.fire", "r": r, "act": "put_out"}], base=10**6)
    await town.site.sync.settle()
    await later(town, 60)
    assert len(world.at("/push/manager")) == 1
    assert (await told(manager, town, r))["status"] == "ended"


async def test_a_roll_call_climbs_for_those_alone_who_have_not_answered(town: Town, world: Outside) -> None:
    manager, _ = await subscribed(town, world, "manager")
    await subscribed(town, world, "supervisor")
    r = await fire(town, await town.phone("worker"), roll_call=True)
    one = await told(manager, town, r)
    await manager.http.post(f"/api/alerts/{one['id']}/answer", json={"answer": "safe"})
    await later(town, 5.1)
    assert len(world.at("/push/manager")) == 1
    assert len(world.at("/push/supervisor")) == 2


async def test_the_quiet_hours_put_off_what_is_usual_and_never_what_is_urgent(town: Town, world: Outside) -> None:
    await subscribed(town, world, "inspector")
    town.clock.ms = hour_of_the_site(23)
    await fire(town, await town.phone("worker"), level="general")
    assert world.asked == []
    await fire(town, await town.phone("worker"), level="major")
    assert len(world.at("/push/inspector")) == 1
    await later(town, 7 * 60 + 1)
    assert len(world.at("/push/inspector")) > 1


async def test_a_time_that_has_passed_calls_people_once(town: Town, world: Outside) -> None:
    await subscribed(town, world, "inspector")
    town.clock.ms = hour_of_the_site(9)
    r = await fire(town, await town.phone("worker"), due=town.clock.ms + 600_000)
    before = len(world.asked)
    await later(town, 9)
    names = [one["name"] for one in (await (await town.phone("manager")).http.get(
        "/api/alerts", params={"project": town.one, "r": r})).json()["alerts"]]  # fmt: skip
    assert names == ["broken_out"]
    await later(town, 2)
    names = [one["name"] for one in (await (await town.phone("manager")).http.get(
        "/api/alerts", params={"project": town.one, "r": r})).json()["alerts"]]  # fmt: skip
    assert sorted(names) == ["broken_out", "late"]
    assert len(world.asked) > before


async def test_a_dead_subscription_is_removed_and_a_busy_service_is_tried_again(town: Town, world: Outside) -> None:
    manager, _ = await subscribed(town, world, "manager")
    await subscribed(town, world, "supervisor")
    world.answers["/push/manager"] = [(410, {}, b"")]
    world.answers["/push/supervisor"] = [(429, {"Retry-After": "30"}, b""), (503, {}, b"")]
    r = await fire(town, await town.phone("worker"))
    assert (await manager.http.get("/api/subscriptions")).json()["subscriptions"] == []
    await later(town, 0.2)
    assert len(world.at("/push/supervisor")) == 1, "not before the service said"
    await later(town, 0.5)
    await later(town, 1)
    assert len(world.at("/push/supervisor")) == 3
    attempts = (await told(manager, town, r))["attempts"]
    assert {(a["name"], a["status"]) for a in attempts if a["step"] == 0} >= {
        ("manager", "gone"),
        ("supervisor", "sent"),
    }


async def test_one_to_me_says_where_it_got_stuck(town: Town, world: Outside) -> None:
    phone, receiver = await subscribed(town, world, "worker")
    world.answers["/push/worker"] = [OK, (403, {}, b""), (503, {}, b""), OK, (410, {}, b"")]
    tried, silent = [], []
    for _ in range(6):
        tried.append((await phone.http.post("/api/subscriptions/test")).json())
        known = (await phone.http.get("/api/subscriptions")).json()["subscriptions"]
        silent.append([one["failed"] is not None for one in known])
    assert [(one["status"], one["note"]) for one in tried] == [
        ("sent", ""), ("failed", "http 403"), ("later", "http 503"), ("sent", ""), ("gone", "http 410"), ("none", ""),
    ]  # fmt: skip
    assert silent == [[False], [True], [True], [False], [], []]
    assert receiver.read(world.asked[0])["title"] == "测试通知"


async def test_a_signed_out_or_revoked_phone_is_told_nothing(town: Town, world: Outside) -> None:
    manager, _ = await subscribed(town, world, "manager")
    supervisor, _ = await subscribed(town, world, "supervisor")
    await manager.http.post("/api/logout")
    await supervisor.http.delete(f"/api/devices/{supervisor.me['device']}")
    await fire(town, await town.phone("worker"))
    assert world.asked == []


async def test_a_stranger_can_neither_see_nor_answer(town: Town, world: Outside) -> None:
    manager, _ = await subscribed(town, world, "manager")
    r = await fire(town, await town.phone("worker"))
    one = await told(manager, town, r)
    stranger = await town.phone("stranger")
    assert (await stranger.http.get("/api/alerts", params={"project": town.one, "r": r})).status_code == 403
    answer = await stranger.http.post(f"/api/alerts/{one['id']}/answer", json={"answer": "seen"})
    assert answer.status_code == 404
    assert (await told(manager, town, r))["status"] == "open"
