"""Six weeks on the demo site, as its phones would have sent them: the usual days and the usual mess.

Pure: the same seed, clock and ids give the same batches. Nothing lies after `now`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.core.batch import Op
from server.core.value import Value, canonical
from server.demo.cast import AFTER_NIGHT, NIGHT, OFFICE, SITE_FENCE, TEAMS, ZONE, Fence, Member, Team

DAYS: Final = 42
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
KIND: Final = "labour.checkin"
APPROVED_AFTER_DAYS: Final = 1
SUPERVISOR, OFFICE_CLERK = OFFICE[1], OFFICE[3]

NOTES_OUTSIDE: Final = (
    "去甲方仓库领料", "北门外卸钢筋，司机催得急", "在项目部开安全交底会", "送试块到检测站", "陪工友去医院包扎",
)  # fmt: skip
NOTES_RETURNED: Final = (
    "时间与门卫登记不符，请核对", "围栏外打卡没有说明，请补充",
    "当天班组报的人数里没有你，请说明", "与班组长记录差一小时，请核对",
)  # fmt: skip
NOTES_ANSWER: Final = (
    "从西侧门进的，门卫没登记", "在库房搬料，手机定位漂了", "早上先去项目部领安全帽", "已与班组长核对，无误",
)  # fmt: skip
NOTES_MANUAL: Final = ("忘记打下班卡，班组长证明", "手机没电，按门卫登记补录")


@dataclass(frozen=True)
class Sent:
    """One batch: made by somebody at a true time, known to the server from `received` on.

    `made` and `received` are true instants; the phone's own clock is `clock_error_ms` beside them.
    """

    by: Member
    made: int
    received: int
    ops: tuple[Op, ...]

    @property
    def t(self) -> int:
        return self.made + self.by.clock_error_ms

    @property
    def sent(self) -> int:
        return self.received + self.by.clock_error_ms


@dataclass
class Note:
    """A check-in on the site, as the plan follows its life."""

    r: str
    worker: Member
    by: Member
    values: dict[str, Value]
    at: int
    received: int
    state: str = "submitted"
    decided: int = 0

    @property
    def ver(self) -> str:
        return hashlib.sha256(canonical({"c": KIND, "f": self.values, "r": self.r})).hexdigest()


@dataclass
class Weeks:
    """The plan in the making. `ids` are those of people and teams, by name."""

    ids: Mapping[str, str]
    now: int
    random: Random
    fence: Fence = SITE_FENCE
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo(ZONE))
    sent: list[Sent] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def today(self) -> date:
        return self.day_of(self.now)

    def day_of(self, instant: int) -> date:
        return datetime.fromtimestamp(instant / 1000, self.zone).date()

    def instant(self, day: date, clock: str) -> int:
        at = datetime.combine(day, time.fromisoformat(clock), self.zone)
        return int(at.timestamp() * 1000)

    def push(self, by: Member, made: int, ops: Sequence[Op], received: int | None = None) -> None:
        received = made + self.random.randint(800, 9_000) if received is None else received
        if received < self.now:
            self.sent.append(Sent(by, made, received, tuple(ops)))

    def chance(self, share: float) -> bool:
        return self.random.random() < share


def six_weeks(
    ids: Mapping[str, str], now: int, seed: int, teams: Sequence[Team] = TEAMS, fence: Fence = SITE_FENCE
) -> list[Sent]:
    """Everything that the site's phones sent, in the order in which the server had it."""
    weeks = Weeks(ids, now, Random(seed), fence)
    first = weeks.today - timedelta(days=DAYS - 1)
    for n in range(DAYS):
        day = first + timedelta(days=n)
        for team in teams:
            _team_day(weeks, team, day)
        if teams is TEAMS:
            _office_day(weeks, day)
    if teams is TEAMS:
        _two_minds(weeks)
        _late_edit(weeks)
    return sorted(weeks.sent, key=lambda sent: (sent.received, sent.made))


# The crew


def _team_day(weeks: Weeks, team: Team, day: date) -> None:
    stretches = _stretches(team, day)
    by_foreman: dict[int, list[Note]] = {}
    foreman_here = _comes(weeks, team.foreman, day)
    for worker in team.everybody:
        comes = foreman_here if worker is team.foreman else _comes(weeks, worker, day)
        if comes:
            for slot, note in _taps(weeks, team, worker, day, stretches, alone=not foreman_here):
                if note.values["method"] == "crew":
                    by_foreman.setdefault(slot, []).append(note)
                else:
                    _send_own(weeks, note)
    for notes in by_foreman.values():
        _send_crew(weeks, team.foreman, notes)


