"""Alerts: a record asks, the ladder climbs, attempts go out, answers come in. Five jobs, each safe to repeat.

    alert        a record changed or a time came: begin what its declaration says, end what is over
    alert climb  take one step: write down whom it means and how, and ask for the next one
    alert send   send what a step wrote down; again later what could not be taken
    alert digest send what was gathered for the digest, one message to each phone
    alert tell   put the alert's state into the log, so that phones show it, offline too

Nothing is sent inside a transaction and nothing is decided outside of one: a step exists once
(`alert_step`), an attempt exists once, and a message sent twice carries the same tag.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from server.core import logic
from server.core.declaration import Alert as Rule
from server.core.declaration import Declarations, Kind
from server.core.ladder import GROUP_CHANNELS, Ladder, Member, Rung, due_ms, ladder_of, people_of
from server.core.merge import Record, is_deleted, shown
from server.core.needs import data_of
from server.core.problem import Problem
from server.store import alert as rows
from server.store.alert import ACKED, ENDED, OPEN, Alert, Attempt, Done, Waiting
from server.store.job import ask
from server.store.round import Statement, decode
from server.store.store import Store, now_ms
from server.sync.alert.address import NotAllowed, Wire
from server.sync.alert.channel import dingtalk, email, feishu, webhook, wecom
from server.sync.alert.channel.push import Push
from server.sync.alert.notice import BODY_LENGTH_MAX, NOTE_LENGTH_MAX, Notice, Target, Told, short
from server.sync.alert.words import body_of, title_of
from server.sync.computed import record_id
from server.sync.jobs import Run

LADDER: Final = "alerts.ladder"
ALERT: Final = "alerts.alert"
ANSWERS: Final = ("seen", "safe", "help")
AT_ONCE: Final = 32  # requests in the air
TRIES_MAX: Final = 10
BACK_OFF_MS: Final = 2_000
BACK_OFF_MS_MAX: Final = 15 * 60_000
GIVE_UP_MS: Final = 24 * 60 * 60_000
TELL_DELAY_MS: Final = 200  # what a roll call answers within a moment is told at once
ACT: Final = 5  # in a record's `act`: its name
GATHER_MS: Final = 5_000  # all alerts of a digest climb at the same minute; the message waits for the last of them

Titles = Mapping[str, str]  # language → title
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


class Alerts:
    """One per process. `jobs` belong into a lane of their own: they wait for other people's servers."""

    def __init__(
        self, store: Store, declarations: Declarations, outside: Outside, now: Callable[[], int] = now_ms
    ) -> None:
        self.store, self.declarations, self.outside, self.now = store, declarations, outside, now
        self.channels: dict[str, Send] = {
            "push": outside.push.send, "wecom": wecom.send, "dingtalk": dingtalk.send, "feishu": feishu.send,
            "webhook": webhook.send, "email": email.send,
        }  # fmt: skip

    @property
    def jobs(self) -> dict[str, Run]:
        return {
            "alert": self._look, "alert climb": self._climb, "alert send": self._send, "alert digest": self._digest,
            "alert tell": self._tell,
        }  # fmt: skip

    async def close(self) -> None:
        await self.outside.wire.close()

    # a record asks

    async def _look(self, args: Mapping[str, Any]) -> None:
        """Bring the alerts of one record up to date with it."""
        project, r = args["project"], args["r"]
        record = await self.store.record(project, r)
        kind = None if record is None else self.declarations.kind(record["c"])
        if record is None or kind is None:
            return
        begun = {one.id: one for one in await rows.alerts_of(self.store, project, r)}
        values = shown(record, kind)
        data = data_of(values, kind, record["state"])
        statements: list[Statement] = []
        gone = record["del"] is not None and is_deleted(record)
        zone = await self._zone(project)
        for name, rule in kind.alerts.items():
            over = gone or record["state"] in rule.ends
            statements += self._over([one for one in begun.values() if one.name == name], over=over)
            if over or not logic.holds(rule.if_, data):
                continue
            event = self._event(rule, record, values, zone)
            if event is None:
                continue
            text, at_ms = event
            if at_ms > self.now():
                statements.append(ask(f"alert due:{project}:{r}:{name}", "alert", dict(args), at_ms))
            elif (id := alert_id(project, r, name, text)) not in begun:
                statements += await self._begin(id, project, record, name, rule, data, zone)
        if statements:
            await self.store.change(statements)

    def _event(self, rule: Rule, record: Record, values: Mapping[str, Any], zone: str) -> tuple[str, int] | None:
        """What this rule is about, in one word, and since when (ms); None if nothing has happened."""
        if rule.on == "created":
            return "created", 0
        if rule.on == "act":
            act = record.get("act")
            return (f"act {act[0]} {act[1]}", 0) if act and act[ACT] == rule.act else None
        due = values.get(rule.due or "")
        if due is None:
            return None
        return f"due {due}", due if isinstance(due, int) else end_of_day(due, zone)

    def _over(self, alerts: Sequence[Alert], *, over: bool) -> list[Statement]:
        if not over:
            return []
        return [
            statement
            for one in alerts
            if one.state != ENDED
            for statement in (
                ("UPDATE alert SET state = 'ended', next = NULL WHERE id = ?", (one.id,)),
                *calm(one.id, "the matter is closed"),
                self._ask_tell(one.id),
            )
        ]

    async def _begin(
        self, id: str, project: str, record: Record, name: str, rule: Rule, data: dict[str, Any], zone: str
    ) -> list[Statement]:
        urgent, level = bool(logic.answer(rule.urgent, data)), logic.answer(rule.level, data)
        said = level if isinstance(level, str) else ""
        ladder = await self._ladder(project, record["c"], said, urgent=urgent)
        to, now = logic.answer(rule.to, data), self.now()
        steps = ladder.steps
        due = due_ms(ladder, now, steps[0][0], zone)
        everyone = int(bool(logic.answer(rule.each, data)))
        begin = (
            id, project, record["r"], record["c"], name, now, int(urgent), everyone,
            to if isinstance(to, str) else "all", said, msgspec.json.encode(asdict(ladder)).decode(), due,
        )  # fmt: skip
        return [(rows.BEGIN, begin), climb_at(id, 0, due), self._ask_tell(id)]

    async def _ladder(self, project: str, c: str, level: str, *, urgent: bool) -> Ladder:
        """The project's own for this kind and level, else for the kind, else the one that is shipped."""
        kind = self.declarations.kind(LADDER)
        best: dict[str, Any] = {}
        if kind is not None:
            async for chunk in self.store.records(project, LADDER):
                for _, body in chunk:
                    values = data_of(shown(decode(body), kind), kind, None)
                    if (
                        values.get("kind") == c
                        and values.get("level") in (level, None, "")
                        and (not best or values.get("level") == level)
                    ):
                        best = values
        return ladder_of(best, is_urgent=urgent)

    # the ladder climbs

    async def _climb(self, args: Mapping[str, Any]) -> None:
        one, step = await rows.alert(self.store, args["alert"]), args["step"]
        if one is None or one.state == ENDED or one.step != step or (one.state == ACKED and not one.everyone):
            return
        ladder = read_ladder(one.ladder)
        steps = ladder.steps
        if step >= len(steps):
            return
        answered = {person for person, *_ in await rows.answers(self.store, one.id)}
        attempts = await self._attempts(one, step, steps[step][1], answered)
        if ladder.digest_min is not None:
            attempts = [msgspec.structs.replace(a, status="gathered") if a.status == "waiting" else a for a in attempts]
        for start in range(0, len(attempts), rows.ROWS_MAX):  # a big step in parts, so that phones need not wait for it
            await self.store.change(rows.put_attempts(attempts[start : start + rows.ROWS_MAX]))
        await self.store.change(await self._taken(one, ladder, step))

    async def _taken(self, one: Alert, ladder: Ladder, step: int) -> list[Statement]:
        """The step is taken, what it wrote down is to be sent, and the next one has its time."""
        now, steps = self.now(), ladder.steps
        taken: list[Statement] = [
            (
                "INSERT INTO alert_step (alert, step, due, taken) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (alert, step) DO NOTHING",
                (one.id, step, one.next or now, now),
            ),
            self._ask_send(one, ladder, step),
            self._ask_tell(one.id),
        ]
        due = None
        if step + 1 < len(steps):
            due = due_ms(ladder, one.begun, steps[step + 1][0], await self._zone(one.project))
            due = max(due, now + 1)
            taken.append(climb_at(one.id, step + 1, due))
        taken.append(("UPDATE alert SET step = ?, next = ? WHERE id = ? AND step = ?", (step + 1, due, one.id, step)))
        return taken

    def _ask_send(self, one: Alert, ladder: Ladder, step: int) -> Statement:
        if ladder.digest_min is None:
            return ask(
                f"alert send:{one.id}:{step}", "alert send", {"alert": one.id, "step": step}, self.now(), once=True
            )
        due = self.now() + GATHER_MS
        return ask(f"alert digest:{one.project}", "alert digest", {"project": one.project}, due)

    async def _attempts(self, one: Alert, step: int, rungs: Sequence[Rung], answered: set[str]) -> list[Attempt]:
        """Each phone, group and gateway once, whatever number of rungs mean it."""
        members = await rows.members(self.store, one.project)
        values = await self._values(one)
        ways = await rows.phones(self.store, one.project, self.now())
        groups = await rows.channels(self.store, one.project)
        found: dict[str, Attempt] = {}
        for rung in rungs:
            made = (
                self._to_groups(one, step, rung, groups)
                if rung.channel in GROUP_CHANNELS
                else self._to_phones(one, step, people_of(rung.who, one.addressed, values, members), ways, answered)
            )
            for attempt in made:
                found.setdefault(attempt.id, attempt)
        return [found[id] for id in sorted(found)]

    def _to_groups(self, one: Alert, step: int, rung: Rung, groups: Mapping[str, Sequence[str]]) -> list[Attempt]:
        return [
            Attempt(f"{one.id}:{step}:{rung.channel}:{id}", one.id, step, rung.channel, None, id, "waiting", 0)
            for id in groups.get(rung.channel, ())
        ]

    def _to_phones(
        self,
        one: Alert,
        step: int,
        people: Sequence[Member],
        ways: Mapping[str, Sequence[str]],
        answered: set[str],
    ) -> list[Attempt]:
        made: list[Attempt] = []
        for person in people:
            if person.id in answered:
                continue
            at = f"{one.id}:{step}:push"
            if person.id not in ways:
                note = "no phone of theirs takes notifications"
                made.append(Attempt(f"{at}:{person.id}", one.id, step, "push", person.id, person.id, "no_way", 0, note))
            made += [
                Attempt(f"{at}:{device}", one.id, step, "push", person.id, device, "waiting", 0)
                for device in ways.get(person.id, ())
            ]
        return made

    async def _values(self, one: Alert) -> dict[str, Any]:
        record = await self.store.record(one.project, one.r)
        kind = self.declarations.kind(one.c)
        return {} if record is None or kind is None else shown(record, kind)

    # attempts go out

    async def _send(self, args: Mapping[str, Any]) -> None:
        one, step = await rows.alert(self.store, args["alert"]), args["step"]
        record = None if one is None else await self.store.record(one.project, one.r)
        kind = None if one is None else self.declarations.kind(one.c)
        if one is None or record is None or kind is None:
            return
        say = Sayer(self, one, kind, record, await self._site_name(one.project))
        after, now = "", self.now()
        gate = asyncio.Semaphore(AT_ONCE)
        while page := await rows.waiting(self.store, one.id, step, now, after):
            after = page[-1].id
            if (await rows.alert(self.store, one.id) or one).state == ENDED:
                return
            await self._send_page(page, say, step, gate)
        again = await self.store.rows(
            "SELECT min(due) FROM alert_attempt WHERE alert = ? AND step = ? AND status = 'waiting'", one.id, step
        )
        if again[0][0] is not None:
            key = f"alert send:{one.id}:{step}:{again[0][0]}"
            await self.store.change([ask(key, "alert send", dict(args), again[0][0], once=True)])

    async def _send_page(self, page: Sequence[Waiting], say: Sayer, step: int, gate: asyncio.Semaphore) -> None:
        async def one(waiting: Waiting) -> tuple[Waiting, Told]:
            async with gate:
                return waiting, await self._try(waiting, say.notice(waiting.language, step))

        told = await asyncio.gather(*map(one, page))
        await self._write_down(told, say.alert.begun, "waiting")

    async def _write_down(self, told: Sequence[tuple[Waiting, Told]], begun: int, again: str) -> None:
        now = self.now()
        statements: list[Statement] = rows.put_done([done(waiting, said, now, begun, again) for waiting, said in told])
        pushed = [(waiting, said) for waiting, said in told if waiting.channel == "push" and waiting.endpoint]
        for waiting, said in pushed:
            if said.status == "gone":
                statements.append(rows.drop_subscription(waiting.target, waiting.endpoint or ""))
            elif said.status != "sent":
                statements.append(rows.put_failed(waiting.target, now, said.note))
        reached = sorted({waiting.target for waiting, said in pushed if said.status == "sent"})
        await self.store.change([*statements, *rows.put_reached(reached, now)])

    async def _try(self, waiting: Waiting, notice: Notice) -> Told:
        target = self._target(waiting)
        if target is None:
            return Told("gone", "the way is no longer there")
        return await self.send(target, notice)

    async def send(self, target: Target, notice: Notice) -> Told:
        """One message, now. What the network does is an answer, not an error."""
        try:
            return await self.channels[target.channel](self.outside.wire, target, notice, self.now())
        except NotAllowed as error:
            return Told("failed", f"not allowed: {error}")
        except OSError as error:
            return Told("later", short(f"unreachable: {error or type(error).__name__}", NOTE_LENGTH_MAX))

    def _target(self, waiting: Waiting) -> Target | None:
        if waiting.channel == "push":
            if waiting.endpoint is None:
                return None
            return Target(waiting.target, "push", waiting.endpoint, waiting.auth or "", waiting.p256dh or "")
        if waiting.url is None:
            return None
        opened = self.outside.opened
        secret = opened(waiting.secret) if waiting.secret else ""
        return Target(waiting.target, waiting.channel, opened(waiting.url), secret, to=waiting.addressees or "")

    async def _digest(self, args: Mapping[str, Any]) -> None:
        project, now = args["project"], self.now()
        site, gate = await self._site_name(project), asyncio.Semaphore(AT_ONCE)
        while found := await rows.gathered(self.store, project, now):
            parts = [list(part) for _, part in groupby(found, key=lambda pair: (pair[1].channel, pair[1].target))]
            titles = {id: await self._title(id) for id in {id for id, _ in found}}

            async def one(part: list[tuple[str, Waiting]], titles: Mapping[str, Titles] = titles) -> Told:
                async with gate:
                    return await self._try(part[0][1], self._gathered(part, titles, project, site))

            told = await asyncio.gather(*map(one, parts))
            await self._write_down(
                [(waiting, said) for part, said in zip(parts, told, strict=True) for _, waiting in part],
                now,
                "gathered",
            )
        again = await self.store.rows(
            "SELECT min(a.due) FROM alert_attempt AS a JOIN alert ON alert.id = a.alert"
            " WHERE alert.project = ? AND a.status = 'gathered'",
            project,
        )
        if again[0][0] is not None:
            await self.store.change([ask(f"alert digest:{project}", "alert digest", dict(args), again[0][0])])

    async def _title(self, id: str) -> Titles:
        one = await rows.alert(self.store, id)
        kind = None if one is None else self.declarations.kind(one.c)
        if one is None or kind is None or one.name not in kind.alerts:
            return {}
        return {language: title_of(kind.alerts[one.name], kind, one.level, language) for language in ("zh", "en")}

    def _gathered(
        self, part: Sequence[tuple[str, Waiting]], titles: Mapping[str, Titles], project: str, site: str
    ) -> Notice:
        language = "en" if (part[0][1].language or "").startswith("en") else "zh"
        said = [titles[id].get(language, "") for id, _ in part]
        lines = [f"{title} × {count}" if count > 1 else title for title, count in Counter(filter(None, said)).items()]
        title = self.outside.words("alert.digest_title", language).replace("{n}", str(len(part)))
        path = f"/alerts?project={project}"
        return Notice(
            tag=f"digest {project}", title=title, body=short(" · ".join(lines), BODY_LENGTH_MAX), path=path,
            link=self.outside.link(path), site=site, project=project, language=language, urgent=False,
        )  # fmt: skip

    # answers come in

    async def answer(self, id: str, person: str, answer: str, via: str) -> Alert:
        """Somebody has seen it. The first answer of a person counts; only a call for help comes after it.
        Raises Problem `not_found`, also for who is not on that site."""
        one = await rows.alert(self.store, id)
        if one is None or await self.store.access.known(one.project, person) is None:
            raise Problem("not_found")
        keep = (
            "INSERT INTO alert_answer (alert, person, at, answer, via) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (alert, person) DO UPDATE SET at = excluded.at, answer = excluded.answer, via = excluded.via"
            " WHERE alert_answer.answer <> excluded.answer AND excluded.answer <> 'seen'"
        )
        statements: list[Statement] = [(keep, (id, person, self.now(), answer, via)), self._ask_tell(id)]
        if not one.everyone:
            statements.append(("UPDATE alert SET state = 'acked', next = NULL WHERE id = ? AND state = 'open'", (id,)))
            statements += calm(id, "answered")
        else:
            statements.append(
                (
                    "UPDATE alert_attempt SET status = 'answered'"
                    " WHERE alert = ? AND person = ? AND status IN ('waiting', 'gathered')",
                    (id, person),
                )
            )
        await self.store.change(statements)
        return one

    # phones are told

    def _ask_tell(self, id: str) -> Statement:
        return ask(f"alert tell:{id}", "alert tell", {"alert": id}, self.now() + TELL_DELAY_MS)

    async def _tell(self, args: Mapping[str, Any]) -> None:
        one = await rows.alert(self.store, args["alert"])
        if one is None or self.declarations.kind(ALERT) is None:
            return
        values = await self._told_values(one)
        r = record_id(one.project, ALERT, one.id)
        stored = await self.store.record(one.project, r)
        if stored is None or stored["set"] != values:
            await self.store.put(one.project, [{"k": "put", "c": ALERT, "r": r, "set": values}])

    async def _told_values(self, one: Alert) -> dict[str, Any]:
        sql = "SELECT DISTINCT person FROM alert_attempt WHERE alert = ? AND person IS NOT NULL ORDER BY person"
        to = [person for (person,) in await self.store.rows(sql, one.id)]
        values: dict[str, Any] = {
            "alert": one.id, "about": one.r, "kind": one.c, "name": one.name, "level": one.level,
            "urgent": bool(one.urgent), "everyone": bool(one.everyone), "status": one.state,
            "begun": one.begun, "step": one.step, "to": to,
        }  # fmt: skip
        if one.next is not None and one.state == OPEN:
            values["next"] = one.next
        for person, _, answer, _ in await rows.answers(self.store, one.id):
            values.setdefault(answer, []).append(person)
        return {name: value for name, value in values.items() if value not in ("", [])}

    async def _zone(self, project: str) -> str:
        rows_ = await self.store.rows("SELECT zone FROM project WHERE id = ?", project)
        return str(rows_[0][0]) if rows_ else "Asia/Shanghai"

    async def _site_name(self, project: str) -> str:
        rows_ = await self.store.rows("SELECT name FROM project WHERE id = ?", project)
        return str(rows_[0][0]) if rows_ else ""


