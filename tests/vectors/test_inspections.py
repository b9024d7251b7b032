"""What inspections score and what plans ask for, by shared/vectors; the phone's suite runs the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from server.modules.inspections.plan import Made, duties, occurrences
from server.modules.inspections.score import score
from server.modules.inspections.template import read_template

VECTORS = Path(__file__).parents[2] / "shared" / "vectors"
SCORES = json.loads((VECTORS / "scores.json").read_text("utf-8"))
PLANS = json.loads((VECTORS / "plans.json").read_text("utf-8"))
Case = dict[str, Any]


def cases(found: dict[str, Any], *rules: str) -> Any:
    return [
        pytest.param(case, id=f"{case['rule']} {case['name']}")
        for case in found["cases"]
        if not rules or case["rule"] in rules
    ]


@pytest.mark.parametrize("case", cases(SCORES))
def test_an_inspection_comes_to_this_score(case: Case) -> None:
    template = read_template(SCORES["templates"][case["template"]])
    assert asdict(score(template, case["set"])) == case["gives"]


@pytest.mark.parametrize("case", cases(PLANS, "occurrences"))
def test_a_plan_asks_on_these_days(case: Case) -> None:
    assert occurrences(case["plan"], case["from"], case["to"]) == case["gives"]


@pytest.mark.parametrize("case", cases(PLANS, "duties"))
def test_of_what_a_plan_asked_for_this_came(case: Case) -> None:
    made = [Made(one["r"], one["state"], one["due"]) for one in case["inspections"]]
    assert [asdict(duty) for duty in duties(case["plan"], made, case["today"])] == case["gives"]
