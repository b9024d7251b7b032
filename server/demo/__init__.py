"""The demo site behind `gongbu serve --demo`: invented people, and six weeks that came in the real way.

Every check-in, inspection, defect, hazard, approval and return is a batch signed by a phone's own key and admitted by
the same push as any other, so log, signatures and seals are genuine. Alerts begin and are answered at their times; as
no phone takes notifications yet, none is sent. Nobody can sign in before all of it is
there, so a set-up that was broken off leaves nothing but a site that nobody sees, and the next
one begins anew.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from server.demo.cast import (
    OFFICE,
    OTHER_FENCE,
    OTHER_SITE,
    OTHER_TEAM,
    PASSWORD,
    PLACES,
    SITE,
    SITE_FENCE,
    STRANGER,
    TEAMS,
    ZONE,
    Fence,
    Member,
    Team,
)  # fmt: skip
from server.demo.hazards import Heard, six_weeks_of_hazards
from server.demo.inspected import CLERK, DAYS, Sheet, two_weeks
from server.demo.phone import Phone, push_body
from server.demo.photographs import PLAN, Camera, upload
from server.demo.replay import Replay, at_rest
from server.demo.weeks import DAY_MS, MINUTE_MS, Sent, Weeks, six_weeks
from server.modules.inspections.library import library_of
from server.store.access import Session
from server.store.people import NewPerson, add_people, add_place, add_project, add_team
from server.store.store import Store
from server.store.tables import Device, Person
from server.store.tables import Member as Membership
from server.web.password import hash_now
from server.web.site import Site

SEED: Final = 20_260_301
ROLES: Final = {
    "worker": "工人 worker", "foreman": "班组长 foreman", "inspector": "质检员 inspector",
    "supervisor": "监理 supervisor", "manager": "项目经理 manager", "office": "劳资员 office",
    "client": "建设单位 client",
}  # fmt: skip
BATCHES_MAX: Final = 50
JUST_NOW_MS: Final = 50 * MINUTE_MS


@dataclass(frozen=True)
class Demo:
    """What the terminal prints: the project, and who can sign in as whom."""

    project: str
    password: str
    logins: Sequence[tuple[str, str, str]]  # sign-in name, person, role and site


@dataclass
class Stage:
    """One site while it is set up. `ids` are those of its people and teams, by name."""

    site: Site
    project: str
    ids: dict[str, str]
    phones: dict[str, Phone] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    heads: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    camera: Camera = field(default_factory=Camera)

    def head_at(self, instant: int) -> int:
        """What a phone had in hand at a time."""
        return next((head for since, head in reversed(self.heads) if since <= instant), 0)


async def set_up(site: Site) -> Demo:
    """The demo sites, made if they are not there yet."""
    project = await _there()
    if project is None:
        now = site.now()
        main = await _make(site, SITE, SITE_FENCE, TEAMS, OFFICE, now)
        other = await _make(site, OTHER_SITE, OTHER_FENCE, (OTHER_TEAM,), (STRANGER,), now)
        await site.sync.settle()
        # Last, for nobody need wait until the photos are developed.
        devices = {name: phone.device for name, phone in main.phones.items()}
        await upload(site, main.project, main.ids, devices, main.camera)
        await _open_doors(site.store, [main, other])
        project = main.project
    named = [(member, SITE) for member in _everybody(TEAMS, OFFICE)] + [(STRANGER, OTHER_SITE)]
    logins = [
        (member.login, member.name, f"{ROLES[member.roles[0]]} · {where}") for member, where in named if member.login
    ]
    return Demo(project, PASSWORD, logins)


async def _there() -> str | None:
    """The demo project, if it is complete."""
    has_door = Membership.person._.login == OFFICE[2].login
    found = await Membership.select(Membership.project).where(Membership.project._.demo == 1, has_door).first()
    return str(found["project"]) if found else None


def _everybody(teams: Iterable[Team], office: Iterable[Member]) -> Iterator[Member]:
    for team in teams:
        yield from team.everybody
    yield from office


async def _make(
    site: Site, name: str, fence: Fence, teams: Sequence[Team], office: Sequence[Member], now: int
) -> Stage:
    store = site.store
    people = list(_everybody(teams, office))
    ids = {one: str(uuid.uuid4()) for one in [*(team.name for team in teams), *(member.name for member in people)]}
    stage = Stage(site, await add_project(store, name, now, zone=ZONE, fence=fence, demo=True), ids)
    for team in teams:
        await add_team(
            store, stage.project, team.name, trade=team.trade, employer=team.employer,
            foreman=ids[team.foreman.name], id=ids[team.name],
        )  # fmt: skip
    for place, code in PLACES:
        await add_place(store, stage.project, place, code, lat=fence[0], lng=fence[1], radius_m=fence[2])
    team_of = {member.name: ids[team.name] for team in teams for member in team.everybody}
    await add_people(store, stage.project, [_person(member, ids, team_of) for member in people], now)
    await _hand_out_phones(stage, people, now)
    await site.sync.settle()
    sent = six_weeks(ids, now, SEED, teams, fence)
    heard: Sequence[Heard] = ()
    if teams is TEAMS:
        camera = stage.camera
        library = {key: one.values for key, one in site.own(library_of).by_key.items()}
        weeks = Weeks(ids, now, Random(SEED), fence)
        plan = Sheet(PLAN, str(uuid.uuid4()), dict(camera.plan()))
        weeks.push(CLERK, now - (DAYS + 1) * DAY_MS, [plan.new()])
        await asyncio.to_thread(two_weeks, weeks, library, camera.shoot, plan.r)
        heard = await asyncio.to_thread(six_weeks_of_hazards, weeks, camera.shoot, plan.r)
        sent = sorted([*sent, *weeks.sent], key=lambda one: (one.received, one.made))
    await _live_through(stage, sent, heard)
    return stage


def _person(member: Member, ids: Mapping[str, str], team_of: Mapping[str, str]) -> NewPerson:
    teams = [team_of[member.name]] if member.name in team_of else []
    return NewPerson(member.name, roles=member.roles, teams=teams, id=ids[member.name])


async def _hand_out_phones(stage: Stage, people: Iterable[Member], now: int) -> None:
    store = stage.site.store
    for member in people:
        if member.has_phone:
            stage.phones[member.name] = Phone(stage.ids[member.name], f"{member.name}的手机")
    devices = [
        Device(id=phone.device, person=phone.person, label=phone.label, key=phone.public_key.text, created=now)
        for phone in stage.phones.values()
    ]
    async with store.transaction():
        await Device.insert(*devices)
    for name, phone in stage.phones.items():
        session = await store.access.session_of(phone.person, phone.device)
        assert session is not None
        stage.sessions[name] = session


async def _live_through(stage: Stage, sent: Sequence[Sent], heard: Sequence[Heard]) -> None:
    """Push it all in the order of time, half a day at once; what follows from it is computed at the end."""
    now = stage.site.now()
    replay = Replay(stage.site, stage.project, stage.ids, list(heard))
    with at_rest(stage.site.sync.jobs, stage.site.sync.outside):
        for _, group in groupby(sent, lambda one: half_day(one, now)):
            together = list(group)
            await replay.until(together[0].received)
            await _push_all(stage, together)
            await replay.after(together)
        await replay.rest()


def half_day(one: Sent, now: int) -> tuple[object, ...]:
    """What is pushed side by side."""
    local = datetime.fromtimestamp(one.received / 1000, ZoneInfo(ZONE))
    return local.date(), local.hour >= 12, local.hour >= 17, one.received > now - JUST_NOW_MS


async def _push_all(stage: Stage, sent: Sequence[Sent]) -> None:
    by_phone: dict[str, list[Sent]] = {}
    for one in sent:
        by_phone.setdefault(one.by.name, []).append(one)
    pushes = [
        _push(stage, name, part[start : start + BATCHES_MAX])
        for name, part in by_phone.items()
        for start in range(0, len(part), BATCHES_MAX)
    ]
    newest = [await push for push in pushes] if len(pushes) == 1 else await asyncio.gather(*pushes)
    stage.heads.append((sent[-1].received, max(newest)))


async def _push(stage: Stage, name: str, sent: Sequence[Sent]) -> int:
    """One request of a phone; answers the seq of its last batch."""
    phone, site = stage.phones[name], stage.site
    v = site.declarations.v
    batches = [phone.sign(stage.project, stage.head_at(one.made), one.t, v, one.ops) for one in sent]
    body = push_body(phone.device, sent[-1].sent, batches)
    answer = json.loads(await site.sync.push(stage.sessions[name], body, received=sent[-1].received))
    for result in answer["results"]:
        if result["status"] != "applied":
            raise RuntimeError(f"the demo was refused: {result}")
    return int(answer["results"][-1]["seq"])


async def _open_doors(store: Store, stages: Sequence[Stage]) -> None:
    """Give the named people their sign-in, all at once and last of all."""
    password = await asyncio.to_thread(hash_now, PASSWORD)
    named = [*_everybody(TEAMS, OFFICE), STRANGER]
    ids = {name: id for stage in stages for name, id in stage.ids.items()}
    async with store.transaction():
        for member in named:
            if member.login:
                door = Person.update({Person.login: member.login, Person.password: password})
                await door.where(Person.id == ids[member.name])
