"""Web push (RFC 8030, 8291, 8292): the payload is encrypted for the phone, the request signed with VAPID.

The signature is good for hours and for every phone of one push service, so it is made once for each. The
encryption takes a tenth of a millisecond for every message, half of all that is done for it, so it has a process
of its own (`sealer`), begun at the first message.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from server.store.processes import Failed, Processes
from server.sync.alert.address import Wire
from server.sync.alert.notice import Notice, Target, Told, short, told_of

PAYLOAD_BYTES_MAX: Final = 3993  # what fits with its padding into the 4,096 that every service takes
TTL_S: Final = 24 * 60 * 60
TOKEN_S: Final = 12 * 60 * 60
TOKENS_MAX: Final = 100
GONE: Final = (404, 410)
SEALER_S: Final = 600.0  # it stays so long for the next alert


class Push:
    """`private` is the server's VAPID scalar (base64url), `contact` who a push service may write to."""

    def __init__(self, private: str, contact: str) -> None:
        self._private, self._contact = private, contact
        self._tokens: dict[str, tuple[float, str]] = {}
        self._sealers = Processes("server.sync.alert.channel.sealer", idle_s_max=SEALER_S)

    async def send(self, wire: Wire, target: Target, notice: Notice, now_ms: int) -> Told:
        (sealed,) = await self.seal([(target, notice)])
        return await self.post(wire, target, notice, sealed)

    async def seal(self, messages: Sequence[tuple[Target, Notice]]) -> list[bytes | Told]:
        """What each phone gets; or how it ended, `gone` for one whose key is none. Raises OSError."""
        asked = [
            (target.url, target.key, target.secret, payload(notice, target.id).decode()) for target, notice in messages
        ]
        try:
            sealed: list[list[str]] = await self._sealers.ask(asked)
        except Failed as failed:
            raise OSError(str(failed)) from failed
        return [Told(end, why) if end else base64.b64decode(body) for body, end, why in sealed]

    async def post(self, wire: Wire, target: Target, notice: Notice, sealed: bytes | Told) -> Told:
        if isinstance(sealed, Told):
            return sealed
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_S),
            "Urgency": "high",
            "Topic": topic(notice.tag),
            "Authorization": self._token(target.url),
        }
        answer = await wire.post(target.url, sealed, headers)
        if answer.status in GONE:
            return Told("gone", f"http {answer.status}")
        return told_of(answer.status, answer.retry_after_s)

    async def close(self) -> None:
        await self._sealers.close()

    def _token(self, endpoint: str) -> str:
        from py_vapid import Vapid02

        parts = urlsplit(endpoint)
        origin, now = f"{parts.scheme}://{parts.netloc}", time.time()
        expires, token = self._tokens.get(origin, (0.0, ""))
        if expires - now < TOKEN_S / 2:
            expires = now + TOKEN_S
            claims = {"aud": origin, "sub": self._contact, "exp": int(expires)}
            token = str(Vapid02.from_raw(self._private.encode()).sign(claims)["Authorization"])
            if len(self._tokens) >= TOKENS_MAX:
                self._tokens.clear()
            self._tokens[origin] = expires, token
        return token


def payload(notice: Notice, device: str = "") -> bytes:
    """At most PAYLOAD_BYTES_MAX bytes; a longer text is shortened, the app shows the whole. `device` is whom it is
    for: of a shared phone's people it is this one who answers from it."""
    said: dict[str, Any] = {**notice.payload(), "device": device}
    body = msgspec.json.encode(said)
    while len(body) > PAYLOAD_BYTES_MAX:
        said["body"] = short(said["body"], max(1, len(said["body"]) * 3 // 4))
        body = msgspec.json.encode(said)
    return body


def topic(tag: str) -> str:
    """A later step of an alert takes the place of an earlier one that waits at the push service."""
    return base64.urlsafe_b64encode(hashlib.sha256(tag.encode()).digest()[:24]).decode()
