"""Who may call what: one row for each address, for every role, somebody of another site, and nobody.

`allowed` get an answer below 400; everybody else who is signed in gets 403 or 404, and nobody 401
(or what the row says). A module's rows lie in an `access.py` of its own under `tests/modules/`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from server.store.alert import BEGIN
from server.web.pdf import Asked as ReportAsked
from server.web.pdf import Order, Pdf, Standing
from server.web.proof import Signed, token_of
from tests.server.photos import tus
from tests.server.photos.pictures import jpeg
from tests.server.web.kit import EVERYBODY, PASSWORD, ROLES, Phone, Town, base64url

MEMBERS: Final = frozenset({*ROLES, "mate"})
SIGNED_IN: Final = frozenset(EVERYBODY)
OFFICE: Final = frozenset({"manager", "office"})
Asked = dict[str, Any]  # arguments of httpx's request, beside the method


@dataclass(frozen=True)
class Row:
    allowed: frozenset[str]
    ask: Callable[[Town, Phone], Awaitable[Asked]]
    nobody: int = 401
    others: frozenset[int] = field(default=frozenset({403, 404}))


def at(path: str, **body: Any) -> Callable[[Town, Phone], Awaitable[Asked]]:
    """A fixed address and JSON body, with `{one}`, `{worker}` … filled in from the town."""

    async def ask(town: Town, phone: Phone) -> Asked:
        asked: Asked = {"url": filled(path, town)}
        if body:
            asked["json"] = {
                name: filled(value, town) if isinstance(value, str) else value for name, value in body.items()
            }
        return asked

    return ask


def filled(text: str, town: Town) -> str:
    ids = {"one": town.one, "two": town.two, "team_a": town.team_a, "place": town.place, **town.people}
    return text.format_map({**ids, "new": uuid.uuid4().hex[:12]})


async def workers_phone(town: Town, phone: Phone) -> Asked:
    lost = await town.phone("worker")
    return {"url": f"/api/devices/{lost.me['device']}"}


async def fresh_invite(town: Town, phone: Phone) -> str:
    manager = await town.phone("manager")
    wanted = {"project": town.one, "team": town.team_a}
    return str((await manager.http.post("/api/invites", json=wanted)).json()["id"])


async def an_invite(town: Town, phone: Phone) -> Asked:
    return {"url": f"/api/invites/{await fresh_invite(town, phone)}"}


async def an_invites_page(town: Town, phone: Phone) -> Asked:
    return {"url": f"/print/invites/{await fresh_invite(town, phone)}"}


async def a_push(town: Town, phone: Phone) -> Asked:
    """A batch that changes nothing: who may write is the engine's to say, batch by batch."""
    body = {"proto": 1, "device": phone.me.get("device", "x"), "sent": 1, "batches": []}
    return {"url": "/api/push", "json": body}


async def a_login(town: Town, phone: Phone) -> Asked:
    return {"url": "/api/login", "json": {"name": "worker", "password": "guess", "device": phone.device}}


async def an_enrolment(town: Town, phone: Phone) -> Asked:
    return {"url": "/api/enrol", "json": {"code": "AAAA-BBBB-CCCC", "name": "x", "device": phone.device}}


async def a_photo(town: Town, phone: Phone, sender: Phone | None = None) -> str:
    """The hash of a photo that the worker, or somebody else, has sent and no record names yet."""
    sender = sender or await town.phone("worker")
    content = jpeg(seed=uuid.uuid4().int)
    await tus.send(sender, content, town.one)
    return tus.sha_of(content)


async def the_workers_photo(town: Town, phone: Phone) -> Asked:
    return {"url": f"/api/photos/{await a_photo(town, phone)}"}


async def the_workers_file(town: Town, phone: Phone) -> Asked:
    return {"url": f"/api/files/{await a_photo(town, phone)}"}


