"""What the group robots have in common: JSON to a hook, and an answer that says 200 and means something else."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from server.sync.alert.address import Answered, Wire
from server.sync.alert.notice import NOTE_LENGTH_MAX, SENT, Told, short, told_of


async def as_json(wire: Wire, url: str, said: dict[str, Any]) -> Answered:
    return await wire.post(url, msgspec.json.encode(said), {"Content-Type": "application/json; charset=utf-8"})


def answered(answer: Answered, code: str, words: str, busy: Collection[int]) -> Told:
    """Their own code decides: 0 is sent, a busy one is tried again."""
    if answer.status >= 300:
        return told_of(answer.status, answer.retry_after_s)
    try:
        said = msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.DecodeError:
        return Told("failed", "an answer that cannot be read")
    number = said.get(code, said.get("StatusCode"))  # the older of Feishu's two forms
    if number == 0:
        return SENT
    note = short(f"{number} {said.get(words, '')}".strip(), NOTE_LENGTH_MAX)
    return Told("later" if number in busy else "failed", note)
