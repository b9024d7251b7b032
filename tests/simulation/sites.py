"""The servers that a history can be played on: the model, and the real store and exchange on both databases.

The real ones run in this process on a loop of their own, with phones that really sign. A crash of the server is
a new process's view of the disk: for SQLite the files as they lie there at that moment, copied and opened anew.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from server.core.batch import Malformed, Refused, effective_time, opened
from server.core.batch import envelope as envelope_of
from server.core.declaration import Declarations
from server.core.merge import Record
from server.core.person import SERVER, Actor
from server.core.problem import Problem
from server.store.access import Session
from server.store.engine import DATABASE_FILE
from server.store.store import Store, open_store
from server.store.tables import member_id, member_team_id
from server.sync.sync import Sync
from tests.postgres import fresh_database, make_template, postgres_server
from tests.server.site import add, base64url, jwk
from tests.simulation.hands import TEAMS
from tests.simulation.run import Make
from tests.simulation.server import PAGE, Answer, Crash, Crashed, Entry, Gap, Member, Page
from tests.simulation.trial import DECLARED
from tests.simulation.world import EPOCH_MS, PROJECTS, Cast, Request, Site

T = TypeVar("T")


@cache
def key_of(device: str) -> EllipticCurvePrivateKey:
    """A device's key, the same in every run."""
    return derive_private_key(int.from_bytes(device.encode()) + 1, SECP256R1())


def sign(device: str, payload: str) -> str:
    raw = payload.encode(errors="surrogatepass")
    r, s = decode_dss_signature(key_of(device).sign(raw, ECDSA(SHA256())))
    return base64url(r.to_bytes(32) + s.to_bytes(32))


