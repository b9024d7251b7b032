"""What people write next, drawn from what their phone shows: mostly sensible, sometimes late, wrong or forged.

Every choice comes from the `Random` handed in, so the same number writes the same entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from server.core import merge
from server.core.batch import Refused
from server.core.declaration import Declarations
from server.core.merge import Record
from server.core.person import Actor
from tests.simulation.trial import DECLARED

Op = dict[str, Any]
PEOPLE: Final = ("ada", "bo", "chen", "dai", "eva", "fan")
WORDS: Final = ("钢筋", "浇筑", "rain", "", "塔吊😀", "B2-03", "é", 'q"\\\n', "\u2028", "\x7f")
TEAMS: Final = ("t1", "t2")


@dataclass
class Desk:
    """What somebody has before him when he writes."""

    random: Random
    records: dict[str, Record]  # of the open form
    declarations: Declarations  # the phone's
    person: str
    actor: Actor | None  # as the server has it; people mostly do what they may
    seen: dict[str, Any] = field(default_factory=dict)  # r → what was shown when it was approved

    def new_id(self) -> str:
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"

    def word(self) -> str:
        return self.random.choice(WORDS)

    def some(self, *kinds: str) -> Record | None:
        bold = self.random.random() < 0.07
        found = [r for r in self.records.values() if r["c"] in kinds and (bold or self._may_edit(r))]
        # Few records are written by many, so that hands meet: the newest five.
        return self.random.choice(found[-5:]) if found else None

    def sheet_in(self, *states: str) -> Record | None:
        found = [r for r in self.records.values() if r["c"] == "trial.sheet" and r["state"] in states]
        return self.random.choice(found[-5:]) if found else None

    def _may_edit(self, record: Record) -> bool:
        kind = self.declarations.kind(record["c"])
        if kind is None or self.actor is None:
            return True
        return self.actor.may(kind.may.edit, record["by"], merge.shown(record, kind))

    def has(self, *roles: str) -> bool:
        return self.actor is not None and not self.actor.roles.isdisjoint(roles)

    def knows(self, path: str, c: str = "trial.note") -> bool:
        kind = self.declarations.kind(c)
        return kind is not None and kind.field(path) is not None


def new_note(desk: Desk) -> list[Op]:
    draw = desk.random
    values: dict[str, Any] = {"title": draw.choice(WORDS[:3]), "amount": draw.randrange(6000)}
    if draw.random() < 0.5:
        values["mood"] = desk.word()
    if draw.random() < 0.5:
        values["sort"] = draw.choice(("plain", "urgent"))
    if draw.random() < 0.5:
        values["tags"] = draw.sample(("a", "b", "c"), draw.randrange(4))
    if draw.random() < 0.3:
        values["lines.l1.hours"] = draw.randrange(200)
    if draw.random() < 0.3:
        values["place"] = {"lat": 312_000_000, "lng": 1_214_000_000 + draw.randrange(999), "accuracy_m": 12}
    if desk.knows("weather") and draw.random() < 0.6:
        values |= {"weather": desk.word(), "labels": [draw.choice(PEOPLE)]}
    return [{"k": "new", "c": "trial.note", "r": desk.new_id(), "set": values}]


def new_sheet(desk: Desk) -> list[Op]:
    draw = desk.random
    other = desk.has("foreman", "office") or draw.random() < 0.05
    worker = draw.choice(PEOPLE) if other and draw.random() < 0.5 else desk.person
    values: dict[str, Any] = {
        "worker": worker,
        "hours": draw.randrange(2500),
        "day": f"2026-03-{draw.randrange(1, 29):02}",
    }
    if draw.random() < 0.4:
        values["flags"] = ["late"]
    if desk.knows("weather", "trial.sheet") and draw.random() < 0.5:
        values["weather"] = desk.word()
    return [{"k": "new", "c": "trial.sheet", "r": desk.new_id(), "set": values}]


def new_log(desk: Desk) -> list[Op]:
    if not desk.has("manager", "foreman") and desk.random.random() < 0.9:
        return edit(desk)
    teams = sorted(desk.actor.teams) if desk.actor and desk.actor.teams else TEAMS
    values = {"team": desk.random.choice(teams), "text": desk.word(), "heads": desk.random.randrange(30)}
    return [{"k": "new", "c": "trial.log", "r": desk.new_id(), "set": values}]


def new_pay(desk: Desk) -> list[Op]:
    if not desk.has("manager", "office") and desk.random.random() < 0.9:
        return edit(desk)
    values = {"worker": desk.random.choice(PEOPLE), "amount": desk.random.randrange(90_000)}
    return [{"k": "new", "c": "trial.pay", "r": desk.new_id(), "set": values}]


def new_extra(desk: Desk) -> list[Op]:
    if desk.declarations.kind("trial.extra") is None:
        return new_note(desk)
    return [{"k": "new", "c": "trial.extra", "r": desk.new_id(), "set": {"text": desk.word(), "size": 3}}]


def whole_story(desk: Desk) -> list[Op]:
    """A record made and written in one batch."""
    ops = new_note(desk)
    r = ops[0]["r"]
    ops += [
        {"k": "set", "c": "trial.note", "r": r, "f": "amount", "v": desk.random.randrange(5000)},
        {"k": "add", "c": "trial.note", "r": r, "f": "tags", "v": "a"},
        {"k": "rem", "c": "trial.note", "r": r, "f": "tags", "v": desk.random.choice(("a", "b"))},
        {"k": "set", "c": "trial.note", "r": r, "f": "mood", "v": None},
    ]
    return ops


def edit(desk: Desk) -> list[Op]:
    record = desk.some("trial.note", "trial.sheet", "trial.log", "trial.pay", "trial.extra")
    return [_set(desk, record)] if record else new_note(desk)


def edit_sheet(desk: Desk) -> list[Op]:
    """Of one's own sheets, in whatever state: where it was approved meanwhile, the edit comes late."""
    record = desk.some("trial.sheet")
    return [_set(desk, record)] if record else new_sheet(desk)