async def facts_of_his_own(town: Town, phone: Phone) -> Asked:
    return {"url": f"/api/photos/{await a_photo(town, phone, phone if phone.me else None)}/facts?project={town.one}"}


async def an_upload(town: Town, phone: Phone) -> Asked:
    told = tus.metadata(sha256=uuid.uuid4().hex * 2, project=town.one)
    return {"url": "/api/uploads", "headers": {**tus.TUS, "Upload-Length": "5", "Upload-Metadata": told}}


async def the_workers_upload(town: Town, phone: Phone) -> Asked:
    worker = phone if phone.me.get("person", {}).get("name") == "worker" else await town.phone("worker")
    begun = await worker.http.post(**await an_upload(town, worker))
    return {"url": begun.headers["location"], "headers": {**tus.BODY, "Upload-Offset": "0"}}


async def an_alert(town: Town, phone: Phone) -> Asked:
    id = uuid.uuid4().hex
    row = (id, town.one, town.one, "core.project", "x", 1, 0, 0, "all", "", "{}", None)
    await town.site.store.change([(BEGIN, row)])
    return {"url": f"/api/alerts/{id}/answer", "json": {"answer": "seen"}}


async def fresh_channel(town: Town) -> str:
    """One whose address nobody may be sent to, so that a test of it ends at once."""
    id, keys = uuid.uuid4().hex, town.site.keys
    put = "INSERT INTO channel (id, project, kind, name, url, secret, created) VALUES (?, ?, 'webhook', 'x', ?, '', 1)"
    await town.site.store.change([(put, (id, town.one, keys.sealed("https://127.0.0.1:9/hook")))])
    return id


async def a_channel(town: Town, phone: Phone) -> Asked:
    return {"url": f"/api/channels/{await fresh_channel(town)}"}


async def a_list_of_days(town: Town, phone: Phone) -> Asked:
    return {"url": f"/api/calendar/read?project={town.one}", "content": "2026-05-01 劳动节".encode()}


async def a_dead_job(town: Town, phone: Phone) -> Asked:
    args = json.dumps({"project": town.one})
    dead = "INSERT INTO job (key, kind, args, due, dead) VALUES ('x', 'x', ?, 0, 1) ON CONFLICT (key) DO NOTHING"
    await town.site.store.change([(dead, (args,))])
    return {"url": "/api/jobs/again", "json": {"project": town.one, "key": "x"}}


async def a_channels_test(town: Town, phone: Phone) -> Asked:
    return {"url": f"/api/channels/{await fresh_channel(town)}/test"}


async def an_inspection(town: Town, phone: Phone) -> Asked:
    """Put there by the server; everybody on the site may see it."""
    r = str(uuid.uuid4())
    values = {"template": r, "date": "2026-09-01"}
    await town.site.store.put(town.one, [{"k": "put", "c": "inspections.inspection", "r": r, "set": values}])
    return {"url": f"/print/record/inspections.record/{r}/xlsx?project={town.one}"}


async def a_proof(town: Town, phone: Phone) -> Asked:
    return {"url": f"/proof/{token_of(town.site.keys, Signed(town.one, town.one, 'x' * 16))}"}


async def a_report(town: Town, phone: Phone, *, file: str = "") -> Asked:
    """The worker's own; its file is there."""
    pdf, id = town.site.own(Pdf), str(uuid.uuid4())
    asked = ReportAsked(town.one, town.one, "core.photos")
    pdf.keep(Order(town.people["worker"], "zh", "x", "", asked, Standing(id, "ready")))
    (pdf.folder / f"{id}.pdf").write_bytes(b"%PDF-")
    return {"url": f"/api/reports/{id}{file}"}


async def a_reports_file(town: Town, phone: Phone) -> Asked:
    return await a_report(town, phone, file="/file")