class RealSite:
    """One history's server. `url` is None for SQLite."""

    def __init__(self, players: Cast, url: str | None, loop: asyncio.AbstractEventLoop) -> None:
        self._url, self._loop = url, loop
        self._folder = Path(tempfile.mkdtemp(prefix="gongbu-simulation-"))
        self._declarations = players.declarations
        self._since: dict[str, list[tuple[int, int]]] = {name: [(1, players.declarations.v)] for name in PROJECTS}
        self._actors: dict[tuple[str, int], Actor] = {}
        self._person_of = players.devices
        self._run(self._open())
        self._run(self._people(players))

    # -- what a Site does

    @property
    def declarations(self) -> Declarations:
        return self._declarations

    @declarations.setter
    def declarations(self, newer: Declarations) -> None:
        for name in PROJECTS:
            self._since[name].append((self.head(name) + 1, newer.v))
        self._declarations = newer
        self.restart()

    def push(self, device: str, sent: int, payloads: list[str], received: int, crash: Crash = None) -> list[Answer]:
        if crash == "before":
            raise Crashed
        self._note_actors(device, payloads)
        try:
            text = self._run(self._sync.push(self._session(device), _body(device, sent, payloads), received=received))
        except Problem as problem:
            if problem.code == "gap":
                raise Gap(problem.extra["expected"]) from problem
            raise Malformed(problem.code) from problem
        if crash == "after":
            raise Crashed
        return _answers(text)

    def rush(self, requests: list[Request], received: int) -> list[list[Answer] | None]:
        for device, _, payloads in requests:
            self._note_actors(device, payloads)

        async def sending() -> list[bytes | BaseException]:
            asked = [
                self._sync.push(self._session(device), _body(device, sent, payloads), received=received)
                for device, sent, payloads in requests
            ]
            return await asyncio.gather(*asked, return_exceptions=True)

        return [_answers(found) for found in self._run(sending())]

    def pull(self, device: str, project: str, cursor: int, epoch: Any, limit: int = PAGE) -> Page | None:
        asked = self._sync.pull(self._session(device), project=project, cursor=cursor, epoch=epoch, limit=limit)
        try:
            page = self._run(asked)
        except Problem as problem:
            if problem.code == "forbidden":
                return None
            raise
        header, *lines = page.body.decode().split("\n")[:-1]
        return Page(json.loads(header), lines)

    def put(self, project: str, ops: list[dict[str, Any]], now: int) -> None:
        # Where a phone's batch would be refused, a batch of the server's own is a mistake of ours.
        with suppress(Refused):
            self._run(self._store.put(project, ops))

    def actor(self, device: str, project: str) -> Actor | None:
        async def asked() -> Actor | None:
            await self._store.access.fresh()
            return await self._store.access.actor(project, self._person_of[device], device)

        return Actor(SERVER, SERVER, frozenset()) if device == SERVER else self._run(asked())

    def member(self, project: str, person: str, member: Member | None) -> None:
        teams = member.teams if member else frozenset()
        roles = " ".join(sorted(member.roles)) if member else ""
        key = member_id(project, person)
        ended = None if member else EPOCH_MS
        upsert = (
            "INSERT INTO member (id, project, person, roles, ended) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET roles = excluded.roles, ended = excluded.ended"
        )
        away = ("DELETE FROM member_team WHERE project = ? AND person = ?", (project, person))
        rows = [
            add("member_team", id=member_team_id(project, person, team), project=project, person=person, team=team)
            for team in sorted(teams)
        ]
        self._run(self._store.change([(upsert, (key, project, person, roles, ended)), away, *rows]))

    def restart(self) -> None:
        self._run(self._reopen())

    def contents(self) -> str:
        rows = self._run(self._store.rows("SELECT project, r, body FROM record ORDER BY project, r"))
        return json.dumps([[self.head(name) for name in PROJECTS], rows])

    def last_n(self, device: str) -> int:
        rows = self._run(self._store.rows("SELECT last_n FROM device WHERE id = ?", device))
        return int(rows[0][0]) if rows else 0

    def records(self, project: str) -> dict[str, Record]:
        rows = self._run(self._store.rows("SELECT r, body FROM record WHERE project = ?", project))
        return {r: json.loads(body) for r, body in rows}

    def head(self, project: str) -> int:
        return int(self._run(self._store.rows("SELECT head FROM project WHERE id = ?", project))[0][0])

    def log(self, project: str) -> list[Entry]:
        sql = (
            "SELECT seq, device, n, person, received, sent, payload, outcome FROM batch WHERE project = ? ORDER BY seq"
        )
        return [self._entry(project, *row) for row in self._run(self._store.rows(sql, project))]

    # -- inside

    def _entry(
        self,
        project: str,
        seq: int,
        device: str,
        n: int,
        person: str,
        received: int,
        sent: int,
        text: str,
        outcome: str,
    ) -> Entry:
        batch = opened(envelope_of(text), len(text.encode()))
        et = effective_time(batch.t, sent, received)
        declared = next(v for first, v in reversed(self._since[project]) if first <= seq)
        actor = self._actors.get((device, n)) or Actor(SERVER, SERVER, frozenset())
        return Entry(
            project, seq, device, person, n, batch.base, batch.t, sent, received, et, batch.v, declared, batch.ops,
            json.loads(outcome)["held"], actor,
        )  # fmt: skip

    def _note_actors(self, device: str, payloads: list[str]) -> None:
        """Who the author is at this moment, for each number that has no answer yet."""
        last_n = self.last_n(device)
        for payload in payloads:
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                batch = json.loads(payload)
                if batch["project"] not in PROJECTS or batch["n"] <= last_n:
                    continue
                actor = self.actor(device, batch["project"])
                if actor is not None:
                    self._actors.setdefault((device, batch["n"]), actor)

    def _session(self, device: str) -> Session:
        return Session("", self._person_of[device], device, device, "en", 2**53 - 1, jwk(key_of(device)))

    def _run(self, asked: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(asked)

    async def _open(self) -> None:
        self._store: Store = await open_store(self._url, self._folder, self._declarations)
        self._sync = Sync(self._store, self._declarations)
        self._sync.attach()

    async def _reopen(self) -> None:
        """What was committed is there; whatever was only in memory is not."""
        old_sync, old_store, old_folder = self._sync, self._store, self._folder
        if self._url is None:
            self._folder = Path(tempfile.mkdtemp(prefix="gongbu-simulation-"))
            for file in old_folder.glob(f"{DATABASE_FILE}*"):
                if not file.name.endswith("-shm"):
                    shutil.copy(file, self._folder)
        await self._open()
        await old_sync.stop()
        await old_store.close()
        shutil.rmtree(old_folder, ignore_errors=self._url is not None)

    async def _people(self, players: Cast) -> None:
        people = sorted({person for members in players.members.values() for person in members})
        rows = [add("project", id=name, name=name, created=EPOCH_MS) for name in PROJECTS]
        rows += [add("team", id=team, project=PROJECTS[0], name=team) for team in TEAMS]
        rows += [add("person", id=person, name=person, created=EPOCH_MS) for person in people]
        rows += [
            add("device", id=device, person=person, key=jwk(key_of(device)), created=EPOCH_MS)
            for device, person in players.devices.items()
        ]
        await self._store.change(rows)
        for project, members in players.members.items():
            for person, member in members.items():
                await self._join(project, person, member)

    async def _join(self, project: str, person: str, member: Member) -> None:
        roles = " ".join(sorted(member.roles))
        await self._store.change(
            [
                add("member", id=member_id(project, person), project=project, person=person, roles=roles),
                *(
                    add("member_team", id=member_team_id(project, person, t), project=project, person=person, team=t)
                    for t in sorted(member.teams)
                ),
            ]
        )

    def close(self) -> None:
        async def closing() -> None:
            await self._sync.stop()
            await self._store.close()

        self._run(closing())
        shutil.rmtree(self._folder, ignore_errors=True)


def _body(device: str, sent: int, payloads: list[str]) -> bytes:
    batches = [{"payload": payload, "sig": sign(device, payload)} for payload in payloads]
    return json.dumps({"proto": 1, "device": device, "sent": sent, "batches": batches}).encode()


def _answers(text: bytes | BaseException) -> list[Answer]:
    if isinstance(text, BaseException):
        raise text
    return [_plain(answer) for answer in json.loads(text)["results"]]


def _plain(answer: Answer) -> Answer:
    """As the model answers: no words, and `held` only where something is."""
    return {key: value for key, value in answer.items() if key != "message" and not (key == "held" and not value)}


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@contextmanager
def sqlite() -> Iterator[Make]:
    """Make a server on SQLite; those made are closed at the end."""
    with _one_at_a_time(lambda players: closing(RealSite(players, None, _loop()))) as make:
        yield make


@contextmanager
def postgres() -> Iterator[Make]:
    """The same on a real PostgreSQL, a database for each."""
    loop = _loop()

    async def prepare(url: str) -> None:
        await (await open_store(url, Path(), DECLARED)).close()

    with postgres_server() as server:
        template = loop.run_until_complete(make_template(server, prepare))

        @contextmanager
        def site(players: Cast) -> Iterator[RealSite]:
            database = fresh_database(server, template)
            url = loop.run_until_complete(database.__aenter__())
            with closing(RealSite(players, url, loop)) as there:
                yield there
            loop.run_until_complete(database.__aexit__(None, None, None))

        with _one_at_a_time(site) as make:
            yield make


@contextmanager
def _one_at_a_time(site: Callable[[Cast], AbstractContextManager[RealSite]]) -> Iterator[Make]:
    """A new history closes the server of the last: one that is being made shorter asks for hundreds."""
    with ExitStack() as stack:

        def make(players: Cast) -> Site:
            stack.close()
            return stack.enter_context(site(players))

        yield make


@contextmanager
def in_memory() -> Iterator[Make]:
    yield None


SITES: Final = {"model": in_memory, "sqlite": sqlite, "postgres": postgres}
