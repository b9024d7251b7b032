"""WeCom (企业微信) group robot: a text to its hook; the key stands in the address."""

from __future__ import annotations

from server.sync.alert.address import Wire
from server.sync.alert.channel.robot import answered, as_json
from server.sync.alert.notice import Notice, Target, Told

BUSY = frozenset({-1, 45009})  # the service is busy, the robot says too much


async def send(wire: Wire, target: Target, notice: Notice, now_ms: int) -> Told:
    said = {"msgtype": "text", "text": {"content": notice.text}}
    return answered(await as_json(wire, target.url, said), "errcode", "errmsg", BUSY)
