"""Every vector of shared/vectors, answered by the Python side; the phone's suite runs the same.

Signatures and pages, which need a key or a store, are run with those: here through the
server's own functions for them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import pytest

from server.core import logic, merge
from server.core.admit import admit
from server.core.batch import Malformed, Refused, effective_time, envelope, gap, opened, read
from server.core.declaration import Declarations, assemble
from server.core.field import Field, element_reason, keyed_reason
from server.core.person import Actor, granted
from server.core.value import BadValue, canonical, parse
from server.core.worktime import after, worked_on, worktime_of
from server.sync.signature import is_signed
from server.web.reading import Reader

VECTORS = Path(__file__).parents[2] / "shared" / "vectors"
Case = dict[str, Any]


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / name).read_text("utf-8"))
    return found


def cases(name: str) -> Any:
    return [pytest.param(case, id=f"{case['rule']} {case['name']}") for case in load(name)["cases"]]


@pytest.fixture(scope="module")
def declarations() -> Declarations:
    return assemble({"declaration.json": (VECTORS / "declaration.json").read_bytes()})


@pytest.mark.parametrize("case", cases("values.json"))
def test_a_value_has_these_bytes_or_is_refused(case: Case) -> None:
    text = case["text"] if "text" in case else '"' + case["repeat"][0] * case["repeat"][1] + '"'
    if "refused" in case:
        with pytest.raises(BadValue) as refused:
            parse(text)
        assert refused.value.reason == case["refused"]
    else:
        assert canonical(parse(text)).decode() == case.get("canonical", text)


@pytest.mark.parametrize("case", cases("fields.json"))
def test_a_value_fits_a_field_or_the_reason_is_this(case: Case) -> None:
    field, value = msgspec.convert(case["field"], Field), case["value"]
    if case.get("element"):
        reason = element_reason(field, value)
    elif "path" in case:
        reason = keyed_reason(field, case["path"].split("."), value)
    else:
        reason = field.reason(value)
    assert reason == case.get("reason")


@pytest.mark.parametrize("case", cases("merge.json"))
def test_a_history_comes_to_these_records(case: Case, declarations: Declarations) -> None:
    people = {person: frozenset(teams) for person, teams in load("merge.json")["people"].items()}
    records: dict[str, merge.Record] = {}
    assert [judged(b, records, people, declarations) for b in case["batches"]] == case["results"]
    assert canonical(records) == canonical(case["records"])
    for r, record in records.items():
        kind = declarations.kind(record["c"])
        assert merge.shown(record, kind) == case["shown"][r]
        assert merge.conflicts(record, kind) == case["conflicts"][r]
        assert merge.version(record, kind) == case["versions"][r]
        assert merge.is_deleted(record) == (r in case["deleted"])


def judged(
    batch: Case, records: dict[str, merge.Record], people: dict[str, frozenset[str]], declarations: Declarations
) -> Case:
    roles, teams = frozenset(batch["roles"]), frozenset(batch["teams"])
    actor = Actor(batch["by"], batch["device"], roles, teams, people)
    payload = json.dumps({"n": 1, "project": "p", **{key: batch[key] for key in ("base", "t", "v", "ops")}})
    et = effective_time(batch["t"], batch["sent"], batch["received"])
    try:
        admitted = admit(read(payload), actor, records, declarations, batch["seq"], et)
    except Refused as refused:
        found = {"status": "refused", "code": refused.code, "op": refused.op}
        found |= {"field": refused.field} if refused.field else {}
        return found | ({"reason": refused.reason} if refused.reason else {})
    records |= admitted.records
    return {"status": "applied", "held": admitted.held}


@pytest.mark.parametrize("case", cases("merge.json"))
def test_M1_folding_the_admitted_batches_twice_is_folding_them_once(case: Case, declarations: Declarations) -> None:
    records: dict[str, merge.Record] = {}
    for batch, result in zip(case["batches"], case["results"], strict=True):
        if result["status"] == "applied":
            et = effective_time(batch["t"], batch["sent"], batch["received"])
            at = merge.Stamp(batch["seq"], batch["device"], batch["base"], et, batch["by"], batch["v"])
            for _ in range(2):
                merge.fold(records, batch["ops"], at, declarations.kinds)
    assert canonical(records) == canonical(case["records"])


@pytest.mark.parametrize("case", cases("may.json"))
def test_a_declarations_words_name_a_person_or_not(case: Case) -> None:
    actor = _actor(case, load("may.json")["people"])
    assert actor.may(case["who"], case["author"], case["values"]) == case["may"]


@pytest.mark.parametrize("case", cases("audience.json"))
def test_a_person_is_granted_these_audiences(case: Case) -> None:
    actor = _actor(case, load("audience.json")["people"])
    assert sorted(actor.audiences) == case["audiences"]
    assert all(granted(label, actor.audiences) for label in case["sees"])
    assert not any(granted(label, actor.audiences) for label in case["hidden"])


def _actor(case: Case, people: dict[str, list[str]]) -> Actor:
    teams_of = {person: frozenset(teams) for person, teams in people.items()}
    return Actor(case["person"], "d", frozenset(case["roles"]), frozenset(case["teams"]), teams_of)


@pytest.mark.parametrize("case", [case for case in cases("protocol.json") if "effective_time" in case.values[0]])
def test_M7_effective_time(case: Case) -> None:
    assert effective_time(**case["effective_time"]) == case["answer"]


@pytest.mark.parametrize("case", [case for case in cases("protocol.json") if "payload" in case.values[0]])
def test_a_payload_is_read_or_refused(case: Case) -> None:
    if "sig" in case:
        assert is_signed(case["payload"].encode(), case["sig"], json.dumps(case["key"])) == case["good"]
        return
    try:
        batch = opened(envelope(case["payload"]), len(case["payload"].encode()))
        answer: Case = {"n": batch.n, "ops": len(batch.ops)}
    except Malformed:
        answer = {"malformed": True}
    except Refused as refused:
        answer = {"refused": refused.code, "op": refused.op}
        answer |= {"field": refused.field} if refused.field else {}
        answer |= {"reason": refused.reason} if refused.reason else {}
    assert answer == case["answer"]


@pytest.mark.parametrize("case", [case for case in cases("protocol.json") if "numbers" in case.values[0]])
def test_P1_numbers_leave_no_gap(case: Case) -> None:
    expected = gap(case["last_n"], case["numbers"])
    assert expected == case["answer"].get("gap")


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in load("words.json")["cases"]])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_value_is_said_in_these_words(case: Case, lang: Literal["zh", "en"]) -> None:
    found = load("words.json")
    reader = Reader(lang, ZoneInfo(found["zone"]), found["names"])
    assert reader.text(msgspec.convert(case["field"], Field), case["value"]) == case[lang]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in load("worktime.json")["cases"]])
def test_working_time_leads_here(case: Case) -> None:
    worktime = worktime_of(case["week"], case["days"])
    if case["rule"] == "after":
        assert after(worktime, case["from"], case["minutes"]) == case["gives"]
    else:
        assert worked_on(worktime, case["from"]) == case["gives"]


@pytest.mark.parametrize("name", ["jsonlogic.json", "logic.json"])
def test_V4_jsonlogic_answers_the_tables(name: str) -> None:
    for case in load(name)["cases"]:
        assert _json(logic.answer(case["rule"], case["data"])) == _json(case["answer"]), case


def _json(value: Any) -> str:
    """Text in which 3.0 is 3, as it is in JavaScript."""
    return json.dumps(_whole(value), sort_keys=True)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_whole(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", cases("data.json"))
def test_V4_a_rule_sees_scaled_numbers(case: Case, declarations: Declarations) -> None:
    kind = declarations.kinds[case["c"]]
    assert logic.data_of(case["values"], kind.decimals, case["state"]) == case["data"]
