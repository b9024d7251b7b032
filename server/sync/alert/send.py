"""Attempts go out, outside of any transaction, and how they ended is written down a page at a time.

What is sent twice because the process died in between carries the same tag, and replaces itself on the phone.
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
from server.sync.alert.ground import Ground
from server.sync.alert.notice import BODY_LENGTH_MAX, Notice, Target, Told, short
from server.sync.alert.words import body_of, title_of

AT_ONCE: Final = 32  # requests in the air
TRIES_MAX: Final = 10
BACK_OFF_MS: Final = 2_000
BACK_OFF_MS_MAX: Final = 15 * 60_000
GIVE_UP_MS: Final = 24 * 60 * 60_000
Titles = Mapping[str, str]  # language → title


async def send(ground: Ground, args: Mapping[str, Any]) -> None:
    one, step = await rows.alert(ground.store, args["alert"]), args["step"]
    record = None if one is None else await ground.store.record(one.project, one.r)
    kind = None if one is None else ground.declarations.kind(one.c)
    if one is None or record is None or kind is None:
        return
    say = Sayer(ground, one, kind, record, await ground.site_name(one.project))
    after, now = "", ground.now()
    gate = asyncio.Semaphore(AT_ONCE)
    while page := await rows.waiting(ground.store, one.id, step, now, after):
        after = page[-1].id
        if (await rows.alert(ground.store, one.id) or one).state == ENDED:
            return
        await send_page(ground, page, say, step, gate)
    again = await ground.store.rows(
        "SELECT min(due) FROM alert_attempt WHERE alert = ? AND step = ? AND status = 'waiting'", one.id, step
    )
    if again[0][0] is not None:
        key = f"alert send:{one.id}:{step}:{again[0][0]}"
        await ground.store.change([ask(key, "alert send", dict(args), again[0][0], once=True)])


async def send_page(ground: Ground, page: Sequence[Waiting], say: Sayer, step: int, gate: asyncio.Semaphore) -> None:
    async def one(waiting: Waiting) -> tuple[Waiting, Told]:
        async with gate:
            return waiting, await attempt(ground, waiting, say.notice(waiting.language, step))

    told = await asyncio.gather(*map(one, page))
    await write_down(ground, told, say.alert.begun, "waiting")


async def write_down(ground: Ground, told: Sequence[tuple[Waiting, Told]], begun: int, again: str) -> None:
    now = ground.now()
    statements: list[Statement] = rows.put_done([done(waiting, said, now, begun, again) for waiting, said in told])
    pushed = [(waiting, said) for waiting, said in told if waiting.channel == "push" and waiting.endpoint]
    for waiting, said in pushed:
        if said.status == "gone":
            statements.append(rows.drop_subscription(waiting.target, waiting.endpoint or ""))
        elif said.status != "sent":
            statements.append(rows.put_failed(waiting.target, now, said.note))
    reached = sorted({waiting.target for waiting, said in pushed if said.status == "sent"})
    await ground.store.change([*statements, *rows.put_reached(reached, now)])


async def attempt(ground: Ground, waiting: Waiting, notice: Notice) -> Told:
    target = target_of(ground, waiting)
    if target is None:
        return Told("gone", "the way is no longer there")
    return await ground.send(target, notice)


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
    site, gate = await ground.site_name(project), asyncio.Semaphore(AT_ONCE)
    while found := await rows.gathered(ground.store, project, now):
        parts = [list(part) for _, part in groupby(found, key=lambda pair: (pair[1].channel, pair[1].target))]
        titles = {id: await titles_of(ground, id) for id in {id for id, _ in found}}

        async def one(part: list[tuple[str, Waiting]], titles: Mapping[str, Titles] = titles) -> Told:
            async with gate:
                return await attempt(ground, part[0][1], notice_of(ground, part, titles, project, site))

        told = await asyncio.gather(*map(one, parts))
        await write_down(
            ground,
            [(waiting, said) for part, said in zip(parts, told, strict=True) for _, waiting in part],
            now,
            "gathered",
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
