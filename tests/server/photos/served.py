"""A real server process on a small town, to be killed and started again on the same port."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.bench.town import PROJECT, Phone, Server, Town, free_port, make_town, running
from tests.server.web.kit import FROM_APP

PATIENCE_S = 30.0


class Served:
    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.town: Town = make_town(folder, workers=2)
        self._running: Any = None
        self.server: Server
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "server", "serve", "--data", str(self.folder), "--port", str(self.port)]
        self._running = running(command, self.port, self.folder)
        self.server = self._running.__enter__()

    def stop(self) -> None:
        self._running.__exit__(None, None, None)

    def kill(self) -> None:
        """-9, with all the processes that it started."""
        children = self.server.process.children(recursive=True)
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()
        _, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
        assert alive == [], "a decoder outlives its server"
        self.stop()

    def client(self, phone: Phone) -> httpx.Client:
        headers = {**FROM_APP, "Cookie": phone.cookie, "Accept-Language": "en"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S)


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    built = Served(folder)
    try:
        yield built
    finally:
        built.stop()


__all__ = ["PROJECT", "Served", "served"]
