"""The group robots, gateways and mail servers of a project. What is secret goes in and never comes out."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from litestar import delete, get, post
from litestar.params import JSONBody
from msgspec import Meta

from server.core.problem import Problem
from server.store import alert as rows
from server.sync.alert.address import NotAllowed, allowed, is_public
from server.sync.alert.notice import Target
from server.web.caller import TheCaller
from server.web.site import Site, TheSite
from server.web.subscriptions import Tried, test_notice
from server.web.wire import AskedId, PathId

CHANNELS_MAX = 50
MAIL = ("smtp", "smtps")


class NewChannel(msgspec.Struct):
    project: Annotated[str, Meta(max_length=64)]
    kind: Literal["wecom", "dingtalk", "feishu", "webhook", "email"]
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    url: Annotated[str, Meta(min_length=8, max_length=1000)]
    """A robot's hook, a gateway's address, `smtp://user@host:587` or `smtps://user@host`."""
    secret: Annotated[str, Meta(max_length=400)] = ""
    to: Annotated[str, Meta(max_length=1000)] = ""
    """E-mail addresses or telephone numbers, separated by commas."""


class Channel(msgspec.Struct):
    id: str
    kind: str
    name: str
    host: str
    has_secret: bool
    to: str
    created: int


class Channels(msgspec.Struct):
    channels: list[Channel]


@get("/api/channels", summary="A project's robots, gateways and mail servers", tags=["alerts"])
async def channels(caller: TheCaller, site: TheSite, project: AskedId) -> Channels:
    await caller.actor(project, ["manager"])
    found = await rows.channels_of(site.store, project)
    return Channels([told_of(site, one) for one in found])


def told_of(site: Site, one: rows.Channel) -> Channel:
    host = urlsplit(site.keys.opened(one.url)).hostname or ""
    return Channel(one.id, one.kind, one.name, host, bool(one.secret), one.addressees, one.created)


@post("/api/channels", summary="Add one", tags=["alerts"], status_code=201)
async def add_channel(caller: TheCaller, site: TheSite, data: JSONBody[NewChannel]) -> Channel:
    """Raises `bad_address` for one that may not be asked, `too_large` when there are enough."""
    await caller.actor(data.project, ["manager"])
    check_address(site, data)
    if len(await rows.channels_of(site.store, data.project)) >= CHANNELS_MAX:
        raise Problem("too_large")
    # A robot's key stands in its address, so that is sealed too.
    secret = site.keys.sealed(data.secret) if data.secret else ""
    url = site.keys.sealed(data.url)
    one = rows.Channel(str(uuid.uuid4()), data.project, data.kind, data.name, url, secret, data.to, site.now())
    await rows.add_channel(site.store, one)
    return told_of(site, one)


@delete("/api/channels/{id:str}", summary="Take one away", tags=["alerts"])
async def close_channel(caller: TheCaller, site: TheSite, id: PathId) -> None:
    await managed(caller, site, id)
    await rows.close_channel(site.store, id, site.now())


@post("/api/channels/{id:str}/test", summary="Send one, and say where it got to", tags=["alerts"], status_code=200)
async def try_channel(caller: TheCaller, site: TheSite, id: PathId) -> Tried:
    one = await managed(caller, site, id)
    secret = site.keys.opened(one.secret) if one.secret else ""
    target = Target(id, one.kind, site.keys.opened(one.url), secret, to=one.addressees)
    told = await site.alerts.send(target, test_notice(site, caller))
    return Tried(told.status, told.note)


async def managed(caller: TheCaller, site: Site, id: str) -> rows.Channel:
    """A channel of a project that the caller manages; one answer for all others."""
    one = await rows.channel(site.store, id)
    if one is None:
        raise Problem("not_found")
    await caller.actor(one.project, ["manager"])
    return one


def check_address(site: Site, data: NewChannel) -> None:
    private = site.settings.private_addresses
    try:
        parts = urlsplit(data.url)
        if data.kind == "email":
            if parts.scheme not in MAIL or parts.password or not (private or is_public(parts.hostname or "")):
                raise NotAllowed("not a mail server")
        else:
            allowed(data.url, private=private)
    except (NotAllowed, ValueError) as error:
        raise Problem("bad_address") from error


routes = [channels, add_channel, close_channel, try_channel]
