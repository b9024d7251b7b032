"""Payloads as they should never be: a good one, spoilt in one to three places (property 22)."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any, Final

VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1.5, 1.0, 2**53, -(2**53), 2**63, 10**30, "", "x", "0" * 64, "\ud800", "e\u0301", "\x00",
    "x" * 21_000, [], {}, [[]], [[[[[[[[[[1]]]]]]]]]], {"__proto__": 1}, {"A": 1}, {"a": {"b": {"c": 1}}}, "state",
    "set", "put", "a.b.c.d", "__proto__", "constructor", "lines.l1.hours", "weather", "tags", ["a", "a"], [1, 0],
    "trial.note", "trial.total", "north",
)  # fmt: skip
TEXTS: Final = (
    "",
    "{",
    "null",
    "[]",
    '"x"',
    "1",
    "{}",
    '{"n":1}',
    '{"n":1.0,"project":"north"}',
    "[" * 5000,
    '{"n":NaN}',
)


def spoil(payload: dict[str, Any], random: Random) -> str:
    """The payload's text with something wrong in it; now and then still right, by luck."""
    if random.random() < 0.05:
        return random.choice(TEXTS)
    copy: dict[str, Any] = json.loads(json.dumps(payload))
    for _ in range(random.randrange(1, 4)):
        _spoil_one(copy, random)
    text = json.dumps(copy, ensure_ascii=random.random() < 0.5)
    return text[: random.randrange(len(text))] if random.random() < 0.03 else text


def _spoil_one(payload: dict[str, Any], random: Random) -> None:
    # Mostly inside the ops: a payload without a number is turned away at the door.
    holder: Any = payload["ops"] if isinstance(payload.get("ops"), list) and random.random() < 0.85 else payload
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return
        key = random.choice(keys)
        inner = holder[key]
        if isinstance(inner, (dict, list)) and inner and random.random() < 0.7:
            holder = inner
            continue
        break
    act = random.random()
    if act < 0.2:
        del holder[key]
    elif act < 0.35 and isinstance(holder, dict):
        holder[
            random.choice(
                ("k", "c", "r", "f", "v", "of", "ver", "note", "state", "x", "weather", "weather.x", "title.x")
            )
        ] = deepcopy(random.choice(VALUES))
    else:
        holder[key] = deepcopy(random.choice(VALUES))
