"""WebKit through its own driver: just enough of WebDriver to open a page, type, click and run a script."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.bench.town import free_port

ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"
START_SECONDS_MAX: Final = 30
NEEDED: Final = ("dbus-run-session", "xvfb-run", "WebKitWebDriver")


def is_here() -> bool:
    return all(shutil.which(name) for name in NEEDED)


class Driver:
    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}"
        self._session = ""

    def begin(self) -> None:
        asked = {"capabilities": {"alwaysMatch": {"timeouts": {"script": 60_000, "pageLoad": 60_000}}}}
        self._session = f"/session/{self._ask('POST', '/session', asked)['sessionId']}"

    def end(self) -> None:
        self._ask("DELETE", self._session)

    def go(self, url: str) -> None:
        self._ask("POST", f"{self._session}/url", {"url": url})

    def run(self, script: str) -> Any:
        return self._ask("POST", f"{self._session}/execute/sync", {"script": script, "args": []})

    def all(self, css: str) -> list[str]:
        found = self._ask("POST", f"{self._session}/elements", {"using": "css selector", "value": css})
        return [element[ELEMENT] for element in found]

    def type(self, element: str, text: str) -> None:
        self._ask("POST", f"{self._session}/element/{element}/value", {"text": text})

    def click(self, element: str) -> None:
        self._ask("POST", f"{self._session}/element/{element}/click", {})

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        told = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._root + path, told, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as refused:
            raise RuntimeError(refused.read().decode()[:500]) from refused


@contextmanager
def driver() -> Iterator[Driver]:
    port = free_port()
    command = ["dbus-run-session", "--", "xvfb-run", "-a", "WebKitWebDriver", f"--port={port}"]
    quiet = subprocess.DEVNULL
    environment = {
        **os.environ,
        "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
        "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
    }
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment, start_new_session=True)
    page = Driver(port)
    try:
        _begin(page)
        yield page
        page.end()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _begin(page: Driver) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            page.begin()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
