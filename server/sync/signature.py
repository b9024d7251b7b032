"""A device's signature over the exact bytes of a payload (P4): ECDSA P-256/SHA-256, raw r‖s."""

from __future__ import annotations

import functools
from base64 import b64decode
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

KEYS_MAX: Final = 4_096
COORDINATE_BYTES: Final = 32
ALGORITHM: Final = ECDSA(SHA256())


class BadKey(ValueError):
    """Not a public P-256 key in JWK form."""


class Jwk(msgspec.Struct):
    kty: str
    crv: str
    x: str
    y: str


@functools.lru_cache(maxsize=KEYS_MAX)
def public_key(jwk: str) -> EllipticCurvePublicKey:
    """A device's key from its JWK text. Raises BadKey."""
    try:
        key = msgspec.json.decode(jwk, type=Jwk)
        if key.kty != "EC" or key.crv != "P-256":
            raise BadKey("not P-256")
        x, y = (int.from_bytes(_bytes(part, COORDINATE_BYTES)) for part in (key.x, key.y))
        return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    except (msgspec.DecodeError, ValueError) as error:
        raise BadKey(str(error)) from error


def is_signed(payload: bytes, sig: str, jwk: str) -> bool:
    """Whether the device with this key (JWK text) signed exactly these bytes."""
    try:
        raw = _bytes(sig, 2 * COORDINATE_BYTES)
        half = COORDINATE_BYTES
        der = encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))
        public_key(jwk).verify(der, payload, ALGORITHM)
    except (InvalidSignature, BadKey, ValueError):
        return False
    return True


def _bytes(text: str, length: int) -> bytes:
    """base64url without padding, of exactly so many bytes."""
    if len(text) != (length * 4 + 2) // 3:
        raise ValueError("length")
    raw = b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    if len(raw) != length:
        raise ValueError("length")
    return raw