class Sayer:
    """The words of one alert, once a language."""

    def __init__(self, alerts: Alerts, one: Alert, kind: Kind, record: Record, site: str) -> None:
        self.alert, self._kind, self._values, self._site = one, kind, shown(record, kind), site
        self._link, self._said = alerts.outside.link, dict[tuple[str, int], Notice]()

    def notice(self, language: str | None, step: int) -> Notice:
        key = ("en" if (language or "").startswith("en") else "zh", step)
        if key not in self._said:
            self._said[key] = self._make(key[0], step)
        return self._said[key]

    def _make(self, language: str, step: int) -> Notice:
        one, rule = self.alert, self._kind.alerts[self.alert.name]
        path = f"/record/{one.c}/{one.r}?project={one.project}&alert={one.id}"
        return Notice(
            tag=one.id, title=title_of(rule, self._kind, one.level, language),
            body=body_of(rule, self._kind, self._values, language), path=path, link=self._link(path),
            site=self._site, project=one.project, language=language, urgent=bool(one.urgent), step=step,
        )  # fmt: skip


def alert_id(project: str, r: str, name: str, event: str) -> str:
    """The same for the same event, so that it begins once however often it is looked at."""
    digest = hashlib.sha256(f"alert\n{project}\n{r}\n{name}\n{event}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


def climb_at(id: str, step: int, due: int) -> Statement:
    return ask(f"alert climb:{id}:{step}", "alert climb", {"alert": id, "step": step}, due, once=True)


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


def done(waiting: Waiting, told: Told, now: int, begun: int, again: str) -> Done:
    """What becomes of an attempt; `again` with growing pauses, for a day at most."""
    if told.status != "later":
        return Done(waiting.id, told.status, now, 0, told.note)
    if waiting.tries + 1 >= TRIES_MAX and now - begun > GIVE_UP_MS:
        return Done(waiting.id, "failed", now, 0, told.note)
    pause = min(BACK_OFF_MS * 2**waiting.tries, BACK_OFF_MS_MAX)
    return Done(waiting.id, again, now, now + max(pause, 1000 * (told.retry_after_s or 0)), told.note)


def read_ladder(text: str) -> Ladder:
    said = msgspec.json.decode(text)
    quiet = said["quiet"]
    return Ladder(tuple(Rung(**rung) for rung in said["rungs"]), tuple(quiet) if quiet else None, said["digest_min"])


def end_of_day(day: str, zone: str) -> int:
    """A date is over when the next one begins on the site, ms UTC."""
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    return int((start + timedelta(days=1)).timestamp() * 1000)