def _stretches(team: Team, day: date) -> Sequence[tuple[str, str]]:
    if day.weekday() in team.nights:
        return NIGHT
    return AFTER_NIGHT if (day.weekday() - 1) % 7 in team.nights else team.hours


def _comes(weeks: Weeks, worker: Member, day: date) -> bool:
    if day.weekday() == 6:
        return weeks.chance(0.22)
    # Everybody has a few days at home some time in the six weeks.
    leave = int.from_bytes(hashlib.sha256(worker.name.encode()).digest()[:2]) % 60
    if 0 <= (weeks.today - day).days - leave < 3:
        return False
    return weeks.chance(0.965)


def _taps(
    weeks: Weeks, team: Team, worker: Member, day: date, stretches: Sequence[tuple[str, str]], *, alone: bool
) -> Iterator[tuple[int, Note]]:
    """One worker's check-ins of a day, with the number of the tap; some are forgotten."""
    late = weeks.chance(0.05)
    for n, (start, end) in enumerate(stretches):
        starts_on = day + timedelta(days=1) if n and end < stretches[0][0] else day
        ends_on = starts_on + timedelta(days=1) if end < start else starts_on
        came = weeks.instant(starts_on, start) - weeks.random.randint(2, 22) * MINUTE_MS
        went = weeks.instant(ends_on, end) + weeks.random.randint(0, 25) * MINUTE_MS
        if late and n == 0:
            came += weeks.random.randint(30, 110) * MINUTE_MS
        for direction, at, forgotten in (("in", came, 0.008), ("out", went, 0.022)):
            if at >= weeks.now or weeks.chance(forgotten):
                continue
            slot = 2 * n + (direction == "out")
            yield slot, _note(weeks, team, worker, direction, at, day, alone=alone)


def _note(weeks: Weeks, team: Team, worker: Member, direction: str, at: int, day: date, *, alone: bool) -> Note:
    by, method = worker, "own"
    if not worker.has_phone:
        by, method = (OFFICE_CLERK, "manual") if alone else (team.foreman, "crew")
    elif weeks.chance(0.12):
        method = "code"
    at -= at % 1000 - weeks.random.randint(0, 999)
    values: dict[str, Value] = {
        "worker": weeks.ids[worker.name],
        "direction": direction,
        "at": at + by.clock_error_ms,
        "offset_min": 480,
        "work_date": day.isoformat(),
        "method": method,
        "team": weeks.ids[team.name],
    }
    if by.clock_error_ms:
        values["device_skew_ms"] = by.clock_error_ms + weeks.random.randint(-400, 400)
    if method == "manual":
        values["note"] = weeks.random.choice(NOTES_MANUAL)
    else:
        values |= _where(weeks)
    return Note(_record_id(weeks, at), worker, by, values, at, 0)


def _where(weeks: Weeks) -> dict[str, Value]:
    """Position as phones give it: mostly good, at times outside with a reason, at times none."""
    draw = weeks.random.random()
    if draw < 0.05:
        return {"fence": "unknown"}
    lat, lng, radius = weeks.fence
    metres = weeks.random.uniform(radius * 1.6, radius * 6) if draw > 0.975 else weeks.random.uniform(5, radius * 0.8)
    north, east = weeks.random.uniform(-1, 1), weeks.random.uniform(-1, 1)
    length = (north * north + east * east) ** 0.5 or 1.0
    place: Value = {
        "lat": lat + int(north / length * metres * 90),
        "lng": lng + int(east / length * metres * 105),
        "accuracy_m": weeks.random.choice((4, 6, 8, 12, 15, 22, 35)),
        "fix_age_s": weeks.random.choice((0, 0, 1, 2, 5, 40)),
    }
    if draw <= 0.975:
        return {"place": place, "fence": "inside"}
    told = {"note": weeks.random.choice(NOTES_OUTSIDE)} if weeks.chance(0.8) else {}
    return {"place": place, "fence": "outside", **told}


def _record_id(weeks: Weeks, at: int) -> str:
    """A UUIDv7, as a phone makes it."""
    return str(uuid.UUID(int=(at << 80) | (7 << 76) | (weeks.random.getrandbits(12) << 64) | (2 << 62)
                         | weeks.random.getrandbits(62)))  # fmt: skip


def _send_own(weeks: Weeks, note: Note) -> None:
    """At once, or hours later where the phone had no network; entered late by the office."""
    made = note.at + 500
    if note.by is OFFICE_CLERK:
        made = weeks.instant(date.fromisoformat(str(note.values["work_date"])) + timedelta(days=1), "09:30")
        made += weeks.random.randint(0, 90) * MINUTE_MS
    offline = weeks.chance(0.04)
    received = made + (weeks.random.randint(30, 60 * 26) * MINUTE_MS if offline else weeks.random.randint(800, 9_000))
    _keep(weeks, [note], received)
    weeks.push(note.by, made, [_new(note)], received)