def edit_twice(desk: Desk) -> list[Op]:
    record = desk.some("trial.note", "trial.sheet")
    return [_set(desk, record), _set(desk, record)] if record else new_sheet(desk)


def edit_many(desk: Desk) -> list[Op]:
    records = [record for _ in range(3) if (record := desk.some("trial.note", "trial.sheet", "trial.log"))]
    return [_set(desk, record) for record in records] or new_log(desk)


def _set(desk: Desk, record: Record) -> Op:
    draw = desk.random
    choices: dict[str, list[tuple[str, Any]]] = {
        "trial.note": [
            ("title", draw.choice(WORDS[:3])), ("amount", draw.randrange(5000)), ("amount", draw.choice((None, 7))),
            ("mood", desk.word()), ("lines.l1.hours", draw.randrange(100)), ("lines.l2.what", desk.word()),
            ("place", draw.choice(("B1", None))), ("photos.p1", _photo(draw)),
            ("marks.p1", draw.choice((_drawn(draw), None))), ("spot", _pin(draw)),
        ],
        "trial.sheet": [
            ("hours", draw.randrange(2400)), ("hours", 800), ("note", desk.word()), ("hint", desk.word()),
            ("day", "2026-04-01"), ("note", None),
        ],
        "trial.log": [("text", desk.word()), ("heads", draw.randrange(40))],
        "trial.pay": [("amount", draw.randrange(90_000))],
        "trial.extra": [("text", desk.word()), ("size", draw.randrange(9))],
    }  # fmt: skip
    if desk.knows("weather"):
        choices["trial.note"] += [("weather", desk.word()), ("wind", draw.randrange(12))]
        choices["trial.sheet"] += [("weather", desk.word())]
    path, value = draw.choice(choices[record["c"]])
    return {"k": "set", "c": record["c"], "r": record["r"], "f": path, "v": value}


def _photo(draw: Random) -> dict[str, Any]:
    return {"sha": f"{draw.getrandbits(256):064x}", "at": 1_790_000_000_000, "w": 1600, "h": 1200}


