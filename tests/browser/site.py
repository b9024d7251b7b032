"""A real `gongbu serve` on a free port of 127.0.0.1, with a data folder of its own.

It can be killed and come back on the same port: to a phone that is the network going away.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from server.demo.cast import SITE
from tests.browser.wait import until

ROOT = Path(__file__).resolve().parents[2]
DEMO = SITE  # the demo project’s name
SECONDS_TO_START_MAX = 60
SECONDS_TO_STOP_MAX = 20


class Site:
    def __init__(
        self, data: Path, *, demo: bool = True, host: str = "127.0.0.1", options: tuple[str, ...] = ()
    ) -> None:
        self.data = data
        self.host = host
        self.port = free_port(host)
        self.options = (*(("--demo",) if demo else ()), *options)
        self.log = data.parent / f"{data.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{'localhost' if self.host == '127.0.0.1' else self.host}:{self.port}"

    def start(self) -> Site:
        arguments = ["serve", "--host", self.host, "--port", str(self.port), "--data", str(self.data), *self.options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server", *arguments],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "GONGBU_ALLOW_PRIVATE_ADDRESSES": "1"},
            )
        until(self.answers, f"the server did not start: {self.log}", seconds=SECONDS_TO_START_MAX)
        return self

    def answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(
                f"the server ended by itself:\n{self.log.read_text('utf-8', errors='replace')[-4000:]}"
            )
        return self.status("/healthz") == 200

    def status(self, path: str) -> int | None:
        """The HTTP status of a GET, or None when nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return None

    def stop(self) -> None:
        """Gracefully, as systemd would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(SECONDS_TO_STOP_MAX)
        self.process = None

    def gongbu(self, *arguments: str) -> str:
        """Run another `gongbu` command on the same data."""
        done = subprocess.run(
            [sys.executable, "-m", "server", *arguments, "--data", str(self.data)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def troubles(self) -> list[str]:
        """What the server logged as an error: a person must look, so a test does."""
        lines = self.log.read_text("utf-8", errors="replace").splitlines()
        return [line for line in lines if '"level": "error"' in line or line.startswith("Traceback")]

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What really lies in the database, read beside the running server."""
        address = f"file:{self.data / 'gongbu.db'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as database:
            return database.execute(sql, values).fetchall()

    def entries_of(self, name: str, kind: str = "labour.checkin") -> int:
        """How many records of a kind this person has written."""
        sql = (
            "SELECT count(*) FROM record WHERE c = ? AND deleted = 0"
            " AND json_extract(body, '$.by') IN (SELECT id FROM person WHERE name = ?)"
        )
        found = self.rows(sql, kind, name)
        return int(found[0][0])


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
