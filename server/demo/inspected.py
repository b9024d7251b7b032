"""Two weeks of inspections and defects on the demo site, as its phones would have sent them.

Pure, like `weeks`: the same ids, clock and library give the same batches. Templates of the library are
published, the floor is walked every day (one was missed), JGJ 59 is filled in twice (once good, once with a
table that is zero), lots, a pour and a delivery are looked at; some were approved, some returned with remarks,
some wait; what failed became defects, which stand in every state that there is.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from server.core.batch import Op
from server.core.value import Value, canonical
from server.demo.answers import CHOICES, NUMBERS, TEXTS
from server.demo.cast import OFFICE, TEAMS, Member, Team
from server.demo.scene import SIZE
from server.demo.weeks import HOUR_MS, MINUTE_MS, Sent, Weeks
from server.modules.inspections.question import Question, asked
from server.modules.inspections.template import Template, read_template

DAYS: Final = 14
MISSED: Final = 4
"""The fourth working day before today nobody walked."""
TEMPLATE, INSPECTION, PLAN, DEFECT = (
    "inspections.template", "inspections.inspection", "inspections.plan", "quality.defect",
)  # fmt: skip
INSPECTOR, SUPERVISOR, MANAGER, CLERK = OFFICE[0], OFFICE[1], OFFICE[2], OFFICE[3]
STEEL, WOOD, CONCRETE, SCAFFOLD = TEAMS
PUBLISHED: Final = ("jgj59", "walk", "rebar", "witness", "materials", "daylog", "safety_walk", "pour")
FLOORS: Final = ("5层", "6层")
ABSENT: Final = ("b04", "b05", "b06", "b07", "b09", "b11", "b15", "b18")
"""Tables of JGJ 59 that this site has nothing for."""


@dataclass(frozen=True)
class Shot:
    """A photo that was taken: what is on it, by whom and when, and whether it has come over."""

    scene: str
    seed: int
    by: Member
    at: int
    arrived: bool = True


@dataclass
class Sheet:
    """A record as the story follows it, so that an approval names what is there."""

    c: str
    r: str
    values: dict[str, Value] = field(default_factory=dict)

    def new(self) -> Op:
        return {"k": "new", "c": self.c, "r": self.r, "set": dict(self.values)}

    def put(self, values: Mapping[str, Value]) -> list[Op]:
        self.values |= values
        return [{"k": "set", "c": self.c, "r": self.r, "f": path, "v": value} for path, value in values.items()]

    def act(self, act: str, note: str = "") -> Op:
        return {"k": "act", "c": self.c, "r": self.r, "act": act, **({"note": note} if note else {})}

    def seal(self, act: str) -> Op:
        content = {"c": self.c, "f": self.values, "r": self.r}
        return {**self.act(act), "ver": hashlib.sha256(canonical(content)).hexdigest()}


@dataclass
class Story:
    """What is being told, on top of the weeks of check-ins. `shoot` takes a photo and answers its value."""

    weeks: Weeks
    shoot: Callable[[Shot], dict[str, Value]]
    plan: Value = None
    templates: dict[str, tuple[Sheet, Template]] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)
    """By the template that they ask for."""
    opened: dict[int, Sheet] = field(default_factory=dict)
    """Defects by the walk that they were found on: the last one is 1."""

    def day(self, ago: int) -> date:
        return self.weeks.today - timedelta(days=ago)

    def at(self, ago: int, clock: str) -> int:
        return self.weeks.instant(self.day(ago), clock)

    def push(self, by: Member, made: int, *ops: Op, received: int | None = None) -> None:
        self.weeks.push(by, made, ops, received)

    def id(self) -> str:
        return str(uuid.UUID(int=self.weeks.random.getrandbits(128), version=4))

    def person(self, member: Member) -> str:
        return self.weeks.ids[member.name]

    def photo(self, scene: str, by: Member, at: int, item: str = "", **more: Any) -> dict[str, Value]:
        """`path: value` of a photo under a new key; `field` says of which photos."""
        arrived, where = more.pop("arrived", True), more.pop("field", "photos")
        shot = Shot(scene, self.weeks.random.randint(1, 9), by, at, arrived)
        key = f"p{self.weeks.random.getrandbits(44):09x}"[:10]
        lat, lng, _ = self.weeks.fence
        place = {"lat": lat + self.weeks.random.randint(-900, 900), "lng": lng, "accuracy_m": 12, "fix_age_s": 3}
        facts: dict[str, Value] = {"at": at, "w": SIZE[0], "h": SIZE[1], "place": place, "source": "camera"}
        facts["skew_ms"] = self.weeks.random.randint(-900, 900)
        return {f"{where}.{key}": {**self.shoot(shot), **facts, **({"item": item} if item else {}), **more}}

    def signature(self, by: Member, at: int) -> Value:
        chance = self.weeks.random
        strokes = [
            [n for step in range(9) for n in (40 + part * 110 + step * 11, 90 + chance.randint(-50, 50))]
            for part in range(3)
        ]
        return {"w": 400, "h": 180, "strokes": strokes, "at": at, "by": self.person(by)}


def two_weeks(
    weeks: Weeks,
    library: Mapping[str, Mapping[str, Value]],
    shoot: Callable[[Shot], dict[str, Value]],
    plan: Value = None,
) -> Sequence[Sent]:
    """Everything that was sent, in the order in which the server had it. `plan` is a drawing's id to pin on."""
    story = Story(weeks, shoot, plan)
    _templates(story, library)
    _plans(story)
    days = [ago for ago in range(1, DAYS) if story.day(ago).weekday() != 6]
    for nth, ago in reversed(list(enumerate([*days[: MISSED - 1], *days[MISSED:]], 1))):
        _walk(story, nth, ago)
    _walk_under_way(story)
    _safety_scores(story)
    _safety_walk(story)
    _rebar_lots(story)
    _pour(story)
    _delivery(story)
    _diaries(story)
    _defects(story)
    return sorted(weeks.sent, key=lambda sent: (sent.received, sent.made))