def _drawn(draw: Random) -> dict[str, Any]:
    points = [draw.randrange(1_000_000) for _ in range(4)]
    return {"shapes": [{"t": draw.choice(("arrow", "rect")), "c": "red", "p": points}]}


def _pin(draw: Random) -> dict[str, Any]:
    return {"plan": "01980000-0000-7000-8000-0000000000aa", "page": 1, "x": draw.randrange(9), "y": 500_000}


def change_set(desk: Desk) -> list[Op]:
    draw = desk.random
    record = desk.some("trial.note", "trial.sheet")
    if record is None:
        return new_note(desk)
    path, element = ("tags", draw.choice(("a", "b", "c")))
    if record["c"] == "trial.sheet":
        path, element = "flags", draw.choice(("late", "night"))
    elif draw.random() < 0.2:
        path, element = "people", draw.choice(PEOPLE)
    elif desk.knows("labels") and draw.random() < 0.4:
        path, element = "labels", draw.choice(PEOPLE)
    there = record["set"].get(path) or [write[merge.VALUE] for write in record["f"].get(path, [])]
    if there and draw.random() < 0.6:
        element = draw.choice(there)  # what is there already: hands meet
    k = draw.choice(("add", "add", "rem"))
    return [{"k": k, "c": record["c"], "r": record["r"], "f": path, "v": element}]


def delete(desk: Desk) -> list[Op]:
    record = desk.some("trial.note", "trial.sheet")
    return [{"k": "del", "c": record["c"], "r": record["r"]}] if record else new_sheet(desk)


def approve(desk: Desk) -> list[Op]:
    """Approve what is shown, each with the hash of it."""
    if not desk.has("supervisor", "manager") and desk.random.random() < 0.9:
        return edit(desk)
    ops = [op for _ in range(desk.random.choice((1, 1, 1, 2))) if (op := _approve(desk))]
    return ops if len({op["r"] for op in ops}) == len(ops) and ops else new_sheet(desk)


def _approve(desk: Desk) -> Op | None:
    record = desk.sheet_in("submitted", "returned") or desk.some("trial.sheet")
    if record is None:
        return None
    kind = desk.declarations.kind(record["c"])
    desk.seen[record["r"]] = merge.shown(record, kind)
    return {"k": "act", "c": record["c"], "r": record["r"], "act": "approve", "ver": merge.version(record, kind)}


def edit_and_approve(desk: Desk) -> list[Op]:
    """The hash of what was shown before one's own edit in the same batch: never what is approved."""
    ops = approve(desk)
    if ops[0]["k"] != "act":
        return ops
    change = {"k": "set", "c": "trial.sheet", "r": ops[0]["r"], "f": "hours", "v": desk.random.randrange(2400)}
    return [change, *ops]


def send_back(desk: Desk) -> list[Op]:
    act = "return" if desk.has("supervisor", "manager") else "submit"
    record = desk.sheet_in("submitted" if act == "return" else "returned") or desk.some("trial.sheet")
    if record is None:
        return new_sheet(desk)
    op = {"k": "act", "c": record["c"], "r": record["r"], "act": act}
    return [op | {"note": desk.random.choice(("看不清", "why", ""))}]


def decide(desk: Desk) -> list[Op]:
    """Accept or decline what came after a seal."""
    held = [record for record in desk.records.values() if record["held"]]
    bold = desk.random.random() < 0.1
    if not held or not (desk.has("supervisor", "manager") or bold):
        return approve(desk)
    record = desk.random.choice(held)
    of = desk.random.choice(record["held"])["of"]
    op = {"c": record["c"], "r": record["r"], "of": of}
    if desk.random.random() < 0.45:
        return [{"k": "decline", **op, "note": "no"}]
    kind = desk.declarations.kind(record["c"])
    after = _as_amended(record, op, kind)
    if after is None:
        return [{"k": "decline", **op}]
    desk.seen[record["r"]] = merge.shown(after, kind)
    ver = merge.version(after, kind) if desk.random.random() < 0.9 else merge.version(record, kind)
    return [{"k": "amend", **op, "ver": ver}]


