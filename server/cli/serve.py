"""`gongbu serve`: the server, and what it says when it is up.

Plain: http on one address. With `--lan` there are three doors: http on this machine (localhost counts
as secure), https on the network's address with a certificate of the server's own, and on that address
in plain http only the page that leads through trusting it. A first signal ends gracefully: no new
requests, those in hand answered, commits finished; a second one ends at once.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from server.cli.opened import add_data, settings_of
from server.cli.say import Stop, say
from server.config import VERSION, Settings

if TYPE_CHECKING:
    import uvicorn

    from server.app import App

GRACE_S: Final = 10
WAITING_MAX: Final = 2048


@dataclass(frozen=True)
class Door:
    """A listening socket and what is behind it."""

    bound: socket.socket
    app: Any
    certificate: tuple[str, str] | None = None  # chain, key


def arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--host", help="address to listen on (default: GONGBU_HOST, or 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port (default: GONGBU_PORT, or 8000; 0 takes any free one)")
    parser.add_argument("--demo", action="store_true", help="with a demo site to try, in a data folder of its own")
    parser.add_argument("--lan", action="store_true", help="for phones on this network: https on the port above it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from server.web import log

    settings = settings_of(args).at(host=args.host, port=args.port, demo=args.demo, lan=args.lan)
    log.start()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(serve(settings))


def loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop


async def serve(settings: Settings) -> int:
    bound = bind(settings.host, settings.port)
    port = bound.getsockname()[1]
    settings = settings.at(port=port)
    secure = lan_doors(settings) if settings.lan else None
    if secure:
        settings = settings.at(url=settings.url or secure.address)
    app = make_app(settings)
    doors = [Door(bound, app), *(secure.doors(app) if secure else [])]
    from server.app import NotHere

    try:
        async with app.lifespan():
            servers = [make_server(door) for door in doors]
            stop_on_signals(app, servers)
            for door, server in zip(doors, servers, strict=True):
                server.announce = (lambda: announce(app, settings, secure)) if door is doors[-1] else None
            await asyncio.gather(*(server.serve([door.bound]) for door, server in zip(doors, servers, strict=True)))
    except NotHere as wrong:
        raise Stop(str(wrong)) from wrong
    return 0


def make_app(settings: Settings) -> App:
    from server.app import App
    from server.core.declaration import BadDeclaration
    from server.web.keys import BadKeys

    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        return App(settings)
    except (BadDeclaration, BadKeys) as bad:
        raise Stop(str(bad)) from bad
    except OSError as error:
        raise Stop(f"the data folder {settings.data} cannot be used: {error.strerror}") from error


def bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        why = "is in use; choose another with --port" if error.errno == 98 else f"cannot be used: {error.strerror}"
        raise Stop(f"port {port} of {host} {why}") from error
    except OverflowError as error:
        raise Stop("a port is 0 to 65535") from error
    return bound


# The local network


@dataclass(frozen=True)
class Secure:
    """https on the network's address, and the page in plain http that leads to it."""

    address: str
    helper: str
    fingerprint: str
    https: socket.socket
    http: socket.socket | None
    certificate: tuple[str, str]

    def doors(self, app: App) -> list[Door]:
        from server.web.lan import only_trust

        plain = [Door(self.http, only_trust(app))] if self.http else []
        return [*plain, Door(self.https, app, self.certificate)]


def lan_doors(settings: Settings) -> Secure:
    from datetime import UTC, datetime

    from server.web import authority

    is_local = settings.host in ("127.0.0.1", "::1", "localhost", "0.0.0.0")
    found = authority.lan_addresses() if is_local else [settings.host]
    if not found:
        raise Stop("this machine has no address on a local network; connect it, or leave --lan out")
    made = authority.prepare(settings.data / "lan", found, datetime.now(UTC))
    https = bind(found[0], settings.port + 1)
    # on the very address of the app itself plain http would be in its way
    http = bind(found[0], settings.port) if settings.host in ("127.0.0.1", "::1", "localhost") else None
    helper = f"http://{found[0]}:{settings.port}/lan"
    return Secure(
        f"https://{found[0]}:{https.getsockname()[1]}",
        helper,
        made.fingerprint,
        https,
        http,
        (str(made.leaf), str(made.key)),
    )


# Running


def make_server(door: Door) -> Any:
    import uvicorn

    class Server(uvicorn.Server):
        """Speaks when it is up; signals are this file's business, not each server's."""

        announce: Any = None

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.announce:
                self.announce()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Server(config_of(door))


def config_of(door: Door) -> uvicorn.Config:
    import uvicorn

    chain, key = door.certificate or (None, None)
    return uvicorn.Config(
        door.app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1,::1",
        backlog=WAITING_MAX,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=chain,
        ssl_keyfile=key,
    )


def stop_on_signals(app: App, servers: Sequence[Any]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.force_exit = server.should_exit
            server.should_exit = True
        app.hush()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)


# What it says


def announce(app: App, settings: Settings, secure: Secure | None) -> None:
    from server.web.qr import terminal

    local = f"http://{'127.0.0.1' if settings.host == '0.0.0.0' else settings.host}:{settings.port}"
    say(f"\n工簿 Gongbu {VERSION} · {settings.data.resolve()}")
    say(f"  {settings.url or local}" + (f"   ({local} on this machine)" if settings.url else ""))
    if not (settings.dist / "index.html").is_file():
        say("  The phone app is not built: run `make setup` in the project folder, then start again")
    if secure:
        say("\nOn a phone of this network, scan. The first time it leads through trusting the certificate.")
        say(f"  {secure.helper}")
        say(terminal(secure.helper))
        say(f"Certificate authority, SHA-256, to compare on the phone:\n  {secure.fingerprint}")
    else:
        say(terminal(settings.url or local))
        if not settings.url:
            say("A phone needs a secure address: `gongbu serve --lan` gives one on this network")
    for line in app.demo_lines():
        say(line)
    say("Stop with Ctrl-C")
    sys.stdout.flush()