# Templates and plans


def _templates(story: Story, library: Mapping[str, Mapping[str, Value]]) -> None:
    for n, key in enumerate(PUBLISHED):
        values = {**library[key], "family": key, "version": 1}
        sheet = Sheet(TEMPLATE, story.id(), values)
        made = story.at(DAYS, "08:30") + n * MINUTE_MS
        story.push(CLERK, made, sheet.new(), sheet.seal("publish"))
        story.templates[key] = sheet, read_template(values)
    draft = Sheet(TEMPLATE, story.id(), {**library["walk"], "family": "walk", "version": 2})
    draft.values |= {
        "name": "每日安全质量巡查（冬期）",
        "items.s8_05.text": "防冻、防滑、取暖用电",
        "items.s8_05.kind": "check",
    }
    draft.values |= {"items.s8_05.text_en": "Frost, ice, heaters", "items.s8_05.section": "s8", "items.s8_05.order": 25}
    story.push(CLERK, story.at(2, "15:10"), draft.new())


def _plans(story: Story) -> None:
    first = story.day(DAYS - 1).isoformat()
    planned: tuple[tuple[str, str, str, str], ...] = (
        ("walk", "每日巡查", "day", "2# 楼及周边"), ("safety_walk", "每周安全联查", "week", "全场"),
        ("jgj59", "JGJ 59 月度检查", "month", "全场"),
    )  # fmt: skip
    for key, name, every, place in planned:
        people: list[Value] = [story.person(INSPECTOR)]
        values = {"template": story.templates[key][0].r, "name": name, "place": place, "people": people}
        sheet = Sheet(PLAN, story.id(), {**values, "first": first, "every": every})
        story.push(SUPERVISOR, story.at(DAYS, "16:00"), sheet.new())
        story.plans[key] = sheet.r


# Filling in


def _begin(story: Story, key: str, by: Member, ago: int, clock: str, place: str, **more: Value) -> Sheet:
    values = {"template": story.templates[key][0].r, "date": story.day(ago).isoformat(), "place": place}
    sheet = Sheet(INSPECTION, story.id(), {**values, "lead": story.person(by), **more})
    story.push(by, story.at(ago, clock), sheet.new())
    return sheet


def _planned(story: Story, key: str, ago: int) -> dict[str, Value]:
    """That it was made for its plan, and the day that it was due."""
    return {"plan": story.plans[key], "due": story.day(ago).isoformat()}


def _questions(story: Story, key: str, sheet: Sheet) -> Sequence[Question]:
    return asked(story.templates[key][1], sheet.values)


def _answer(story: Story, question: Question, by: Member, at: int) -> dict[str, Value]:
    """A good answer; what is optional and takes typing is mostly left out, as people do."""
    item, to = question.item, f"answers.{question.key}."
    match item.kind:
        case "check":
            return {to + "result": "pass"}
        case "score":
            return {to + "points": 0}
        case "number":
            middle = ((item.low or 0) + (item.high or (item.low or 0) + 4000)) // 2
            return {to + "value": NUMBERS.get(item.text, middle - middle % 1000 if middle > 1000 else middle)}
        case "choice":
            first = item.options.partition("=")[0].strip()
            return {to + "choice": CHOICES.get(item.key, first)}
        case "text":
            return {to + "text": TEXTS[item.text]} if item.text in TEXTS else {}
        case "signature" if item.required:
            return {to + "signature": story.signature(by, at)}
    return {}