def _as_amended(record: Record, op: Op, kind: Any) -> Record | None:
    """What the approver is shown: the record with the late edit taken in."""
    entry = next(entry for entry in record["held"] if entry["of"] == op["of"])
    work, late = merge.copy(record), entry["op"]
    work["seal"] = None
    ahead = merge.Stamp(2**53 - 1, entry["device"], 2**53 - 2, entry["et"], "", 0)
    try:
        merge.apply({record["r"]: work}, late, 0, ahead, kind)
    except Refused:
        return None
    return work


def forged(desk: Desk) -> list[Op]:
    """What no app of ours writes: each must be refused, or be harmless."""
    draw = desk.random
    record = desk.some("trial.note", "trial.sheet", "trial.pay", "trial.total", "trial.extra")
    r = record["r"] if record else desk.new_id()
    c = record["c"] if record else "trial.note"
    return [
        draw.choice(
            (
                {"k": "put", "c": c, "r": r, "set": {"title": "forged"}},
                {"k": "set", "c": c, "r": r, "f": "worker", "v": desk.person},
                {"k": "set", "c": c, "r": r, "f": "sort", "v": "urgent"},
                {"k": "set", "c": c, "r": r, "f": "tags", "v": ["a"]},
                {"k": "set", "c": c, "r": r, "f": "amount", "v": 9_999_999},
                {"k": "set", "c": c, "r": r, "f": "amount", "v": "much"},
                {"k": "set", "c": c, "r": r, "f": "hours.x", "v": 1},
                {"k": "set", "c": c, "r": r, "f": "unheard", "v": 1},
                {"k": "set", "c": c, "r": r, "f": "title", "v": None},
                {"k": "set", "c": "trial.nothing", "r": r, "f": "title", "v": "x"},
                {"k": "set", "c": "trial.pay", "r": r, "f": "amount", "v": 1},
                {"k": "add", "c": c, "r": r, "f": "title", "v": "x"},
                {"k": "add", "c": c, "r": r, "f": "tags", "v": "zzz"},
                {"k": "add", "c": c, "r": r, "f": "weather", "v": "x"},
                {"k": "new", "c": c, "r": r, "set": {"title": "again", "worker": desk.person, "hours": 1}},
                {"k": "new", "c": "trial.total", "r": desk.new_id(), "set": {"worker": desk.person}},
                {"k": "new", "c": "trial.note", "r": desk.new_id(), "set": {}},
                {"k": "new", "c": "trial.pay", "r": desk.new_id(), "set": {"worker": desk.person, "amount": 1}},
                {
                    "k": "new",
                    "c": "trial.note",
                    "r": desk.new_id(),
                    "set": {"title": "x", "weather": 5, "state": "approved"},
                },
                {"k": "act", "c": c, "r": r, "act": "approve"},
                {"k": "act", "c": c, "r": r, "act": "approve", "ver": "0" * 64},
                {"k": "act", "c": c, "r": r, "act": "fly"},
                {"k": "amend", "c": c, "r": r, "of": [1, 0], "ver": "0" * 64},
                {"k": "decline", "c": c, "r": r, "of": [1, 0]},
                {"k": "del", "c": c, "r": r},
            )
        )
    ]


GESTURES: Final[Sequence[tuple[Callable[[Desk], list[Op]], int]]] = (
    (new_note, 6), (new_sheet, 12), (new_log, 4), (new_pay, 3), (new_extra, 2), (whole_story, 3), (edit, 30),
    (edit_sheet, 24), (edit_twice, 5), (edit_many, 5), (change_set, 18), (delete, 4), (approve, 26),
    (edit_and_approve, 2), (send_back, 5), (decide, 24), (forged, 6),
)  # fmt: skip


def write(desk: Desk, server_v: int) -> tuple[list[Op], int]:
    """The ops of the next batch and the version of the declarations that it names."""
    gesture = desk.random.choices([g for g, _ in GESTURES], [weight for _, weight in GESTURES])[0]
    ops = gesture(desk)
    v = desk.declarations.v
    if gesture is forged and desk.random.random() < 0.4:
        v = max(server_v, DECLARED.v) + 1
    return ops, v
