"""Alerts, asked about and answered: "why was I not told?" has an answer, for each person and each step."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import get, post
from litestar.params import JSONBody

from server.core.person import granted
from server.core.problem import Problem
from server.store import alert as rows
from server.web.caller import TheCaller
from server.web.names import names_of_people
from server.web.site import TheSite
from server.web.wire import AskedId, PathId

SEES_ALL = frozenset({"inspector", "supervisor", "manager", "office"})


class Answer(msgspec.Struct):
    answer: Literal["seen", "safe", "help"] = "seen"
    via: Literal["app", "notification"] = "app"


class Answered(msgspec.Struct):
    alert: str
    status: str


class AttemptMade(msgspec.Struct):
    step: int
    channel: str
    person: str | None
    name: str
    status: str
    at: int | None
    tries: int
    note: str


class StepTaken(msgspec.Struct):
    step: int
    due: int
    taken: int


class AnswerGiven(msgspec.Struct):
    person: str
    name: str
    at: int
    answer: str
    via: str


class AlertTold(msgspec.Struct):
    id: str
    name: str
    level: str
    urgent: bool
    everyone: bool
    status: str
    begun: int
    next: int | None
    steps: list[StepTaken]
    attempts: list[AttemptMade]
    answers: list[AnswerGiven]


class AlertsTold(msgspec.Struct):
    alerts: list[AlertTold]


@get("/api/alerts", summary="Every step, attempt and answer of a record's alerts", tags=["alerts"])
async def alerts(caller: TheCaller, site: TheSite, project: AskedId, r: AskedId) -> AlertsTold:
    """All of it for those who are in charge of alerts; for others what concerns themselves."""
    actor = await caller.actor(project)
    record = await site.store.record(project, r)
    if record is None or not granted(record["aud"], actor.audiences):
        raise Problem("not_found")
    names = await names_of_people(project)
    channels = await rows.channel_names(site.store, project)
    sees_all = bool(actor.roles & SEES_ALL)
    told = []
    for one in await rows.alerts_of(site.store, project, r):
        attempts = [
            AttemptMade(
                made.step,
                made.channel,
                made.person,
                names.get(made.person or "", channels.get(made.target, "")),
                made.status,
                made.at,
                made.tries,
                made.note,
            )
            for made in await rows.attempts(site.store, one.id)
            if sees_all or made.person == caller.person
        ]
        answers = [
            AnswerGiven(person, names.get(person, ""), at, answer, via)
            for person, at, answer, via in await rows.answers(site.store, one.id)
        ]
        told.append(
            AlertTold(
                one.id, one.name, one.level, bool(one.urgent), bool(one.everyone), one.state, one.begun, one.next,
                [StepTaken(*step) for step in await rows.steps(site.store, one.id)], attempts, answers,
            )
        )  # fmt: skip
    return AlertsTold(told)


@post("/api/alerts/{id:str}/answer", summary="I have seen it; I am safe; I need help", tags=["alerts"], status_code=200)
async def answer(caller: TheCaller, site: TheSite, id: PathId, data: JSONBody[Answer]) -> Answered:
    """May be repeated: the service worker answers from the notification, perhaps hours later. 404 for an alert
    that is not there or of somebody else's site."""
    one = await site.alerts.answer(id, caller.person, data.answer, data.via)
    return Answered(one.id, one.state if one.everyone else "acked")


routes = [alerts, answer]
