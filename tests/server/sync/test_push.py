"""Push: what proves nothing is refused whole and uses no number; what has a number is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from server.core.problem import Problem
from server.sync import push as pushes
from server.sync.signature import BadKey, is_signed, public_key
from tests.server.site import Phone, Site, jwk, new_id, notice, sign

R = "0198c0de-0000-7000-8000-000000000001"


async def refused_whole(phone: Phone, body: bytes) -> tuple[str, dict[str, Any]]:
    head = await phone.sync.store.access.head(phone.project)
    with pytest.raises(Problem) as caught:
        await phone.sync.push(phone.session, body)
    assert await phone.sync.store.access.head(phone.project) == head
    rows = await phone.sync.store.rows("SELECT last_n FROM device WHERE id = ?", phone.device)
    assert rows == [(0,)]
    return caught.value.code, caught.value.extra


async def test_P4_a_bad_signature_refuses_the_whole_request(site: Site) -> None:
    good, bad = (site.worker.signed(site.worker.payload([notice(text)])) for text in ("good", "bad"))
    bad["sig"] = good["sig"]
    body = json.dumps({"proto": 1, "device": site.worker.device, "sent": 0, "batches": [good, bad]}).encode()
    assert (await refused_whole(site.worker, body))[0] == "bad_signature"


async def test_P4_a_byte_changed_on_the_way_is_a_bad_signature(site: Site) -> None:
    body = site.worker.body(site.worker.payload([notice("said")])).replace(b"said", b"sold")
    assert (await refused_whole(site.worker, body))[0] == "bad_signature"


async def test_P4_another_devices_id_than_the_sessions_is_forbidden(site: Site) -> None:
    body = site.worker.body(site.worker.payload([notice("x")]), device=site.foreman.device)
    assert (await refused_whole(site.worker, body))[0] == "forbidden"


async def test_P4_a_batch_signed_by_another_key_is_a_bad_signature(site: Site) -> None:
    payload = site.worker.payload([notice("x")])
    batch = {"payload": payload, "sig": sign(site.foreman.key, payload)}
    body = json.dumps({"proto": 1, "device": site.worker.device, "sent": 0, "batches": [batch]}).encode()
    assert (await refused_whole(site.worker, body))[0] == "bad_signature"


async def test_a_request_that_cannot_be_read_is_malformed(site: Site) -> None:
    for body in (
        b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b'{"proto":1}', b"[" * 100_000,
        b'{"proto":"1","device":"d","sent":1,"batches":[]}',
        b'{"proto":1,"device":"d","sent":1,"batches":{}}',
        b'{"proto":1,"device":"d","sent":1.5,"batches":[]}',
        b'{"proto":1,"device":"d","sent":1,"batches":[{"payload":{},"sig":"x"}]}',
    ):  # fmt: skip
        assert (await refused_whole(site.worker, body))[0] == "malformed", body[:80]


async def test_a_batch_without_a_readable_number_or_project_is_malformed(site: Site) -> None:
    for payload in (
        "", "{", "[]", "7", '{"project":"p"}', '{"n":0,"project":"p"}', '{"n":-1,"project":"p"}',
        '{"n":"1","project":"p"}', '{"n":1.0,"project":"p"}', '{"n":1}', '{"n":1,"project":""}',
        '{"n":1,"project":"a b"}', '{"n":1,"project":"a\\u0000"}', json.dumps({"n": 1, "project": "p" * 65}),
        '{"n":9007199254740992,"project":"p"}',
    ):  # fmt: skip
        assert (await refused_whole(site.worker, site.worker.body(payload)))[0] == "malformed", payload


async def test_a_lone_surrogate_in_the_request_is_malformed(site: Site) -> None:
    body = site.worker.body("said").replace(b"said", b"\\ud800")
    assert (await refused_whole(site.worker, body))[0] in ("malformed", "bad_signature")


async def test_an_older_protocol_is_told_to_update(site: Site) -> None:
    assert (await refused_whole(site.worker, site.worker.body(proto=0)))[0] == "client_too_old"
    assert (await refused_whole(site.worker, site.worker.body(proto=2)))[0] == "malformed"


async def test_too_much_in_one_request_is_too_large(site: Site) -> None:
    many = [site.worker.payload([notice("x")]) for _ in range(pushes.BATCHES_MAX + 1)]
    assert await refused_whole(site.worker, site.worker.body(*many)) == ("too_large", {"limit": pushes.BATCHES_MAX})
    huge = b" " * (pushes.BODY_BYTES_MAX + 1)
    assert (await refused_whole(site.worker, huge))[0] == "too_large"


BAD_OPS: list[tuple[list[Any], str | None]] = [
    ([], "malformed"),
    (["not an op"], "malformed"),
    ([{"k": "fly", "c": "yard.notice", "r": R}], "malformed"),
    ([{"k": "new", "c": "yard.notice", "r": R, "set": {"text": 1.5}}], None),
    ([{"k": "new", "c": "yard.notice", "r": R, "set": {"text": ["a"]}}], None),
    ([{"k": "new", "c": "yard.notice", "r": R, "set": {"text": "x" * 501}}], "max"),
    ([{"k": "new", "c": "yard.notice", "r": R, "set": {"unheard": 1}}], None),
    ([{"k": "new", "c": "yard.notice", "r": R, "set": {"__proto__": 1}}], None),
    ([{"k": "new", "c": "no.kind", "r": R, "set": {}}], "unknown_kind"),
    ([{"k": "new", "c": "yard.notice", "r": "NOT-A-UUID", "set": {}}], "malformed"),
    ([{"k": "put", "c": "yard.notice", "r": R, "set": {"text": "as the server"}}], None),
    ([notice("x")] * 501, "too_large"),
    ([*(notice("x" * 400) for _ in range(499)), notice("y" * 200_000)], "too_large"),
    ([{"k": "set", "c": "yard.notice", "r": R, "f": "text", "v": [[[[[[[[[[1]]]]]]]]]]}], None),
]


async def test_a_numbered_batch_with_bad_ops_uses_its_number_and_blocks_nothing(site: Site) -> None:
    for n, (ops, reason) in enumerate(BAD_OPS):
        bad, good = await site.worker.send(site.worker.payload(ops), site.worker.payload([notice(f"{n:02}")]))
        assert (bad["n"], bad["status"]) == (2 * n + 1, "refused")
        assert bad["code"] in ("invalid", "unknown_record", "forbidden")
        assert reason is None or bad["reason"] == reason
        assert good["status"] == "applied"
    await site.office.pull()
    assert site.office.texts() == [f"{n:02}" for n in range(len(BAD_OPS))]


async def test_a_forged_author_or_device_in_the_payload_is_not_believed(site: Site) -> None:
    payload = site.worker.payload([notice("mine")], by=site.office.person, person=site.office.person, device="server")
    (answer,) = await site.worker.send(payload)
    assert answer["status"] == "applied"
    await site.office.pull()
    (record,) = [record for record in site.office.records.values() if record["set"].get("text") == "mine"]
    assert (record["by"], record["born"][2]) == (site.worker.person, site.worker.device)


async def test_a_refusal_says_what_a_person_can_read(site: Site) -> None:
    site.sync.message = lambda code, language: f"{code} in {language}"
    body = site.worker.body(site.worker.payload([]))
    answer = json.loads(await site.sync.push(site.worker.session, body, "en"))
    assert answer["results"][0]["message"] == "invalid in en"
    assert answer["now"] == site.clock()


async def test_M7_a_phone_three_hours_fast_gains_nothing(site: Site) -> None:
    r, hours = new_id(), 3 * 3_600_000
    payload = site.worker.payload([notice("fast", r)], t=site.clock() + hours)
    await site.sync.push(site.worker.session, site.worker.body(payload, sent=site.clock() + hours))
    record = await site.store.record(site.project, r)
    assert record is not None
    assert record["born"][4] == site.clock()


async def test_no_batches_are_answered_with_none(site: Site) -> None:
    assert json.loads(await site.sync.push(site.worker.session, site.worker.body()))["results"] == []


def test_only_raw_base64url_p256_signatures_count() -> None:
    key = generate_private_key(SECP256R1())
    sig = sign(key, "words")
    assert is_signed(b"words", sig, jwk(key))
    for wrong in ("", sig + "=", sig[:-1], sig + "A", " " + sig[1:], sig.replace(sig[5], "+", 1), "A" * 86):
        assert not is_signed(b"words", wrong, jwk(key))


@pytest.mark.parametrize("text", ["", "{}", '{"kty":"EC","crv":"P-384","x":"","y":""}', '{"kty":"oct","k":"x"}'])
def test_other_keys_are_refused(text: str) -> None:
    with pytest.raises(BadKey):
        public_key(text)
