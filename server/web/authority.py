"""A certificate authority of one's own, for https on the site office's network.

Phones give a page its service worker, camera and keys only over https, and no public authority signs
for 192.168.x.x. The authority lies in the data folder (`lan/`, key mode 0600), is limited to private
addresses by its name constraints, and lives ten years; the leaf lives 397 days and is made anew when
the addresses change or a month before it ends.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY_DAYS: Final = 3650
LEAF_DAYS: Final = 397
RENEW_DAYS: Final = 30
PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "127.0.0.0/8")
NAMES: Final = ("localhost", "local", "lan", "home.arpa", "internal")


@dataclass(frozen=True)
class Certificates:
    authority: Path
    leaf: Path  # the leaf and, below it, the authority
    key: Path
    fingerprint: str  # SHA-256 of the authority, `AB:CD:…`


def prepare(folder: Path, addresses: Sequence[str], now: dt.datetime) -> Certificates:
    """The authority and a leaf for these addresses, made where they are missing or too old."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = folder / "authority.crt"
    if not authority.exists():
        make_authority(folder, now)
    leaf, key = folder / "leaf.crt", folder / "leaf.key"
    if not (leaf.exists() and key.exists() and serves(leaf, addresses, now)):
        make_leaf(folder, addresses, now)
    return Certificates(authority, leaf, key, fingerprint(authority))


def lan_addresses() -> list[str]:
    """This machine's private IPv4 addresses, the one of the default route first. Sends nothing."""
    found: list[str] = []
    for far in ("192.0.2.1", "10.255.255.254", "192.168.255.254", "172.31.255.254"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((far, 9))  # of a datagram socket: only looks the route up
                found.append(probe.getsockname()[0])
            except OSError:
                continue
    return [one for one in dict.fromkeys(found) if is_private(one) and not one.startswith("127.")]


def is_private(address: str) -> bool:
    """Whether the authority may vouch for this address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(span) for span in PRIVATE)


def fingerprint(authority: Path) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256

    return read(authority).fingerprint(SHA256()).hex(":").upper()


def der(authority: Path) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return read(authority).public_bytes(Encoding.DER)


def read(file: Path) -> x509.Certificate:
    from cryptography import x509

    return x509.load_pem_x509_certificates(file.read_bytes())[0]


def serves(leaf: Path, addresses: Iterable[str], now: dt.datetime) -> bool:
    from cryptography import x509

    certificate = read(leaf)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(name.value) for name in names}
    lasts = certificate.not_valid_after_utc - now > dt.timedelta(days=RENEW_DAYS)
    return lasts and set(addresses) <= known


def make_authority(folder: Path, now: dt.datetime) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = common_name(f"工簿 Gongbu {socket.gethostname()}"[:64])
    made = (
        begin(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .add_extension(allowed(), critical=False)  # some phones refuse a critical one
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    save(folder / "authority.key", key_text(key), 0o600)
    save(folder / "authority.crt", signed(made, key), 0o644)


def make_leaf(folder: Path, addresses: Sequence[str], now: dt.datetime) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    authority = read(folder / "authority.crt")
    signer = load_pem_private_key((folder / "authority.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        begin(common_name("Gongbu"), authority.subject, key, now, LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName(alternatives(addresses)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    save(folder / "leaf.key", key_text(key), 0o600)
    save(folder / "leaf.crt", signed(made, signer) + (folder / "authority.crt").read_bytes(), 0o644)


def begin(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now: dt.datetime, days: int
) -> x509.CertificateBuilder:
    """An hour of grace for phones whose clock is slow."""
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def alternatives(addresses: Iterable[str]) -> list[x509.GeneralName]:
    from cryptography import x509

    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    for address in dict.fromkeys([*addresses, "127.0.0.1"]):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(address)))
        except ValueError:
            names.append(x509.DNSName(address))
    return names


def allowed() -> x509.NameConstraints:
    from cryptography import x509

    ranges = [x509.IPAddress(ipaddress.ip_network(span)) for span in PRIVATE]
    return x509.NameConstraints([*ranges, *(x509.DNSName(name) for name in NAMES)], None)


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def common_name(name: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])


def signed(made: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


def key_text(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def save(file: Path, text: bytes, mode: int) -> None:
    """Replace whole, never half: a killed start leaves the old file or the new one."""
    beside = file.with_suffix(file.suffix + ".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)