def _fill(story: Story, key: str, sheet: Sheet, by: Member, at: int, bad: Mapping[str, dict[str, Value]]) -> list[Op]:
    """Every question answered, `bad` ones as they say, with the photos that they need."""
    ops: list[Op] = []
    for _ in range(3):  # an answer may ask for more
        for question in _questions(story, key, sheet):
            to = f"answers.{question.key}."
            if any(path.startswith(to) for path in sheet.values):
                continue
            given = bad.get(question.key) or _answer(story, question, by, at)
            ops += sheet.put({path if "." in path else to + path: value for path, value in given.items()})
            if (question.item.kind == "photo" and question.item.required) or question.item.photo == "always":
                ops += sheet.put(story.photo(_scene_for(key), by, at, question.key))
    return ops


def _scene_for(key: str) -> str:
    return {"rebar": "rebar", "witness": "pour", "materials": "delivery", "pour": "pour"}.get(key, "tidy")


def _hand_in(story: Story, sheet: Sheet, by: Member, at: int, conclusion: str) -> list[Op]:
    signed = sheet.put({"conclusion": conclusion, "signature": story.signature(by, at)})
    return [*signed, sheet.act("submit")]


# The daily walk

FAILS: Final[Mapping[int, tuple[str, str, str, str]]] = {
    # which walk, from the last one back → item, scene, what is wrong, where
    10: ("s2_01", "edge_open", "五层东侧临边护栏缺一段，约 3 m", "2# 楼五层 E 轴"),
    8: ("s4_01", "box_open", "六层分配箱门未锁，箱内积灰，无巡查记录", "2# 楼六层楼梯口"),
    6: ("s7_04", "honeycomb", "五层③轴柱根蜂窝，约 0.3 m²", "2# 楼五层 3/C 轴"),
    4: ("s3_02", "scaffold", "西立面第 8 步脚手板有探头板", "2# 楼西立面"),
    2: ("s2_01", "edge_open", "六层卸料口临边防护拆除后未恢复", "2# 楼六层 7 轴"),
    1: ("s7_02", "rebar_wide", "六层顶板④～⑤轴钢筋间距偏大", "2# 楼六层 4-5/B 轴"),
}


def _walk(story: Story, nth: int, ago: int) -> None:
    at = story.at(ago, "09:20")
    sheet = _begin_walk(story, ago)
    ops = sheet.put(
        {"parts.s7.label": FLOORS[0], "parts.pfloor6aaa.section": "s7", "parts.pfloor6aaa.label": FLOORS[1]}
    )
    item, scene, words, _ = FAILS.get(nth, ("", "", "", ""))
    bad: dict[str, dict[str, Value]] = {item: {"result": "fail", "note": words}} if item else {}
    ops += _fill(story, "walk", sheet, INSPECTOR, at, bad)
    if item:
        ops += sheet.put(story.photo(scene, INSPECTOR, at, item, arrived=nth > 1))
        ops += _open_defect(story, nth, ago, sheet)
    ops += sheet.put(story.photo("tidy", INSPECTOR, at, "s7_06"))
    ops += _hand_in(story, sheet, INSPECTOR, at, "巡查发现的问题已下整改单。" if item else "现场总体受控。")
    story.push(INSPECTOR, at, *ops)
    if nth > 2:
        story.push(SUPERVISOR, story.at(ago, "17:40"), sheet.seal("approve"))
    elif nth == 2:
        remarks = {"remarks.s2_01.text": "请补充整改前后对比照片", "remarks.s8_03.text": "写明当天其他问题"}
        returned = sheet.act("return", "两处需要补充，见各项意见")
        story.push(SUPERVISOR, story.at(ago, "17:40"), *sheet.put(remarks), returned)


def _begin_walk(story: Story, ago: int) -> Sheet:
    return _begin(story, "walk", INSPECTOR, ago, "09:00", "2# 楼", **_planned(story, "walk", ago))


def _walk_under_way(story: Story) -> None:
    """Today's, before nine in the morning one of the last hour: the first fourteen questions are answered."""
    late = datetime.fromtimestamp((story.weeks.now - HOUR_MS) / 1000, story.weeks.zone)
    if story.weeks.now > story.at(0, "10:00"):
        sheet, at = _begin_walk(story, 0), story.at(0, "09:20")
    else:
        ago, at = (story.weeks.today - late.date()).days, story.weeks.now - HOUR_MS // 2
        sheet = _begin(story, "walk", INSPECTOR, ago, f"{late:%H:%M}", "2# 楼")
    for question in _questions(story, "walk", sheet)[:14]:
        sheet.values |= _answer(story, question, INSPECTOR, at)
    answers = {path: value for path, value in sheet.values.items() if path.startswith("answers.")}
    story.push(INSPECTOR, at, *sheet.put(answers))


