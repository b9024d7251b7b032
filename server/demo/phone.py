"""A phone of the demo: a real key, batches numbered and signed as any phone's are (P1, P4)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from server.core.batch import Op
from server.core.value import canonical
from server.web.device import PublicKey, base64url, device_id

COORDINATE_BYTES: Final = 32


@dataclass
class Phone:
    """Its key lives as long as this object: nobody can sign for it afterwards."""

    person: str
    label: str
    n: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public_key(self) -> PublicKey:
        numbers = self.key.public_key().public_numbers()
        x, y = (base64url(part.to_bytes(COORDINATE_BYTES)) for part in (numbers.x, numbers.y))
        return PublicKey("EC", "P-256", x, y)

    @property
    def device(self) -> str:
        return device_id(self.person, self.public_key)

    def sign(self, project: str, base: int, t: int, v: int, ops: Sequence[Op]) -> dict[str, str]:
        """The next batch as it goes into a push (P5)."""
        self.n += 1
        batch = {"n": self.n, "project": project, "base": base, "t": t, "v": v, "ops": list(ops)}
        payload = canonical(batch)
        r, s = decode_dss_signature(self.key.sign(payload, ec.ECDSA(SHA256())))
        raw = r.to_bytes(COORDINATE_BYTES) + s.to_bytes(COORDINATE_BYTES)
        return {"payload": payload.decode(), "sig": base64url(raw)}


def push_body(device: str, sent: int, batches: Sequence[dict[str, str]]) -> bytes:
    return json.dumps({"proto": 1, "device": device, "sent": sent, "batches": batches}).encode()
