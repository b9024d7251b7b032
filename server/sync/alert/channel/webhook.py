"""A signed webhook, for an SMS gateway or anything else: JSON, and who sent it proved by HMAC-SHA256.

`X-Gongbu-Signature: t=<ms>,v1=<hex>` over `<ms>.<body>`; the receiver refuses an old time.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from server.sync.alert.address import Wire
from server.sync.alert.notice import Notice, Target, Told, told_of


async def send(wire: Wire, target: Target, notice: Notice, now_ms: int) -> Told:
    to = [address for address in target.to.split(",") if address]
    body = msgspec.json.encode({**notice.payload(), "text": notice.text, "link": notice.link, "to": to})
    headers = {"Content-Type": "application/json", "X-Gongbu-Signature": signature(target.secret, now_ms, body)}
    answer = await wire.post(target.url, body, headers)
    return told_of(answer.status, answer.retry_after_s)


def signature(secret: str, now_ms: int, body: bytes) -> str:
    digest = hmac.digest(secret.encode(), f"{now_ms}.".encode() + body, hashlib.sha256).hex()
    return f"t={now_ms},v1={digest}"
