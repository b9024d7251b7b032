"""A phone as the server knows it: its public key, and the id that follows from person and key (P4).

The same key of the same person is the same device, so signing in again continues its numbering.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Annotated, Literal

import msgspec

from server.core.problem import Problem
from server.web.wire import LINE

LABEL_MAX = 80
Coordinate = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{43}$")]


class PublicKey(msgspec.Struct):
    """An ECDSA P-256 public key as a JWK; other members are ignored."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Coordinate
    y: Coordinate

    @property
    def text(self) -> str:
        """The members that RFC 7638 hashes, in its order: one text for one key."""
        return json.dumps({"crv": self.crv, "kty": self.kty, "x": self.x, "y": self.y}, separators=(",", ":"))

    @property
    def thumbprint(self) -> str:
        return base64url(hashlib.sha256(self.text.encode()).digest())


class NewDevice(msgspec.Struct):
    key: PublicKey
    label: Annotated[str, msgspec.Meta(max_length=LABEL_MAX, pattern=LINE)] = ""


def device_id(person: str, key: PublicKey) -> str:
    return base64url(hashlib.sha256((person + key.thumbprint).encode()).digest())[:22]


def check_point(key: PublicKey) -> None:
    """Raises `malformed` for numbers that are not a point of the curve."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers

    try:
        EllipticCurvePublicNumbers(number(key.x), number(key.y), SECP256R1()).public_key()
    except ValueError as error:
        raise Problem("malformed", reason="device.key: not a point of P-256") from error


def number(coordinate: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(coordinate + "="))


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
