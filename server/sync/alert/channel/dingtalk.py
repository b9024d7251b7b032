"""DingTalk (钉钉) group robot with a signature: HMAC-SHA256 over time and secret, in the address."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote_plus

from server.sync.alert.address import Wire
from server.sync.alert.channel.robot import answered, as_json
from server.sync.alert.notice import Notice, Target, Told

BUSY = frozenset({-1, 130101, 660026})  # busy, too many a minute


async def send(wire: Wire, target: Target, notice: Notice, now_ms: int) -> Told:
    said = {"msgtype": "text", "text": {"content": notice.text}, "at": {"isAtAll": notice.urgent}}
    return answered(await as_json(wire, signed(target, now_ms), said), "errcode", "errmsg", BUSY)


def signed(target: Target, now_ms: int) -> str:
    if not target.secret:
        return target.url
    digest = hmac.digest(target.secret.encode(), f"{now_ms}\n{target.secret}".encode(), hashlib.sha256)
    joint = "&" if "?" in target.url else "?"
    return f"{target.url}{joint}timestamp={now_ms}&sign={quote_plus(base64.b64encode(digest))}"
