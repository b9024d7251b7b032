"""A declaration: what a module is, as data (`shared/modules/*.json`).

`load(folder)` reads and checks all of them; a wrong one is refused with its file, the path in
it and the reason. Their shape is what the `module.schema.json` beside the folder says; what a
schema cannot say (that a form names fields that there are) is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from server.core import logic
from server.core.field import DRAWING, KEYED_MAX, MARKS, Field, Label, Logic, keyed_reason
from server.core.schema import Fault, Reader
from server.core.usual import Usual
from server.core.value import is_key

ROLES: Final = ("worker", "foreman", "inspector", "supervisor", "manager", "office", "client")
TEAM: Final = "core.team"
AUDIENCE: Final = re.compile(r"all|office|(?:team|person):(?:\{[a-z][a-z0-9_]*\})|private:\{author\}")


class BadDeclaration(Exception):
    """A module that cannot be loaded: `file`, `path` inside it, `reason` in plain words."""

    def __init__(self, file: str, path: str, reason: str) -> None:
        super().__init__(f"{file}: {path or '$'}: {reason}")
        self.file, self.path, self.reason = file, path, reason


class May(msgspec.Struct, forbid_unknown_fields=True):
    create: list[str] = []
    edit: list[str] = []
    delete: list[str] = []


class Check(msgspec.Struct, forbid_unknown_fields=True, rename={"else_": "else"}):
    that: Logic
    else_: Label
    level: Literal["warn", "error"] = "error"


class State(msgspec.Struct, forbid_unknown_fields=True):
    label: Label
    tone: Literal["plain", "waits", "done", "needs_you", "hazard"] = "plain"
    seals: bool = False


class Act(msgspec.Struct, forbid_unknown_fields=True, rename={"from_": "from", "if_": "if", "not_": "not"}):
    label: Label
    from_: list[str]
    to: str
    roles: list[str]
    not_: list[str] = []
    if_: Logic = None
    needs: list[str] = []
    needs_note: bool = False
    reopens: bool = False


class Alert(msgspec.Struct, forbid_unknown_fields=True, rename={"if_": "if"}):
    """When a record calls people: `on` it is made, an act is done (`act`), or a time has passed (`due`, an
    instant or date field). It is over when the record is in one of the states that it `ends` in."""

    title: Label
    on: Literal["created", "act", "overdue"]
    act: str | None = None
    due: str | None = None
    if_: Logic = None
    level: Logic = None
    urgent: Logic = False
    each: Logic = False
    to: Logic = "all"
    ends: list[str] = []
    body: list[str] = []


class Makes(msgspec.Struct, forbid_unknown_fields=True):
    """A record of another kind that the server makes from each new one, in its own name: `fields` maps the
    other's fields to this one's, `set` is what is always so. It is made once; nothing links it back."""

    kind: str
    fields: dict[str, str] = {}
    set: dict[str, Any] = {}


class Section(msgspec.Struct, forbid_unknown_fields=True):
    fields: list[str]
    title: Label | None = None


class View(msgspec.Struct, forbid_unknown_fields=True, rename={"as_": "as"}):
    as_: Literal["list", "calendar", "table"]
    columns: list[str] = []
    group: str | None = None
    date: str | None = None
    label: Label | None = None


class Kind(msgspec.Struct, forbid_unknown_fields=True, dict=True):
    """One type of record. `c` (`module.kind`) is set by `load`."""

    label: Label
    audience: str
    fields: dict[str, Field]
    title: list[str] = []
    may: May = msgspec.field(default_factory=May)
    day: str | None = None
    checks: list[Check] = []
    states: dict[str, State] = {}
    acts: dict[str, Act] = {}
    form: list[Section] = []
    views: list[View] = []
    export: list[str] = []
    alerts: dict[str, Alert] = {}
    makes: Makes | None = None
    computed_by: str | None = None
    c: str = ""

    @cached_property
    def first_state(self) -> str | None:
        return next(iter(self.states), None)

    @cached_property
    def audience_field(self) -> str | None:
        """The field that an audience names (`worker` in `person:{worker}`), or None."""
        found = re.search(r"\{(\w+)\}", self.audience)
        return found[1] if found else None

    @cached_property
    def audience_class(self) -> str:
        """What an audience with a field begins with: `person:`, say."""
        return self.audience.partition("{")[0]

    @cached_property
    def required(self) -> list[str]:
        return [name for name, field in self.fields.items() if field.required]

    @cached_property
    def error_checks(self) -> list[Check]:
        return [check for check in self.checks if check.level == "error"]

    @cached_property
    def keyed(self) -> dict[str, int]:
        """The fields written by key (photos, files, rows) → how many keys each may hold.

        As many photos may be drawn on as there may be.
        """
        found = {
            name: KEYED_MAX[field.type] if field.max is None else field.max
            for name, field in self.fields.items()
            if field.type in KEYED_MAX
        }
        photos = [most for name, most in found.items() if self.fields[name].type == "photos"]
        return found | {MARKS: sum(photos)} if photos else found

    @cached_property
    def written(self) -> Mapping[str, Field]:
        """The fields that an op may name: the declared ones, and what is drawn on photos."""
        has_photos = any(field.type == "photos" for field in self.fields.values())
        return {**self.fields, MARKS: DRAWING} if has_photos else self.fields

    def decimals(self, path: str) -> int:
        """The power of ten between stored and shown number at a path (V4)."""
        name, _, rest = path.partition(".")
        field = self.fields.get(name)
        if field is not None and rest and field.fields:
            field = field.fields.get(rest.partition(".")[2])
        return 0 if field is None else field.decimals

    def field(self, path: str) -> Field | None:
        """The declared field that a path begins with, computed ones aside."""
        field = self.written.get(path) or self.written.get(path.partition(".")[0])
        return None if field is None or field.computed is not None else field

    def rule(self, path: str) -> str:
        """The merge rule of a path; an undeclared one is kept (M9)."""
        field = self.fields.get(path) or self.fields.get(path.partition(".")[0])
        return "keep" if field is None else field.rule

    @cached_property
    def reasons(self) -> dict[str, Callable[[Any], str | None]]:
        """What judges a value, for the fields that are written whole."""
        return {name: field.reason for name, field in self.written.items() if field.computed is None}

    def reason(self, path: str, value: Any) -> str | None:
        """Why a value may not be written at a path of a declared field, or None."""
        if judge := self.reasons.get(path):
            return judge(value)
        root = self.field(path)
        return "path" if root is None else keyed_reason(root, path.split("."), value)


class Module(msgspec.Struct, forbid_unknown_fields=True):
    module: str
    version: int
    label: Label
    kinds: dict[str, Kind]
    icon: str | None = None


@dataclass(frozen=True)
class Declarations:
    """All modules of this server. `v` grows with every change of any of them (M9)."""

    modules: Mapping[str, Module]
    kinds: Mapping[str, Kind]
    v: int

    def kind(self, c: str) -> Kind | None:
        return self.kinds.get(c)

    @cached_property
    def usual(self) -> Usual:
        """What judges most batches at once."""
        return Usual({c: kind.fields for c, kind in self.kinds.items()})


def load(folder: Path) -> Declarations:
    """Every `*.json` of a folder, checked. Raises BadDeclaration."""
    shape = Reader(msgspec.json.decode((folder.parent / "module.schema.json").read_bytes()))
    return assemble({file.name: file.read_bytes() for file in sorted(folder.glob("*.json"))}, shape)


def assemble(sources: Mapping[str, bytes], shape: Reader | None = None) -> Declarations:
    """The same from memory: file name → JSON. Without a shape, only what must hold is checked."""
    modules: dict[str, Module] = {}
    kinds: dict[str, Kind] = {}
    for file, text in sources.items():
        if shape is not None:
            _check_shape(file, text, shape)
        module = read(file, text)
        if module.module in modules:
            raise BadDeclaration(file, "$.module", f"{module.module} is declared twice")
        modules[module.module] = module
        kinds |= {kind.c: kind for kind in module.kinds.values()}
    for file, text in sources.items():
        _check_references(file, read(file, text), kinds)
    return Declarations(modules, kinds, sum(module.version for module in modules.values()))


def read(file: str, text: bytes) -> Module:
    """One module, checked by itself. Raises BadDeclaration."""
    try:
        module = msgspec.json.decode(text, type=Module)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at ")
        raise BadDeclaration(file, path.strip("`") or "$", reason) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadDeclaration(file, "$", f"not JSON: {error}") from error
    for path, reason in _faults(module):
        raise BadDeclaration(file, path, reason)
    for name, kind in module.kinds.items():
        kind.c = f"{module.module}.{name}"
    return module


def _check_shape(file: str, text: bytes, shape: Reader) -> None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadDeclaration(file, "$", f"not JSON: {error}") from error
    for path, reason in shape.faults(value):
        raise BadDeclaration(file, path, reason)
    if f"{value['module']}.json" != file:
        raise BadDeclaration(file, "$.module", f"{value['module']} belongs in a file of its name")


def _faults(module: Module) -> Iterator[Fault]:
    if not is_key(module.module):
        yield "$.module", f"{module.module!r} is not a name ([a-z][a-z0-9_]*)"
    if module.version < 1:
        yield "$.version", "a version is 1 or more"
    yield from _label_faults("$.label", module.label)
    if not module.kinds:
        yield "$.kinds", "a module has at least one kind"
    for name, kind in module.kinds.items():
        if not is_key(name):
            yield f"$.kinds.{name}", "is not a name ([a-z][a-z0-9_]*)"
        yield from _kind_faults(f"$.kinds.{name}", kind)


def _kind_faults(at: str, kind: Kind) -> Iterator[Fault]:
    yield from _label_faults(f"{at}.label", kind.label)
    if not kind.fields:
        yield f"{at}.fields", "a kind has at least one field"
    for name, field in kind.fields.items():
        yield from _field_faults(f"{at}.fields.{name}", name, field, kind.fields)
    yield from _audience_faults(at, kind)
    yield from _who_faults(f"{at}.may.create", kind.may.create, kind)
    yield from _who_faults(f"{at}.may.edit", kind.may.edit, kind)
    yield from _who_faults(f"{at}.may.delete", kind.may.delete, kind)
    yield from _life_faults(at, kind)
    yield from _alert_faults(at, kind)
    yield from _layout_faults(at, kind)
    for i, check in enumerate(kind.checks):
        yield from _label_faults(f"{at}.checks[{i}].else", check.else_)
        yield from _logic_faults(f"{at}.checks[{i}].that", check.that, kind.fields)
    if kind.computed_by and (kind.may.create or kind.may.edit or kind.acts):
        yield f"{at}.computed_by", "a computed kind is read-only: it takes no may and no acts"
    if not kind.computed_by and not kind.may.create:
        yield f"{at}.may.create", "nobody may create one: name who may, or computed_by"


def _field_faults(at: str, name: str, field: Field, siblings: Mapping[str, Field]) -> Iterator[Fault]:
    if not is_key(name):
        yield at, "is not a name ([a-z][a-z0-9_]*)"
    if name in ("state", MARKS):
        yield at, f"{name} is the record's own word"
    yield from _label_faults(f"{at}.label", field.label)
    if field.type == "choice" and not field.options:
        yield f"{at}.options", "a choice needs options"
    if field.options and field.type not in ("choice", "multi_choice"):
        yield f"{at}.options", "options go with choice and multi_choice"
    for option in field.options or {}:
        if not is_key(option):
            yield f"{at}.options.{option}", "is not a name ([a-z][a-z0-9_]*)"
    if (field.type == "rows") != bool(field.fields):
        yield f"{at}.fields", "fields go with rows, and rows need some"
    if field.type == "ref" and not field.kind:
        yield f"{at}.kind", "a ref names the kind that it refers to"
    if field.kind and (field.options or field.type not in ("ref", "multi_choice")):
        yield f"{at}.kind", "kind goes with ref, or with a multi_choice that has no options"
    if field.scale and field.type != "number":
        yield f"{at}.scale", "scale goes with number"
    if not 0 <= field.scale <= 9:
        yield f"{at}.scale", "a scale is 0 to 9"
    if field.min is not None and field.max is not None and field.min > field.max:
        yield f"{at}.min", "min is above max"
    if field.merge == "set" and field.type not in ("multi_choice", "text"):
        yield f"{at}.merge", "set goes with multi_choice and text"
    if field.merge != "set" and field.merge is not None and field.type == "multi_choice":
        yield f"{at}.merge", "multi_choice merges as a set"
    if field.computed is not None and (field.required or field.merge or field.default is not None):
        yield f"{at}.computed", "a computed field is not written: no required, merge or default"
    try:
        _ = field.regex
    except re.error as error:
        yield f"{at}.pattern", f"not a pattern: {error}"
    yield from _logic_faults(f"{at}.when", field.when, siblings)
    yield from _logic_faults(f"{at}.computed", field.computed, siblings)
    yield from _default_faults(at, field)
    for sub_name, sub in (field.fields or {}).items():
        if sub.type in ("rows", "photos", "files"):
            yield f"{at}.fields.{sub_name}.type", f"{sub.type} cannot stand in a row"
        yield from _field_faults(f"{at}.fields.{sub_name}", sub_name, sub, field.fields or {})


DEFAULT_WORDS: Final = {
    "me": ("person",), "now": ("instant",), "today": ("date",), "here": ("place",),
}  # fmt: skip


def _default_faults(at: str, field: Field) -> Iterator[Fault]:
    default = field.default
    if default is None or default == "last":
        return
    words = DEFAULT_WORDS.get(default) if isinstance(default, str) else None
    if words and field.type in words:
        return
    if (reason := field.reason(default)) is not None:
        yield f"{at}.default", f"does not fit the field: {reason}"


def _audience_faults(at: str, kind: Kind) -> Iterator[Fault]:
    if not AUDIENCE.fullmatch(kind.audience):
        yield f"{at}.audience", "is all, office, team:{field}, person:{field} or private:{author}"
        return
    name = kind.audience_field
    if name is None or name == "author":
        return
    field = kind.fields.get(name)
    if field is None:
        yield f"{at}.audience", f"{name} is not a field"
    elif field.rule != "once" and not kind.computed_by:
        yield f"{at}.audience", f'{name} decides who sees the record, so it needs "merge": "once"'
    elif kind.audience.startswith("person") and field.type != "person":
        yield f"{at}.audience", f"{name} is not a person"


def _who_faults(at: str, who: Iterable[str], kind: Kind) -> Iterator[Fault]:
    for word in who:
        role, _, name = word.partition(":")
        if name and name not in kind.fields:
            yield at, f"{word}: {name} is not a field"
        elif role == "self":
            if not name:
                yield at, "self names a field: self:worker"
            elif not _names_people(kind.fields[name]):
                yield at, f"{word}: {name} is not a person"
        elif role in ("all", "author"):
            if name:
                yield at, f"{role} takes no field"
        elif role not in ROLES:
            yield at, f"{word}: {role} is not a role"


def _names_people(field: Field) -> bool:
    """A person, or several by their ids."""
    return field.type == "person" or (field.type == "multi_choice" and not field.options)


def _life_faults(at: str, kind: Kind) -> Iterator[Fault]:
    for name, state in kind.states.items():
        if not is_key(name):
            yield f"{at}.states.{name}", "is not a name ([a-z][a-z0-9_]*)"
        yield from _label_faults(f"{at}.states.{name}.label", state.label)
    reached = _reached(kind)
    for name in kind.states:
        if name not in reached:
            yield f"{at}.states.{name}", "no act leads here from the first state"
    if kind.first_state and kind.states[kind.first_state].seals:
        yield f"{at}.states.{kind.first_state}", "the first state cannot seal: nobody approved it"
    for name, act in kind.acts.items():
        here = f"{at}.acts.{name}"
        yield from _label_faults(f"{here}.label", act.label)
        for state_name in [*act.from_, act.to]:
            if state_name not in kind.states:
                yield here, f"{state_name} is not a state"
        for origin in act.from_:
            if origin in kind.states and kind.states[origin].seals and not act.reopens and not _seals(kind, act.to):
                yield f"{here}.from", f"{origin} is sealed: what comes later is an amendment, or the act reopens it"
            if origin in kind.states and not kind.states[origin].seals and act.reopens:
                yield f"{here}.from", f"{origin} is not sealed, so there is nothing to reopen"
        if act.reopens and _seals(kind, act.to):
            yield f"{here}.to", f"{act.to} seals, so nothing is reopened"
        if not act.roles:
            yield f"{here}.roles", "nobody may do it"
        yield from _who_faults(f"{here}.roles", act.roles, kind)
        yield from _who_faults(f"{here}.not", act.not_, kind)
        for i, needed in enumerate(act.needs):
            if needed not in kind.fields or kind.fields[needed].computed is not None:
                yield f"{here}.needs[{i}]", f"{needed} is not a field that is filled in"
        yield from _logic_faults(f"{here}.if", act.if_, kind.fields)


def _alert_faults(at: str, kind: Kind) -> Iterator[Fault]:
    for name, alert in kind.alerts.items():
        here = f"{at}.alerts.{name}"
        yield from _label_faults(f"{here}.title", alert.title)
        if (alert.on == "act") != (alert.act is not None) or (alert.act is not None and alert.act not in kind.acts):
            yield f"{here}.act", "an alert on an act names one of the acts"
        due = kind.fields.get(alert.due or "")
        if (alert.on == "overdue") != (alert.due is not None):
            yield f"{here}.due", "an alert on overdue names the field that tells when"
        elif alert.due is not None and (due is None or due.type not in ("instant", "date")):
            yield f"{here}.due", f"{alert.due} is neither an instant nor a date"
        for i, state in enumerate(alert.ends):
            if state not in kind.states:
                yield f"{here}.ends[{i}]", f"{state} is not a state"
        for i, field in enumerate(alert.body):
            if field not in kind.fields:
                yield f"{here}.body[{i}]", f"{field} is not a field"
        for word, rule in (("if", alert.if_), ("level", alert.level), ("urgent", alert.urgent),
                           ("each", alert.each), ("to", alert.to)):  # fmt: skip
            yield from _logic_faults(f"{here}.{word}", rule, kind.fields)


def _seals(kind: Kind, state: str) -> bool:
    return state in kind.states and kind.states[state].seals


def _reached(kind: Kind) -> set[str]:
    """The states that a record can come to."""
    reached = {kind.first_state} if kind.first_state else set()
    for _ in kind.states:
        reached |= {act.to for act in kind.acts.values() if reached & set(act.from_)}
    return reached


def _layout_faults(at: str, kind: Kind) -> Iterator[Fault]:
    named = {*kind.fields, "by"} | ({"state"} if kind.states else set())
    for i, name in enumerate(kind.title):
        if name not in kind.fields:
            yield f"{at}.title[{i}]", f"{name} is not a field"
    told = {*named, "no", "by_unit"}
    told |= {"team_unit"} if any(field.kind == "core.team" for field in kind.fields.values()) else set()
    told |= {"sealed_on"} if any(state.seals for state in kind.states.values()) else set()
    for i, name in enumerate(kind.export):
        if name not in told:
            yield f"{at}.export[{i}]", f"{name} is not a field"
    lists = [(f"{at}.views[{i}].columns", view.columns) for i, view in enumerate(kind.views)]
    for path, names in lists:
        for i, name in enumerate(names):
            if name not in named:
                yield f"{path}[{i}]", f"{name} is not a field"
    yield from _form_faults(at, kind)
    dated = [(f"{at}.day", kind.day)]
    dated += [(f"{at}.views[{i}].date", view.date) for i, view in enumerate(kind.views)]
    for path, day in dated:
        if day is not None and (day not in kind.fields or kind.fields[day].type != "date"):
            yield path, f"{day} is not a date field"
    for i, view in enumerate(kind.views):
        if view.group is not None and view.group not in named:
            yield f"{at}.views[{i}].group", f"{view.group} is not a field"


def _form_faults(at: str, kind: Kind) -> Iterator[Fault]:
    """Every field stands in the form once, or is filled in by the app."""
    asked: set[str] = set()
    for i, part in enumerate(kind.form):
        for j, name in enumerate(part.fields):
            here = f"{at}.form[{i}].fields[{j}]"
            if name not in kind.fields:
                yield here, f"{name} is not a field"
            elif name in asked:
                yield here, f"{name} stands in the form twice"
            elif kind.fields[name].automatic:
                yield here, f"{name} is automatic: the app fills it in"
            asked.add(name)
    for name, field in kind.fields.items() if kind.form else ():
        if name not in asked and not field.automatic:
            yield f"{at}.fields.{name}", "is neither in the form nor automatic"
        elif field.automatic and field.required and field.default is None:
            yield f"{at}.fields.{name}", "is required and automatic, so it needs a default"


def _label_faults(at: str, label: Label) -> Iterator[Fault]:
    for language in ("zh", "en"):
        if not label.get(language):
            yield at, f"no label in {language}"


def _logic_faults(at: str, rule: Logic, fields: Mapping[str, Field]) -> Iterator[Fault]:
    for operator in logic.unknown_operators(rule):
        yield at, f"{operator} is not an operator that both languages answer alike"
    for name in sorted(logic.names(rule) - fields.keys() - {"state"}):
        yield at, f"{name} is not a field"


def _check_references(file: str, module: Module, kinds: Mapping[str, Kind]) -> None:
    for kind_name, kind in module.kinds.items():
        at = f"$.kinds.{kind_name}"
        for name, field in kind.fields.items():
            if field.kind is not None and field.kind not in kinds:
                raise BadDeclaration(file, f"{at}.fields.{name}.kind", f"{field.kind} is not a declared kind")
        if TEAM in kinds:
            for path, reason in _team_faults(at, kind):
                raise BadDeclaration(file, path, reason)
        for path, reason in _makes_faults(at, kind, kinds):
            raise BadDeclaration(file, path, reason)


def _makes_faults(at: str, kind: Kind, kinds: Mapping[str, Kind]) -> Iterator[Fault]:
    if kind.makes is None:
        return
    at, other = f"{at}.makes", kinds.get(kind.makes.kind)
    if other is None or other.computed_by:
        yield f"{at}.kind", f"{kind.makes.kind} is not a declared kind that is written"
        return
    for theirs, ours in kind.makes.fields.items():
        here, there = kind.fields.get(ours), other.fields.get(theirs)
        if here is None or there is None or here.type != there.type:
            yield f"{at}.fields.{theirs}", f"{ours} and {theirs} are not fields of one type"
    for name, value in kind.makes.set.items():
        if name not in other.fields or other.fields[name].reason(value) is not None:
            yield f"{at}.set.{name}", "does not fit the field"


def _team_faults(at: str, kind: Kind) -> Iterator[Fault]:
    """What names a team refers to one; `foreman:worker` may name a person instead."""
    name = kind.audience_field
    if kind.audience.startswith("team") and name is not None and kind.fields[name].kind != TEAM:
        yield f"{at}.audience", f"{name} does not refer to {TEAM}"
    who = {f"{at}.may.create": kind.may.create, f"{at}.may.edit": kind.may.edit, f"{at}.may.delete": kind.may.delete}
    who |= {f"{at}.acts.{key}.roles": act.roles for key, act in kind.acts.items()}
    for path, words in who.items():
        for i, word in enumerate(words):
            role, _, name = word.partition(":")
            if name and role in ROLES and kind.fields[name].type != "person" and kind.fields[name].kind != TEAM:
                yield f"{path}[{i}]", f"{word}: {name} is neither a person nor a team"
