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
from server.store import alert as rows
from server.store.people import change_person
from server.sync.alert.address import NotAllowed, allowed
from server.sync.alert.notice import Notice, Target
from server.web.caller import TheCaller
from server.web.language import TAGS, named, words
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


@post("/api/subscriptions", summary="This phone takes notifications", tags=["alerts"], status_code=201)
async def subscribe(caller: TheCaller, site: TheSite, data: JSONBody[NewSubscription]) -> Subscribed:
    """The newest subscription of a device takes the place of its older one; from now on alerts speak to its person
    in the caller's language. Raises `bad_address`, `malformed`."""
    try:
        allowed(data.endpoint, private=site.settings.private_addresses)
    except NotAllowed as error:
        raise Problem("bad_address") from error
    if not (is_bytes(data.keys.p256dh, KEY_BYTES) and is_bytes(data.keys.auth, AUTH_BYTES)):
        raise Problem("malformed")
    now = site.now()
    keys = data.keys
    one = rows.Subscription(caller.device, caller.person, data.endpoint, keys.p256dh, keys.auth, now)
    await rows.subscribe(site.store, one)
    if named(caller.session.language) != caller.lang:
        await change_person(site.store, caller.person, language=TAGS[caller.lang])
    return Subscribed(caller.device, "", current=True, created=now, reached=None, failed=None, note="")


@get("/api/subscriptions", summary="The caller's phones that take notifications", tags=["alerts"])
async def subscriptions(caller: TheCaller, site: TheSite) -> Subscriptions:
    found = await rows.subscriptions(site.store, caller.person)
    return Subscriptions(
        [
            Subscribed(device, label, device == caller.device, created, reached, failed, note)
            for device, label, created, reached, failed, note in found
        ]
    )


@delete("/api/subscriptions", summary="This phone takes no more notifications", tags=["alerts"])
async def unsubscribe(caller: TheCaller, site: TheSite) -> None:
    await rows.unsubscribe(site.store, caller.device)


@post("/api/subscriptions/test", summary="Send one to this phone, and say where it got to", tags=["alerts"])
async def try_one(caller: TheCaller, site: TheSite) -> Tried:
    one = await rows.subscription(site.store, caller.device)
    if one is None:
        return Tried("none")
    target = Target(caller.device, "push", one.endpoint, one.auth, one.p256dh)
    told = await site.alerts.send(target, test_notice(site, caller))
    if told.status == "gone":
        await site.store.change([rows.drop_subscription(caller.device, one.endpoint)])
    elif told.status == "sent":
        await site.store.change([rows.put_reached([caller.device], site.now())])
    else:
        await site.store.change([rows.put_failed(caller.device, site.now(), told.note)])
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
