"""The local authority: what it signs, when it signs anew, and the page that hands it out."""

from __future__ import annotations

import datetime as dt
import ssl
import stat
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from server.web import authority
from server.web.lan import grouped, only_trust
from tests.server.web.kit import Town, town

NOW = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
ADDRESSES = ["192.168.1.20", "10.0.0.3"]


def leaf(made: authority.Certificates) -> x509.Certificate:
    return authority.read(made.leaf)


def test_the_leaf_is_signed_by_the_authority_for_these_addresses(tmp_path: Path) -> None:
    made = authority.prepare(tmp_path, ADDRESSES, NOW)
    leaf(made).verify_directly_issued_by(authority.read(made.authority))
    names = leaf(made).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {*ADDRESSES, "127.0.0.1", "localhost"}
    usage = leaf(made).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(made.leaf, made.key)


def test_a_strict_verifier_accepts_the_chain(tmp_path: Path) -> None:
    made = authority.prepare(tmp_path, ADDRESSES, NOW)
    verifier = (
        PolicyBuilder()
        .store(Store([authority.read(made.authority)]))
        .time(NOW.replace(tzinfo=None))
        .build_server_verifier(x509.DNSName("localhost"))
    )
    verifier.verify(leaf(made), [])
    elsewhere = (
        PolicyBuilder()
        .store(Store([authority.read(made.authority)]))
        .time(NOW.replace(tzinfo=None))
        .build_server_verifier(x509.DNSName("bank.example"))
    )
    with pytest.raises(VerificationError):
        elsewhere.verify(leaf(made), [])


def test_the_authority_is_limited_to_private_addresses(tmp_path: Path) -> None:
    made = authority.prepare(tmp_path, ADDRESSES, NOW)
    limits = authority.read(made.authority).extensions.get_extension_for_class(x509.NameConstraints).value
    allowed = [str(name.value) for name in limits.permitted_subtrees or []]
    assert "192.168.0.0/16" in allowed
    assert "0.0.0.0/0" not in allowed
    assert not authority.is_private("8.8.8.8")
    assert not authority.is_private("bank.example")


def test_keys_are_readable_by_the_owner_alone(tmp_path: Path) -> None:
    authority.prepare(tmp_path, ADDRESSES, NOW)
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("authority.key", "leaf.key")}
    assert modes == {0o600}


def test_phones_trust_once_the_authority_stays_while_leaves_change(tmp_path: Path) -> None:
    first = authority.prepare(tmp_path, ADDRESSES, NOW)
    serial = leaf(first).serial_number
    same = authority.prepare(tmp_path, ADDRESSES, NOW + dt.timedelta(days=300))
    assert (same.fingerprint, leaf(same).serial_number) == (first.fingerprint, serial)
    moved = authority.prepare(tmp_path, ["192.168.7.7"], NOW)
    assert moved.fingerprint == first.fingerprint
    assert leaf(moved).serial_number != serial
    late = authority.prepare(tmp_path, ["192.168.7.7"], NOW + dt.timedelta(days=390))
    assert late.fingerprint == first.fingerprint
    assert leaf(late).not_valid_after_utc > NOW + dt.timedelta(days=700)


def test_leaves_live_no_longer_than_phones_accept(tmp_path: Path) -> None:
    made = authority.prepare(tmp_path, ADDRESSES, NOW)
    assert leaf(made).not_valid_after_utc - leaf(made).not_valid_before_utc <= dt.timedelta(days=398)


def test_looking_for_the_networks_address_finds_private_ones_only() -> None:
    assert all(authority.is_private(one) and not one.startswith("127.") for one in authority.lan_addresses())


async def test_the_page_shows_the_fingerprint_and_hands_out_the_certificate(tmp_path: Path) -> None:
    made = authority.prepare(tmp_path / "data" / "lan", ["192.168.1.20"], NOW)
    async with town(tmp_path, lan=True, url="https://192.168.1.20:8001") as built:
        client = await built.client()
        for language in ("zh", "en"):
            page = await client.get("/lan", params={"lang": language})
            assert page.status_code == 200
            for part in grouped(made.fingerprint):
                assert part in page.text
            assert "https://192.168.1.20:8001" in page.text
        got = await client.get("/lan/gongbu.crt")
        assert got.headers["content-type"] == "application/x-x509-ca-cert"
        assert x509.load_der_x509_certificate(got.content) == authority.read(made.authority)


async def test_plain_http_on_the_network_shows_that_page_and_nothing_else(tmp_path: Path) -> None:
    authority.prepare(tmp_path / "data" / "lan", ["192.168.1.20"], NOW)
    async with town(tmp_path, lan=True, url="https://192.168.1.20:8001") as built:
        for server, path, status in [
            ("192.168.1.20", "/lan", 200),
            ("192.168.1.20", "/", 303),
            ("192.168.1.20", "/api/login", 303),
            ("127.0.0.1", "/api/hello", 200),
        ]:
            plain = httpx.ASGITransport(only_trust(built.app))  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=plain, base_url=f"http://{server}") as client:
                answer = await client.get(path)
            assert answer.status_code == status, path
            if status == 303:
                assert answer.headers["location"] == "/lan"


async def test_without_lan_there_is_no_such_page(town: Town) -> None:
    client = await town.client()
    assert (await client.get("/lan")).status_code == 404
    assert (await client.get("/lan/gongbu.crt")).status_code == 404
