"""Six weeks of hazards on the demo site, as its phones would have sent them, and what was answered to their alerts.

Pure, like `inspected`. They stand in every state that there is: fixed and closed with photos from the same
spot, sent back from the recheck, overdue, a major one with its stop-work, one that came without a name. One
alert nobody has answered yet; a broadcast called everybody of a team, and two of them were silent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from server.core.batch import Op
from server.core.value import Value
from server.demo.cast import OFFICE, TEAMS, Member, Team
from server.demo.inspected import Sheet, Shot, Story
from server.demo.weeks import HOUR_MS, MINUTE_MS, Weeks

HAZARD, TIP, BROADCAST, LADDER = "safety.hazard", "safety.tip", "safety.broadcast", "alerts.ladder"
INSPECTOR, SUPERVISOR, MANAGER = OFFICE[:3]
STEEL, WOOD, CONCRETE, SCAFFOLD = TEAMS
SATURDAY: Final = 5


@dataclass(frozen=True)
class Heard:
    """Something about the alerts of a record at a moment: somebody answered (`said`), or it was only time."""

    at: int
    r: str
    by: Member | None = None
    said: str = "seen"


@dataclass(frozen=True)
class Case:
    """A hazard from its beginning: by whom it was found how many days ago, where, and what was to be done."""

    by: Member
    ago: int
    clock: str
    level: str
    item: str
    sort: str
    place: str
    what: str
    standard: str
    measure: str
    team: Team
    days: int
    scenes: tuple[str, str]
    pin: tuple[int, int]


CLOSED: Final = (
    Case(
        INSPECTOR, 40, "09:10", "general", "fall", "thing", "2# 楼三层 E 轴", "三层东侧临边护栏缺一段，约 2 m",
        "JGJ 80-2016 第 4.1 条", "补齐护栏并设挡脚板", SCAFFOLD, 2, ("edge_open", "edge_closed"), (814_442, 619_952),
    ),
    Case(
        STEEL.workers[0], 34, "14:20", "general", "electric", "thing", "钢筋加工棚", "开关箱门敞开，一闸多机",
        "JGJ 46-2005 第 8.1 条", "一机一闸一漏，箱门上锁", STEEL, 1, ("box_open", "box_locked"), (169_605, 156_770),
    ),
    Case(
        SUPERVISOR, 29, "10:05", "major", "scaffold", "thing", "2# 楼西立面",
        "西立面第 6～8 步连墙件缺失两跨，架体外倾",
        "JGJ 130-2011 第 6.4 条", "停止上架，按方案补设连墙件，验收后恢复", SCAFFOLD, 4, ("scaffold", "scaffold"),
        (109_152, 465_558),
    ),
    Case(
        INSPECTOR, 23, "15:40", "general", "fire", "act", "2# 楼四层 2 轴",
        "气割作业氧气瓶与乙炔瓶间距不足 5 m，无看火人",
        "GB 50720-2011 第 6.3 条", "拉开间距，配灭火器和看火人", STEEL, 1, ("bottles_near", "bottles_apart"),
        (286_000, 382_423),
    ),
    Case(
        SCAFFOLD.workers[1], 17, "08:50", "general", "fall", "thing", "2# 楼四层 5/C 轴", "四层预留洞口没有盖板",
        "JGJ 80-2016 第 4.2 条", "加盖板固定并标识", WOOD, 1, ("hole_open", "hole_covered"), (580_000, 465_558),
    ),
    Case(
        INSPECTOR, 13, "16:10", "general", "order", "manage", "2# 楼五层", "五层通道堆放模板余料，堵塞疏散通道",
        "JGJ 59-2011 文明施工", "当天清理，材料归堆", WOOD, 1, ("delivery", "tidy"), (460_000, 540_000),
    ),
)  # fmt: skip
FORMWORK: Final = Case(
    INSPECTOR, 9, "10:30", "general", "formwork", "thing", "2# 楼五层 3-4/B 轴", "五层模板支架扫地杆缺失，立杆悬空两根",
    "JGJ 162-2008 第 6.2 条", "补扫地杆，立杆底部垫实", WOOD, 3, ("scaffold", ""), (400_000, 619_952),
)  # fmt: skip
PLATFORM: Final = Case(
    SUPERVISOR, 6, "09:40", "major", "lifting", "thing", "2# 楼六层 7 轴卸料平台",
    "卸料平台钢丝绳锚固松动，两侧防护缺失，仍在吊运", "JGJ 80-2016 第 6.4 条",
    "停用平台，重新锚固并经验收挂牌后使用", SCAFFOLD, 9, ("edge_open", ""), (814_442, 300_000),
)  # fmt: skip
RETURNED: Final = Case(
    INSPECTOR, 5, "11:05", "general", "fall", "thing", "2# 楼五层 4/C 轴", "五层风井洞口盖板未固定，一踩就动",
    "JGJ 80-2016 第 4.2 条", "盖板四角固定，刷警示色", CONCRETE, 2, ("hole_open", "hole_open"), (560_000, 440_000),
)  # fmt: skip
RECHECK: Final = Case(
    INSPECTOR, 3, "14:15", "general", "fire", "act", "2# 楼六层 2 轴", "六层动火点氧气瓶倒放，距明火不足 10 m",
    "GB 50720-2011 第 6.3 条", "气瓶直立固定，移至 10 m 以外", STEEL, 3, ("bottles_near", "bottles_apart"),
    (300_000, 400_000),
)  # fmt: skip
LATE: Final = Case(
    INSPECTOR, 2, "15:20", "general", "struck", "act", "2# 楼六层南侧", "六层临边码放钢筋头和扣件，未设挡脚板",
    "JGJ 80-2016 第 3.0 条", "清走散料，装挡脚板", STEEL, 1, ("rebar_wide", ""), (640_000, 640_000),
)  # fmt: skip
ISSUED: Final = Case(
    INSPECTOR, 1, "10:45", "general", "electric", "thing", "2# 楼六层楼梯口", "六层分配箱进线破皮，拖地无保护",
    "JGJ 46-2005 第 7.2 条", "更换电缆，架空敷设", CONCRETE, 4, ("box_open", ""), (190_000, 450_000),
)  # fmt: skip
FRESH: Final = ("2# 楼六层 5/C 轴", "六层洞口盖板被人掀开没盖回去", (600_000, 480_000))


@dataclass
class Watch:
    """The story with its alerts. `heard` grows beside what is pushed."""

    story: Story
    heard: list[Heard] = field(default_factory=list)

    def answered(self, sheet: Sheet, by: Member, at: int, minutes: int = 6, said: str = "seen") -> None:
        self.hear(Heard(at + minutes * MINUTE_MS, sheet.r, by, said))

    def hear(self, one: Heard) -> None:
        if one.at < self.story.weeks.now:
            self.heard.append(one)


def six_weeks_of_hazards(
    weeks: Weeks, shoot: Callable[[Shot], dict[str, Value]], plan: Value = None
) -> Sequence[Heard]:
    """Pushes them beside what there is already; answers what was heard of their alerts, in the order of time."""
    watch = Watch(Story(weeks, shoot, plan))
    _ladders(watch.story)
    for case in CLOSED:
        _closed(watch, case)
    _overdue(watch, FORMWORK)
    _platform(watch)
    _returned(watch)
    _recheck(watch)
    _late(watch)
    _issued(watch, ISSUED)
    _fresh(watch)
    _tip(watch)
    return sorted(watch.heard, key=lambda one: one.at)


# Ladders


LADDERS: Final[tuple[dict[str, Value], ...]] = (
    {
        "kind": HAZARD, "level": "general", "rungs.step1aaaaa.after_min": 0, "rungs.step1aaaaa.channel": "push",
        "rungs.step1aaaaa.who": "to", "rungs.step2aaaaa.after_min": 120, "rungs.step2aaaaa.channel": "push",
        "rungs.step2aaaaa.who": "supervisor", "rungs.step3aaaaa.after_min": 480, "rungs.step3aaaaa.channel": "push",
        "rungs.step3aaaaa.who": "manager",
    },
    {
        "kind": BROADCAST, "level": "notice", "rungs.step1aaaaa.after_min": 0, "rungs.step1aaaaa.channel": "push",
        "rungs.step1aaaaa.who": "to", "quiet_from": 22 * 60, "quiet_to": 6 * 60, "digest_at": 18 * 60,
    },
)  # fmt: skip


def _ladders(story: Story) -> None:
    made = story.at(41, "08:40")
    story.push(MANAGER, made, *[Sheet(LADDER, story.id(), dict(values)).new() for values in LADDERS])


# The way of one hazard


def _found_ago(story: Story, case: Case) -> int:
    """Nobody goes round on a Sunday: what would have been found then was found the day before."""
    return case.ago + 1 if story.day(case.ago).weekday() > SATURDAY else case.ago


def _pin(story: Story, at: tuple[int, int]) -> dict[str, Value]:
    return {} if story.plan is None else {"pin": {"plan": story.plan, "page": 2, "x": at[0], "y": at[1]}}


def _found(watch: Watch, case: Case) -> tuple[Sheet, int]:
    """Reported with a photo, and issued: at once by an inspector, else a while later."""
    story, ago = watch.story, _found_ago(watch.story, case)
    at = story.at(ago, case.clock)
    sheet = Sheet(HAZARD, story.id(), {
        "level": case.level, "description": case.what, "place": case.place, "item": case.item, "sort": case.sort,
        "found_on": story.weeks.day_of(at).isoformat(), **_pin(story, case.pin),
        **story.photo(case.scenes[0], case.by, at),
    })  # fmt: skip
    if case.by in OFFICE:
        _issue(watch, sheet, case, at, sheet.new())
    else:
        story.push(case.by, at, sheet.new())
        watch.answered(sheet, INSPECTOR, at)
        _issue(watch, sheet, case, story.at(ago, "13:30" if case.clock < "12" else "17:10"))
    return sheet, at


def _issue(watch: Watch, sheet: Sheet, case: Case, at: int, *first: Op) -> None:
    """With the five that are settled; a major one stops the work and is reported up."""
    story = watch.story
    due = story.weeks.day_of(at) + timedelta(days=case.days)
    settled: dict[str, Value] = {
        "team": story.weeks.ids[case.team.name], "person": story.person(case.team.foreman),
        "due": story.weeks.instant(due, "18:00"), "standard": case.standard, "measure": case.measure,
    }  # fmt: skip
    if case.level == "major":
        settled |= {"stop_work": True, "reported_up": True}
    by = case.by if case.by in OFFICE else INSPECTOR
    story.push(by, at, *first, *sheet.put(settled), sheet.act("issue"))
    watch.answered(sheet, case.team.foreman, at, 9)


def _fixed(watch: Watch, sheet: Sheet, case: Case, at: int, reply: str) -> None:
    """A photo after from the same spot."""
    story, foreman = watch.story, case.team.foreman
    before = next(path.split(".")[1] for path in sheet.values if path.startswith("photos."))
    after = story.photo(case.scenes[1], foreman, at, field="after", pair=before)
    story.push(foreman, at, *sheet.put({**after, "reply": reply}), sheet.act("fixed"))
    watch.answered(sheet, INSPECTOR, at, 14)


def _closed(watch: Watch, case: Case) -> None:
    story = watch.story
    sheet, _ = _found(watch, case)
    ago = _found_ago(story, case)
    story.push(case.team.foreman, story.at(ago - 1, "07:20"), sheet.act("start"))
    _fixed(watch, sheet, case, story.at(ago - case.days, "17:20"), "已按要求整改完成，请复查。")
    by = SUPERVISOR if case.level == "major" else INSPECTOR
    story.push(by, story.at(ago - case.days - 1, "08:35"), sheet.seal("close"))


def _overdue(watch: Watch, case: Case) -> None:
    """Work on it has begun; its time is over, and the foreman knows."""
    story = watch.story
    sheet, _ = _found(watch, case)
    story.push(case.team.foreman, story.at(case.ago - 1, "07:20"), sheet.act("start"))
    due = int(sheet.values["due"])
    watch.hear(Heard(due, sheet.r))
    watch.hear(Heard(due + 11 * MINUTE_MS, sheet.r, case.team.foreman))


def _platform(watch: Watch) -> None:
    """A major one, and the whole team is told to stop."""
    story, case = watch.story, PLATFORM
    sheet, at = _found(watch, case)
    story.push(case.team.foreman, at + 4 * HOUR_MS, sheet.act("start"))
    told = at + 5 * MINUTE_MS
    broadcast = Sheet(BROADCAST, story.id(), {
        "sort": "stop_work", "text": "六层卸料平台立即停用，平台上下人员撤到五层，清点人数后报平安。", "to": "team",
        "team": story.weeks.ids[case.team.name], "place": case.place, "hazard": sheet.r,
        "sent_on": story.weeks.day_of(at).isoformat(),
    })  # fmt: skip
    story.push(SUPERVISOR, told, broadcast.new())
    silent = case.team.workers[-2:]
    people = [one for one in case.team.everybody if one not in silent] + [INSPECTOR, SUPERVISOR, MANAGER]
    for nth, person in enumerate(people):
        watch.answered(broadcast, person, told, 1 + nth // 3, "safe")
    over = at + 8 * HOUR_MS
    story.push(SUPERVISOR, over, broadcast.act("end", "平台已封闭挂牌，人员已清点；两人手机没电，由班组长当面确认"))
    watch.hear(Heard(over + MINUTE_MS, broadcast.r))


def _returned(watch: Watch) -> None:
    story, case = watch.story, RETURNED
    sheet, _ = _found(watch, case)
    _fixed(watch, sheet, case, story.at(4, "09:15"), "盖板已复位。")
    story.push(INSPECTOR, story.at(4, "16:30"), sheet.act("return", "只是放回去了，四角没有固定，重新整改"))
    due = {"due": story.weeks.instant(story.day(-1), "12:00")}
    story.push(INSPECTOR, story.at(4, "16:40"), *sheet.put(due))


def _recheck(watch: Watch) -> None:
    sheet, _ = _found(watch, RECHECK)
    _fixed(watch, sheet, RECHECK, watch.story.at(1, "07:50"), "气瓶已移走并直立固定，已教育操作工。")


def _late(watch: Watch) -> None:
    """Its time ran out within the last hour, and nobody has said a word."""
    story, now = watch.story, watch.story.weeks.now
    sheet, _ = _found(watch, LATE)
    due = now - now % (10 * MINUTE_MS) - 30 * MINUTE_MS
    story.push(INSPECTOR, story.at(1, "16:00"), *sheet.put({"due": due}))
    watch.hear(Heard(due + 1, sheet.r))


def _issued(watch: Watch, case: Case) -> None:
    _found(watch, case)


def _fresh(watch: Watch) -> None:
    """Reported this hour by a worker; the inspector has seen it and is on the way."""
    story, made = watch.story, watch.story.weeks.now - 48 * MINUTE_MS
    place, what, pin = FRESH
    by = STEEL.workers[1]
    sheet = Sheet(HAZARD, story.id(), {
        "level": "general", "description": what, "place": place, "item": "fall",
        "found_on": story.weeks.day_of(made).isoformat(), **_pin(story, pin), **story.photo("hole_open", by, made),
    })  # fmt: skip
    story.push(by, made, sheet.new())
    watch.answered(sheet, INSPECTOR, made)


def _tip(watch: Watch) -> None:
    """Without a name: the server makes the hazard of it."""
    story, made = watch.story, watch.story.weeks.now - 20 * MINUTE_MS
    sheet = Sheet(TIP, story.id(), {
        "level": "general", "description": "夜班浇筑时有人不系安全带在临边走，说了也不听", "place": "2# 楼六层东侧",
    })  # fmt: skip
    story.push(WOOD.workers[1], made, sheet.new())
    watch.answered(sheet, INSPECTOR, made)
