"""Feishu (飞书) group robot with a signature: time in seconds and secret are the key, over nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from server.sync.alert.address import Wire
from server.sync.alert.channel.robot import answered, as_json
from server.sync.alert.notice import Notice, Target, Told

BUSY = frozenset({9499, 11232})  # too many at once


async def send(wire: Wire, target: Target, notice: Notice, now_ms: int) -> Told:
    said: dict[str, Any] = {"msg_type": "text", "content": {"text": notice.text}}
    if target.secret:
        time_s = now_ms // 1000
        digest = hmac.digest(f"{time_s}\n{target.secret}".encode(), b"", hashlib.sha256)
        said |= {"timestamp": str(time_s), "sign": base64.b64encode(digest).decode()}
    return answered(await as_json(wire, target.url, said), "code", "msg", BUSY)