SUBSCRIPTION: Final = {
    "endpoint": "https://push.example.com/send/1",
    "keys": {"p256dh": base64url(b"\4" + bytes(64)), "auth": base64url(bytes(16))},
}
HISTORY: Final = "/api/history?project={one}&c=core.project&r={one}"
ACCESS: Final[dict[tuple[str, str], Row]] = {
    ("GET", "/api/hello"): Row(SIGNED_IN, at("/api/hello"), 200),
    ("GET", "/healthz"): Row(SIGNED_IN, at("/healthz"), 200),
    ("GET", "/api/schema"): Row(SIGNED_IN, at("/api/schema"), 200),
    ("POST", "/api/login"): Row(frozenset(), a_login, 401, frozenset({401})),
    ("POST", "/api/enrol"): Row(frozenset(), an_enrolment, 403),
    ("POST", "/api/logout"): Row(SIGNED_IN, at("/api/logout"), 204),
    ("GET", "/api/me"): Row(SIGNED_IN, at("/api/me")),
    ("GET", "/api/password"): Row(SIGNED_IN, at("/api/password")),
    ("POST", "/api/password"): Row(SIGNED_IN, at("/api/password", old=PASSWORD, new="another password")),
    ("POST", "/api/push"): Row(SIGNED_IN, a_push),
    ("GET", "/api/pull"): Row(MEMBERS, at("/api/pull?project={one}")),
    ("GET", "/api/devices"): Row(
        frozenset({"worker", "foreman", "manager", "office"}), at("/api/devices?person={worker}")
    ),
    ("DELETE", "/api/devices/{id}"): Row(frozenset({"worker", "foreman", "manager", "office"}), workers_phone),
    ("GET", "/api/invites"): Row(OFFICE | {"foreman"}, at("/api/invites?project={one}")),
    ("POST", "/api/invites"): Row(OFFICE | {"foreman"}, at("/api/invites", project="{one}", team="{team_a}")),
    ("DELETE", "/api/invites/{id}"): Row(OFFICE | {"foreman"}, an_invite),
    ("GET", "/api/projects"): Row(SIGNED_IN, at("/api/projects")),
    ("POST", "/api/projects"): Row(frozenset({"manager", "stranger"}), at("/api/projects", name="新工地")),
    ("PATCH", "/api/projects/{id}"): Row(frozenset({"manager"}), at("/api/projects/{one}", name="改名")),
    ("GET", "/api/projects/{id}/people"): Row(OFFICE, at("/api/projects/{one}/people")),
    ("POST", "/api/people"): Row(OFFICE, at("/api/people", project="{one}", lines="新人")),
    ("PATCH", "/api/people/{id}"): Row(OFFICE, at("/api/people/{mate}", project="{one}", roles=["worker"])),
    ("POST", "/api/teams"): Row(OFFICE, at("/api/teams", project="{one}", name="新{new}")),
    ("PATCH", "/api/teams/{id}"): Row(OFFICE, at("/api/teams/{team_a}", trade="木工")),
    ("POST", "/api/places"): Row(OFFICE, at("/api/places", project="{one}", name="新地点", code="{new}")),
    ("GET", "/api/history"): Row(MEMBERS, at(HISTORY)),
    ("OPTIONS", "/api/uploads"): Row(SIGNED_IN, at("/api/uploads"), 204),
    ("POST", "/api/uploads"): Row(MEMBERS, an_upload),
    ("OPTIONS", "/api/uploads/{id}"): Row(SIGNED_IN, at("/api/uploads/{new}"), 204),
    ("HEAD", "/api/uploads/{id}"): Row(frozenset({"worker"}), the_workers_upload),
    ("PATCH", "/api/uploads/{id}"): Row(frozenset({"worker"}), the_workers_upload),
    ("DELETE", "/api/uploads/{id}"): Row(frozenset({"worker"}), the_workers_upload),
    ("GET", "/api/photos/{sha}"): Row(frozenset({"worker"}), the_workers_photo),
    ("HEAD", "/api/photos/{sha}"): Row(frozenset({"worker"}), the_workers_photo),
    ("GET", "/api/photos/{sha}/facts"): Row(OFFICE, facts_of_his_own),
    ("POST", "/api/photos/have"): Row(MEMBERS, at("/api/photos/have", project="{one}", shas=[])),
    ("GET", "/api/files/{sha}"): Row(frozenset({"worker"}), the_workers_file),
    ("GET", "/api/subscriptions"): Row(SIGNED_IN, at("/api/subscriptions")),
    ("POST", "/api/subscriptions"): Row(SIGNED_IN, at("/api/subscriptions", **SUBSCRIPTION)),
    ("DELETE", "/api/subscriptions"): Row(SIGNED_IN, at("/api/subscriptions")),
    ("POST", "/api/subscriptions/test"): Row(SIGNED_IN, at("/api/subscriptions/test")),
    ("GET", "/api/alerts"): Row(MEMBERS, at("/api/alerts?project={one}&r={one}")),
    ("POST", "/api/alerts/{id}/answer"): Row(MEMBERS, an_alert),
    ("GET", "/api/channels"): Row(frozenset({"manager"}), at("/api/channels?project={one}")),
    ("POST", "/api/channels"): Row(
        frozenset({"manager"}),
        at("/api/channels", project="{one}", kind="wecom", name="群", url="https://hook.example.com/send?key=1"),
    ),
    ("DELETE", "/api/channels/{id}"): Row(frozenset({"manager"}), a_channel),
    ("POST", "/api/channels/{id}/test"): Row(frozenset({"manager"}), a_channels_test),
    ("GET", "/api/calendar"): Row(MEMBERS, at("/api/calendar?project={one}")),
    ("POST", "/api/calendar/read"): Row(OFFICE, a_list_of_days),
    ("GET", "/api/jobs"): Row(frozenset({"manager"}), at("/api/jobs?project={one}")),
    ("POST", "/api/jobs/again"): Row(frozenset({"manager"}), a_dead_job),
    ("GET", "/print/record/{name}/{r}"): Row(MEMBERS, at("/print/record/core.photos/{one}?project={one}")),
    ("GET", "/print/record/{name}/{r}/xlsx"): Row(MEMBERS, an_inspection, others=frozenset({403, 404})),
    ("GET", "/proof/{token}"): Row(SIGNED_IN, a_proof, 200),
    ("POST", "/api/reports"): Row(MEMBERS, at("/api/reports", project="{one}", r="{one}", report="core.photos")),
    ("GET", "/api/reports/{id}"): Row(frozenset({"worker"}), a_report),
    ("GET", "/api/reports/{id}/file"): Row(frozenset({"worker"}), a_reports_file),
    ("GET", "/api/refused"): Row(frozenset({"manager"}), at("/api/refused?project={one}")),
    ("GET", "/api/export/{file}"): Row(MEMBERS, at("/api/export/core.team.csv?project={one}")),
    ("GET", "/print/table/{kind}"): Row(MEMBERS, at("/print/table/core.team?project={one}")),
    ("GET", "/print/places/{id}/poster"): Row(OFFICE | {"foreman", "supervisor"}, at("/print/places/{place}/poster")),
    ("GET", "/print/invites/{id}"): Row(OFFICE | {"foreman"}, an_invites_page),
    ("GET", "/lan"): Row(frozenset(), at("/lan"), 404),
    ("GET", "/lan/gongbu.crt"): Row(frozenset(), at("/lan/gongbu.crt"), 404),
}
# Files of the app and pages without data, the same for everybody; and the endless stream, tested by itself.
OPEN: Final = {
    ("GET", "/"), ("GET", "/app-shell"), ("GET", "/enrol"), ("GET", "/sw.js"), ("GET", "/manifest.webmanifest"),
    ("GET", "/assets/{path}"), ("GET", "/static/{name}"), ("GET", "/api/live"),
    ("GET", "/api/schema/openapi.json"), ("GET", "/api/schema/{path}"),
}  # fmt: skip
