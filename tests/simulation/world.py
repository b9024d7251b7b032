"""Some phones, one server and a bad network, driven by a list of steps that a seed has drawn.

A step is plain data, `(word, numbers…)`, and each finds its own meaning in whatever the world is at that moment:
so any step can be left out of a list and the rest still runs, which is how a failing list is made shorter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Protocol

from server.core.batch import Malformed
from server.core.declaration import Declarations
from server.core.merge import Record
from server.core.person import Actor
from tests.simulation import hands
from tests.simulation.junk import spoil
from tests.simulation.phone import Form, Outgoing, Phone
from tests.simulation.server import Answer, Crash, Crashed, Entry, Gap, Member, Page, Project, Server
from tests.simulation.trial import DECLARED, NEWER

Step = tuple[Any, ...]
EPOCH_MS: Final = 1_790_000_000_000
PROJECTS: Final = ("north", "south")
DAY_MS: Final = 86_400_000
OFFSETS_MS: Final = (0, 0, 400, -900, 3 * 3_600_000, -40 * 60_000, 400 * DAY_MS, -30 * DAY_MS)
ROLES: Final = (
    {"worker"}, {"worker"}, {"foreman"}, {"foreman", "worker"}, {"supervisor"}, {"manager"}, {"office"}, {"inspector"},
)  # fmt: skip


class Site(Protocol):
    """What the world asks of a server: the one in memory, or a real one behind an adapter."""

    declarations: Declarations

    def push(self, device: str, sent: int, payloads: list[str], received: int, crash: Crash = None) -> list[Answer]: ...
    def rush(self, requests: list[Request], received: int) -> list[list[Answer] | None]: ...
    def pull(self, device: str, project: str, cursor: int, epoch: Any, limit: int = ...) -> Page | None: ...
    def put(self, project: str, ops: list[dict[str, Any]], now: int) -> None: ...
    def actor(self, device: str, project: str) -> Actor | None: ...
    def member(self, project: str, person: str, member: Member | None) -> None: ...
    def restart(self) -> None: ...
    def contents(self) -> str: ...
    def last_n(self, device: str) -> int: ...
    def records(self, project: str) -> dict[str, Record]: ...
    def log(self, project: str) -> list[Entry]: ...
    def head(self, project: str) -> int: ...


Request = tuple[str, int, list[str]]  # device, sent, payloads


@dataclass
class Late:
    """A request that the network has kept back: it may come later, twice, or never."""

    phone: int
    sent: int
    payloads: list[str]


@dataclass
class World:
    seed: int
    site: Site
    phones: list[Phone]
    now: int = EPOCH_MS
    late: list[Late] = field(default_factory=list)
    heard: dict[tuple[str, int], list[Answer]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)  # what a step itself saw go wrong, as "number: words"
    approved: list[tuple[Phone, Outgoing]] = field(default_factory=list)  # applied, with what was seen
    pages: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, word: str) -> None:
        self.counts[word] = self.counts.get(word, 0) + 1

    # -- steps

    def take(self, step: Step) -> None:
        STEPS[step[0]](self, *step[1:])

    def tick(self, ms: int) -> None:
        self.now += ms

    def jump(self, which: int, offset_ms: int) -> None:
        self._phone(which).offset_ms = offset_ms

    def open(self, which: int, project: int) -> None:
        self._phone(which).open_form(PROJECTS[project])

    def save(self, which: int, project: int, draw: int, crash: int) -> None:
        """Write an entry, on the form that is open (perhaps for long) or on a fresh one."""
        phone, random = self._phone(which), Random(draw)
        if crash == 1:  # before the disk has it: nobody was told that it is saved
            phone.crash()
            return
        held_open = phone.form is not None and phone.form.project == PROJECTS[project] and random.random() < 0.6
        form = phone.form if held_open and phone.form else phone.open_form(PROJECTS[project])
        actor = self.site.actor(phone.device, form.project)
        if actor is None and random.random() < 0.9:
            return
        desk = hands.Desk(random, form.records, phone.declarations, phone.person, actor)
        ops, v = hands.write(desk, self.site.declarations.v)
        phone.save(form.project, ops, self.now, base=form.base, seen=desk.seen, v=v)
        phone.form = None
        if crash == 2:  # after the disk has it
            phone.crash()

    def send(self, which: int, fate: str) -> None:
        phone = self._phone(which)
        payloads = phone.request()[1:] if fate == "first left out" else phone.request()
        if not payloads:
            return
        sent = phone.clock(self.now)
        if fate in ("kept back", "repeated"):
            self.late.append(Late(which, sent, payloads))
        if fate in ("lost", "kept back"):
            return
        self.now += 50
        crash: Crash = "before" if fate == "server dies before" else "after" if fate == "server dies after" else None
        answers = self._push(which, sent, payloads, crash)
        if fate == "phone dies":
            phone.crash()
        elif fate != "answer lost" and answers is not None:
            self._hear(which, answers)

    def rush(self) -> None:
        """Everybody comes into range and sends in the same moment."""
        senders = [which for which, phone in enumerate(self.phones) if phone.disk.outbox]
        phones = [self.phones[which] for which in senders]
        requests = [(phone.device, phone.clock(self.now), phone.request()) for phone in phones]
        self.now += 50
        for which, answers in zip(senders, self.site.rush(requests, self.now), strict=True):
            if answers is not None:
                self._note(self.phones[which], answers)
                self._hear(which, answers)

    def arrive(self, which: int, heard: int) -> None:
        """A request that was kept back comes after all; the phone may still be there for the answer."""
        if self.late:
            late = self.late[which % len(self.late)]
            answers = self._push(late.phone, late.sent, late.payloads, None)
            if heard and answers is not None:
                self._hear(late.phone, answers)

    def pull(self, which: int, project: int, pages: int, cut: int) -> None:
        """Up to `pages` pages; of the last one only `cut` lines, if that is less than it has."""
        phone, name = self._phone(which), PROJECTS[project]
        for number in range(pages):
            page = self.ask(phone, name)
            if page is None:
                return
            last = number == pages - 1
            phone.store(name, page, min(cut, len(page.lines)) if last else len(page.lines))
            if not page.header["more"]:
                return

    def die(self, which: int) -> None:
        self._phone(which).crash()

    def role(self, who: int, project: int, draw: int) -> None:
        random = Random(draw)
        member = None if random.random() < 0.1 else draw_member(random)
        self.site.member(PROJECTS[project], hands.PEOPLE[who % len(hands.PEOPLE)], member)

    def compute(self, project: int, draw: int) -> None:
        """The server writes what it has computed: the same record again and again, now and then away."""
        random = Random(draw)
        r = f"00000000-0000-5000-8000-{random.randrange(4):012}"
        person = hands.PEOPLE[int(r[-1]) % len(hands.PEOPLE)]
        op: dict[str, Any] = {"k": "put", "c": "trial.total", "r": r}
        op["set"] = {"worker": person, "hours": random.randrange(9000), "flags": random.sample(hands.PEOPLE, 2)}
        if random.random() < 0.2 and r in self.site.records(PROJECTS[project]):
            op = {"k": "del", "c": "trial.total", "r": r}
        self.site.put(PROJECTS[project], [op], self.now)

    def mend(self, which: int, draw: int) -> None:
        """A refused entry: written again with what is known now, or dropped."""
        phone, random = self._phone(which), Random(draw)
        if not phone.disk.refused:
            return
        out = random.choice(phone.disk.refused)
        phone.drop(out.n)
        if random.random() < 0.6:
            batch = json.loads(out.payload)
            base = phone.copy(out.project).base
            phone.save(out.project, batch["ops"], self.now, base=base, seen=out.seen, v=batch["v"])

    def junk(self, which: int, draw: int) -> None:
        """A payload that no phone would send, from a device of its own."""
        phone, random = self._phone(which), Random(draw)
        project = random.choice(PROJECTS)
        desk = hands.Desk(random, phone.view(project), phone.declarations, phone.person, None)
        ops, v = hands.write(desk, self.site.declarations.v)
        device = f"odd-{phone.device}"
        n = self.site.last_n(device) + 1
        payload = {"n": n, "project": project, "base": 0, "t": phone.clock(self.now), "v": v, "ops": ops}
        self._push_odd(device, spoil(payload, random))

    def update_server(self) -> None:
        self.site.declarations = NEWER

    def update_phone(self, which: int) -> None:
        self._phone(which).declarations = NEWER

    # -- what steps are made of

    def ask(self, phone: Phone, project: str) -> Page | None:
        copy = phone.copy(project)
        page = self.site.pull(phone.device, project, copy.cursor, copy.epoch)
        if page is None:
            phone.sent_away(project)
            return None
        self.pages += 1
        self._check_audience(phone, project, page)
        return page

    def _phone(self, which: int) -> Phone:
        return self.phones[which % len(self.phones)]

    def _push(self, which: int, sent: int, payloads: list[str], crash: Crash) -> list[Answer] | None:
        phone = self._phone(which)
        last_n = self.site.last_n(phone.device)
        before, heads = self.site.contents(), [self.site.head(name) for name in PROJECTS]
        try:
            answers = self.site.push(phone.device, sent, payloads, self.now, crash)
        except Crashed:
            self.site.restart()
            return None
        except Gap as gap:
            self.count("gap")
            if gap.expected > json.loads(payloads[0])["n"]:
                self.faults.append(f"1: {phone.device} told to go on with {gap.expected}, past what it has")
            if before != self.site.contents():
                self.faults.append("1: a request with a gap changed something")
            return None
        moved = sum(self.site.head(name) for name in PROJECTS) - sum(heads)
        if moved == 0 and before != self.site.contents():
            self.faults.append("4: a request that admitted nothing changed something")
        self._note(phone, answers)
        for answer in answers:
            if answer.get("code") == "sealed" and answer["n"] > last_n:
                self._check_sealed(phone, answer, payloads)
        return answers

    def _note(self, phone: Phone, answers: list[Answer]) -> None:
        for answer in answers:
            self.count(answer["status"] if answer["status"] == "applied" else answer["code"])
            self.heard.setdefault((phone.device, answer["n"]), []).append(answer)

    def _check_sealed(self, phone: Phone, answer: Answer, payloads: list[str]) -> None:
        """Property 11 from its other side: refused as sealed is only who knew of the seal."""
        batch = next(batch for payload in payloads if (batch := json.loads(payload))["n"] == answer["n"])
        seal = self.site.records(batch["project"])[batch["ops"][answer["op"]]["r"]]["seal"]
        if seal is not None and seal["seq"] > batch["base"] and seal["device"] != phone.device:
            self.faults.append(f"11: {phone.device} {batch['n']} could not know of {seal} and was refused")

    def _push_odd(self, device: str, payload: str) -> None:
        before = self.site.contents()
        try:
            answer = self.site.push(device, self.now, [payload], self.now)[0]
        except (Malformed, Gap):
            answer = {"status": "refused", "code": "malformed"}
        self.count(f"junk {answer['status']}")
        if answer["status"] == "refused" and before != self.site.contents():
            self.faults.append(f"22: junk changed something: {payload}")

    def _hear(self, which: int, answers: list[Answer]) -> None:
        """First what was applied, then each refusal by itself, to see what it takes out of the view (property 16)."""
        phone = self._phone(which)
        waiting = {out.n: out for out in phone.disk.outbox}
        applied = [answer for answer in answers if answer["status"] == "applied"]
        self.approved += [(phone, waiting[a["n"]]) for a in applied if a["n"] in waiting and waiting[a["n"]].seen]
        phone.hear(applied)
        for answer in answers:
            if answer["status"] == "refused" and answer["n"] in waiting:
                self._hear_refusal(phone, waiting[answer["n"]], answer)

    def _hear_refusal(self, phone: Phone, out: Outgoing, answer: Answer) -> None:
        before = phone.view(out.project)
        waiting = list(phone.disk.outbox)
        phone.disk.outbox = [other for other in waiting if other is not out]
        without = phone.view(out.project)
        phone.disk.outbox = waiting
        phone.hear([answer])
        after = phone.view(out.project)
        named = {op["r"] for op in json.loads(out.payload)["ops"]}
        moved = {r for r in before.keys() | after.keys() if before.get(r) != after.get(r)}
        later = {op["r"] for other in phone.disk.outbox if other.n > out.n for op in json.loads(other.payload)["ops"]}
        if after != without:
            self.faults.append(f"16: {phone.device} still shows something of the refused {out.n}")
        if not moved <= named | later:
            self.faults.append(f"16: {phone.device}: refusing {out.n} moved {moved - named - later}")

    def _check_audience(self, phone: Phone, project: str, page: Page) -> None:
        """Property 15, by a second reading of A5 that shares no code with the server."""
        actor = self.site.actor(phone.device, project)
        for line in page.lines:
            aud = json.loads(line)["aud"]
            if actor is None or not may_see(aud, actor):
                self.faults.append(f"15: {phone.person} was sent a record for {aud}")


def may_see(aud: str, actor: Actor) -> bool:
    sort, _, name = aud.partition(":")
    if sort == "all":
        return True
    if sort == "office":
        return not actor.roles.isdisjoint({"office", "manager"})
    if sort == "team":
        return name in actor.teams or not actor.roles.isdisjoint({"inspector", "supervisor", "manager", "office"})
    crew = "foreman" in actor.roles and not actor.teams.isdisjoint(actor.teams_of.get(name, ()))
    return name == actor.person or crew or not actor.roles.isdisjoint({"supervisor", "manager", "office"})


def draw_member(random: Random) -> Member:
    return Member(frozenset(random.choice(ROLES)), frozenset(random.sample(hands.TEAMS, random.randrange(3))))


class Model(Server):
    """The server in memory, as a Site."""

    def member(self, project: str, person: str, member: Member | None) -> None:
        if member is None:
            self.projects[project].members.pop(person, None)
        else:
            self.projects[project].members[person] = member

    def rush(self, requests: list[Request], received: int) -> list[list[Answer] | None]:
        answers: list[list[Answer] | None] = []
        for device, sent, payloads in requests:
            try:
                answers.append(self.push(device, sent, payloads, received))
            except Gap:
                answers.append(None)
        return answers

    def restart(self) -> None:
        """Everything is on its disk already."""

    def records(self, project: str) -> dict[str, Record]:
        return self.projects[project].records

    def log(self, project: str) -> list[Entry]:
        return self.projects[project].log

    def head(self, project: str) -> int:
        return self.projects[project].head


@dataclass
class Cast:
    """Who takes part: drawn first, so that every kind of server gets the same."""

    devices: dict[str, str]  # device → person
    members: dict[str, dict[str, Member]]
    phones: list[Phone]
    declarations: Declarations


def cast(seed: int) -> Cast:
    random = Random(f"cast {seed}")
    count = random.randrange(2, 7)
    people = [hands.PEOPLE[i if random.random() < 0.85 else 0] for i in range(count)]
    phones = [
        Phone(
            f"d{i}",
            person,
            random.choice((DECLARED, DECLARED, NEWER)),
            random.choice(OFFSETS_MS),
            random.choice((0, 0, 30)),
        )
        for i, person in enumerate(people)
    ]
    members = {name: {person: draw_member(random) for person in hands.PEOPLE} for name in PROJECTS}
    # Somebody approves and somebody works in nearly every cast; else there is little to see.
    members[PROJECTS[0]][people[0]] = Member(frozenset({"supervisor"}), frozenset())
    members[PROJECTS[0]][people[-1]] = Member(frozenset({"foreman", "worker"}), frozenset({"t1"}))
    del members[PROJECTS[1]][people[0]]
    devices = {phone.device: phone.person for phone in phones}
    devices |= {f"odd-{phone.device}": phone.person for phone in phones}
    return Cast(devices, members, phones, random.choice((DECLARED, DECLARED, NEWER)))


def world(seed: int, site: Callable[[Cast], Site] | None = None) -> World:
    players = cast(seed)
    make = site or model
    return World(seed, make(players), players.phones)


def model(players: Cast) -> Model:
    projects = {name: Project(members=dict(members)) for name, members in players.members.items()}
    return Model(players.declarations, projects, players.devices)


FATES: Final = (
    *["heard"] * 9, "lost", "answer lost", "answer lost", "kept back", "repeated", "server dies before",
    "server dies after", "phone dies", "first left out",
)  # fmt: skip


WEIGHTS: Final = {
    "save": 30, "send": 24, "pull": 24, "open": 6, "tick": 10, "arrive": 5, "mend": 4, "die": 2, "jump": 2, "role": 2,
    "compute": 3, "junk": 3, "update": 0.4, "rush": 2,
}  # fmt: skip


def draw_steps(seed: int, count: int) -> list[Step]:
    """The history of a seed, before anything has happened."""
    return list(_steps(Random(f"steps {seed}"), count))


def _steps(random: Random, count: int) -> Iterator[Step]:
    for _ in range(count):
        which, project, draw = random.randrange(6), int(random.random() < 0.2), random.getrandbits(32)
        word = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if word == "save":
            yield word, which, project, draw, random.choice((0,) * 18 + (1, 2))
        elif word == "send":
            yield word, which, random.choice(FATES)
        elif word == "pull":
            yield word, which, project, random.choice((1, 3, 50)), random.choice((99, 99, 99, 0, 3))
        elif word == "open":
            yield word, which, project
        elif word == "tick":
            yield word, random.choice((1, 1000, 60_000, 3_600_000))
        elif word == "arrive":
            yield word, which, random.randrange(2)
        elif word == "jump":
            yield word, which, random.choice(OFFSETS_MS)
        elif word == "compute":
            yield word, project, draw
        elif word == "role":
            yield word, which, project, draw
        elif word == "update":
            yield ("update_phone", which) if random.random() < 0.7 else ("update_server",)
        elif word == "rush":
            yield (word,)
        elif word == "die":
            yield word, which
        else:
            yield word, which, draw


STEPS: Final[dict[str, Callable[..., None]]] = {
    "save": World.save, "send": World.send, "rush": World.rush, "pull": World.pull, "open": World.open,
    "tick": World.tick, "arrive": World.arrive, "mend": World.mend, "die": World.die, "jump": World.jump,
    "role": World.role, "compute": World.compute, "junk": World.junk, "update_phone": World.update_phone,
    "update_server": World.update_server,
}  # fmt: skip

REST_ROUNDS_MAX: Final = 200


def come_to_rest(world: World) -> None:
    """The network is good again: what was kept back comes, everybody sends all and pulls all."""
    for late in list(world.late):
        world._push(late.phone, late.sent, late.payloads, None)
    for which, phone in enumerate(world.phones):
        for _ in range(REST_ROUNDS_MAX):
            if not phone.disk.outbox:
                break
            world.send(which, "heard")
    for which in range(len(world.phones)):
        for project in range(len(PROJECTS)):
            world.pull(which, project, REST_ROUNDS_MAX, 10**9)


__all__ = ["PROJECTS", "Cast", "Form", "Site", "Step", "World", "cast", "come_to_rest", "draw_steps", "world"]
