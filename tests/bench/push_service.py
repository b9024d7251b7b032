"""A push service of its own process: takes every message, and notes when it came, for which phone, of which alert.

`python -m tests.bench.push_service PORT`; `GET /` answers what came since the last time, one line each. A message
counts when its whole body is there.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import cast

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


class Messages(asyncio.Protocol):
    """One connection; requests come one after the other."""

    came: list[str] = []  # noqa: RUF012  of all connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while True:
            head, found, rest = self.waiting.partition(b"\r\n\r\n")
            if not found:
                return
            first, *lines = head.decode().split("\r\n")
            told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(told.get("content-length", 0))
            if len(rest) < length:
                return
            self.waiting = rest[length:]
            self._take(first.split()[1], first.startswith("GET"), told.get("topic", ""))

    def _take(self, path: str, is_question: bool, topic: str) -> None:
        if not is_question:
            self.came.append(f"{time.perf_counter()} {path} {topic}")
            self.transport.write(CREATED)
            return
        body = "\n".join(self.came).encode()
        if path == "/log":
            self.came.clear()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Messages, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
