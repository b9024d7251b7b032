"""A phone: what it has on disk, what it shows, and how it exchanges with the server (M10, P1, P3, P6, A6).

Everything in `Disk` survives a crash and is replaced in one step, as one IndexedDB transaction is; everything
else is gone with the page. The phone never learns the true time, only its own clock.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from server.core import merge
from server.core.batch import Refused
from server.core.declaration import Declarations
from server.core.merge import Record, Stamp
from server.core.person import granted
from tests.simulation.server import Answer, Page

Op = dict[str, Any]
OWN_SEQ: Final = 2**53 - 1 - 2**20  # above every head: own entries stand last (M10)
REQUEST_BATCHES_MAX: Final = 5


@dataclass
class Outgoing:
    """A batch made here. `seq` once it is applied: it stays in view until it comes back with a pull."""

    n: int
    project: str
    payload: str
    seen: dict[str, Any]  # r → what the person saw when approving
    seq: int | None = None
    code: str | None = None


@dataclass
class Copy:
    """One project as this phone has it.

    `base` is the head at the last pull that came to its end. While a pull is on its way the phone may have a
    record's newer neighbours and not yet the record, so it must not claim to know more than that.
    """

    records: dict[str, Record] = field(default_factory=dict)
    cursor: int = 0
    base: int = 0
    epoch: Any = None


@dataclass
class Disk:
    next_n: int = 1
    outbox: list[Outgoing] = field(default_factory=list)  # waiting for an answer, by n
    landed: list[Outgoing] = field(default_factory=list)  # applied, not yet pulled
    refused: list[Outgoing] = field(default_factory=list)
    applied_n: list[int] = field(default_factory=list)
    dropped_n: list[int] = field(default_factory=list)
    copies: dict[str, Copy] = field(default_factory=dict)


@dataclass
class Form:
    """An open form: what was shown when it was opened, and the base of that moment."""

    project: str
    base: int
    records: dict[str, Record]


class Phone:
    def __init__(self, device: str, person: str, declarations: Declarations, offset_ms: int, drift_ppm: int) -> None:
        self.device, self.person, self.declarations = device, person, declarations
        self.offset_ms, self.drift_ppm = offset_ms, drift_ppm
        self.disk = Disk()
        self.form: Form | None = None
        self.promised: list[int] = []  # numbers that the person was told are saved

    def clock(self, now: int) -> int:
        return max(0, now + self.offset_ms + now * self.drift_ppm // 1_000_000)

    def crash(self) -> None:
        self.form = None

    def copy(self, project: str) -> Copy:
        return self.disk.copies.setdefault(project, Copy())

    # -- what it shows

    def view(self, project: str) -> dict[str, Record]:
        """M10: the server's records, then what was written here, each batch whole or not at all."""
        records = dict(self.copy(project).records)
        for out in [*self.disk.landed, *self.disk.outbox]:
            if out.project == project:
                self._lay_over(records, out)
        return {r: record for r, record in records.items() if not merge.is_deleted(record)}

    def _lay_over(self, records: dict[str, Record], out: Outgoing) -> None:
        batch = json.loads(out.payload)
        seq = out.seq if out.seq is not None else OWN_SEQ + out.n
        at = Stamp(seq, self.device, batch["base"], batch["t"], self.person, batch["v"])
        work = {op["r"]: deepcopy(records[op["r"]]) for op in batch["ops"] if op["r"] in records}
        try:
            merge.fold(work, batch["ops"], at, self.declarations.kinds)
        except Refused:
            return
        records.update(work)

    def open_form(self, project: str) -> Form:
        self.form = Form(project, self.copy(project).base, deepcopy(self.view(project)))
        return self.form

    # -- writing

    def save(self, project: str, ops: list[Op], now: int, *, base: int, seen: dict[str, Any], v: int) -> Outgoing:
        n = self.disk.next_n
        payload = {"n": n, "project": project, "base": base, "t": self.clock(now), "v": v, "ops": ops}
        return self.save_text(n, project, json.dumps(payload, ensure_ascii=False), seen)

    def save_text(self, n: int, project: str, payload: str, seen: dict[str, Any]) -> Outgoing:
        out = Outgoing(n, project, payload, seen)
        self.disk.outbox.append(out)
        self.disk.next_n = n + 1
        self.promised.append(n)
        return out

    def drop(self, n: int) -> None:
        self.disk.refused = [out for out in self.disk.refused if out.n != n]
        self.disk.dropped_n.append(n)

    # -- the exchange

    def request(self) -> list[str]:
        return [out.payload for out in self.disk.outbox[:REQUEST_BATCHES_MAX]]

    def hear(self, answers: list[Answer]) -> None:
        """What was answered leaves the outbox; an answer that was heard before changes nothing."""
        waiting = {out.n: out for out in self.disk.outbox}
        for answer in answers:
            out = waiting.get(answer["n"])
            if out is None:
                continue
            self.disk.outbox.remove(out)
            if answer["status"] == "applied":
                out.seq = answer["seq"]
                self.disk.landed.append(out)
                self.disk.applied_n.append(out.n)
            else:
                out.code = answer["code"]
                self.disk.refused.append(out)

    def store(self, project: str, page: Page, lines_read: int) -> None:
        """Keep what came of a page: all of it, or where the line broke off, all but the last seq."""
        copy = self.copy(project)
        header = page.header
        if header["epoch"] != copy.epoch:
            audiences = frozenset(header["audiences"])
            copy.records = {r: record for r, record in copy.records.items() if granted(record["aud"], audiences)}
            copy.epoch, copy.cursor = header["epoch"], header["from"]
        read = [json.loads(line) for line in page.lines[:lines_read]]
        for record in read:
            copy.records[record["r"]] = record
        if lines_read < len(page.lines):
            if read:
                copy.cursor = max(copy.cursor, read[-1]["seq"] - 1)
            return
        copy.cursor = header["cursor"]
        if not header["more"]:
            copy.base = header["cursor"]
            self.disk.landed = [out for out in self.disk.landed if out.project != project or (out.seq or 0) > copy.base]

    def sent_away(self, project: str) -> None:
        """No longer a member: the project's records go, what waits to be sent stays (A6)."""
        self.disk.copies[project] = Copy()
        self.disk.landed = [out for out in self.disk.landed if out.project != project]
