"""Pull, on both engines: paging, resuming, epochs, audiences, encodings."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
import zstandard

from server.core.problem import Problem
from server.store.database import cut
from server.store.store import Store
from server.sync import pull
from tests.server.site import Phone, Site, add, add_phone, change, entry, join, new_id, notice

VECTORS = json.loads((Path(__file__).parent.parent.parent.parent / "shared/vectors/protocol.json").read_text("utf-8"))
PAGES = [case for case in VECTORS["cases"] if "seqs" in case]


@pytest.mark.parametrize("case", PAGES, ids=[case["name"] for case in PAGES])
async def test_P6_pages(store: Store, case: dict[str, Any]) -> None:
    project = new_id()
    rows = [
        add("record", project=project, r=new_id(), c="a.b", seq=seq, aud="all", body=json.dumps({"seq": seq}))
        for seq in case["seqs"]
    ]
    await store.change([add("project", id=project, name="", created=1, head=case["head"]), *rows])
    for labels in ({"all"}, {"all", "office", "person:*", "team:*"}, {"all", "team:*"}, {"all", "person:*"}):
        page = await store.database.page(project, frozenset(labels), case["cursor"], case["limit"], False)
        answer = {"seqs": [json.loads(b)["seq"] for b in page.bodies], "cursor": page.cursor, "more": page.more}
        assert answer == case["answer"]


def test_a_page_is_cut_behind_a_whole_seq() -> None:
    rows = [(1, 0, b"a"), (2, 0, b"b"), (2, 1, b"c"), (3, 0, b"d")]
    page = cut(rows, 2, 9, fresh=False)
    assert (page.cursor, page.more, list(page.bodies)) == (2, True, [b"a", b"b", b"c"])
    assert list(cut(rows, 9, 9, fresh=True).bodies) == [b"a", b"b", b"d"]


async def test_records_come_by_seq_in_their_merged_state(site: Site) -> None:
    r = new_id()
    await site.worker.write(notice("first", r))
    await site.foreman.write(notice("second"))
    await site.worker.pull()
    await site.worker.write(change("yard.notice", r, "text", "first, changed"))
    header, records = await site.office.page()
    assert [record["seq"] for record in records] == sorted(record["seq"] for record in records)
    assert header["cursor"] == header["head"] == await site.head()
    assert records[-1]["f"]["text"][-1][-1] == "first, changed"


@pytest.mark.parametrize("seed", range(2))
async def test_a_killed_and_resumed_pull_equals_an_uninterrupted_one(site: Site, seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    for i in range(30):
        await site.office.write(*(notice(f"{i} {j}") for j in range(rng.randrange(1, 8))))
    whole, broken = site.supervisor, site.foreman
    await whole.pull()
    more = True
    while more:
        header, records = await broken.page(limit=rng.randrange(1, 9))
        if rng.random() < 0.4 and records:
            # Killed in the middle: what arrived whole counts up to its last finished seq.
            arrived = records[: rng.randrange(len(records))]
            broken.records |= {record["r"]: record for record in arrived}
            if arrived:
                broken.cursor = max(broken.cursor, arrived[-1]["seq"] - 1)
            continue
        broken.take(header, records)
        more = header["more"]
    assert broken.texts() == whole.texts()
    assert len(broken.texts()) >= 30


async def test_A5_nobody_is_sent_a_record_outside_his_audiences(site: Site) -> None:
    other = await add_phone(site.sync, site.clock, site.project, "other worker", "worker")
    await site.office.write(entry(site.worker.person, note="his"), entry(other.person, note="another's"))
    await site.office.write({"k": "new", "c": "yard.paper", "r": new_id(), "set": {"text": "pay"}})
    await site.office.write(
        {"k": "new", "c": "yard.plan", "r": new_id(), "set": {"team": site.team, "text": "for the crew"}}
    )
    seen = {}
    for phone in (site.worker, other, site.foreman, site.supervisor, site.office):
        await phone.pull()
        seen[phone.person] = (phone.texts("note"), phone.texts())
    assert seen[site.worker.person] == (["his"], ["for the crew"])
    assert seen[other.person] == (["another's"], [])
    assert seen[site.foreman.person] == (["his"], ["for the crew"])
    assert seen[site.supervisor.person] == (["another's", "his"], ["for the crew"])
    assert seen[site.office.person] == (["another's", "his"], ["for the crew", "pay"])


async def test_A5_the_same_from_the_tail_and_from_the_first_page(site: Site) -> None:
    """What a phone that is up to date gets equals what a fresh one gets."""
    phones = [site.worker, site.foreman, site.supervisor, site.office]
    rng = random.Random(7)
    for i in range(20):
        await site.office.write(
            rng.choice([notice(f"{i}"), entry(site.worker.person, note=f"{i}"), entry(site.office.person, note=f"{i}")])
        )
        await rng.choice(phones).pull()
    for phone in phones:
        await phone.pull()
        fresh = Phone(site.sync, phone.session, site.project, phone.key, site.clock)
        await fresh.pull()
        assert fresh.records == phone.records


async def test_a_stranger_is_refused(site: Site) -> None:
    site.stranger.project = site.project
    with pytest.raises(Problem) as caught:
        await site.stranger.page()
    assert caught.value.code == "forbidden"
    answer = await site.stranger.write(notice("from outside"))
    assert answer["code"] == "forbidden"
    site.stranger.project = "no-such-project"
    assert (await site.stranger.write(notice("nowhere")))["code"] == "forbidden"


async def test_A6_another_role_is_another_epoch_and_the_pull_starts_again(site: Site) -> None:
    await site.office.write(entry(site.office.person, note="not for workers"))
    await site.supervisor.pull()
    assert site.supervisor.texts("note") == ["not for workers"]
    before = site.supervisor.epoch
    await site.store.change([("UPDATE member SET roles = 'worker' WHERE person = ?", (site.supervisor.person,))])
    header, _ = await site.supervisor.page()
    assert header["from"] == 0
    assert header["epoch"] != before
    await site.supervisor.pull()
    assert site.supervisor.texts("note") == []
    assert (await site.supervisor.page())[0]["from"] == site.supervisor.cursor


async def test_A6_a_foreman_whose_crew_grows_gets_what_he_may_see_now(site: Site) -> None:
    other = await add_phone(site.sync, site.clock, site.project, "newcomer", "worker")
    await other.write(entry(other.person, note="before he joined"))
    await site.foreman.pull()
    assert site.foreman.texts("note") == []
    await join(site.store, site.project, other.person, site.team)
    await site.foreman.pull()
    assert site.foreman.texts("note") == ["before he joined"]


async def test_A6_whose_membership_ended_is_told_and_keeps_nothing(site: Site) -> None:
    await site.worker.write(notice("hello"))
    await site.worker.pull()
    await site.store.change([("UPDATE member SET ended = 1 WHERE person = ?", (site.worker.person,))])
    header, records = await site.worker.page()
    assert (header["audiences"], records) == ([], [])
    await site.worker.pull()
    assert site.worker.records == {}
    assert (await site.worker.write(notice("still here")))["code"] == "forbidden"


async def test_a_fresh_phone_gets_no_deleted_records_and_an_old_one_hears_of_them(site: Site) -> None:
    r = new_id()
    await site.worker.write(notice("gone soon", r))
    await site.foreman.pull()
    await site.foreman.write({"k": "del", "c": "yard.notice", "r": r})
    await site.foreman.pull()
    assert site.foreman.records[r]["del"] is not None
    fresh = Phone(site.sync, site.worker.session, site.project, site.worker.key, site.clock)
    await fresh.pull()
    assert r not in fresh.records


async def test_a_cursor_beyond_the_head_has_expired_and_a_renewed_store_starts_everybody_again(site: Site) -> None:
    site.worker.cursor = await site.head() + 1
    with pytest.raises(Problem) as caught:
        await site.worker.page()
    assert caught.value.code == "cursor_expired"
    await site.office.pull()
    await site.store.renew()
    assert (await site.office.page())[0]["from"] == 0


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br, zstd", "zstd"), ("gzip", "gzip"), ("gzip;q=0, identity", None), ("", None)],
)
async def test_answers_are_compressed_as_the_caller_takes_them(site: Site, accepted: str, encoding: str | None) -> None:
    await site.office.write(*(notice(f"notice {i}") for i in range(50)))
    page = await site.sync.pull(site.office.session, project=site.project, accept_encoding=accepted)
    assert page.encoding == encoding
    unpack: dict[str | None, Any] = {"zstd": zstandard.decompress, "gzip": gzip.decompress, None: bytes}
    lines = unpack[encoding](page.body).splitlines()
    assert json.loads(lines[0])["head"] == await site.head()
    assert len(lines) > 50


async def test_equal_questions_at_one_head_are_answered_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    phones = [site.worker, site.foreman, site.supervisor, site.office]
    for phone in phones:
        await phone.pull()
    reads = 0
    real = site.store.database.recent

    async def counted(*args: Any) -> Any:
        nonlocal reads
        reads += 1
        return await real(*args)

    monkeypatch.setattr(site.sync._tail, "_read", counted)
    await site.office.write(notice("to all"))
    for phone in phones:
        await phone.pull()
        assert "to all" in phone.texts()
    assert reads == 1


async def test_the_tail_forgets_the_oldest_and_the_database_takes_over(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.sync import tail

    monkeypatch.setattr(tail, "RECORDS_MAX", 5)
    await site.worker.pull()
    start = site.worker.cursor
    for i in range(12):
        await site.office.write(notice(f"{i:02}"))
        await site.foreman.pull()
    site.worker.cursor = start
    await site.worker.pull()
    assert site.worker.texts() == [f"{i:02}" for i in range(12)]


def test_questions_that_no_phone_asks_are_malformed() -> None:
    for cursor, limit in ((-1, 10), (0, 0), (0, -5)):
        with pytest.raises(Problem):
            pull.question("p", cursor, None, limit)
