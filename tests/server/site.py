"""A small site for tests: its own declaration, people with phones that really sign."""

from __future__ import annotations

import hashlib
import json
import uuid
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from server.core.declaration import assemble
from server.core.merge import shown
from server.store.access import Session
from server.store.round import Statement
from server.store.store import Store
from server.store.tables import member_id, member_team_id
from server.sync.computed import Computed, Inputs, Result
from server.sync.sync import Sync

NOW = 1_790_000_000_000


def label(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


PERSON = {"type": "person", "required": True, "merge": "once", "label": label("Worker")}
DAY = {"type": "date", "label": label("Day")}
MODULE: dict[str, Any] = {
    "module": "yard",
    "version": 3,
    "label": label("Yard"),
    "kinds": {
        "entry": {
            "label": label("Entry"),
            "audience": "person:{worker}",
            "day": "day",
            "may": {
                "create": ["self:worker", "foreman:worker", "office"],
                "edit": ["author", "foreman:worker", "office"],
            },
            "fields": {
                "worker": PERSON,
                "day": DAY,
                "note": {"type": "text", "max": 200, "label": label("Note")},
                "amount": {"type": "number", "scale": 2, "label": label("Amount")},
                "done": {"type": "bool", "label": label("Done")},
                "tags": {"type": "multi_choice", "options": {"a": label("A"), "b": label("B")}, "label": label("Tags")},
            },
            "states": {
                "open": {"label": label("Open")},
                "approved": {"label": label("Approved"), "seals": True},
            },
            "acts": {
                "approve": {"label": label("Approve"), "from": ["open"], "to": "approved", "roles": ["supervisor"]}
            },
        },
        "notice": {
            "label": label("Notice"),
            "audience": "all",
            "may": {"create": ["all"], "edit": ["all"]},
            "fields": {
                "text": {"type": "text", "label": label("Text")},
                "spot": {"type": "pin", "label": label("Spot")},
                "photos": {"type": "photos", "label": label("Photos")},
                "lines": {
                    "type": "rows",
                    "label": label("Lines"),
                    "fields": {
                        "what": {"type": "text", "label": label("What")},
                        "hours": {"type": "number", "label": label("Hours")},
                        "ok": {"type": "bool", "label": label("OK")},
                    },
                },
            },
        },
        "paper": {
            "label": label("Paper"),
            "audience": "office",
            "may": {"create": ["office"], "edit": ["office"]},
            "fields": {"text": {"type": "text", "label": label("Text")}},
        },
        "plan": {
            "label": label("Plan"),
            "audience": "team:{team}",
            "may": {"create": ["foreman", "office"], "edit": ["foreman", "office"]},
            "fields": {
                "team": {
                    "type": "ref",
                    "kind": "core.team",
                    "required": True,
                    "merge": "once",
                    "label": label("Team"),
                },
                "text": {"type": "text", "label": label("Text")},
            },
        },
        "total": {
            "label": label("Total"),
            "audience": "person:{worker}",
            "day": "day",
            "computed_by": "yard.totals",
            "fields": {"worker": PERSON, "day": DAY, "count": {"type": "number", "label": label("Count")}},
        },
    },
}
CORE = Path(__file__).parent.parent.parent / "shared" / "modules" / "core.json"
DECLARATIONS = assemble({"core.json": CORE.read_bytes(), "yard.json": json.dumps(MODULE).encode()})


def totals(inputs: Inputs) -> Iterator[Result]:
    """How many entries a worker has on each day, the day before counted in."""
    kind = DECLARATIONS.kinds["yard.entry"]
    days = Counter(str(shown(record, kind)["day"]) for record in inputs.records if "day" in shown(record, kind))
    for day, count in sorted(days.items()):
        if inputs.first <= day <= inputs.last:
            values = {"worker": inputs.group, "day": day, "count": count}
            yield Result(f"{inputs.group}:{day}", day, values)


COMPUTED = {"yard.totals": Computed("yard.total", ("yard.entry",), "worker", 1, ("core.project",), totals)}


class Clock:
    """Milliseconds, as the test says."""

    def __init__(self) -> None:
        self.ms = NOW

    def __call__(self) -> int:
        return self.ms


def new_id() -> str:
    return str(uuid.uuid4())


def base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(key: EllipticCurvePrivateKey, payload: str) -> str:
    r, s = decode_dss_signature(key.sign(payload.encode(), ECDSA(SHA256())))
    return base64url(r.to_bytes(32) + s.to_bytes(32))


def jwk(key: EllipticCurvePrivateKey) -> str:
    numbers = key.public_key().public_numbers()
    x, y = (base64url(part.to_bytes(32)) for part in (numbers.x, numbers.y))
    return json.dumps({"kty": "EC", "crv": "P-256", "x": x, "y": y})


@dataclass
class Phone:
    """A signed-in phone of one person: numbers its batches, signs them, sends them."""

    sync: Sync
    session: Session
    project: str
    key: EllipticCurvePrivateKey
    clock: Clock
    n: int = 0
    cursor: int = 0
    epoch: int | None = None
    records: dict[str, Any] = field(default_factory=dict)

    @property
    def person(self) -> str:
        return self.session.person

    @property
    def device(self) -> str:
        return self.session.device

    def payload(self, ops: Iterable[Any], *, n: int | None = None, base: int | None = None, **other: Any) -> str:
        if n is None:
            self.n += 1
            n = self.n
        says = {"n": n, "project": self.project, "base": self.cursor if base is None else base, "t": self.clock()}
        return json.dumps({**says, "v": DECLARATIONS.v, "ops": list(ops), **other}, ensure_ascii=False)

    def signed(self, payload: str) -> dict[str, str]:
        return {"payload": payload, "sig": sign(self.key, payload)}

    def body(self, *payloads: str, **other: Any) -> bytes:
        request = {"proto": 1, "device": self.device, "sent": self.clock()}
        batches = [self.signed(payload) for payload in payloads]
        return json.dumps({**request, "batches": batches, **other}, ensure_ascii=False).encode()

    async def send(self, *payloads: str) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = json.loads(await self.sync.push(self.session, self.body(*payloads)))["results"]
        return results

    async def write(self, *ops: Any, base: int | None = None) -> dict[str, Any]:
        """One batch of these ops; its answer."""
        return (await self.send(self.payload(ops, base=base)))[0]

    async def page(self, limit: int | None = None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """One page, as it came."""
        page = await self.sync.pull(
            self.session, project=self.project, cursor=self.cursor, epoch=self.epoch, limit=limit
        )
        header, *records = [json.loads(line) for line in page.body.decode().splitlines()]
        return header, records

    async def pull(self, limit: int | None = None) -> None:
        """All pages, taken over as a phone does."""
        more = True
        while more:
            header, records = await self.page(limit)
            self.take(header, records)
            more = header["more"]

    def take(self, header: Mapping[str, Any], records: Iterable[Mapping[str, Any]]) -> None:
        if self.epoch is not None and header["epoch"] != self.epoch:
            allowed = set(header["audiences"])
            classes = {name[:-1] for name in allowed if name.endswith(":*")}
            self.records = {
                r: record
                for r, record in self.records.items()
                if record["aud"] in allowed or record["aud"].partition(":")[0] + ":" in classes
            }
        self.epoch, self.cursor = header["epoch"], header["cursor"]
        self.records |= {record["r"]: record for record in records}

    def texts(self, name: str = "text") -> list[str]:
        """What the records that are there say in this field."""
        return sorted(str(record["set"][name]) for record in self.records.values() if name in record["set"])


def notice(text: str, r: str | None = None) -> dict[str, Any]:
    return {"k": "new", "c": "yard.notice", "r": r or new_id(), "set": {"text": text}}


def entry(worker: str, day: str = "2026-03-01", r: str | None = None, **values: Any) -> dict[str, Any]:
    return {"k": "new", "c": "yard.entry", "r": r or new_id(), "set": {"worker": worker, "day": day, **values}}


def change(c: str, r: str, f: str, v: Any) -> dict[str, Any]:
    return {"k": "set", "c": c, "r": r, "f": f, "v": v}


@dataclass
class Site:
    """One project with a crew, and a stranger who is on another one."""

    sync: Sync
    clock: Clock
    project: str
    other: str
    team: str
    worker: Phone
    foreman: Phone
    supervisor: Phone
    office: Phone
    stranger: Phone

    @property
    def store(self) -> Store:
        return self.sync.store

    @classmethod
    async def build(cls, sync: Sync, clock: Clock) -> Site:
        project, other, team = new_id(), new_id(), new_id()
        store = sync.store
        await store.change(
            [
                add("project", id=project, name="One", created=NOW),
                add("project", id=other, name="Two", created=NOW),
                add("team", id=team, project=project, name="Crew"),
            ]
        )
        phones = {
            name: await add_phone(sync, clock, other if name == "stranger" else project, name, roles)
            for name, roles in (
                ("worker", "worker"),
                ("foreman", "foreman"),
                ("supervisor", "supervisor"),
                ("office", "office"),
                ("stranger", "manager office supervisor"),
            )
        }
        await join(store, project, phones["worker"].person, team)
        await join(store, project, phones["foreman"].person, team)
        await sync.settle()
        for phone in phones.values():
            await phone.pull()
        return cls(sync, clock, project, other, team, **phones)

    async def head(self) -> int:
        return await self.store.access.head(self.project)


def add(table: str, **values: Any) -> Statement:
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    return f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())


async def add_phone(sync: Sync, clock: Clock, project: str, name: str, roles: str) -> Phone:
    """A new person of a project, with a phone that is signed in."""
    person = new_id()
    await sync.store.change(
        [
            add("person", id=person, name=name, created=NOW),
            add("member", id=member_id(project, person), project=project, person=person, roles=roles),
        ]
    )
    return await another_phone(sync, clock, project, person)


async def another_phone(sync: Sync, clock: Clock, project: str, person: str) -> Phone:
    key = generate_private_key(SECP256R1())
    device = base64url(hashlib.sha256((person + jwk(key)).encode()).digest())[:22]
    token = new_id()
    await sync.store.change(
        [
            add("device", id=device, person=person, key=jwk(key), created=NOW),
            add("session", hash=token, person=person, device=device, created=NOW, expires=NOW * 2),
        ]
    )
    session = await sync.store.access.session(token, NOW)
    assert session is not None
    return Phone(sync, session, project, key, clock)


async def join(store: Store, project: str, person: str, team: str) -> None:
    await store.change(
        [add("member_team", id=member_team_id(project, person, team), project=project, person=person, team=team)]
    )
