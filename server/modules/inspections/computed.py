"""inspections.score, computed from each inspection and the template it was started with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from server.core.merge import Record, shown
from server.core.value import Value
from server.modules.inspections.score import Score, score
from server.modules.inspections.template import read_template
from server.sync.computed import Computed, Inputs, Result


def scores(inputs: Inputs) -> Iterator[Result]:
    """The scores of the inspections of one template; none as long as nobody answered anything."""
    if not inputs.context["inspections.template"]:
        return
    template = read_template(shown(inputs.context["inspections.template"][0], None))
    for inspection in inputs.records:
        values = shown(inspection, None)
        found = score(template, values)
        if found.answered:
            yield Result(inspection["r"], str(values["date"]), values_of(inspection, values, found))


def values_of(inspection: Record, values: dict[str, Any], found: Score) -> dict[str, Value]:
    """A grade is written once nothing can change it for the better any more, or nothing is missing."""
    is_final = not found.missing or (found.grade == "fail" and bool(found.vetoed))
    stored: dict[str, Value] = {
        "inspection": inspection["r"],
        "date": values.get("date"),
        "template": values.get("template"),
        "place": values.get("place"),
        "score": found.score,
        "grade": found.grade if is_final else None,
        "answered": found.answered,
        "asked": found.asked,
        "failed": found.failed,
        "missing": len(found.missing),
    }
    return {path: value for path, value in stored.items() if value is not None}


computed: Final = {
    "inspections.scores": Computed(
        kind="inspections.score",
        inputs=("inspections.inspection",),
        by="template",
        around=0,
        context=(),
        compute=scores,
        keys=("inspections.template",),
    )
}
