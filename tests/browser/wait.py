"""Waiting for a state, never for a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

SECONDS_MAX = 30
PAUSE_SECONDS = 0.03


def until(ask: Callable[[], Answer], otherwise: str, *, seconds: float = SECONDS_MAX) -> Answer:
    """Ask again and again until the answer is truthy; fail with `otherwise` when it stays false too long."""
    tick = threading.Event()
    for _ in range(int(seconds / PAUSE_SECONDS)):
        answer = ask()
        if answer:
            return answer
        tick.wait(PAUSE_SECONDS)
    raise AssertionError(otherwise)
