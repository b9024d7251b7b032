"""The storage contract, on both engines: numbering, gaps, repeats, refusals, whole or not at all."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from server.core.problem import Problem
from server.store.round import decode
from tests.server.site import Phone, Site, another_phone, change, entry, new_id, notice


async def log_of(site: Site) -> list[tuple[Any, ...]]:
    return await site.store.rows(
        "SELECT seq, device, n, payload, sig FROM batch WHERE project = ? ORDER BY seq", site.project
    )


async def test_P8_seq_is_gapless_and_in_commit_order(site: Site) -> None:
    async def writes(phone: Phone) -> None:
        for i in range(10):
            await phone.write(notice(f"{i}"))

    await asyncio.gather(*map(writes, (site.worker, site.foreman, site.supervisor, site.office)))
    seqs = [row[0] for row in await log_of(site)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert await site.head() == len(seqs)


async def test_P1_an_answer_is_repeated_when_it_is_asked_for_again(site: Site) -> None:
    payload = site.worker.payload([notice("once")])
    first = await site.worker.send(payload)
    again = await site.worker.send(payload)
    assert first == again
    assert first[0]["status"] == "applied"
    assert len([row for row in await log_of(site) if row[1] == site.worker.device]) == 1


async def test_P1_changed_bytes_under_an_old_number_get_the_old_answer_and_change_nothing(site: Site) -> None:
    first = await site.worker.send(site.worker.payload([notice("first")]))
    other = await site.worker.send(site.worker.payload([notice("forged later")], n=site.worker.n))
    assert other == first
    await site.worker.pull()
    assert site.worker.texts() == ["first"]


async def test_P1_a_gap_is_409_with_the_number_expected_and_stores_nothing(site: Site) -> None:
    await site.worker.write(notice("1"))
    head = await site.head()
    with pytest.raises(Problem) as caught:
        await site.worker.send(site.worker.payload([notice("3")], n=3))
    assert (caught.value.code, caught.value.extra) == ("gap", {"expected": 2})
    assert await site.head() == head


async def test_P1_old_and_new_batches_in_one_request_are_answered_in_order(site: Site) -> None:
    one, two, three = (site.worker.payload([notice(str(i))]) for i in range(3))
    first = await site.worker.send(one, two)
    assert await site.worker.send(one, two, three) == [*first, {**first[1], "n": 3, "seq": first[1]["seq"] + 1}]


async def test_P3_a_refused_batch_uses_its_number_and_its_words_are_kept(site: Site) -> None:
    payload = site.worker.payload([{"k": "new", "c": "yard.paper", "r": new_id(), "set": {"text": "not mine"}}])
    after = site.worker.payload([notice("behind it")])
    refused, applied = await site.worker.send(payload, after)
    assert (refused["status"], refused["code"], refused["op"]) == ("refused", "forbidden", 0)
    assert applied["status"] == "applied"
    assert (await site.worker.send(payload))[0] == refused
    kept = await site.store.refused(site.project)
    assert [(k.n, k.payload, decode(k.outcome)["code"]) for k in kept] == [(refused["n"], payload, "forbidden")]


async def test_P2_a_batch_is_whole_or_not_at_all(site: Site) -> None:
    good, r = notice("good"), new_id()
    answer = await site.worker.write(good, change("yard.notice", r, "text", "there is no such record"))
    assert (answer["code"], answer["op"]) == ("unknown_record", 1)
    await site.supervisor.pull()
    assert good["r"] not in site.supervisor.records


async def test_what_one_batch_of_a_round_does_the_next_one_sees(site: Site) -> None:
    r = new_id()
    answers = await site.worker.send(
        site.worker.payload([notice("new", r)]),
        site.worker.payload([change("yard.notice", r, "text", "changed")]),
    )
    assert [answer["status"] for answer in answers] == ["applied", "applied"]
    record = await site.store.record(site.project, r)
    assert record is not None
    assert record["f"]["text"][-1][-1] == "changed"
    assert [e.seq for e in await site.store.history(site.project, r)] == [answer["seq"] for answer in answers]


async def test_what_is_there_is_not_made_again_and_its_neighbours_are_taken(site: Site) -> None:
    r, both = new_id(), new_id()
    await site.worker.write(notice("first", r))
    answers = await asyncio.gather(
        site.foreman.write(notice("again", r)),
        site.supervisor.write(notice("fine")),
        site.office.write(notice("one of two", both)),
        site.worker.write(notice("one of two", both)),
    )
    assert [answers[0].get(key) for key in ("code", "reason")] == ["invalid", "exists"]
    assert answers[1]["status"] == "applied"
    assert {answers[2]["status"], answers[3]["status"]} == {"applied", "refused"}
    await site.worker.pull()
    assert sorted(site.worker.texts()) == ["fine", "first", "one of two"]
    assert (await site.foreman.write(notice("after it")))["status"] == "applied"


async def test_the_log_keeps_the_exact_bytes_that_were_signed(site: Site) -> None:
    payload = site.worker.payload([notice("工簿 𝄞 \\u0041")]).replace('"ops"', '  "ops"')
    await site.worker.send(payload)
    kept = (await log_of(site))[-1]
    assert kept[3] == payload
    assert kept[4] == site.worker.signed(payload)["sig"] or len(kept[4]) == 86


async def test_M2_a_base_beyond_the_head_counts_as_the_head(site: Site) -> None:
    answer = await site.worker.write(notice("from the future"), base=await site.head() + 5)
    assert answer["status"] == "applied"


async def test_a_fault_in_admission_refuses_that_batch_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.store import round as rounds

    real: Any = vars(rounds)["admit"]

    def broken(batch: Any, *rest: Any) -> Any:
        if batch.ops[0].get("set", {}).get("text") == "boom":
            raise ZeroDivisionError
        return real(batch, *rest)

    monkeypatch.setattr(rounds, "admit", broken)
    answers = await site.worker.send(site.worker.payload([notice("boom")]), site.worker.payload([notice("fine")]))
    assert [answer["status"] for answer in answers] == ["refused", "applied"]
    assert answers[0]["reason"] == "broken"


async def test_a_push_that_the_database_refuses_does_not_take_its_neighbours_with_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.store import round as rounds

    real = rounds.encode

    def poison(value: Any) -> bytes:
        bad = isinstance(value, dict) and value.get("set", {}).get("text") == "poison"
        return b"\x00" if bad and site.store.dialect == "postgres" else real(value)

    class Unstorable:
        def decode(self) -> Any:
            return object()

    def poison_sqlite(value: Any) -> Any:
        bad = isinstance(value, dict) and value.get("set", {}).get("text") == "poison"
        return Unstorable() if bad else real(value)

    monkeypatch.setattr(rounds, "encode", poison if site.store.dialect == "postgres" else poison_sqlite)
    results: list[Any] = await asyncio.gather(
        site.worker.write(notice("poison")), site.supervisor.write(notice("good")), return_exceptions=True
    )
    assert isinstance(results[0], Exception)
    assert results[1]["status"] == "applied"


async def test_a_revoked_device_is_signed_out_at_its_next_push(site: Site) -> None:
    await site.store.change([("UPDATE device SET revoked = 1 WHERE id = ?", (site.worker.device,))])
    with pytest.raises(Problem) as caught:
        await site.worker.write(notice("too late"))
    assert caught.value.code == "signed_out"


async def test_nothing_is_taken_after_close_and_what_was_taken_is_there(site: Site) -> None:
    sends = [asyncio.create_task(phone.write(notice("x"))) for phone in (site.worker, site.foreman, site.office)]
    await asyncio.sleep(0)
    await site.store.close()
    results = await asyncio.gather(*sends, return_exceptions=True)
    for result in results:
        assert isinstance(result, Problem) or result["status"] == "applied"  # type: ignore[index]
    with pytest.raises(Problem) as caught:
        await site.store.append(None)  # type: ignore[arg-type]
    assert caught.value.code == "unavailable"


@pytest.mark.parametrize("seed", range(3))
async def test_P1_each_number_has_one_answer_however_often_and_in_whatever_order_it_is_sent(
    site: Site, seed: int
) -> None:
    rng = random.Random(seed)
    print(f"seed {seed}")
    phones = [site.worker, await another_phone(site.sync, site.clock, site.project, site.foreman.person)]
    payloads = {phone.device: [phone.payload([notice(f"{i}")]) for i in range(12)] for phone in phones}
    answers: dict[tuple[str, int], dict[str, Any]] = {}
    gaps: list[str] = []

    async def storm(phone: Any) -> None:
        for _ in range(25):
            first = rng.randrange(12)
            part = payloads[phone.device][first : first + rng.randrange(1, 5)]
            try:
                results = json.loads(await site.sync.push(phone.session, phone.body(*part)))["results"]
            except Problem as problem:
                gaps.append(problem.code)
                continue
            for result in results:
                assert answers.setdefault((phone.device, result["n"]), result) == result

    await asyncio.gather(*(storm(phone) for phone in phones for _ in range(2)))
    assert set(gaps) <= {"gap"}
    rows = [row for row in await log_of(site) if row[1] != "server"]
    assert sorted((row[1], row[2]) for row in rows) == sorted(answers)
    for device in payloads:
        numbers = [row[2] for row in rows if row[1] == device]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_an_entry_stands_under_its_day_and_a_moved_one_under_both_until_computed(site: Site) -> None:
    r = new_id()
    await site.worker.write(entry(site.worker.person, "2026-03-01", r))
    await site.worker.write(change("yard.entry", r, "day", "2026-03-09"))
    rows = await site.store.rows("SELECT day FROM record WHERE r = ?", r)
    moved = await site.store.rows("SELECT day FROM moved WHERE r = ?", r)
    assert (rows, moved) == ([("2026-03-09",)], [("2026-03-01",)])
