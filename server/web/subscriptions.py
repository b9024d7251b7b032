"""A phone's yes to notifications: one a device, kept in step by the app at each opening."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post
from litestar.params import JSONBody
from msgspec import Meta

from server.core.problem import Problem
from server.store.alert import drop_subscription, put_failed
from server.sync.alert.address import NotAllowed, allowed
from server.sync.alert.notice import Notice, Target
from server.web.caller import TheCaller
from server.web.language import words
from server.web.site import TheSite

Endpoint = Annotated[str, Meta(min_length=12, max_length=2000)]
KEY_BYTES, AUTH_BYTES = 65, 16


class SubscriptionKeys(msgspec.Struct):
    p256dh: Annotated[str, Meta(max_length=200)]
    auth: Annotated[str, Meta(max_length=100)]


class NewSubscription(msgspec.Struct):
    """What `PushSubscription.toJSON()` gives."""

    endpoint: Endpoint
    keys: SubscriptionKeys
    expirationTime: float | None = None


class Subscribed(msgspec.Struct):
    device: str
    label: str
    current: bool
    created: int
    reached: int | None
    """When a push service last took a message for it."""
    failed: int | None
    note: str


class Subscriptions(msgspec.Struct):
    subscriptions: list[Subscribed]


class Tried(msgspec.Struct):
    """Where a test got to: `status` sent · gone · later · failed · none (this phone has not said yes)."""

    status: str
    note: str = ""


PUT = (
    "INSERT INTO subscription (device, person, endpoint, p256dh, auth, created) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (device) DO UPDATE SET endpoint = excluded.endpoint, p256dh = excluded.p256dh,"
    " auth = excluded.auth, failed = NULL, note = ''"
)
MINE = (
    "SELECT subscription.device, device.label, subscription.created, reached, failed, note FROM subscription"
    " JOIN device ON device.id = subscription.device WHERE subscription.person = ? AND device.revoked IS NULL"
    " ORDER BY subscription.created DESC"
)


@post("/api/subscriptions", summary="This phone takes notifications", tags=["alerts"], status_code=201)
async def subscribe(caller: TheCaller, site: TheSite, data: JSONBody[NewSubscription]) -> Subscribed:
    """The newest subscription of a device takes the place of its older one. Raises `bad_address`, `malformed`."""
    try:
        allowed(data.endpoint, private=site.settings.private_addresses)
    except NotAllowed as error:
        raise Problem("bad_address") from error
    if not (is_bytes(data.keys.p256dh, KEY_BYTES) and is_bytes(data.keys.auth, AUTH_BYTES)):
        raise Problem("malformed")
    now = site.now()
    row = (caller.device, caller.person, data.endpoint, data.keys.p256dh, data.keys.auth, now)
    await site.store.change([(PUT, row)])
    return Subscribed(caller.device, "", current=True, created=now, reached=None, failed=None, note="")


@get("/api/subscriptions", summary="The caller's phones that take notifications", tags=["alerts"])
async def subscriptions(caller: TheCaller, site: TheSite) -> Subscriptions:
    found = await site.store.rows(MINE, caller.person)
    return Subscriptions([Subscribed(device, label, device == caller.device, *rest) for device, label, *rest in found])


@delete("/api/subscriptions", summary="This phone takes no more notifications", tags=["alerts"])
async def unsubscribe(caller: TheCaller, site: TheSite) -> None:
    await site.store.change([("DELETE FROM subscription WHERE device = ?", (caller.device,))])


@post("/api/subscriptions/test", summary="Send one to this phone, and say where it got to", tags=["alerts"])
async def try_one(caller: TheCaller, site: TheSite) -> Tried:
    sql = "SELECT endpoint, p256dh, auth FROM subscription WHERE device = ?"
    found = await site.store.rows(sql, caller.device)
    if not found:
        return Tried("none")
    endpoint, key, secret = found[0]
    told = await site.alerts.send(Target(caller.device, "push", endpoint, secret, key), test_notice(site, caller))
    if told.status == "gone":
        await site.store.change([drop_subscription(caller.device, endpoint)])
    elif told.status == "sent":
        await site.store.change(
            [("UPDATE subscription SET reached = ?, note = '' WHERE device = ?", (site.now(), caller.device))]
        )
    else:
        await site.store.change([put_failed(caller.device, site.now(), told.note)])
    return Tried(told.status, told.note)


def test_notice(site: Any, caller: Any) -> Notice:
    said = words(caller.lang)
    return Notice(
        tag="test", title=said["alert.test_title"], body=said["alert.test_body"], path="/settings",
        link=site.settings.url or "", site="工簿 Gongbu", project="", language=caller.lang, urgent=False,
    )  # fmt: skip


def is_bytes(text: str, count: int) -> bool:
    try:
        return len(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) == count
    except (ValueError, binascii.Error):
        return False


routes = [subscribe, subscriptions, unsubscribe, try_one]
