"""Firefox as it comes, driven over WebDriver BiDi: a second engine for one whole pass through the app."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.browser import words
from tests.browser.wait import until

PREFERENCES = {
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "geo.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}
ARGUMENTS = ["--headless", "--no-remote", "--remote-debugging-port", "0", "--remote-allow-system-access"]


class Fox:
    def __init__(
        self,
        firefox: str,
        profile: Path,
        url: str,
        language: str = "zh-CN",
        preferences: Mapping[str, str | int | bool] = MappingProxyType({}),
    ) -> None:
        self.url = url
        self.language = language
        profile.mkdir(parents=True, exist_ok=True)
        (profile / "user.js").write_text(
            "".join(
                f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
                for name, value in {**PREFERENCES, "intl.accept_languages": language, **preferences}.items()
            )
        )
        self.process = subprocess.Popen(
            [firefox, *ARGUMENTS, "--profile", str(profile)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.socket: ClientConnection = connect(
            self._address() + "/session", max_size=None, open_timeout=20
        ).__enter__()
        self.asked = 0
        self.call("session.new", capabilities={})
        self.tab = self.call("browsingContext.getTree")["contexts"][0]["context"]
        self.call("browsingContext.setViewport", context=self.tab, viewport={"width": 360, "height": 740})

    def _address(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if listening := re.search(r"BiDi listening on (ws://\S+)", line):
                return listening[1]
        raise AssertionError("Firefox did not start")

    def call(self, method: str, **params: object) -> dict[str, Any]:
        self.asked += 1
        self.socket.send(json.dumps({"id": self.asked, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv(timeout=60))
            if answer.get("id") == self.asked:
                assert answer["type"] == "success", f"{method}: {answer.get('message')}"
                found: dict[str, Any] = answer["result"]
                return found

    def open(self, path: str = "/") -> None:
        self.call("browsingContext.navigate", context=self.tab, url=self.url + path, wait="complete")

    def run(self, expression: str) -> Any:
        """The value of an expression, awaited; it must be JSON."""
        return self._run(expression, self.tab)

    def inside(self, expression: str) -> Any:
        """The same in the browser's own window, with all the rights that Firefox itself has."""
        tree = self.call("browsingContext.getTree", **{"moz:scope": "chrome"})["contexts"]
        own = next(one["context"] for one in tree if one["url"].endswith("/browser.xhtml"))
        return self._run(expression, own)

    def _run(self, expression: str, context: str) -> Any:
        answer = self.call(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": context},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer
        value = answer["result"].get("value")
        return None if value is None else json.loads(value)

    def inject(self, script: str) -> None:
        self.call("script.evaluate", expression=script, target={"context": self.tab}, awaitPromise=False)

    def say(self, key: str, **values: object) -> str:
        return words.say(self.language, key, **values)

    def find(self, role: str, name: str) -> dict[str, Any]:
        """By accessible role and name, when it is there."""

        def look() -> list[dict[str, Any]]:
            locator = {"type": "accessibility", "value": {"role": role, "name": name}}
            nodes: list[dict[str, Any]] = self.call("browsingContext.locateNodes", context=self.tab, locator=locator)[
                "nodes"
            ]
            return nodes

        return until(look, f"no {role} named {name} in Firefox")[0]

    def tap(self, name: str, role: str = "button") -> None:
        node = self.find(role, name)
        origin = {"type": "element", "element": {"sharedId": node["sharedId"]}}
        self.call(
            "script.callFunction",
            functionDeclaration="(e) => e.scrollIntoView({block: 'center'})",
            arguments=[{"sharedId": node["sharedId"]}],
            target={"context": self.tab},
            awaitPromise=False,
        )
        steps = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self.call(
            "input.performActions", context=self.tab, actions=[{"type": "pointer", "id": "thumb", "actions": steps}]
        )

    def fill(self, name: str, text: str, role: str = "textbox") -> None:
        self.tap(name, role)
        keys = [{"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")]
        self.call("input.performActions", context=self.tab, actions=[{"type": "key", "id": "keys", "actions": keys}])

    def sees(self, text: str) -> None:
        self.until(lambda: text in self.text(), f"Firefox does not show {text}")

    def text(self) -> str:
        return str(self.run("document.body?.innerText ?? ''"))

    @property
    def address(self) -> str:
        """What stands in the address bar."""
        return str(self.call("browsingContext.getTree")["contexts"][0]["url"])

    def until(self, ask: Callable[[], bool], otherwise: str) -> None:
        until(ask, otherwise, seconds=30)

    def screenshot(self, path: Path) -> None:
        shot = self.call("browsingContext.captureScreenshot", context=self.tab)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait(20)
