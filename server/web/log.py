"""Logs as one JSON object a line, without personal data.

A request is its id, method, route, status and milliseconds: no names, bodies, queries or addresses.
A failure adds the exception's type and where it happened, never its message, which may quote data.
Two levels are used: `info`, and `error` for what a person must look at.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import BinaryIO, Final

import msgspec

LOG: Final = logging.getLogger("gongbu")
FRAMES_MAX: Final = 12
QUICK: list[BinaryIO] = []  # where `request` writes, once `start` was called
USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": "error" if record.levelno >= logging.ERROR else "info",
            "event": record.getMessage() if record.name.startswith("gongbu") else record.name,
        }
        if record.name.startswith("gongbu"):
            line |= {name: value for name, value in vars(record).items() if name not in USUAL}
        if record.exc_info and record.exc_info[0] is not None:
            line |= where(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def where(error: BaseException | None) -> dict[str, object]:
    """An exception's type and the places that it passed, newest last."""
    frames = traceback.extract_tb(error.__traceback__ if error else None)[-FRAMES_MAX:]
    return {
        "error": type(error).__name__,
        "frames": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    }


def info(event: str, **facts: object) -> None:
    LOG.info(event, extra=facts)


def error(event: str, problem: BaseException | None = None, **facts: object) -> None:
    LOG.error(event, exc_info=problem, extra=facts)


def request(id: str, method: str, route: str, status: int, ms: float) -> None:
    """The one line of a request; written without detours, because every request pays for it."""
    if not LOG.isEnabledFor(logging.INFO):
        return
    if not QUICK:
        info("request", id=id, method=method, route=route, status=status, ms=ms)
        return
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line: dict[str, object] = {"at": at, "level": "info", "event": "request"}
    line |= {"id": id, "method": method, "route": route, "status": status, "ms": ms}
    with suppress(OSError, ValueError):  # nobody reads the log any more: the answers matter
        QUICK[0].write(msgspec.json.encode(line) + b"\n")
        QUICK[0].flush()


def start(*, quiet: bool = False) -> None:
    """Send every log of the process to stderr in this form; `quiet` leaves only errors."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(OneLine())
    logging.basicConfig(level=logging.ERROR, handlers=[lines], force=True)
    QUICK[:] = [sys.stderr.buffer]
    LOG.setLevel(logging.ERROR if quiet else logging.INFO)
