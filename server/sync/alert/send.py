"""Attempts go out, outside of any transaction, and how they ended is written down some at a time.

What is sent twice because the process died in between carries the same tag, and replaces itself on the phone.
One that gets no answer keeps no other. A great many at once make room for phones that are sending.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from server.core.declaration import Kind
from server.core.merge import Record, shown
from server.store import alert as rows
from server.store.alert import ENDED, Alert, Done, Waiting
from server.store.job import ask
from server.store.round import Statement
from server.sync.alert.ground import Ground, ask_sending
from server.sync.alert.notice import BODY_LENGTH_MAX, Notice, Target, Told, short
from server.sync.alert.words import body_of, title_of

AT_ONCE: Final = 64  # messages of one step on their way; more than may be on their way to one host
PART: Final = 100  # are encrypted together
WRITE_MAX: Final = 60
WRITE_S_MAX: Final = 0.5
HASTE: Final = 300  # so many of a step go out as fast as they can …
A_SECOND: Final = 400  # … and then, while phones are sending, about so many
TRIES_MAX: Final = 10
BACK_OFF_MS: Final = 2_000
BACK_OFF_MS_MAX: Final = 15 * 60_000
GIVE_UP_MS: Final = 24 * 60 * 60_000
Titles = Mapping[str, str]  # language → title
Message = tuple[Sequence[Waiting], Notice]


async def send(ground: Ground, args: Mapping[str, Any]) -> None:
    one, step = await rows.alert(ground.store, args["alert"]), args["step"]
    record = None if one is None else await ground.store.record(one.project, one.r)
    kind = None if one is None else ground.declarations.kind(one.c)
    if one is None or record is None or kind is None:
        return
    say = Sayer(ground, one, kind, record, await ground.site_name(one.project))
    after, now = "", ground.now()
    async with Outgoing(ground, one.begun, "waiting") as out:
        while page := await rows.waiting(ground.store, one.id, step, now, after):
            after = page[-1].id
            if (await rows.alert(ground.store, one.id) or one).state == ENDED:
                break
            await out.add([([waiting], say.notice(waiting.language, step)) for waiting in page])
    again = await ground.store.rows(
        "SELECT min(due) FROM alert_attempt WHERE alert = ? AND step = ? AND status = 'waiting'", one.id, step
    )
    if again[0][0] is not None and (await rows.alert(ground.store, one.id) or one).state != ENDED:
        await ground.store.change([ask_sending(one.id, step, again[0][0])])


class Outgoing:
    """Messages on their way, each with the attempts that it is; at the end all are through and written down.
    `again`: what an attempt is until it has ended."""

    def __init__(self, ground: Ground, begun: int, again: str) -> None:
        self._ground, self._begun, self._again = ground, begun, again
        self._room = asyncio.Semaphore(AT_ONCE)
        self._going = set[asyncio.Task[None]]()
        self._told: list[tuple[Waiting, Told]] = []
        self._broken: BaseException | None = None
        self._count = 0

    async def add(self, messages: Sequence[Message]) -> None:
        """Waits for room only."""
        for start in range(0, len(messages), PART):
            part = messages[start : start + PART]
            targets = [target_of(self._ground, attempts[0]) for attempts, _ in part]
            sealed = await self._sealed([(target, said) for target, (_, said) in zip(targets, part, strict=True)])
            for message, target, body in zip(part, targets, sealed, strict=True):
                await self._room.acquire()
                task = asyncio.create_task(self._one(message, target, body))
                self._going.add(task)
                task.add_done_callback(self._ended)
                self._count += 1
                if self._count > HASTE and self._ground.is_busy():
                    await asyncio.sleep(1 / A_SECOND)
                await self._write(WRITE_MAX)

    async def __aenter__(self) -> Outgoing:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            while self._going:
                await asyncio.wait(self._going, timeout=WRITE_S_MAX)
                await self._write(1)
            await self._write(1)
        finally:
            await asyncio.gather(*self._going, return_exceptions=True)

    async def _sealed(self, messages: Sequence[tuple[Target | None, Notice]]) -> list[bytes | Told | None]:
        phones = [(target, notice) for target, notice in messages if target is not None and target.channel == "push"]
        sealed = iter(await self._ground.outside.push.seal(phones) if phones else [])
        return [next(sealed) if target is not None and target.channel == "push" else None for target, _ in messages]

    async def _one(self, message: Message, target: Target | None, sealed: bytes | Told | None) -> None:
        attempts, notice = message
        if target is None:
            told = Told("gone", "the way is no longer there")
        else:
            told = await self._ground.send(target, notice, sealed)
        self._told += [(waiting, told) for waiting in attempts]

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._going.discard(task)
        self._room.release()
        if not task.cancelled():
            self._broken = self._broken or task.exception()

    async def _write(self, least: int) -> None:
        if self._broken is not None:
            raise self._broken
        if len(self._told) >= least:
            told, self._told = self._told, []
            await write_down(self._ground, told, self._begun, self._again)


async def write_down(ground: Ground, told: Sequence[tuple[Waiting, Told]], begun: int, again: str) -> None:
    now = ground.now()
    statements: list[Statement] = rows.put_done([done(waiting, said, now, begun, again) for waiting, said in told])
    pushed = [(waiting, said) for waiting, said in told if waiting.channel == "push" and waiting.endpoint]
    for waiting, said in pushed:
        if said.status == "gone":
            statements.append(rows.drop_subscription(waiting.target, waiting.endpoint or ""))
        elif said.status != "sent":
            statements.append(rows.put_failed(waiting.target, now, said.note))
    if reached := sorted({waiting.target for waiting, said in pushed if said.status == "sent"}):
        statements.append(rows.put_reached(reached, now))
    await ground.store.change(statements)


def target_of(ground: Ground, waiting: Waiting) -> Target | None:
    if waiting.channel == "push":
        if waiting.endpoint is None:
            return None
        return Target(waiting.target, "push", waiting.endpoint, waiting.auth or "", waiting.p256dh or "")
    if waiting.url is None:
        return None
    opened = ground.outside.opened
    secret = opened(waiting.secret) if waiting.secret else ""
    return Target(waiting.target, waiting.channel, opened(waiting.url), secret, to=waiting.addressees or "")


async def digest(ground: Ground, args: Mapping[str, Any]) -> None:
    project, now = args["project"], ground.now()
    site = await ground.site_name(project)
    while found := await rows.gathered(ground.store, project, now):
        parts = [list(part) for _, part in groupby(found, key=lambda pair: (pair[1].channel, pair[1].target))]
        titles = {id: await titles_of(ground, id) for id in {id for id, _ in found}}
        async with Outgoing(ground, now, "gathered") as out:
            await out.add(
                [([one for _, one in part], notice_of(ground, part, titles, project, site)) for part in parts]
            )
    again = await ground.store.rows(
        "SELECT min(a.due) FROM alert_attempt AS a JOIN alert ON alert.id = a.alert"
        " WHERE alert.project = ? AND a.status = 'gathered'",
        project,
    )
    if again[0][0] is not None:
        await ground.store.change([ask(f"alert digest:{project}", "alert digest", dict(args), again[0][0])])


async def titles_of(ground: Ground, id: str) -> Titles:
    one = await rows.alert(ground.store, id)
    kind = None if one is None else ground.declarations.kind(one.c)
    if one is None or kind is None or one.name not in kind.alerts:
        return {}
    return {language: title_of(kind.alerts[one.name], kind, one.level, language) for language in ("zh", "en")}


def notice_of(
    ground: Ground, part: Sequence[tuple[str, Waiting]], titles: Mapping[str, Titles], project: str, site: str
) -> Notice:
    language = "en" if (part[0][1].language or "").startswith("en") else "zh"
    said = [titles[id].get(language, "") for id, _ in part]
    lines = [f"{title} × {count}" if count > 1 else title for title, count in Counter(filter(None, said)).items()]
    title = ground.outside.words("alert.digest_title", language).replace("{n}", str(len(part)))
    path = f"/alerts?project={project}"
    return Notice(
        tag=f"digest {project}", title=title, body=short(" · ".join(lines), BODY_LENGTH_MAX), path=path,
        link=ground.outside.link(path), site=site, project=project, language=language, urgent=False,
    )  # fmt: skip


class Sayer:
    """The words of one alert, once a language."""

    def __init__(self, ground: Ground, one: Alert, kind: Kind, record: Record, site: str) -> None:
        self.alert, self._kind, self._values, self._site = one, kind, shown(record, kind), site
        self._link, self._words = ground.outside.link, ground.outside.words
        self._said = dict[tuple[str, int], Notice]()

    def notice(self, language: str | None, step: int) -> Notice:
        key = ("en" if (language or "").startswith("en") else "zh", step)
        if key not in self._said:
            self._said[key] = self._make(key[0], step)
        return self._said[key]

    def _make(self, language: str, step: int) -> Notice:
        one, rule = self.alert, self._kind.alerts[self.alert.name]
        answers = ("safe", "help") if one.everyone else ("seen",)
        path = f"/r/{one.r}?project={one.project}&alert={one.id}"
        return Notice(
            tag=one.id, title=title_of(rule, self._kind, one.level, language),
            body=body_of(rule, self._kind, self._values, language), path=path, link=self._link(path),
            site=self._site, project=one.project, language=language, urgent=bool(one.urgent), step=step,
            actions=tuple((answer, self._words(f"alert.{answer}", language)) for answer in answers),
        )  # fmt: skip


def done(waiting: Waiting, told: Told, now: int, begun: int, again: str) -> Done:
    """What becomes of an attempt; `again` with growing pauses, for a day at most."""
    if told.status != "later":
        return Done(waiting.id, told.status, now, 0, told.note)
    if waiting.tries + 1 >= TRIES_MAX and now - begun > GIVE_UP_MS:
        return Done(waiting.id, "failed", now, 0, told.note)
    pause = min(BACK_OFF_MS * 2**waiting.tries, BACK_OFF_MS_MAX)
    return Done(waiting.id, again, now, now + max(pause, 1000 * (told.retry_after_s or 0)), told.note)
