"""Each channel says exactly what the real service expects: checked by a stand-in that checks as it does."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import psutil
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from server.sync.alert.channel import sealer
from server.sync.alert.channel.push import PAYLOAD_BYTES_MAX, Push, payload
from server.sync.alert.notice import Notice, Target, Told
from tests.server.alerts.outside import Asked, Outside, Receiver, dingtalk_sign, feishu_sign
from tests.server.alerts.test_ladder_climbs import fire, later, subscribed, told
from tests.server.web.kit import Phone, Town


async def channel(town: Town, kind: str, url: str, **more: str) -> Phone:
    manager = await town.phone("manager")
    said = {"project": town.one, "kind": kind, "name": "项目群", "url": url, **more}
    answer = await manager.http.post("/api/channels", json=said)
    assert answer.status_code == 201, answer.text
    return manager


async def test_a_wecom_robot_gets_a_text(town: Town, world: Outside) -> None:
    await channel(town, "wecom", f"{world.url}/cgi-bin/webhook/send?key=abc")
    await fire(town, await town.phone("worker"))
    (asked,) = world.asked
    assert asked.path == "/cgi-bin/webhook/send"
    assert asked.query == {"key": ["abc"]}
    assert asked.json["msgtype"] == "text"
    assert asked.json["text"]["content"].startswith("【一号工地】起火：重大\n三层木方堆起火\nhttp")


async def test_a_dingtalk_robot_gets_it_signed(town: Town, world: Outside) -> None:
    await channel(town, "dingtalk", f"{world.url}/robot/send?access_token=t", secret="SECabc")
    await fire(town, await town.phone("worker"))
    (asked,) = world.asked
    timestamp = asked.query["timestamp"][0]
    assert int(timestamp) == town.clock.ms - 600, "now, in milliseconds"
    assert asked.query["sign"] == [dingtalk_sign("SECabc", timestamp)]
    assert asked.json["msgtype"] == "text"


async def test_a_feishu_robot_gets_it_signed(town: Town, world: Outside) -> None:
    await channel(town, "feishu", f"{world.url}/open-apis/bot/v2/hook/x", secret="feishu-secret")
    await fire(town, await town.phone("worker"))
    (asked,) = world.asked
    said = asked.json
    assert said["sign"] == feishu_sign("feishu-secret", said["timestamp"])
    assert len(said["timestamp"]) == 10, "in seconds"
    assert (said["msg_type"], "起火" in said["content"]["text"]) == ("text", True)


async def test_a_webhook_is_signed_over_time_and_body(town: Town, world: Outside) -> None:
    await channel(town, "webhook", f"{world.url}/sms", secret="s3cret", to="13800000000,13900000000")
    await fire(town, await town.phone("worker"))
    await later(town, 5.1)
    (asked,) = world.asked
    told = dict(pair.split("=") for pair in asked.headers["x-gongbu-signature"].split(","))
    digest = hmac.digest(b"s3cret", f"{told['t']}.".encode() + asked.body, hashlib.sha256).hex()
    assert told["v1"] == digest
    assert asked.json["to"] == ["13800000000", "13900000000"]
    assert asked.json["urgent"] is True


async def test_what_a_robot_refuses_in_a_200_is_a_failure_with_its_words(town: Town, world: Outside) -> None:
    manager = await channel(town, "wecom", f"{world.url}/hook")
    world.answers["/hook"] = [(200, {}, b'{"errcode":93000,"errmsg":"invalid webhook url"}')]
    r = await fire(town, await town.phone("worker"))
    (attempt,) = [one for one in (await told(manager, town, r))["attempts"] if one["channel"] == "wecom"]
    assert (attempt["status"], attempt["note"]) == ("failed", "93000 invalid webhook url")
    assert attempt["name"] == "项目群"


async def test_a_robot_that_is_asked_too_often_is_asked_again_later(town: Town, world: Outside) -> None:
    await channel(town, "wecom", f"{world.url}/hook")
    world.answers["/hook"] = [(200, {}, b'{"errcode":45009,"errmsg":"api freq out of limit"}')]
    await fire(town, await town.phone("worker"))
    await later(town, 1)
    assert len(world.asked) == 2


class Postman:
    """Keeps what comes, from who knows the password."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.came = asyncio.Event()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.letters.append(envelope)
        return "250 OK"


def knows(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"site@localhost", b"pass word")
    return AuthResult(success=good, handled=False)


@pytest.fixture(name="post")
async def a_post_office() -> AsyncIterator[tuple[Postman, int]]:
    postman = Postman()
    loop = asyncio.get_running_loop()
    office = await loop.create_server(
        lambda: SMTP(postman, authenticator=knows, auth_required=True, auth_require_tls=False, loop=loop),
        "127.0.0.1",
    )
    yield postman, office.sockets[0].getsockname()[1]
    office.close()


async def test_an_e_mail_arrives_at_a_real_smtp_server(town: Town, post: tuple[Postman, int]) -> None:
    postman, port = post
    url = f"smtp://site%40localhost@127.0.0.1:{port}"
    await channel(town, "email", url, secret="pass word", to=["pm@example.com", " 安全员 <no>"][0])
    await fire(town, await town.phone("worker"))
    await later(town, 5.1)
    await later(town, 5.1)
    (letter,) = postman.letters
    assert letter.rcpt_tos == ["pm@example.com"]
    content = letter.original_content or b""
    mail = message_from_bytes(content, policy=default)
    assert mail["subject"] == "【一号工地】起火：重大"
    body = mail.get_body()
    assert body is not None
    assert "三层木方堆起火" in body.get_content()


