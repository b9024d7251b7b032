"""The tail: the newest changes of each busy project, in memory.

When a poke wakes a hundred phones, each asks for the same few records. The first one to ask
makes the tail read them from the database; the others are answered from here. It holds
records whoever may see them; what a phone is given is filtered by its audiences.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from server.core.person import granted
from server.store.database import Recent

PROJECTS_MAX: Final = 32
RECORDS_MAX: Final = 2_000
BYTES_MAX: Final = 2 * 1024 * 1024
REACH_MAX: Final = 200  # how many seqs back the first reader may make it begin

Read = Callable[[str, int, int], Awaitable[tuple[int, list[Recent]]]]


class _Site:
    """Records with floor < seq ≤ head, oldest first."""

    def __init__(self, floor: int) -> None:
        self.floor = self.head = floor
        self.records: dict[str, Recent] = {}
        self.bytes = 0
        self.reading = asyncio.Lock()

    def take(self, recents: list[Recent], head: int) -> None:
        for recent in recents:
            old = self.records.pop(recent.r, None)
            self.bytes += len(recent.body) - (len(old.body) if old else 0)
            self.records[recent.r] = recent
        self.head = max(self.head, head)
        self._shorten()

    def _shorten(self) -> None:
        """Forget the oldest; the floor rises to the seq of the last one forgotten."""
        while self.records and (len(self.records) > RECORDS_MAX or self.bytes > BYTES_MAX):
            oldest = self.records.pop(next(iter(self.records)))
            self.bytes -= len(oldest.body)
            self.floor = oldest.seq

    def restart(self, head: int) -> None:
        self.floor = self.head = head
        self.records.clear()
        self.bytes = 0


class Tail:
    """`read` is the database's `recent`."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._sites: OrderedDict[str, _Site] = OrderedDict()

    async def since(
        self, project: str, after: int, head: int, audiences: frozenset[str]
    ) -> tuple[int, list[Recent]] | None:
        """The head, and what these audiences may see beyond `after`, by seq; None if the tail
        does not reach back that far. `head` is what the caller has just seen."""
        site = self._sites.get(project)
        if site is None:
            site = self._sites[project] = _Site(after if head - after <= REACH_MAX else head)
            if len(self._sites) > PROJECTS_MAX:
                self._sites.popitem(last=False)
        self._sites.move_to_end(project)
        if site.head < head:
            await self._refresh(project, site, head)
        if after < site.floor:
            return None
        found = []
        for recent in reversed(site.records.values()):
            if recent.seq <= after:
                break
            if granted(recent.aud, audiences):
                found.append(recent)
        found.reverse()
        return site.head, found

    async def _refresh(self, project: str, site: _Site, head: int) -> None:
        async with site.reading:
            if site.head >= head:
                return
            seen, recents = await self._read(project, site.head, RECORDS_MAX + 1)
            if len(recents) > RECORDS_MAX:
                site.restart(seen)  # too far behind to catch up in one read
            else:
                site.take(recents, seen)