# JGJ 59, lots, pour, delivery, diaries


GOOD: Final = {
    "b01_04": 20, "b02_03": 50, "b02_08": 30, "b03_02": 30, "b08_05": 40, "b10_07": 30, "b12_06": 50, "b13_02": 60,
    "b14_03": 40, "b16_04": 30, "b17_06": 50, "b19_03": 40,
}  # fmt: skip
POOR: Final = {**GOOD, "b14_01": 1000, "b14_02": 100, "b03_03": 70, "b13_01": 100, "b02_05": 80}
"""Nothing is left of a guarantee item of construction power: its table is zero, and the site fails."""


def _safety_scores(story: Story) -> None:
    """The month's, for its plan; and one after a complaint."""
    month = _planned(story, "jgj59", DAYS - 1)
    sheet = _score(story, 10, GOOD, "总体受控，各分项按期整改。", shown=("scaffold", "b03_02"), more=month)
    story.push(MANAGER, story.at(10, "17:50"), sheet.seal("approve"))
    _score(story, 3, POOR, "施工用电外电防护缺失，该表零分，停工整改。", shown=("box_open", "b14_01"), more={})


def _score(
    story: Story,
    ago: int,
    deducted: Mapping[str, int],
    conclusion: str,
    *,
    shown: tuple[str, str],
    more: Mapping[str, Value],
) -> Sheet:
    at, (scene, item) = story.at(ago, "10:40"), shown
    people: list[Value] = [story.person(SUPERVISOR)]
    sheet = _begin(story, "jgj59", INSPECTOR, ago, "08:20", "全场", people=people, **more)
    answers: dict[str, dict[str, Value]] = {}
    for question in _questions(story, "jgj59", sheet):
        key = question.key
        if question.section.key in ABSENT:
            answers[key] = {"result": "na"}
        elif key in deducted:
            points = min(deducted[key], question.item.full or 0)
            answers[key] = {"points": points, "choice": f"0:{points / 10:g}"}
    story.push(INSPECTOR, at, *_fill(story, "jgj59", sheet, INSPECTOR, at, answers))
    photo = sheet.put(story.photo(scene, INSPECTOR, at, item))
    story.push(INSPECTOR, at + MINUTE_MS, *photo, *_hand_in(story, sheet, INSPECTOR, at, conclusion))
    return sheet


def _safety_walk(story: Story) -> None:
    """The first week's; the second was missed."""
    at, ago = story.at(DAYS - 3, "15:20"), DAYS - 3
    sheet = _begin(story, "safety_walk", INSPECTOR, ago, "14:30", "全场", **_planned(story, "safety_walk", DAYS - 1))
    ops = _fill(story, "safety_walk", sheet, INSPECTOR, at, {"s9_01": {"result": "fail", "note": "五层余料未清"}})
    ops += sheet.put(story.photo("tidy", INSPECTOR, at, "s9_01"))
    story.push(INSPECTOR, at, *ops, *_hand_in(story, sheet, INSPECTOR, at, "余料当天清完。"))
    story.push(SUPERVISOR, story.at(ago, "17:48"), sheet.seal("approve"))


def _rebar_lots(story: Story) -> None:
    for ago, bad, words in (
        (6, {}, "主控项目合格，一般项目合格点率 94%，同意验收。"),
        (
            1,
            {"s3_06": {"value": 26_000, "note": "④～⑤轴顶板最大偏差 26 mm"}, "s3_15": {"value": 76_000}},
            "间距超差，返工后重新报验。",
        ),
    ):
        at = story.at(ago, "10:10")
        sheet = _begin(story, "rebar", INSPECTOR, ago, "09:50", "六层顶板" if ago < 3 else "五层顶板")
        ops = _fill(story, "rebar", sheet, INSPECTOR, at, bad)  # type: ignore[arg-type]
        if bad:
            ops += sheet.put(story.photo("rebar_wide", INSPECTOR, at, "s3_06"))
        story.push(INSPECTOR, at, *ops, *_hand_in(story, sheet, INSPECTOR, at, words))
        if not bad:
            story.push(SUPERVISOR, story.at(ago, "17:42"), sheet.seal("approve"))


