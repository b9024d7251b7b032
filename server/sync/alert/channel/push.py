"""Web push (RFC 8030, 8291, 8292): the payload is encrypted for the phone, the request signed with VAPID.

The signature is good for hours and for every phone of one push service, so it is made once for each. The
library is loaded at the first message: it takes a third of a second and ten megabytes.
"""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from server.sync.alert.address import Wire
from server.sync.alert.notice import Notice, Target, Told, short, told_of

PAYLOAD_BYTES_MAX: Final = 3993  # what fits with its padding into the 4,096 that every service takes
TTL_S: Final = 24 * 60 * 60
TOKEN_S: Final = 12 * 60 * 60
TOKENS_MAX: Final = 100
GONE: Final = (404, 410)
TOO_LARGE: Final = 413


class Push:
    """`private` is the server's VAPID scalar (base64url), `contact` who a push service may write to."""

    def __init__(self, private: str, contact: str) -> None:
        self._private, self._contact = private, contact
        self._tokens: dict[str, tuple[float, str]] = {}

    async def send(self, wire: Wire, target: Target, notice: Notice, now_ms: int) -> Told:
        from pywebpush import WebPushException

        try:
            body = encrypted(target, notice)
        except (WebPushException, ValueError) as error:
            return Told("gone", f"unusable key: {type(error).__name__}")
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_S),
            "Urgency": "high",
            "Topic": topic(notice.tag),
            "Authorization": self._token(target.url),
        }
        answer = await wire.post(target.url, body, headers)
        if answer.status in GONE:
            return Told("gone", f"http {answer.status}")
        return told_of(answer.status, answer.retry_after_s)

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


def encrypted(target: Target, notice: Notice) -> bytes:
    """Raises WebPushException or ValueError for keys that are none."""
    from pywebpush import WebPusher

    pusher = WebPusher({"endpoint": target.url, "keys": {"p256dh": target.key, "auth": target.secret}})
    found: bytes = pusher.encode(payload(notice))["body"]
    return found


def payload(notice: Notice) -> bytes:
    """At most PAYLOAD_BYTES_MAX bytes; a longer text is shortened, the app shows the whole."""
    said: dict[str, Any] = notice.payload()
    body = msgspec.json.encode(said)
    while len(body) > PAYLOAD_BYTES_MAX:
        said["body"] = short(said["body"], max(1, len(said["body"]) * 3 // 4))
        body = msgspec.json.encode(said)
    return body


def topic(tag: str) -> str:
    """A later step of an alert takes the place of an earlier one that waits at the push service."""
    return base64.urlsafe_b64encode(hashlib.sha256(tag.encode()).digest()[:24]).decode()