def _send_crew(weeks: Weeks, foreman: Member, notes: Sequence[Note]) -> None:
    """All who were entered together, in one batch."""
    made = max(note.at for note in notes) + weeks.random.randint(20, 90) * 1000
    received = made + weeks.random.randint(800, 9_000)
    _keep(weeks, notes, received)
    weeks.push(foreman, made, [_new(note) for note in notes], received)


def _keep(weeks: Weeks, notes: Sequence[Note], received: int) -> None:
    if received < weeks.now:
        for note in notes:
            note.received = received
            weeks.notes.append(note)


def _new(note: Note) -> Op:
    return {"k": "new", "c": KIND, "r": note.r, "set": note.values.copy()}


# The office


def _office_day(weeks: Weeks, day: date) -> None:
    """At six the supervisor goes through what came in up to the day before."""
    if day.weekday() == 6:
        return
    _answers(weeks, weeks.instant(day, "12:10"))
    at = weeks.instant(day, "18:00") + weeks.random.randint(0, 40) * MINUTE_MS
    if at >= weeks.now:
        return
    until = weeks.instant(day - timedelta(days=APPROVED_AFTER_DAYS - 1), "00:00")
    waiting = [n for n in weeks.notes if n.state == "submitted" and n.at < until and n.received < at - HOUR_MS]
    returned = [note for note in waiting if weeks.chance(_doubt(note))]
    approved = [note for note in waiting if note not in returned]
    for note in returned:
        _act(weeks, note, at, "return", "returned", weeks.random.choice(NOTES_RETURNED))
    if approved:
        weeks.push(SUPERVISOR, at + MINUTE_MS, [_approve(note) for note in approved])
        for note in approved:
            note.state, note.decided = "approved", at + MINUTE_MS


def _doubt(note: Note) -> float:
    if note.values.get("fence") == "outside":
        return 0.05 if "note" in note.values else 0.9
    return 0.006


def _approve(note: Note) -> Op:
    return {"k": "act", "c": KIND, "r": note.r, "act": "approve", "ver": note.ver}


def _act(weeks: Weeks, note: Note, at: int, act: str, to: str, why: str) -> None:
    weeks.push(SUPERVISOR, at, [{"k": "act", "c": KIND, "r": note.r, "act": act, "note": why}])
    note.state = to


def _answers(weeks: Weeks, at: int) -> None:
    """Who had something returned says why and submits it again; the newest still wait for that."""
    if at >= weeks.now or at > weeks.now - 5 * DAY_MS:
        return
    for note in weeks.notes:
        if note.state == "returned" and note.by.roles != ("office",):
            made = at + weeks.random.randint(0, 20) * MINUTE_MS
            answer = weeks.random.choice(NOTES_ANSWER)
            note.values["note"] = answer
            note.state = "submitted"
            edit: Op = {"k": "set", "c": KIND, "r": note.r, "f": "note", "v": answer}
            weeks.push(note.by, made, [edit, {"k": "act", "c": KIND, "r": note.r, "act": "submit"}])


def _two_minds(weeks: Weeks) -> None:
    """Foreman and office put one time right at the same moment, neither knowing of the other."""
    waiting = [
        n for n in weeks.notes if n.state == "submitted" and n.by is n.worker and n.received < weeks.now - HOUR_MS
    ]
    for note in waiting[-4:-3]:
        team = next(team for team in TEAMS if note.worker in team.everybody)
        made = weeks.now - 40 * MINUTE_MS
        for by, minutes in ((team.foreman, 5), (OFFICE_CLERK, 20)):
            at = note.at + minutes * MINUTE_MS
            weeks.push(by, made, [{"k": "set", "c": KIND, "r": note.r, "f": "at", "v": at}])


def _late_edit(weeks: Weeks) -> None:
    """A phone that was offline for days brings an edit of what has been approved meanwhile."""
    before = weeks.now - HOUR_MS
    approved = [
        n
        for n in weeks.notes
        if n.state == "approved" and n.decided < before and n.by is n.worker and not n.by.clock_error_ms
    ]
    for note in approved[-3:-2]:
        edit: Any = {"k": "set", "c": KIND, "r": note.r, "f": "note", "v": "当天加班浇筑，晚走半小时"}
        weeks.push(note.by, note.received + HOUR_MS, [edit], weeks.now - 25 * MINUTE_MS)
