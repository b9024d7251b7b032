"""A whole server in process, a small site on it, and phones that sign as real ones do.

The site `one` has a person for each role, signing in by the role's name. Foreman and worker are in team
`a`; `mate`, another worker, is in team `b`. `stranger` manages another site, `two`.
"""

from __future__ import annotations

import base64
import json
import shutil
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from server.app import App
from server.config import ROOT, Settings
from server.store import people
from server.store.people import NewPerson
from server.web.site import Site

PASSWORD: Final = "correct horse"
ROLES: Final = ("worker", "foreman", "inspector", "supervisor", "manager", "office", "client")
EVERYBODY: Final = (*ROLES, "mate", "stranger")
NOW: Final = 1_790_000_000_000
NOTES: Final = (Path(__file__).with_name("notes.json"),)
FROM_APP: Final = {"X-Requested-With": "gongbu"}


@cache
def hashed() -> str:
    """A cheap hash, checked like any other: the tests sign in hundreds of times."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@dataclass
class Clock:
    ms: int = NOW

    def __call__(self) -> int:
        return self.ms

    def pass_s(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@dataclass
class Town:
    """The server, its clock, and the ids of what is on it."""

    app: App
    site: Site
    clock: Clock
    one: str = ""
    two: str = ""
    team_a: str = ""
    team_b: str = ""
    place: str = ""
    people: dict[str, str] = field(default_factory=dict)
    open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def client(self, address: str = "198.51.100.7", **headers: str) -> httpx.AsyncClient:
        """A browser that nobody has signed in on."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 40000))
        told = {**FROM_APP, "Accept-Language": "en", **headers}
        client = httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=told)
        return await self.open.enter_async_context(client)

    async def phone(self, name: str) -> Phone:
        """Somebody's phone, signed in."""
        phone = Phone(await self.client())
        answer = await phone.login(name)
        assert answer.status_code == 200, answer.text
        return phone


class Phone:
    """A browser with a key of its own."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.n, self.me = 0, {}  # type: int, dict[str, Any]

    @property
    def jwk(self) -> dict[str, str]:
        numbers = self.key.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": base64url(numbers.x.to_bytes(32)),
            "y": base64url(numbers.y.to_bytes(32)),
        }

    @property
    def device(self) -> dict[str, Any]:
        return {"label": "Test phone", "key": self.jwk}

    async def login(self, name: str, password: str = PASSWORD) -> httpx.Response:
        answer = await self.http.post("/api/login", json={"name": name, "password": password, "device": self.device})
        return self._learn(answer)

    async def enrol(self, code: str, name: str) -> httpx.Response:
        answer = await self.http.post("/api/enrol", json={"code": code, "name": name, "device": self.device})
        return self._learn(answer)

    def _learn(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code == 200:
            self.me = answer.json()
            self.n = self.me["last_n"]
        return answer

    def batch(self, project: str, ops: list[dict[str, Any]], *, n: int, base: int = 0, v: int = 2) -> dict[str, str]:
        payload = json.dumps({"n": n, "project": project, "base": base, "t": NOW, "v": v, "ops": ops})
        r, s = decode_dss_signature(self.key.sign(payload.encode(), ec.ECDSA(SHA256())))
        return {"payload": payload, "sig": base64url(r.to_bytes(32) + s.to_bytes(32))}

    async def push(self, project: str, *batches: list[dict[str, Any]], base: int = 0) -> httpx.Response:
        signed = []
        for ops in batches:
            self.n += 1
            signed.append(self.batch(project, ops, n=self.n, base=base))
        body = {"proto": 1, "device": self.me["device"], "sent": NOW, "batches": signed}
        return await self.http.post("/api/push", json=body)

    async def pull(self, project: str, **asked: Any) -> list[dict[str, Any]]:
        """The header line, then the records."""
        answer = await self.http.get("/api/pull", params={"project": project, **asked})
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]


def note(owner: str, text: str = "hello", day: str = "2026-09-01", **more: Any) -> dict[str, Any]:
    """An op that makes a note of somebody's."""
    return {
        "k": "new",
        "c": "notes.note",
        "r": str(uuid.uuid4()),
        "set": {"text": text, "owner": owner, "day": day, **more},
    }


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def declare(folder: Path, names: Iterable[Path]) -> Path:
    """A `shared` folder with `core` and these declarations."""
    (folder / "modules").mkdir(parents=True)
    shutil.copy(ROOT / "shared" / "module.schema.json", folder)
    for file in (ROOT / "shared" / "modules" / "core.json", *names):
        shutil.copy(file, folder / "modules")
    return folder


@asynccontextmanager
async def town(
    folder: Path, database_url: str = "", *, real: bool = False, declared: Iterable[Path] = NOTES, **settings: Any
) -> AsyncIterator[Town]:
    """With one small kind, `notes.note`; `real` brings the modules that are shipped instead."""
    clock = Clock()
    shared = ROOT / "shared" if real else declare(folder / "shared", declared)
    told = Settings(data=folder / "data", database_url=database_url, shared=shared, dist=folder / "no dist")
    told = told.at(**settings)
    app = App(told, clock, None if real else [])
    async with app.lifespan() as site, AsyncExitStack() as stack:
        built = Town(app, site, clock, open=stack)
        await settle(built)
        yield built


async def settle(town: Town) -> None:
    """The two sites, their teams and everybody on them."""
    store = town.site.store
    town.one = await people.add_project(store, "一号工地", NOW, fence=(312_304_167, 1_214_737_000, 300))
    town.two = await people.add_project(store, "二号工地", NOW)
    town.team_a = await people.add_team(store, town.one, "钢筋班", trade="钢筋工", employer="甲劳务")
    town.team_b = await people.add_team(store, town.one, "木工班")
    town.place = await people.add_place(store, town.one, "东门", "gate-1")
    new = [person(town, name) for name in ROLES] + [person(town, "mate")]
    ids = await people.add_people(store, town.one, new, NOW)
    town.people = dict(zip([*ROLES, "mate"], ids, strict=True))
    stranger = NewPerson("stranger", "stranger", hashed(), roles=["manager"])
    town.people["stranger"] = (await people.add_people(store, town.two, [stranger], NOW))[0]
    await town.site.sync.settle()


def person(town: Town, name: str) -> NewPerson:
    team = town.team_a if name in ("foreman", "worker") else town.team_b
    teams = [team] if name in ("foreman", "worker", "mate") else []
    return NewPerson(name, name, hashed(), roles=[name if name in ROLES else "worker"], teams=teams)
