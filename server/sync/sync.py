"""The exchange as the rest of the server sees it: push, pull and live, and the work afterwards.

Knows no web framework: bytes in, bytes out, and a plain ASGI connection for pokes. Expected
trouble is raised as a Problem. One per process.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from server.core.declaration import Declarations
from server.core.problem import Problem
from server.store.access import Membership, Session
from server.store.database import Heads
from server.store.store import Store, now_ms
from server.sync.computed import Computed, recompute, watch_of
from server.sync.jobs import Jobs
from server.sync.live import Hub, Receive, Send
from server.sync.make import make
from server.sync.mirror import mirror
from server.sync.pull import (
    INLINE_BYTES_MAX,
    Body,
    Cache,
    Header,
    Key,
    Question,
    compress,
    encoding_for,
    question,
    text,
)
from server.sync.push import Messages, read_request, to_push, to_response
from server.sync.tail import Tail

CALM_S: Final = 0.5
OUTSIDE_AT_ONCE: Final = 64  # nearly all of them wait for an answer from elsewhere
YOUNG_MAX: Final = 30_000  # a full round of new records; the usual 700 has each looked at several times in vain
NDJSON: Final = b"application/x-ndjson; charset=utf-8"


class Page(msgspec.Struct, frozen=True):
    """An answer to a pull, ready to send."""

    body: bytes
    encoding: str | None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        told = [(b"content-type", NDJSON), (b"cache-control", b"no-store"), (b"vary", b"accept-encoding")]
        return [*told, (b"content-encoding", self.encoding.encode())] if self.encoding else told


def no_words(code: str, language: str) -> str:
    return code


class Sync:
    """`computed` is what the modules compute, `message` says a refusal in a language."""

    def __init__(
        self,
        store: Store,
        declarations: Declarations,
        computed: Mapping[str, Computed] | None = None,
        message: Messages = no_words,
        now: Callable[[], int] = now_ms,
    ) -> None:
        self.store, self.declarations, self.message, self.now = store, declarations, message, now
        self._computed = {one.kind: one for one in (computed or {}).values()}
        self._tail, self._cache = Tail(store.database.recent), Cache()
        self._pulling: dict[Key, asyncio.Task[Body]] = {}
        self.hub = Hub(store.access, now)
        self.jobs = Jobs(
            store, {"mirror": self._mirror, "compute": self._compute, "make": self._make}, now, self.is_busy
        )
        self.slow = Jobs(store, {}, now, self.is_busy)
        """What takes seconds (photos, reports) has a lane of its own; who does it enters it in `kinds`."""
        self.outside = Jobs(store, {}, now, timed=True, at_once=OUTSIDE_AT_ONCE)
        """What waits for other people's servers, and timers: alerts. Nothing else waits for it."""
        self._pushed_s = -CALM_S
        self._running: list[asyncio.Task[None]] = []
        self._is_stopping = False

    def attach(self) -> None:
        """Hear of commits, and have them ask for what is computed."""
        self.store.database.watch = watch_of(self._computed.values())
        self.store.database.committed = self._committed

    def is_busy(self) -> bool:
        """Whether phones are sending at this moment."""
        return time.monotonic() - self._pushed_s < CALM_S

    def note_sending(self) -> None:
        """A phone sends something at this moment."""
        self._pushed_s = time.monotonic()

    async def start(self) -> None:
        """Also look after live connections, and do the jobs as they fall due."""
        self.attach()
        await self.jobs.take_back()
        gc.set_threshold(YOUNG_MAX, *gc.get_threshold()[1:])
        gc.freeze()  # what is loaded by now stays; the collector need not look at it again
        running = (self.hub.run(), self.jobs.run(), self.slow.run(), self.outside.run())
        self._running = [asyncio.create_task(one) for one in running]

    async def stop(self) -> None:
        """Take no more, finish what is in hand; the store is closed by whoever opened it."""
        self._is_stopping = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for lane in (self.jobs, self.slow, self.outside):
            await lane.finish()
        await self.hub.close()

    async def settle(self) -> None:
        """Do all work that waits after commits, now."""
        await self.jobs.settle()
        await self.slow.settle()
        await self.outside.settle()

    # up

    async def push(self, session: Session, body: bytes, language: str = "", received: int | None = None) -> bytes:
        """P5: the body of a request → the body of its answer, after the commit."""
        if self._is_stopping:
            raise Problem("unavailable", retry_after=5)
        self.note_sending()
        received = self.now() if received is None else received
        request = read_request(body, session)
        access = self.store.access
        await access.fresh()
        push = await to_push(request, session, access, self.declarations.usual, received)
        answers = await self.store.append(push) if push.items else []
        return to_response(answers, self.now(), language, self.message)

    # down

    async def pull(
        self,
        session: Session,
        *,
        project: str,
        cursor: int = 0,
        epoch: int | None = None,
        limit: int | None = None,
        accept_encoding: str = "",
    ) -> Page:
        """P6: what this person may see and does not have."""
        asked = question(project, cursor, epoch, limit)
        head = await self.store.access.fresh(project)
        member = await self.store.access.known(project, session.person)
        if member is None or head is None:
            raise Problem("forbidden")
        if asked.start(member) > head:
            raise Problem("cursor_expired")
        encoding = encoding_for(accept_encoding)
        body = await self._near(asked, member, head, encoding)
        if body is None:
            body = await self._once((asked, member.epoch, head, encoding), asked, member, encoding)
        return Page(body.content, body.encoding)

    async def _near(self, asked: Question, member: Membership, head: int, encoding: str | None) -> Body | None:
        """From the newest changes, which are in memory; None for one who is further behind."""
        start = asked.start(member)
        if start == 0 < head:
            return None
        near = await self._tail.since(asked.project, start, head, member.audiences)
        if near is None or len(near[1]) > asked.limit:
            return None
        newest, records = near
        key = (asked, member.epoch, newest, encoding)
        body = self._cache.get(key) if records else None
        if body is None:
            header = _header(asked, member, newest, newest, more=False)
            body = compress(text(header, [recent.body for recent in records]), encoding)
            if records:
                self._cache.put(key, body)
        return body

    async def _once(self, key: Key, asked: Question, member: Membership, encoding: str | None) -> Body:
        """Phones that ask the same at the same time share one answer."""
        task = self._pulling.get(key)
        if task is None:
            task = asyncio.create_task(self._page(asked, member, encoding))
            self._pulling[key] = task
            task.add_done_callback(lambda _: self._pulling.pop(key, None))
        return await asyncio.shield(task)

    async def _page(self, asked: Question, member: Membership, encoding: str | None) -> Body:
        page = await self.store.database.page(
            asked.project, member.audiences, asked.start(member), asked.limit, asked.is_fresh
        )  # fmt: skip
        header = _header(asked, member, page.head, page.cursor, more=page.more)
        if sum(map(len, page.bodies)) > INLINE_BYTES_MAX:
            return await asyncio.to_thread(lambda: compress(text(header, page.bodies), encoding))
        return compress(text(header, page.bodies), encoding)

    # live

    async def live(self, session: Session, receive: Receive, send: Send) -> None:
        """P7: server-sent events on an ASGI connection, until either side ends it."""
        if self._is_stopping:
            raise Problem("unavailable", retry_after=5)
        await self.hub.serve(session, receive, send)

    async def poke(self, project: str) -> None:
        """Say that there is something new beside the log, to those who listen here and elsewhere."""
        head = await self.store.access.head(project)
        await self.store.database.tell(project, head)

    def _committed(self, heads: Heads) -> None:
        if heads:
            self.hub.poke(heads)
            self.outside.wake()

    # afterwards

    async def _mirror(self, args: Mapping[str, Any]) -> None:
        await mirror(self.store, self.declarations, args["project"])

    async def _make(self, args: Mapping[str, Any]) -> None:
        await make(self.store, self.declarations, args["project"], args["r"])

    async def _compute(self, args: Mapping[str, Any]) -> None:
        one = self._computed.get(args["kind"])
        if one is not None:
            await recompute(self.store, one, args["project"])


def _header(asked: Question, member: Membership, head: int, cursor: int, *, more: bool) -> Header:
    return Header(head, cursor, more, member.epoch, member.labels, asked.start(member))
