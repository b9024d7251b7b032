"""The log is the truth: its fold is what is stored, whoever wrote it and through which process."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from server.core.batch import effective_time, read
from server.core.merge import Record, Stamp, fold
from server.core.problem import Problem
from server.store.round import encode
from server.store.store import open_store
from server.sync.sync import Sync
from tests.server.site import COMPUTED, DECLARATIONS, Phone, Site, change, entry, new_id, notice


async def fold_of_the_log(site: Site) -> dict[str, Record]:
    records: dict[str, Record] = {}
    for seq, device, person, received, sent, payload in await site.store.rows(
        "SELECT seq, device, person, received, sent, payload FROM batch WHERE project = ? ORDER BY seq", site.project
    ):
        batch = read(payload)
        et = effective_time(batch.t, sent, received)
        fold(records, batch.ops, Stamp(seq, device, batch.base, et, person, batch.v), DECLARATIONS.kinds)
    return records


async def some_ops(rng: random.Random, phone: Phone, known: list[tuple[str, str]]) -> list[dict[str, Any]]:
    ops: list[dict[str, Any]] = []
    for _ in range(rng.randrange(1, 3)):
        c, r = rng.choice(known) if known else ("", "")
        what = rng.random()
        if not known or what < 0.3:
            made = (
                notice(f"{rng.random()}")
                if rng.random() < 0.5
                else entry(phone.person, f"2026-03-0{rng.randrange(1, 9)}")
            )
            known.append((made["c"], made["r"]))
            ops.append(made)
        elif what < 0.4:
            ops.append({"k": "del", "c": c, "r": r})
        elif c == "yard.notice":
            ops.append(change(c, r, "text", f"{rng.random()}"))
        elif what < 0.7:
            ops.append({"k": rng.choice(["add", "rem"]), "c": c, "r": r, "f": "tags", "v": rng.choice("ab")})
        else:
            ops.append(change(c, r, *rng.choice([("day", "2026-03-05"), ("note", f"{rng.random()}"), ("amount", 7)])))
    return ops


@pytest.mark.parametrize("seed", range(3))
async def test_M1_what_is_stored_is_the_fold_of_the_log(site: Site, seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    known: list[tuple[str, str]] = []
    phones = [site.worker, site.foreman, site.office]
    for _ in range(60):
        phone = rng.choice(phones)
        site.clock.ms += rng.randrange(5_000)
        await phone.write(*(await some_ops(rng, phone, known)))
        if rng.random() < 0.2:
            await phone.pull()
        if rng.random() < 0.1:
            await site.sync.settle()
    await site.sync.settle()
    rows = await site.store.rows("SELECT r, body FROM record WHERE project = ?", site.project)
    stored = {r: json.loads(body) for r, body in rows}
    folded = {r: json.loads(encode(record)) for r, record in (await fold_of_the_log(site)).items()}
    assert stored == folded
    statuses = await site.store.rows("SELECT count(*) FROM refused WHERE project = ?", site.project)
    print(f"{len(stored)} records, {statuses[0][0]} refused")


async def test_P8_several_server_processes_share_one_gapless_log(
    site: Site, database_url: str | None, tmp_path: Path
) -> None:
    """On SQLite too, though one process is the rule there: the command line may write beside it."""
    other = await open_store(database_url, tmp_path, DECLARATIONS)
    elsewhere = Sync(other, DECLARATIONS, COMPUTED, now=site.clock)
    elsewhere.attach()

    async def writes(phone: Phone, sync: Sync) -> list[dict[str, Any]]:
        phone.sync = sync
        return [await phone.write(notice(f"{i}")) for i in range(15)]

    answers = await asyncio.gather(
        writes(site.worker, site.sync), writes(site.foreman, elsewhere),
        writes(site.office, site.sync), writes(site.supervisor, elsewhere),
    )  # fmt: skip
    assert all(answer["status"] == "applied" for part in answers for answer in part)
    rows = await site.store.rows("SELECT seq FROM batch WHERE project = ? ORDER BY seq", site.project)
    assert [seq for (seq,) in rows] == list(range(1, len(rows) + 1))
    for phone in (site.worker, site.foreman):
        await phone.pull()
        assert len(phone.texts()) == 60
    await other.close()


async def test_P1_the_same_batches_sent_to_two_processes_at_once_are_applied_once(
    site: Site, database_url: str | None, tmp_path: Path
) -> None:
    other = await open_store(database_url, tmp_path, DECLARATIONS)
    elsewhere = Sync(other, DECLARATIONS, COMPUTED, now=site.clock)
    elsewhere.attach()
    bodies = [site.worker.body(site.worker.payload([notice(f"{i}")])) for i in range(10)]

    async def sends(sync: Sync) -> list[Any]:
        return [json.loads(await sync.push(site.worker.session, body))["results"] for body in bodies]

    one, two = await asyncio.gather(sends(site.sync), sends(elsewhere))
    assert one == two
    rows = await site.store.rows("SELECT n FROM batch WHERE device = ? ORDER BY seq", site.worker.device)
    assert [n for (n,) in rows] == list(range(1, 11))
    await other.close()


async def test_a_push_that_waits_when_the_store_closes_is_answered_or_told_to_try_again(site: Site) -> None:
    pending = [asyncio.create_task(site.worker.write(notice("x", new_id())))]
    await site.sync.stop()
    with pytest.raises(Problem) as caught:
        await site.worker.write(notice("later"))
    assert caught.value.code == "unavailable"
    results = await asyncio.gather(*pending, return_exceptions=True)
    assert isinstance(results[0], Problem) or results[0]["status"] == "applied"  # type: ignore[index]
