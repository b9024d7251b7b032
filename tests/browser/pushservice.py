"""A push service as Firefox knows it: a WebSocket that each browser holds open, an address for each subscription.

It refuses what a real one refuses: an address that it does not know (404) or no longer (410), a token of another
key or for another service, what is not encrypted or too long. What comes for a browser that is away is kept, a
later message of the same topic in the place of the earlier one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import uuid
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.server.alerts.outside import Answer, Asked, Outside, is_vapid

T = TypeVar("T")
BODY_BYTES_MAX = 4096
PROTOCOL = Subprotocol("push-notification")


class PushService(Outside):
    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, str] = {}
        """Channel → the VAPID key it was made for; the end of its address."""
        self.browser_of: dict[str, str] = {}
        self.connected: dict[str, ServerConnection] = {}
        self.kept: dict[str, dict[str, dict[str, Any]]] = {}
        """Browser → topic → what waits for it."""
        self.acked: list[str] = []
        self.gone: set[str] = set()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._talks: list[asyncio.Task[None]] = []
        self._gate: asyncio.Server | None = None
        self._line: Server | None = None
        self.port = self.line_port = 0
        self.open()

    @property
    def preferences(self) -> dict[str, str | int | bool]:
        """What a Firefox must be told to use it."""
        return {
            "dom.push.serverURL": f"ws://127.0.0.1:{self.line_port}/",
            "dom.push.testing.allowInsecureServerURL": True,
            "dom.push.retryBaseInterval": 200,
            "alerts.useSystemBackend": False,
        }

    def open(self) -> None:
        self._do(self._open())

    def shut(self) -> None:
        """Nobody answers any more; what was kept is kept."""
        self._do(self._shut())

    def close(self) -> None:
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        done: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return done.result(20)

    async def _open(self) -> None:
        self._gate = await asyncio.start_server(self._let_in, "127.0.0.1", self.port)
        self._line = await serve(self._meet, "127.0.0.1", self.line_port, subprotocols=[PROTOCOL])
        self.port = self._gate.sockets[0].getsockname()[1]
        self.line_port = next(iter(self._line.sockets)).getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def _shut(self) -> None:
        assert self._gate is not None
        assert self._line is not None
        self._gate.close()
        self._line.close()
        await self._line.wait_closed()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        self._talks.clear()

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self.serve(reader, writer))
        self._talks.append(talk)

    # ── what the browser says ──────────

    async def _meet(self, line: ServerConnection) -> None:
        browser = ""
        async for text in lines(line):
            said = json.loads(text)
            kind = said.get("messageType")
            if kind == "hello":
                browser = said.get("uaid") or uuid.uuid4().hex
                self.connected[browser] = line
                await tell(line, messageType="hello", status=200, uaid=browser, use_webpush=True, broadcasts={})
                for message in list(self.kept.get(browser, {}).values()):
                    await tell(line, **message)
            elif kind == "register":
                channel = said["channelID"]
                self.keys[channel], self.browser_of[channel] = said["key"].rstrip("="), browser
                address = f"{self.url}/push/{channel}"
                await tell(line, messageType="register", status=200, channelID=channel, pushEndpoint=address)
            elif kind == "unregister":
                self.gone.add(said["channelID"])
                await tell(line, messageType="unregister", status=200, channelID=said["channelID"])
            elif kind == "ack":
                self._taken(browser, {one["version"] for one in said["updates"]})
            elif not said:
                await line.send("{}")

    def _taken(self, browser: str, versions: set[str]) -> None:
        waiting = self.kept.get(browser, {})
        for topic, message in list(waiting.items()):
            if message["version"] in versions:
                del waiting[topic]
        self.acked += sorted(versions)

    # ── what the server sends ──────────

    async def usual(self, asked: Asked) -> Answer:
        channel = asked.path.rsplit("/", 1)[1]
        if channel not in self.keys:
            return 404, {}, b""
        if channel in self.gone:
            return 410, {}, b""
        if not is_vapid(asked, self.keys[channel], self.url):
            return 403, {}, b""
        if len(asked.body) > BODY_BYTES_MAX:
            return 413, {}, b""
        if asked.headers.get("content-encoding") != "aes128gcm" or "ttl" not in asked.headers:
            return 400, {}, b""
        await self._pass_on(channel, asked)
        return 201, {"Location": f"{self.url}/m/{uuid.uuid4().hex}"}, b""

    async def _pass_on(self, channel: str, asked: Asked) -> None:
        data = base64.urlsafe_b64encode(asked.body).rstrip(b"=").decode()
        version = uuid.uuid4().hex
        message: dict[str, Any] = {
            "messageType": "notification", "channelID": channel, "version": version,
            "data": data, "headers": {"encoding": "aes128gcm"},
        }  # fmt: skip
        browser = self.browser_of[channel]
        self.kept.setdefault(browser, {})[asked.headers.get("topic", version)] = message
        line = self.connected.get(browser)
        if line is not None and line.state.name == "OPEN":
            await tell(line, **message)


async def lines(line: ServerConnection) -> AsyncIterator[str | bytes]:
    """Until the browser is gone, with or without a goodbye."""
    with suppress(ConnectionClosed):
        async for text in line:
            yield text


async def tell(line: ServerConnection, **message: object) -> None:
    await line.send(json.dumps(message))
