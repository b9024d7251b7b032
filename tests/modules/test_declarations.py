"""Every shipped declaration is whole; every wrong one is refused with its file, path and reason."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from server.core import logic
from server.core.declaration import BadDeclaration, Declarations, Kind, assemble, load
from server.core.field import Field
from server.core.schema import Reader

SHARED: Final = Path("shared")
SCHEMA: Final = json.loads((SHARED / "module.schema.json").read_text("utf-8"))
SOURCES: Final = {file.name: file.read_bytes() for file in sorted((SHARED / "modules").glob("*.json"))}
SHIPPED: Final[Declarations] = load(SHARED / "modules")
KINDS: Final = sorted(SHIPPED.kinds.items())
EACH_KIND: Final = pytest.mark.parametrize("kind", [kind for _, kind in KINDS], ids=[c for c, _ in KINDS])


# What is shipped


def labels(node: Any, at: str = "$") -> Iterator[tuple[str, dict[str, str]]]:
    """Everything in a declaration that a person reads."""
    if isinstance(node, dict):
        if {"zh", "en"} & node.keys():
            yield at, node
        for key, inner in node.items():
            yield from labels(inner, f"{at}.{key}")
    elif isinstance(node, list):
        for i, inner in enumerate(node):
            yield from labels(inner, f"{at}[{i}]")


@pytest.mark.parametrize("file", SOURCES)
def test_every_label_is_there_in_chinese_and_in_english(file: str) -> None:
    found = list(labels(json.loads(SOURCES[file])))
    assert len(found) > 20
    for at, label in found:
        assert label.get("zh", "").strip(), at
        assert label.get("en", "").strip(), at
        assert label["en"].isascii() or label["en"] == "°", f"{at}: {label['en']} is not English"
        assert any("\u4e00" <= sign <= "\u9fff" for sign in label["zh"]), f"{at}: {label['zh']} is not Chinese"


@EACH_KIND
def test_every_field_can_be_filled_in_or_is_the_apps_own(kind: Kind) -> None:
    if kind.computed_by:
        assert not kind.form
        return
    asked = [name for section in kind.form for name in section.fields]
    assert len(asked) == len(set(asked))
    automatic = {name for name, field in kind.fields.items() if field.automatic}
    assert {*asked} | automatic == kind.fields.keys()


@EACH_KIND
def test_every_view_and_the_export_name_what_is_there_and_show_every_field_somewhere(kind: Kind) -> None:
    known = {*kind.fields, "by", "state", "no", "by_unit", "team_unit", "sealed_on"}
    assert kind.views
    shown: set[str] = {*kind.export}
    for view in kind.views:
        assert view.as_ in ("list", "table", "calendar")
        assert view.columns or view.date
        shown |= {*view.columns, *([view.group] if view.group else []), *([view.date] if view.date else [])}
    assert shown <= known
    technical = {"arrival", "departure", "repeats", "devices"}  # links, followed rather than read
    assert kind.fields.keys() - shown <= technical
    assert kind.export


def value_of(field: Field, choice: str | None = None) -> Any:
    """Some value that fits a field."""
    options = list(field.options or {})
    by_type: dict[str, Any] = {
        "text": "文字 text", "long_text": "一段\n文字", "number": field.min or 1, "money": 12345, "bool": True,
        "choice": choice or (options[0] if options else None), "multi_choice": options[:2] or ["id-1"],
        "date": "2026-03-02", "instant": 1_772_406_000_000, "minutes": field.min or 60,
        "place": {"lat": 312_304_000, "lng": 1_214_737_000, "accuracy_m": 12, "fix_age_s": 3},
        "ref": "0198aaaa-0000-7000-8000-000000000001", "person": "p1",
    }  # fmt: skip
    return by_type.get(field.type)


@EACH_KIND
def test_every_option_is_accepted_where_it_is_offered(kind: Kind) -> None:
    for name, field in kind.fields.items():
        for option in field.options or {}:
            value = [option] if field.type == "multi_choice" else option
            assert kind.reason(name, value) is None, (name, option)
        if field.options:
            assert kind.reason(name, ["nowhere"] if field.type == "multi_choice" else "nowhere") == "option"


@EACH_KIND
def test_a_record_with_every_field_filled_in_is_accepted(kind: Kind) -> None:
    for name, field in kind.fields.items():
        if (value := value_of(field)) is not None:
            assert kind.reason(name, value) is None, name


@EACH_KIND
def test_every_check_can_hold_and_can_fail(kind: Kind) -> None:
    for check in kind.checks:
        answers = {logic.holds(check.that, data) for data in imaginable(kind, logic.names(check.that))}
        assert answers == {True, False}, check.else_


def imaginable(kind: Kind, names: set[str]) -> Iterator[dict[str, Any]]:
    """Records with each of these fields empty and filled in every way that its options allow."""
    ways = []
    for name in sorted(names):
        field = kind.fields[name]
        ways.append([None, *(field.options or [value_of(field)])])
    for values in itertools.product(*ways):
        yield dict(zip(sorted(names), values, strict=True)) | {"state": kind.first_state}


@EACH_KIND
def test_every_state_can_be_reached_and_every_act_can_be_done_by_somebody(kind: Kind) -> None:
    reached = {kind.first_state} if kind.states else set()
    for _ in kind.states:
        reached |= {act.to for act in kind.acts.values() if {*act.from_} & reached}
    assert reached == kind.states.keys()
    for name, act in kind.acts.items():
        assert {*act.roles} - {*act.not_}, name


def test_the_check_in_has_its_fields_and_only_three_are_required() -> None:
    kind = SHIPPED.kinds["labour.checkin"]
    assert list(kind.fields) == [
        "worker", "direction", "at", "offset_min", "work_date", "place", "fence", "method", "team", "note",
        "photos", "device_skew_ms",
    ]  # fmt: skip
    assert kind.required == ["worker", "direction", "at"]
    assert list(kind.states) == ["submitted", "approved", "returned"]
    assert [name for name, state in kind.states.items() if state.seals] == ["approved"]
    assert (kind.audience, kind.day) == ("person:{worker}", "work_date")
    assert kind.acts["approve"].not_ == ["self:worker"]
    assert kind.acts["return"].needs_note


def test_the_shift_is_computed_and_nobody_writes_it() -> None:
    kind = SHIPPED.kinds["labour.shift"]
    assert kind.computed_by == "labour.shifts"
    assert (kind.may.create, kind.may.edit, kind.acts, kind.form) == ([], [], {}, [])


# What is refused

Break = Callable[[dict[str, Any]], Any]


def checkin(module: dict[str, Any]) -> dict[str, Any]:
    kind: dict[str, Any] = module["kinds"]["checkin"]
    return kind


def field_of(module: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = checkin(module)["fields"][name]
    return found


CHECKIN: Final = "$.kinds.checkin"
LABEL: Final = {"zh": "名", "en": "name"}
BROKEN: Final[dict[str, tuple[Break, str, str]]] = {
    "no version": (lambda m: m.pop("version"), "$", '"version" is a required'),
    "version 0": (lambda m: m.update(version=0), "$.version", "less than"),
    "version 1.5": (lambda m: m.update(version=1.5), "$.version", 'not of type "integer"'),
    "a module name in capitals": (lambda m: m.update(module="Labour"), "$.module", "does not match"),
    "another file's name": (lambda m: m.update(module="wages"), "$.module", "file of its name"),
    "a word that nobody knows": (lambda m: m.update(colour="red"), "$.colour", "does not belong"),
    "no kinds": (lambda m: m.update(kinds={}), "$.kinds", "less than 1"),
    "a kind with a dot": (lambda m: m["kinds"].update({"a.b": checkin(m)}), "$.kinds.a.b", "does not match"),
    "a label without English": (lambda m: field_of(m, "note")["label"].pop("en"), f"{CHECKIN}.fields.note.label", "en"),
    "an empty label": (lambda m: m["label"].update(zh=""), "$.label.zh", "shorter"),
    "an unknown field type": (
        lambda m: field_of(m, "note").update(type="colour"), f"{CHECKIN}.fields.note.type", "not one of",
    ),
    "a field called state": (
        lambda m: checkin(m)["fields"].update(state=field_of(m, "note")),
        f"{CHECKIN}.fields.state", "is not allowed",
    ),
    "a field called marks": (
        lambda m: checkin(m)["fields"].update(marks=field_of(m, "note")),
        f"{CHECKIN}.fields.marks", "is not allowed",
    ),
    "an act that needs a field that is not there": (
        lambda m: checkin(m)["acts"]["approve"].update(needs=["note", "stamp"]),
        f"{CHECKIN}.acts.approve.needs[1]", "stamp is not a field that is filled in",
    ),
    "an act that needs nothing": (
        lambda m: checkin(m)["acts"]["approve"].update(needs=[]), f"{CHECKIN}.acts.approve.needs", "less than 1",
    ),
    "an act that needs what is drawn": (
        lambda m: checkin(m)["acts"]["approve"].update(needs=["marks"]),
        f"{CHECKIN}.acts.approve.needs[0]", "is not allowed",
    ),
    "more rows than a record can hold": (
        lambda m: checkin(m)["fields"].update(
            lines={"type": "rows", "max": 501, "label": LABEL, "fields": {"x": {"type": "text", "label": LABEL}}}
        ),
        f"{CHECKIN}.fields.lines.max", "greater than",
    ),
    "a pin with options": (
        lambda m: field_of(m, "direction").update(type="pin"), f"{CHECKIN}.fields.direction.type", "options",
    ),
    "__proto__": (
        lambda m: checkin(m)["fields"].update({"__proto__": field_of(m, "note")}),
        f"{CHECKIN}.fields.__proto__", "match",
    ),
    "a scale on a text": (
        lambda m: field_of(m, "note").update(scale=2), f"{CHECKIN}.fields.note.type", "does not go with scale",
    ),
    "a choice without options": (
        lambda m: field_of(m, "direction").pop("options"), f"{CHECKIN}.fields.direction", '"options" is a required',
    ),
    "a ref to nothing": (lambda m: field_of(m, "team").pop("kind"), f"{CHECKIN}.fields.team", '"kind" is a required'),
    "a ref to a kind that is not there": (
        lambda m: field_of(m, "team").update(kind="core.gang"), f"{CHECKIN}.fields.team.kind", "not a declared kind",
    ),
    "rows without fields": (
        lambda m: field_of(m, "photos").update(type="rows"), f"{CHECKIN}.fields.photos", '"fields" is a required',
    ),
    "rows in rows": (
        lambda m: checkin(m)["fields"].update(
            lines={"type": "rows", "label": LABEL, "fields": {"x": {"type": "rows", "label": LABEL, "fields": {}}}}
        ),
        f"{CHECKIN}.fields.lines.fields.x.type", "not one of",
    ),
    "photos in a row": (
        lambda m: checkin(m)["fields"].update(
            lines={"type": "rows", "label": LABEL, "fields": {"x": {"type": "photos", "label": LABEL}}}
        ),
        f"{CHECKIN}.fields.lines.fields.x.type", "not one of",
    ),
    "a set of dates": (
        lambda m: field_of(m, "work_date").update(merge="set"), f"{CHECKIN}.fields.work_date.type", "multi_choice",
    ),
    "min above max": (
        lambda m: field_of(m, "offset_min").update(min=2000), f"{CHECKIN}.fields.offset_min.min", "above max",
    ),
    "a pattern that does not compile": (
        lambda m: field_of(m, "note").update(pattern="("), f"{CHECKIN}.fields.note.pattern", "not a pattern",
    ),
    "a default that is no option": (
        lambda m: field_of(m, "direction").update(default="up"), f"{CHECKIN}.fields.direction.default", "does not fit",
    ),
    "now as the default of a text": (
        lambda m: field_of(m, "note").update(default="now"), f"{CHECKIN}.fields.note.type", "instant",
    ),
    "a computed field that is required": (
        lambda m: field_of(m, "note").update(computed={"var": "team"}, required=True),
        f"{CHECKIN}.fields.note.required", "does not go with computed",
    ),
    "an operator that only one language knows": (
        lambda m: checkin(m)["checks"][0].update(that={"log": "x"}), f"{CHECKIN}.checks[0].that.log", "not one of",
    ),
    "two operators in one rule": (
        lambda m: checkin(m)["checks"][0].update(that={"var": "note", "!": [1]}),
        f"{CHECKIN}.checks[0].that", "more than 1",
    ),
    "a rule over a field that is not there": (
        lambda m: checkin(m)["checks"][0].update(that={"!!": [{"var": "weather"}]}),
        f"{CHECKIN}.checks[0].that", "weather is not a field",
    ),
    "a check without words": (
        lambda m: checkin(m)["checks"][0].pop("else"), f"{CHECKIN}.checks[0]", '"else" is a required',
    ),
    "a role that is not there": (
        lambda m: checkin(m)["acts"]["approve"]["roles"].append("boss"), f"{CHECKIN}.acts.approve.roles[2]", "match",
    ),
    "self of a field that is no person": (
        lambda m: checkin(m)["may"]["create"].append("self:note"), f"{CHECKIN}.may.create", "not a person",
    ),
    "a crew by a field that is no team": (
        lambda m: checkin(m)["may"]["create"].append("foreman:note"), f"{CHECKIN}.may.create[4]", "neither a person",
    ),
    "an audience of a field that can change": (
        lambda m: field_of(m, "worker").pop("merge"), f"{CHECKIN}.audience", '"merge": "once"',
    ),
    "an audience of a field that is not there": (
        lambda m: checkin(m).update(audience="person:{boss}"), f"{CHECKIN}.audience", "boss is not a field",
    ),
    "an audience of everybody else": (
        lambda m: checkin(m).update(audience="strangers"), f"{CHECKIN}.audience", "does not match",
    ),
    "an act to a state that is not there": (
        lambda m: checkin(m)["acts"]["approve"].update(to="done"), f"{CHECKIN}.states.approved", "no act leads here",
    ),
    "an act from a state that is not there": (
        lambda m: checkin(m)["acts"]["approve"]["from"].append("lost"),
        f"{CHECKIN}.acts.approve", "lost is not a state",
    ),
    "a state without a tone": (
        lambda m: checkin(m)["states"]["approved"].pop("tone"), f"{CHECKIN}.states.approved", '"tone" is a required',
    ),
    "a first state that seals": (
        lambda m: checkin(m)["states"]["submitted"].update(seals=True), f"{CHECKIN}.states.submitted", "cannot seal",
    ),
    "acts without states": (
        lambda m: checkin(m).pop("states"), CHECKIN, '"states" is a required',
    ),
    "a form with a field that is not there": (
        lambda m: checkin(m)["form"][1]["fields"].append("weather"), f"{CHECKIN}.form[1].fields[2]", "not a field",
    ),
    "a form that forgets a field": (
        lambda m: checkin(m)["form"][1]["fields"].remove("note"), f"{CHECKIN}.fields.note", "neither in the form",
    ),
    "a form that asks twice": (
        lambda m: checkin(m)["form"][1]["fields"].append("at"), f"{CHECKIN}.form[1].fields[2]", "twice",
    ),
    "a written kind without a form": (lambda m: checkin(m).pop("form"), CHECKIN, '"form" is a required'),
    "a column that is not there": (
        lambda m: checkin(m)["views"][0]["columns"].append("wage"), f"{CHECKIN}.views[0].columns[4]", "not a field",
    ),
    "a calendar of something that is no date": (
        lambda m: checkin(m)["views"][1].update(date="at"), f"{CHECKIN}.views[1].date", "not a date field",
    ),
    "an export column that is not there": (
        lambda m: checkin(m)["export"].insert(0, "wage"), f"{CHECKIN}.export[0]", "not a field",
    ),
    "a computed kind that people may write": (
        lambda m: m["kinds"]["shift"].update(may={"create": ["all"], "edit": []}),
        "$.kinds.shift.may", "does not belong",
    ),
    "a Gantt view": (
        lambda m: checkin(m)["views"][0].update({"as": "gantt"}), f"{CHECKIN}.views[0].as", "Not built",
    ),
    "an alert without a title": (
        lambda m: checkin(m).update(alerts={"made": {"on": "created"}}), f"{CHECKIN}.alerts.made", "title",
    ),
    "an alert on an act that there is not": (
        lambda m: checkin(m).update(alerts={"x": {"title": {"zh": "x", "en": "x"}, "on": "act", "act": "fly"}}),
        f"{CHECKIN}.alerts.x.act", "names one of the acts",
    ),
    "an alert that is due at a text": (
        lambda m: checkin(m).update(alerts={"x": {"title": {"zh": "x", "en": "x"}, "on": "overdue", "due": "note"}}),
        f"{CHECKIN}.alerts.x.due", "neither an instant nor a date",
    ),
    "an alert that ends in a state that there is not": (
        lambda m: checkin(m).update(alerts={"x": {"title": {"zh": "x", "en": "x"}, "on": "created", "ends": ["gone"]}}),
        f"{CHECKIN}.alerts.x.ends[0]", "is not a state",
    ),
    "a record made of what there is not": (
        lambda m: checkin(m).update(makes={"kind": "core.nothing", "fields": {"a": "note"}}),
        f"{CHECKIN}.makes.kind", "not a declared kind",
    ),
    "a record made of a field of another type": (
        lambda m: checkin(m).update(makes={"kind": "labour.checkin", "fields": {"worker": "note"}}),
        f"{CHECKIN}.makes.fields.worker", "not fields of one type",
    ),
    "keep": (lambda m: checkin(m).update(keep={"days": 90}), f"{CHECKIN}.keep", "Not built: how long"),
    "a chain of signatures": (
        lambda m: checkin(m)["acts"]["approve"].update(chain=[]), f"{CHECKIN}.acts.approve.chain", "Not built: chains",
    ),
}  # fmt: skip


def broken(how: Break) -> dict[str, bytes]:
    module = json.loads(SOURCES["labour.json"])
    how(module)
    return SOURCES | {"labour.json": json.dumps(module).encode()}


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_declaration_is_refused_with_file_path_and_reason(name: str) -> None:
    how, path, reason = BROKEN[name]
    with pytest.raises(BadDeclaration) as refused:
        assemble(broken(how), Reader(SCHEMA))
    assert refused.value.file == "labour.json"
    assert refused.value.path == path
    assert reason in refused.value.reason
    assert str(refused.value) == f"labour.json: {path}: {refused.value.reason}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [(b"", "not JSON"), (b"{", "not JSON"), (b"\xff", "not JSON"), (b"[]", "not of type"), (b"{}", "required")],
)
def test_a_file_that_is_no_declaration_at_all_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(BadDeclaration, match=reason):
        assemble({"labour.json": text}, Reader(SCHEMA))


def test_load_refuses_a_folder_with_a_wrong_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "module.schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    for name, text in broken(BROKEN["keep"][0]).items():
        (tmp_path / "modules" / name).write_bytes(text)
    with pytest.raises(BadDeclaration, match=r"labour\.json: \$\.kinds\.checkin\.keep: Not built"):
        load(tmp_path / "modules")


def test_the_schema_is_a_schema() -> None:
    jsonschema_rs.meta.validate(SCHEMA)