def _pour(story: Story) -> None:
    at = story.at(5, "11:20")
    sheet = _begin(story, "witness", SUPERVISOR, 5, "07:40", "五层顶板①～④轴")
    ops = _fill(story, "witness", sheet, SUPERVISOR, at, {})
    story.push(SUPERVISOR, at, *ops, *_hand_in(story, sheet, SUPERVISOR, at, "全过程旁站，浇筑连续。"))
    story.push(MANAGER, story.at(5, "17:55"), sheet.seal("approve"))


def _delivery(story: Story) -> None:
    at = story.at(8, "10:30")
    sheet = _begin(story, "materials", INSPECTOR, 8, "10:00", "钢筋加工棚", people=[story.person(STEEL.foreman)])
    ops = sheet.put({"parts.s2.label": "Φ18", "parts.pbatch2aaa.section": "s2", "parts.pbatch2aaa.label": "Φ22"})
    ops += _fill(story, "materials", sheet, INSPECTOR, at, {})
    story.push(INSPECTOR, at, *ops, *_hand_in(story, sheet, INSPECTOR, at, "同意进场，待复试报告。"))
    story.push(SUPERVISOR, story.at(8, "17:44"), sheet.seal("approve"))


def _diaries(story: Story) -> None:
    for ago in (3, 2, 1):
        if story.day(ago).weekday() == 6:
            continue
        at = story.at(ago, "16:30")
        sheet = _begin(story, "daylog", MANAGER, ago, "16:00", "2# 楼")
        ops = _fill(story, "daylog", sheet, MANAGER, at, {})
        story.push(MANAGER, at, *ops, *_hand_in(story, sheet, MANAGER, at, ""))


# Defects

LIVES: Final[Mapping[int, tuple[Team, str, str, int]]] = {
    # which walk → team, what became of it, what the fix looks like, days given
    10: (SCAFFOLD, "closed", "edge_closed", 2),
    8: (CONCRETE, "closed", "box_locked", 1),
    6: (CONCRETE, "recheck", "patched", 5),
    4: (SCAFFOLD, "fixing", "", 2),
    2: (SCAFFOLD, "reopened", "edge_open", 1),
    1: (STEEL, "open", "", 0),
}
PINS: Final = {
    10: (814_442, 156_770), 8: (169_605, 465_558), 6: (344_249, 465_558), 4: (109_152, 382_423),
    2: (814_442, 382_423), 1: (520_571, 619_952),
}  # fmt: skip


def _open_defect(story: Story, nth: int, ago: int, walk: Sheet) -> list[Op]:
    """From the failed item, prefilled with its words, place and photo; assigned at once, where it was."""
    item, scene, words, place = FAILS[nth]
    values: dict[str, Value] = {"description": words, "inspection": walk.r, "item": item, "place": place}
    sheet = story.opened[nth] = Sheet(DEFECT, story.id(), values)
    values["level"] = "major" if scene in ("edge_open", "rebar_wide") else "minor"
    for path, photo in walk.values.items():
        if path.startswith("photos.") and isinstance(photo, dict) and photo["item"] == item:
            values[path] = photo
    if story.plan is not None:
        x, y = PINS[nth]
        values["pin"] = {"plan": story.plan, "page": 2, "x": x, "y": y}
    ops: list[Op] = [sheet.new(), *walk.put({f"answers.{item}.defect": sheet.r})]
    team, state, _, days = LIVES[nth]
    if state == "open":
        return ops
    due = (story.day(ago) + timedelta(days=days)).isoformat()
    who: dict[str, Value] = {"team": story.weeks.ids[team.name], "person": story.person(team.foreman)}
    return [*ops, *sheet.put({**who, "due": due, "measure": "按交底要求恢复，自检后报复查。"}), sheet.act("assign")]


def _defects(story: Story) -> None:
    """What became of them the day after."""
    for nth, (team, state, scene, _) in LIVES.items():
        if state in ("open", "fixing"):
            continue
        sheet = story.opened[nth]
        found = date.fromisoformat(str(sheet.values["due"])) - timedelta(days=LIVES[nth][3])
        ago = (story.weeks.today - found).days - 1
        at = story.at(ago, "08:40")
        before = next(path.split(".")[1] for path in sheet.values if path.startswith("photos."))
        after = story.photo(scene, team.foreman, at, field="after", pair=before)
        story.push(team.foreman, at, *sheet.put({**after, "reply": "已整改完成，请复查。"}), sheet.act("fixed"))
        checked = story.at(ago, "17:46")
        if state == "closed":
            story.push(SUPERVISOR, checked, sheet.seal("close"))
        elif state == "reopened":
            story.push(SUPERVISOR, checked, sheet.act("reopen", "护栏仍缺一道中横杆，挡脚板未装"))