async def test_a_wrong_mail_password_is_told(town: Town, post: tuple[Postman, int]) -> None:
    _, port = post
    manager = await channel(town, "email", f"smtp://site%40localhost@127.0.0.1:{port}", secret="x", to="pm@example.com")
    (one,) = (await manager.http.get("/api/channels", params={"project": town.one})).json()["channels"]
    tried = (await manager.http.post(f"/api/channels/{one['id']}/test")).json()
    assert (tried["status"], tried["note"]) == ("failed", "smtp 535")


async def test_no_secret_comes_out_again_or_into_a_log(
    town: Town, world: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="gongbu"):
        manager = await channel(town, "dingtalk", f"{world.url}/send?access_token=TOKEN42", secret="SECRET42")
        listed = (await manager.http.get("/api/channels", params={"project": town.one})).text
        await fire(town, await town.phone("worker"))
    rows = str(await town.site.store.rows("SELECT * FROM channel"))
    for text in (listed, caplog.text, rows):
        assert "TOKEN42" not in text
        assert "SECRET42" not in text


@pytest.mark.parametrize(
    "url",
    ["http://hook.example.com/x", "https://127.0.0.1/x", "https://10.1.2.3/x", "https://[::1]/x", "https://localhost/x",
     "https://a:b@hook.example.com/x", "ftp://hook.example.com/x", "https://169.254.169.254/x"],
)  # fmt: skip
async def test_a_private_or_odd_address_is_refused(town: Town, url: str) -> None:
    object.__setattr__(town.site.settings, "private_addresses", False)
    manager = await town.phone("manager")
    said = {"project": town.one, "kind": "wecom", "name": "x", "url": url}
    answer = await manager.http.post("/api/channels", json=said)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_address")
    keys = {"p256dh": "B" * 87, "auth": "A" * 22}
    answer = await manager.http.post("/api/subscriptions", json={"endpoint": url, "keys": keys})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_address")


async def test_a_name_that_turns_out_private_is_refused_at_sending(town: Town, world: Outside) -> None:
    """The name passed when it was entered; what it resolves to is looked at at each connection."""
    manager, _ = await subscribed(town, world, "manager")
    port = world.url.rpartition(":")[2]
    sql = "UPDATE subscription SET endpoint = ? WHERE device = ?"
    await town.site.store.change([(sql, (f"https://push.example.com:{port}/x", manager.me["device"]))])
    wire = town.site.alerts.outside.wire
    wire.private = False
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def rebound(host: Any, *rest: Any, **more: Any) -> Any:
        return await real("127.0.0.1" if host == "push.example.com" else host, *rest, **more)

    loop.getaddrinfo = rebound  # type: ignore[method-assign]
    tried = (await manager.http.post("/api/subscriptions/test")).json()
    assert (tried["status"], tried["note"]) == ("failed", "not allowed: a private address")
    assert world.asked == []


async def test_one_bad_key_keeps_no_other_and_an_encryption_that_dies_is_tried_again() -> None:
    push, notice = Push("", ""), Notice("t", "题", "隐", "/p", "https://x/p", "工地", "p", "zh", urgent=True)
    phone = Receiver("https://push.example.com/1")
    keys = phone.to_json()["keys"]
    good = Target("d1", "push", phone.url, keys["auth"], keys["p256dh"])
    bad = Target("d2", "push", phone.url, keys["auth"], "BAAA")
    first, second, third = await push.seal([(good, notice), (bad, notice), (good, notice)])
    assert [phone.read(Asked("", {}, one, {}))["title"] for one in (first, third) if isinstance(one, bytes)] == [
        "题"
    ] * 2
    assert isinstance(second, Told)
    assert (second.status, second.note) == ("gone", "unusable key: WebPushException")
    (sealer,) = [one for one in psutil.Process().children() if "server.sync.alert.channel.sealer" in one.cmdline()]
    sealer.kill()
    with pytest.raises(OSError, match="sealer"):
        await push.seal([(good, notice)])
    assert [type(one) for one in await push.seal([(good, notice)])] == [bytes]
    await push.close()


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (MemoryError(), ("", "later", "MemoryError")),
        (ValueError("not on the curve"), ("", "gone", "unusable key: ValueError")),
    ],
)
def test_only_a_key_that_is_none_costs_a_phone_its_subscription(
    monkeypatch: pytest.MonkeyPatch, error: Exception, ended: tuple[str, str, str]
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("pywebpush.WebPusher.encode", broken)
    keys = Receiver("https://push.example.com/1").to_json()["keys"]
    assert sealer.sealed("https://push.example.com/1", keys["p256dh"], keys["auth"], "{}") == ended


def test_a_long_text_is_shortened_to_what_every_push_service_takes() -> None:
    notice = Notice("t", "题" * 80, "隐" * 4000, "/p", "https://x/p", "工地", "p", "zh", urgent=True)
    assert len(payload(notice)) <= PAYLOAD_BYTES_MAX
