"""The properties that every run must have, one function each, by the numbers of the list in shared/SPEC.md.

Properties 9 and 20 have runs of their own (`test_simulation`, `test_both_languages`); 21 (inclusion proofs) and 23
(photos) come with the transparency log and the photo store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any, Final

from server.core import merge
from server.core.declaration import Declarations
from server.core.merge import Record, Stamp
from server.core.person import SERVER, granted
from tests.simulation import oracle
from tests.simulation.phone import Phone
from tests.simulation.server import Entry
from tests.simulation.trial import BY_VERSION, DECLARED
from tests.simulation.world import PROJECTS, World

Faults = Iterator[str]


def property_1_seq_is_gapless_and_in_order(world: World) -> Faults:
    for name in PROJECTS:
        seqs = [entry.seq for entry in world.site.log(name)]
        if seqs != list(range(1, world.site.head(name) + 1)):
            yield f"{name}: {seqs}, head {world.site.head(name)}"
        for device in {entry.device for entry in world.site.log(name)}:
            numbers = [entry.n for entry in world.site.log(name) if entry.device == device]
            if numbers != sorted(set(numbers)):
                yield f"{name}: {device} stands in the log as {numbers}"


def property_2_one_answer_for_each_number(world: World) -> Faults:
    for (device, n), answers in world.heard.items():
        if len({_essence(answer) for answer in answers}) > 1:
            yield f"{device} {n}: {answers}"


def _essence(answer: dict[str, object]) -> str:
    return json.dumps({key: value for key, value in answer.items() if key != "message"}, sort_keys=True)


def property_3_applied_refused_and_waiting_are_all_that_was_made(world: World) -> Faults:
    for phone in world.phones:
        disk = phone.disk
        there = [*disk.applied_n, *disk.dropped_n, *(out.n for out in [*disk.refused, *disk.outbox])]
        if sorted(there) != list(range(1, disk.next_n)):
            yield f"{phone.device}: made 1…{disk.next_n - 1}, has {sorted(there)}"
        logged = {entry.n for name in PROJECTS for entry in world.site.log(name) if entry.device == phone.device}
        if logged != set(disk.applied_n):
            yield f"{phone.device}: {sorted(logged)} in the log, {sorted(disk.applied_n)} heard as applied"


def property_4_a_batch_is_whole_or_not_at_all(world: World) -> Faults:
    for name in PROJECTS:
        records = world.site.records(name)
        for entry in world.site.log(name):
            for i, op in enumerate(entry.ops):
                if op["r"] not in records or records[op["r"]]["seq"] < entry.seq:
                    yield f"{name} {entry.seq}.{i}: no trace of {op}"
        made = {op["r"] for entry in world.site.log(name) for op in entry.ops if op["k"] in ("new", "put")}
        for r in records.keys() - made:
            yield f"{name}: {r} is of no batch"


def property_5_folding_is_idempotent_and_may_start_anywhere(world: World) -> Faults:
    for name in PROJECTS:
        log, stored = world.site.log(name), _text(world.site.records(name))
        whole: dict[str, Record] = {}
        cut = Random(world.seed).randrange(len(log) + 1)
        for entry in log[:cut]:
            _fold(whole, entry)
        snapshot = json.loads(json.dumps(whole))
        for entry in log[cut:]:
            _fold(whole, entry)
        if _text(whole) != stored:
            yield f"{name}: the log folds to {_first_difference(whole, world.site.records(name))}"
        for entry in log:  # all of it, over what already has its first part
            _fold(snapshot, entry)
        if _text(snapshot) != stored:
            yield f"{name}: folded again from {cut}: {_first_difference(snapshot, world.site.records(name))}"


def _fold(records: dict[str, Record], entry: Entry) -> None:
    at = Stamp(entry.seq, entry.device, entry.base, entry.et, entry.person, entry.v)
    merge.fold(records, deepcopy(entry.ops), at, BY_VERSION[entry.declared].kinds)


def property_6_at_rest_every_phone_has_what_the_server_has_for_it(world: World) -> Faults:
    for phone in world.phones:
        for name in PROJECTS:
            mine, theirs = phone.copy(name).records, _granted(world, phone, name)
            live = {r: record for r, record in theirs.items() if not merge.is_deleted(record)}
            kept = {r: record for r, record in mine.items() if not merge.is_deleted(record)}
            if _text(kept) != _text(live):
                yield f"{phone.device} in {name}: {_first_difference(kept, live)}"
            if mine.keys() - theirs.keys():
                yield f"{phone.device} in {name}: has {mine.keys() - theirs.keys()}, which it may not see"
            if _text(phone.view(name)) != _text(live):
                yield f"{phone.device} in {name}: shows {_first_difference(phone.view(name), live)}"


def property_7_no_live_write_was_known_to_its_replacement(world: World) -> Faults:
    """And none is missing: what stands is exactly what the slow reading of the rules says."""
    for name, r, record, story in _told(world):
        expected = {path: [_stamp(one) for one in oracle.live(story, path)] for path in oracle.paths(story)}
        found = {path: [_found(write) for write in writes] for path, writes in record["f"].items()}
        for path in record["set"]:
            if path in story.writes:
                yield f"{name} {r}: {path} was written since and still stands as created"
        for path, writes in expected.items():
            if path in story.writes and found.get(path, []) != writes:
                yield f"{name} {r}: {path} holds {found.get(path)}, should hold {writes}"
        values = merge.shown(record, _declared(world).kind(record["c"]))
        if oracle.canonical(values) != oracle.canonical(oracle.shown(story, _declared(world).kind(record["c"]))):
            yield f"{name} {r}: shows {values}"
        found_conflicts = merge.conflicts(record, _declared(world).kind(record["c"]))
        if found_conflicts != oracle.conflicts(story, _declared(world).kind(record["c"])):
            yield f"{name} {r}: in conflict are {found_conflicts}"


def _stamp(one: oracle.Live) -> list[object]:
    return [one.mark.seq, one.mark.i, one.mark.device, one.mark.base, one.et, one.mark.value]


def _found(write: list[object]) -> list[object]:
    return list(write)


def property_8_no_time_is_ahead_of_the_server_or_behind_what_it_replaced(world: World) -> Faults:
    for name in PROJECTS:
        received = {entry.seq: entry.received for entry in world.site.log(name)}
        for entry in world.site.log(name):
            if entry.et != min(entry.t + entry.received - entry.sent, entry.received):
                yield f"{name} {entry.seq}: et {entry.et}"
        latest = max(received.values(), default=0)
        for r, record in world.site.records(name).items():
            for path, writes in record["f"].items():
                for write in writes:
                    if write[merge.ET] > latest:
                        yield f"{name} {r} {path}: {write} is later than all that came"
    # That each et is at least that of all it replaces is part of what property 7 compares.


def property_10_sealed_content_hashes_to_its_ver(world: World) -> Faults:
    for name, r, record, story in _told(world):
        kind = _declared(world).kind(record["c"])
        if record["seal"] is not None:
            if merge.version(record, kind) != record["seal"]["ver"]:
                yield f"{name} {r}: merge hashes it otherwise"
            if oracle.version(r, story, kind) != record["seal"]["ver"]:
                yield f"{name} {r}: the slow reading hashes it otherwise"
        if (
            kind is not None
            and record["state"] is not None
            and kind.states[record["state"]].seals != (record["seal"] is not None)
        ):
            yield f"{name} {r}: state {record['state']}, seal {record['seal']}"


def property_11_a_late_edit_that_could_not_know_is_held_exactly_once(world: World) -> Faults:
    for name, r, record, story in _told(world):
        found = [tuple(entry["of"]) for entry in record["held"]]
        if found != list(story.held):
            yield f"{name} {r}: holds {found}, should hold {list(story.held)}"
        answered = {(entry.seq, i) for entry in world.site.log(name) for i in entry.held if entry.ops[i]["r"] == r}
        if answered != set(story.ever_held):
            yield f"{name} {r}: {answered} were answered as held, {story.ever_held} were"
        yield from (fault for fault in story.faults if fault.startswith("11"))


def property_12_what_is_approved_is_what_was_seen(world: World) -> Faults:
    for _, _, _, story in _told(world):
        yield from (fault for fault in story.faults if not fault.startswith("11"))
    logged = {(entry.device, entry.n): entry for name in PROJECTS for entry in world.site.log(name)}
    for phone, out in world.approved:
        yield from _as_seen(world, logged[phone.device, out.n], out.seen)


def _as_seen(world: World, entry: Entry, seen: dict[str, object]) -> Faults:
    before = oracle.stories(world.site.log(entry.project)[: entry.seq], BY_VERSION)
    kinds = BY_VERSION[entry.declared]
    for op in entry.ops:
        if op["r"] in seen and "ver" in op:
            there = oracle.shown(before[op["r"]], kinds.kind(op["c"]))
            if oracle.canonical(there) != oracle.canonical(seen[op["r"]]):
                yield f"{entry.project} {entry.seq}: approved {there}, saw {seen[op['r']]}"


def property_13_successive_writes_of_one_device_never_conflict(world: World) -> Faults:
    for name in PROJECTS:
        for r, record in world.site.records(name).items():
            kind = _declared(world).kind(record["c"])
            for path in merge.conflicts(record, kind):
                if kind is None or kind.field(path) is None:
                    continue  # of a newer declaration: perhaps a set, whose elements stand side by side
                devices = [write[merge.DEVICE] for write in record["f"][path]]
                if len(set(devices)) < len(devices):
                    yield f"{name} {r} {path}: {record['f'][path]}"


def property_14_a_concurrent_add_survives_a_remove(world: World) -> Faults:
    """Said by itself, apart from the slow reading: no add is gone unless a later write of it knew it."""
    for name, r, record, story in _told(world):
        kind = _declared(world).kind(record["c"])
        for path, writes in story.writes.items():
            if oracle.is_set(story, path, kind):
                present = {oracle.canonical(value) for value in merge.shown(record, kind).get(path, [])}
                marks = [mark for mark, _ in writes]
                for add in (mark for mark in marks if mark.adds):
                    later = [m for m in marks if m.knew(add) and m.seq >= add.seq and m is not add]
                    gone_by = [m for m in later if oracle.canonical(m.value) == oracle.canonical(add.value)]
                    if not gone_by and oracle.canonical(add.value) not in present:
                        yield f"{name} {r} {path}: {add} is gone"


def property_17_a_pull_that_broke_off_ends_as_one_that_did_not(world: World) -> Faults:
    for phone in world.phones:
        for name in PROJECTS:
            fresh = Phone(phone.device, phone.person, phone.declarations, 0, 0)
            page = world.site.pull(phone.device, name, 0, None, 10**9)
            if page is None:
                continue
            fresh.store(name, page, len(page.lines))
            live = {r: rec for r, rec in phone.copy(name).records.items() if not merge.is_deleted(rec)}
            if _text(fresh.copy(name).records) != _text(live):
                yield f"{phone.device} in {name}: {_first_difference(live, fresh.copy(name).records)}"


def property_18_starting_again_never_loses_the_outbox(world: World) -> Faults:
    for phone in world.phones:
        disk = phone.disk
        there = {*disk.applied_n, *disk.dropped_n, *(out.n for out in [*disk.refused, *disk.outbox])}
        lost = set(phone.promised) - there
        if lost:
            yield f"{phone.device}: {sorted(lost)} were saved and are gone"


def property_19_what_a_newer_phone_wrote_survives_older_ones(world: World) -> Faults:
    for name, r, record, story in _told(world):
        kind = DECLARED.kind(record["c"])
        for path in oracle.paths(story):
            unheard = kind is None or kind.fields.get(path.split(".")[0]) is None
            if unheard and oracle.live(story, path):
                yield from _keeps(world, name, r, path)


def _keeps(world: World, name: str, r: str, path: str) -> Faults:
    holders = [("server", world.site.records(name))]
    holders += [(phone.device, phone.copy(name).records) for phone in world.phones]
    for holder, records in holders:
        if r in records and path not in records[r]["f"] and path not in records[r]["set"]:
            yield f"{holder} in {name}: {path} of {r} is gone"


def rule_A4_nobody_did_what_he_may_not(world: World) -> Faults:
    """The trial's permissions, said again by hand for the kinds where it matters."""
    for name in PROJECTS:
        told = oracle.stories(world.site.log(name), BY_VERSION)
        for entry in world.site.log(name):
            for op in entry.ops:
                if not _might(entry, op, told[op["r"]]):
                    yield f"{name} {entry.seq}: {entry.actor} did {op}"


