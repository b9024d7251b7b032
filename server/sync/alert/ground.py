"""What the jobs of alerts stand on: the store, the declarations, the way out, the clock; and small questions."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from server.core.declaration import Declarations
from server.core.merge import shown
from server.core.worktime import Worktime, worktime_of
from server.store.job import ask
from server.store.round import Statement, decode
from server.store.store import Store
from server.sync.alert.address import NotAllowed, Wire
from server.sync.alert.channel import dingtalk, email, feishu, webhook, wecom
from server.sync.alert.channel.push import Push
from server.sync.alert.notice import NOTE_LENGTH_MAX, Notice, Target, Told, short

ALERT: Final = "alerts.alert"
TELL_DELAY_MS: Final = 200  # what a roll call answers within a moment is told at once
WEEK: Final = "alerts.week"
HOLIDAY: Final = "alerts.holiday"
FIRST_ZONE: Final = "Asia/Shanghai"

Send = Callable[[Wire, Target, Notice, int], Awaitable[Told]]


def no_words(key: str, language: str) -> str:
    return key


@dataclass(frozen=True)
class Outside:
    """What alerts need of the server around them. `link`: a path in the app → a whole address;
    `opened`: what is sealed in a channel → itself; `words`: a key and a language → a text of the locales."""

    wire: Wire
    push: Push
    link: Callable[[str], str]
    opened: Callable[[str], str] = str
    words: Callable[[str, str], str] = no_words


@dataclass(frozen=True)
class Ground:
    store: Store
    declarations: Declarations
    outside: Outside
    now: Callable[[], int]
    is_busy: Callable[[], bool] = bool
    """Whether phones are sending at this moment: what is large makes room for them."""

    async def zone(self, project: str) -> str:
        rows = await self.store.rows("SELECT zone FROM project WHERE id = ?", project)
        return str(rows[0][0]) if rows else FIRST_ZONE

    async def site_name(self, project: str) -> str:
        rows = await self.store.rows("SELECT name FROM project WHERE id = ?", project)
        return str(rows[0][0]) if rows else ""

    async def all_of(self, project: str, c: str) -> list[tuple[str, dict[str, Any]]]:
        """The live records of a kind, oldest id first: id and shown values."""
        kind, found = self.declarations.kind(c), list[tuple[str, dict[str, Any]]]()
        if kind is not None:
            async for chunk in self.store.records(project, c):
                records = [decode(body) for _, body in chunk]
                found += [(record["r"], shown(record, kind)) for record in records]
        return sorted(found, key=lambda one: one[0])

    async def worktime(self, project: str) -> Worktime:
        """The site's working calendar; the newest week counts."""
        weeks = await self.all_of(project, WEEK)
        days = await self.all_of(project, HOLIDAY)
        return worktime_of(weeks[-1][1] if weeks else {}, [values for _, values in days])

    def ask_tell(self, id: str) -> Statement:
        return ask(f"alert tell:{id}", "alert tell", {"alert": id}, self.now() + TELL_DELAY_MS)

    async def send(self, target: Target, notice: Notice, sealed: bytes | Told | None = None) -> Told:
        """One message, now. What the network does is an answer, not an error. `sealed`: what a phone gets,
        where it was made already."""
        try:
            if sealed is not None:
                return await self.outside.push.post(self.outside.wire, target, notice, sealed)
            return await self.channels[target.channel](self.outside.wire, target, notice, self.now())
        except NotAllowed as error:
            return Told("failed", f"not allowed: {error}")
        except OSError as error:
            return Told("later", short(f"unreachable: {error or type(error).__name__}", NOTE_LENGTH_MAX))

    @property
    def channels(self) -> dict[str, Send]:
        return {
            "push": self.outside.push.send, "wecom": wecom.send, "dingtalk": dingtalk.send, "feishu": feishu.send,
            "webhook": webhook.send, "email": email.send,
        }  # fmt: skip


def alert_id(project: str, r: str, name: str, event: str) -> str:
    """The same for the same event, so that it begins once however often it is looked at."""
    digest = hashlib.sha256(f"alert\n{project}\n{r}\n{name}\n{event}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


def climb_at(id: str, step: int, due: int) -> Statement:
    return ask(f"alert climb:{id}:{step}", "alert climb", {"alert": id, "step": step}, due, once=True)


def ask_sending(id: str, step: int, due: int) -> Statement:
    """One job a step, also for what is sent again later: so no two send the same."""
    return ask(f"alert send:{id}:{step}", "alert send", {"alert": id, "step": step}, due)


def calm(id: str, why: str) -> list[Statement]:
    """Nothing more climbs, and what has not gone out stays here."""
    return [
        (
            "DELETE FROM job WHERE kind = 'alert climb' AND key >= ? AND key < ?",
            (f"alert climb:{id}:", f"alert climb:{id};"),
        ),
        (
            "UPDATE alert_attempt SET status = 'answered', note = ?"
            " WHERE alert = ? AND status IN ('waiting', 'gathered')",
            (why, id),
        ),
    ]
