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
    sql = (
        "SELECT id, kind, name, url, secret, addressees, created FROM channel"
        " WHERE project = ? AND closed IS NULL ORDER BY created, id"
    )
    found = await site.store.rows(sql, project)
    return Channels(
        [
            Channel(id, kind, name, urlsplit(site.keys.opened(url)).hostname or "", bool(secret), to, created)
            for id, kind, name, url, secret, to, created in found
        ]
    )


@post("/api/channels", summary="Add one", tags=["alerts"], status_code=201)
async def add_channel(caller: TheCaller, site: TheSite, data: JSONBody[NewChannel]) -> Channel:
    """Raises `bad_address` for one that may not be asked, `too_large` when there are enough."""
    await caller.actor(data.project, ["manager"])
    host = host_of(site, data)
    counted = await site.store.rows(
        "SELECT count(*) FROM channel WHERE project = ? AND closed IS NULL", data.project
    )  # fmt: skip
    if counted[0][0] >= CHANNELS_MAX:
        raise Problem("too_large")
    id, now = str(uuid.uuid4()), site.now()
    # A robot's key stands in its address, so that is sealed too.
    secret = site.keys.sealed(data.secret) if data.secret else ""
    row = (id, data.project, data.kind, data.name, site.keys.sealed(data.url), secret, data.to, now)
    put = (
        "INSERT INTO channel (id, project, kind, name, url, secret, addressees, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    await site.store.change([(put, row)])
    return Channel(id, data.kind, data.name, host, bool(secret), data.to, now)


@delete("/api/channels/{id:str}", summary="Take one away", tags=["alerts"])
async def close_channel(caller: TheCaller, site: TheSite, id: PathId) -> None:
    await project_of(caller, site, id)
    await site.store.change([("UPDATE channel SET closed = ?, secret = '' WHERE id = ?", (site.now(), id))])


@post("/api/channels/{id:str}/test", summary="Send one, and say where it got to", tags=["alerts"], status_code=200)
async def try_channel(caller: TheCaller, site: TheSite, id: PathId) -> Tried:
    await project_of(caller, site, id)
    sql = "SELECT kind, url, secret, addressees FROM channel WHERE id = ?"
    ((kind, url, secret, to),) = await site.store.rows(sql, id)
    target = Target(id, kind, site.keys.opened(url), site.keys.opened(secret) if secret else "", to=to)
    told = await site.alerts.send(target, test_notice(site, caller))
    return Tried(told.status, told.note)


async def project_of(caller: TheCaller, site: Site, id: str) -> str:
    """The project of a channel that the caller manages; one answer for all others."""
    found = await site.store.rows("SELECT project FROM channel WHERE id = ? AND closed IS NULL", id)
    if not found:
        raise Problem("not_found")
    await caller.actor(found[0][0], ["manager"])
    return str(found[0][0])


def host_of(site: Site, data: NewChannel) -> str:
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
    return parts.hostname or ""


routes = [channels, add_channel, close_channel, try_channel]