def _might(entry: Entry, op: dict[str, Any], story: oracle.Story) -> bool:
    roles, person, c = entry.actor.roles, entry.person, str(op["c"])
    if entry.device == SERVER or op["k"] == "put":
        return entry.device == SERVER
    if c == "trial.pay":
        return bool(roles & {"office", "manager"})
    if c == "trial.sheet" and (op.get("act") == "approve" or op["k"] in ("amend", "decline")):
        return bool(roles & {"supervisor", "manager"}) and person != str(story.created["worker"])
    if c == "trial.note" and op["k"] == "del":
        return person == str(story.by) or "manager" in roles
    return c != "trial.total"


def rule_M8_nothing_vanishes_silently(world: World) -> Faults:
    for name, r, record, story in _told(world):
        lives = [story.born, *(one.mark for path in story.writes for one in oracle.live(story, path))]
        knew_all = [one for one in story.deletions if all(one.knew(mark) for mark in lives)]
        if merge.is_deleted(record) and not knew_all:
            yield f"{name} {r}: is gone, and no deletion knew all of {lives}"
        if story.last_touch in knew_all and not merge.is_deleted(record):
            yield f"{name} {r}: was deleted by one who knew all of it, and is still there"


def _told(world: World) -> Iterator[tuple[str, str, Record, oracle.Story]]:
    for name in PROJECTS:
        records = world.site.records(name)
        for r, story in oracle.stories(world.site.log(name), BY_VERSION).items():
            if r in records:
                yield name, r, records[r], story


def _declared(world: World) -> Declarations:
    return world.site.declarations


def _granted(world: World, phone: Phone, name: str) -> dict[str, Record]:
    actor = world.site.actor(phone.device, name)
    if actor is None:
        return {}
    records = world.site.records(name)
    return {r: record for r, record in records.items() if granted(record["aud"], actor.audiences)}


def _text(records: dict[str, Record]) -> str:
    return json.dumps(records, sort_keys=True)


def _first_difference(ours: dict[str, Record], theirs: dict[str, Record]) -> str:
    for r in sorted(ours.keys() | theirs.keys()):
        if _text({r: ours.get(r, {})}) != _text({r: theirs.get(r, {})}):
            return f"{ours.get(r)} where {theirs.get(r)} should be"
    return "no difference"


def properties() -> dict[str, Callable[[World], Faults]]:
    return {name: thing for name, thing in globals().items() if name.startswith(("property_", "rule_"))}


SEEN_BY_STEPS: Final = {
    1: "a request with a gap changes nothing",
    4: "a request that admitted nothing changes nothing",
    15: "nothing outside the audience leaves the server",
    16: "refusing a batch removes exactly its effects from the view",
    22: "no invalid input changes state or crashes",
}
