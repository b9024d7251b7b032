"""Live: one open connection per phone, on which a poke says that there is something new (P7).

Server-sent events as plain ASGI. A poke is encoded once, whoever hears it, and carries no
content. A phone that reads too slowly misses pokes, never the newest one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final

from server.store.access import Access, Session

log: Final = logging.getLogger("gongbu.live")
PER_DEVICE_MAX: Final = 3
KEEP_ALIVE_S: Final = 20.0
RECHECK_S: Final = 1.0
KEEP_ALIVE: Final = b": still here\n\n"
HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def poke(project: str, head: int) -> bytes:
    return b'event: poke\ndata: {"project":"%b","head":%d}\n\n' % (project.encode(), head)


class Connection:
    """One phone that listens. `frames` wait to be sent: the newest of each project."""

    __slots__ = ("_send", "_sending", "frames", "is_open", "projects", "session")

    def __init__(self, session: Session, send: Send, projects: Mapping[str, int]) -> None:
        self.session, self._send, self.projects = session, send, projects  # project → epoch
        self.frames: dict[str, bytes] = {}
        self._sending = False
        self.is_open = True

    async def flush(self) -> None:
        """Send what waits; whoever is already sending takes it along."""
        if self._sending:
            return
        self._sending = True
        try:
            while self.frames and self.is_open:
                content = b"".join(self.frames.values())
                self.frames.clear()
                await self._send({"type": "http.response.body", "body": content, "more_body": True})
        except OSError:
            self.is_open = False  # the other end has gone; `receive` tells the rest
        finally:
            self._sending = False

    async def end(self) -> None:
        if self.is_open:
            self.is_open = False
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


class Hub:
    """All connections of this process, by project."""

    def __init__(self, access: Access, now: Callable[[], int]) -> None:
        self._access, self._now = access, now
        self._by_project: dict[str, set[Connection]] = {}
        self._by_device: dict[str, OrderedDict[Connection, None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._revision = -1
        self._is_closing = False

    def __len__(self) -> int:
        return sum(len(connections) for connections in self._by_device.values())

    async def serve(self, session: Session, receive: Receive, send: Send) -> None:
        """A connection from its first byte to its last. It begins with a poke of each project,
        so that a phone which was away loses no time."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        connection = Connection(session, send, await epochs_of(self._access, session.person))
        connection.frames[""] = b"retry: 3000\n\n"
        self._add(connection)
        try:
            if self._is_closing:  # it came after the others were sent home
                return await connection.end()
            await self._greet(connection, connection.projects)
            await self._recheck(connection)  # what changed before it stood on the list
            await connection.flush()
            await self._make_room(session.device)
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            connection.is_open = False
            self._remove(connection)

    def poke(self, heads: Mapping[str, int]) -> None:
        """Tell everybody of these projects; returns at once."""
        for project, head in heads.items():
            if connections := self._by_project.get(project):
                frame = poke(project, head)
                for connection in connections:
                    connection.frames[project] = frame
                    self._start(connection.flush())

    async def recheck(self) -> None:
        """End the connections whose right has gone, and follow changes of membership."""
        await self._access.fresh()
        if self._access.revision == self._revision:
            return
        revision = self._access.revision
        for connection in self._all():
            await self._recheck(connection)
        self._revision = revision

    async def _recheck(self, connection: Connection) -> None:
        session = await self._access.session(connection.session.hash, self._now())
        if session is None:
            self._start(connection.end())
            return
        epochs = await epochs_of(self._access, session.person)
        if epochs != connection.projects:
            await self._follow(connection, epochs)

    async def _follow(self, connection: Connection, epochs: Mapping[str, int]) -> None:
        """A site more or less, or another role: the phone learns the rest at its next pull (A6)."""
        await self._greet(connection, {**connection.projects, **epochs})
        self._place(connection, epochs)
        self._start(connection.flush())

    async def _greet(self, connection: Connection, projects: Iterable[str]) -> None:
        """A poke of each project; one that came while the head was looked up is newer and stays."""
        for project in projects:
            head = await self._access.head(project)
            connection.frames.setdefault(project, poke(project, head))

    async def run(self) -> None:
        """Keep-alives and rechecks, until cancelled; a database that is away for a while ends neither."""
        since = 0.0
        while True:
            await asyncio.sleep(RECHECK_S)
            since += RECHECK_S
            try:
                await self.recheck()
            except Exception:
                log.exception("live connections could not be looked at")
            if since >= KEEP_ALIVE_S:
                since = 0.0
                self._keep_alive()

    def _keep_alive(self) -> None:
        self._end_expired()
        for connection in self._all():
            connection.frames[""] = KEEP_ALIVE
            self._start(connection.flush())

    async def close(self) -> None:
        """Let everybody go, and who comes from now on at once."""
        self._is_closing = True
        for connection in self._all():
            self._start(connection.end())
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end_expired(self) -> None:
        now = self._now()
        for connection in self._all():
            if connection.session.expires <= now:
                self._start(connection.end())

    async def _make_room(self, device: str) -> None:
        """A phone that lost its network leaves old connections behind: the oldest go."""
        for connection in list(self._by_device.get(device, ()))[:-PER_DEVICE_MAX]:
            await connection.end()

    def _all(self) -> list[Connection]:
        return [connection for connections in self._by_device.values() for connection in connections]

    def _add(self, connection: Connection) -> None:
        self._by_device.setdefault(connection.session.device, OrderedDict())[connection] = None
        self._join(connection, connection.projects)

    def _place(self, connection: Connection, projects: Mapping[str, int]) -> None:
        self._leave(connection)
        connection.projects = projects
        self._join(connection, projects)

    def _join(self, connection: Connection, projects: Iterable[str]) -> None:
        for project in projects:
            self._by_project.setdefault(project, set()).add(connection)

    def _leave(self, connection: Connection) -> None:
        for project in connection.projects:
            if connections := self._by_project.get(project):
                connections.discard(connection)
                if not connections:
                    del self._by_project[project]

    def _remove(self, connection: Connection) -> None:
        self._leave(connection)
        device = connection.session.device
        if connections := self._by_device.get(device):
            connections.pop(connection, None)
            if not connections:
                del self._by_device[device]

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def epochs_of(access: Access, person: str) -> dict[str, int]:
    """The sites a person is on now, with the epoch of each."""
    return {m.project: m.epoch for m in await access.memberships(person) if m.ended is None}
