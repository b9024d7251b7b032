"""Who may do what with hazards, broadcasts and what rules them: every deed by every role, through the real exchange.

The hazard was reported by `mate` of team b; in charge are the worker and team a, whose foreman is `foreman`.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from server.core.merge import version
from tests.server.web.kit import EVERYBODY, ROLES, Phone, Town, town

HAZARD: Final = "safety.hazard"
MEMBERS: Final = frozenset({*ROLES, "mate"})
IN_CHARGE: Final = frozenset({"inspector", "supervisor", "manager"})
FIXERS: Final = frozenset({"worker", "foreman", "manager"})
OFFICE: Final = frozenset({"manager", "office"})
PHOTO: Final = {"sha": "a" * 64, "at": 1, "w": 10, "h": 10}
# the state that it begins in, by way of these acts → the deed, and who may
PATHS: Final[dict[str, list[str]]] = {
    "reported": [],
    "issued": ["issue"],
    "fixing": ["issue", "start"],
    "recheck": ["issue", "fixed"],
    "closed": ["issue", "fixed", "close"],
}
ACTS: Final = [
    ("reported", "issue", IN_CHARGE),
    ("issued", "start", FIXERS),
    ("issued", "fixed", FIXERS),
    ("fixing", "fixed", FIXERS),
    ("recheck", "close", IN_CHARGE),
    ("recheck", "return", IN_CHARGE),
    ("closed", "reopen", frozenset({"supervisor", "manager"})),
]
NEW: Final[list[tuple[str, dict[str, Any], frozenset[str]]]] = [
    (HAZARD, {"level": "general", "description": "临边无防护"}, MEMBERS),
    ("safety.tip", {"level": "general", "description": "临边无防护"}, MEMBERS),
    ("safety.broadcast", {"text": "大风停工", "sort": "stop_work", "to": "all"}, IN_CHARGE),
    ("safety.level", {"name": "较大", "legal": "general"}, frozenset({"manager"})),
    ("alerts.ladder", {"kind": HAZARD}, frozenset({"manager"})),
    ("alerts.week", {"mon": True}, OFFICE),
    ("alerts.holiday", {"day": "2026-05-01", "works": False}, OFFICE),
    ("alerts.alert", {"alert": "x", "about": "x", "kind": "x", "name": "x", "status": "open", "begun": 1}, frozenset()),
]


@pytest.fixture(name="site")
async def a_site(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path, real=True) as built:
        yield built


async def phones_of(site: Town) -> dict[str, Phone]:
    return {name: await site.phone(name) for name in EVERYBODY}


async def code_of(site: Town, phone: Phone, op: dict[str, Any]) -> str:
    """`applied`, or the code of the refusal."""
    answer = await phone.push(site.one, [op], base=10**6)
    if answer.status_code != 200:
        return str(answer.json()["code"])
    result = answer.json()["results"][0]
    return str(result["code"] if result["status"] == "refused" else result["status"])


async def act(site: Town, r: str, name: str) -> dict[str, Any]:
    """The act as somebody sends it who has the newest state before him."""
    record = await site.site.store.record(site.one, r)
    assert record is not None
    op = {"k": "act", "c": HAZARD, "r": r, "act": name}
    if name in ("return", "reopen"):
        op["note"] = "防护栏松动"
    if name == "close":
        op["ver"] = version(record, site.site.declarations.kinds[HAZARD])
    return op


async def hazard(site: Town, phones: dict[str, Phone], state: str) -> str:
    r = str(uuid.uuid4())
    values = {
        "level": "general", "description": "临边无防护", "team": site.team_a, "person": site.people["worker"],
        "due": site.clock() + 1, "standard": "JGJ 80", "measure": "加护栏", "photos.pk3x9a0b1c": PHOTO,
        "after.pk3x9a0b1d": PHOTO,
    }  # fmt: skip
    assert await code_of(site, phones["mate"], {"k": "new", "c": HAZARD, "r": r, "set": values}) == "applied"
    for name in PATHS[state]:
        assert await code_of(site, phones["manager"], await act(site, r, name)) == "applied", name
    return r


def expected(allowed: frozenset[str]) -> dict[str, str]:
    return {name: "applied" if name in allowed else "forbidden" for name in EVERYBODY}


async def test_every_act_on_a_hazard_is_for_those_alone_who_are_named(site: Town) -> None:
    phones = await phones_of(site)
    for state, name, allowed in ACTS:
        seen = {}
        for who, phone in phones.items():
            r = await hazard(site, phones, state)
            seen[who] = await code_of(site, phone, await act(site, r, name))
        assert seen == expected(allowed), (state, name)


async def test_a_hazard_is_corrected_by_its_author_and_those_in_charge_and_deleted_by_the_manager(site: Town) -> None:
    phones = await phones_of(site)
    r = await hazard(site, phones, "reported")
    write = {"k": "set", "c": HAZARD, "r": r, "f": "description", "v": "临边无防护，二层"}
    seen = {who: await code_of(site, phone, write) for who, phone in phones.items()}
    assert seen == expected(IN_CHARGE | {"mate", "foreman", "worker"})
    seen = {
        who: await code_of(site, phone, {"k": "del", "c": HAZARD, "r": await hazard(site, phones, "reported")})
        for who, phone in phones.items()
    }
    assert seen == expected(frozenset({"manager"}))


async def test_what_is_new_is_written_by_those_alone_who_are_named(site: Town) -> None:
    phones = await phones_of(site)
    for c, values, allowed in NEW:
        seen = {
            who: await code_of(site, phone, {"k": "new", "c": c, "r": str(uuid.uuid4()), "set": values})
            for who, phone in phones.items()
        }
        assert seen == expected(allowed), c


async def test_a_broadcast_is_ended_by_its_author_and_those_above(site: Town) -> None:
    phones = await phones_of(site)
    seen = {}
    for who, phone in phones.items():
        r = str(uuid.uuid4())
        new = {"k": "new", "c": "safety.broadcast", "r": r, "set": {"text": "大风", "sort": "notice", "to": "all"}}
        assert await code_of(site, phones["inspector"], new) == "applied"
        end = {"k": "act", "c": "safety.broadcast", "r": r, "act": "end", "note": "风停"}
        seen[who] = await code_of(site, phone, end)
    assert seen == expected(IN_CHARGE)


async def test_a_call_to_who_is_at_a_place_means_those_that_it_names(site: Town) -> None:
    inspector, r = await site.phone("inspector"), str(uuid.uuid4())
    there = {site.people["worker"], site.people["foreman"]}
    said = {"text": "撤离 3 层", "sort": "evacuate", "to": "place", "place": "3 层", "people": sorted(there)}
    new = {"k": "new", "c": "safety.broadcast", "r": r, "set": said}
    assert await code_of(site, inspector, new) == "applied"
    await site.site.sync.settle()
    answer = await inspector.http.get("/api/alerts", params={"project": site.one, "r": r})
    (alert,) = answer.json()["alerts"]
    called = {attempt["person"] for attempt in alert["attempts"] if attempt["channel"] == "push"}
    # Those in charge hear of it too, by the ladder; of the others on the site nobody does.
    assert called - {site.people[role] for role in IN_CHARGE} == there


async def test_hazards_are_seen_by_everybody_on_the_site_a_tip_by_its_author_and_the_manager(site: Town) -> None:
    phones = await phones_of(site)
    r, tip = await hazard(site, phones, "closed"), str(uuid.uuid4())
    new = {"k": "new", "c": "safety.tip", "r": tip, "set": {"level": "general", "description": "临边无防护"}}
    assert await code_of(site, phones["mate"], new) == "applied"
    await site.site.sync.settle()
    for who, phone in phones.items():
        if who == "stranger":
            answer = await phone.http.get("/api/pull", params={"project": site.one})
            assert answer.status_code == 403
            continue
        ids = {record["r"] for record in (await phone.pull(site.one))[1:]}
        assert r in ids, who
        assert (tip in ids) == (who in ("mate", "manager")), who


async def test_who_fixed_it_himself_does_not_close_it(site: Town) -> None:
    phones = await phones_of(site)
    r = str(uuid.uuid4())
    values = {
        "level": "general", "team": site.team_a, "person": site.people["inspector"], "due": 1, "standard": "x",
        "measure": "x", "photos.pk3x9a0b1c": PHOTO, "after.pk3x9a0b1d": PHOTO,
    }  # fmt: skip
    assert await code_of(site, phones["mate"], {"k": "new", "c": HAZARD, "r": r, "set": values}) == "applied"
    assert await code_of(site, phones["manager"], await act(site, r, "issue")) == "applied"
    assert await code_of(site, phones["inspector"], await act(site, r, "fixed")) == "applied"
    assert await code_of(site, phones["inspector"], await act(site, r, "close")) == "forbidden"
    assert await code_of(site, phones["supervisor"], await act(site, r, "close")) == "applied"
