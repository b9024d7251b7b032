"""`gongbu serve`: the server, and what it says when it is up.

Plain: http on one address. With `--lan` there is a second door, https on the port above, with a
certificate of the server's own; plain http then shows the app on this machine alone (localhost counts
as secure) and everywhere else only the page that leads through trusting the certificate. A first
signal ends gracefully: no new requests, those in hand answered, commits finished; a second one at once.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
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
LOCAL: Final = ("127.0.0.1", "::1", "localhost")
NEXT: Final = "\n  "
ANY: Final = ("0.0.0.0", "::")
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
    parser.add_argument(
        "--lan",
        nargs="?",
        choices=["on", "auto"],
        const="on",
        help="for phones on this network: https on the port above; `auto` does without where there is no network",
    )
    parser.add_argument("--log", action="store_true", help="write the log to a terminal, too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from server.web import log

    settings = settings_of(args).at(host=args.host, port=args.port, demo=args.demo)
    log.start(quiet=sys.stderr.isatty() and not args.log)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(serve(settings, args.lan))


def loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop


async def serve(settings: Settings, lan: str | None) -> int:
    from server.app import NotHere

    bound = bind(settings.host, settings.port)
    settings = settings.at(port=bound[0].getsockname()[1])
    secure = open_lan(settings, lan) if lan else None
    if secure:
        settings = settings.at(lan=True, url=settings.url or secure.address)
    app = make_app(settings)
    doors = secure.doors(app, bound) if secure else [Door(one, app) for one in bound]
    try:
        async with app.lifespan():
            servers = [make_server(door, settings.proxies) for door in doors]
            stop_on_signals(app, servers)
            servers[-1].announce = lambda: announce(app, settings, secure)
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


def bind(host: str, port: int) -> list[socket.socket]:
    """Listen on a host's address; `localhost` is both of its addresses where there are two."""
    if host != "localhost":
        return [bind_one(host, port)]
    first = bind_one("127.0.0.1", port)
    try:
        return [first, bind_one("::1", first.getsockname()[1])]
    except Stop:
        return [first]


def bind_one(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        raise Stop(f"cannot listen on {host}:{port}: {reason(error)}") from error
    return bound


def reason(error: Exception) -> str:
    if isinstance(error, OverflowError):
        return "a port is a number from 0 to 65535"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "something else does already; choose another port with --port"
    if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
        return "this machine does not have that address"
    return str(getattr(error, "strerror", None) or error)


# The local network


@dataclass(frozen=True)
class Secure:
    """https on the network's address, and plain http there, which leads to it."""

    address: str
    helper: str
    fingerprint: str
    https: socket.socket
    http: socket.socket | None  # on the network's address, if the app's own socket is not there
    certificate: tuple[str, str]

    def doors(self, app: App, bound: Sequence[socket.socket]) -> list[Door]:
        from server.web.lan import only_trust

        plain = [*bound, self.http] if self.http else bound
        return [*(Door(one, only_trust(app)) for one in plain), Door(self.https, app, self.certificate)]


def open_lan(settings: Settings, lan: str) -> Secure | None:
    """None where there is no network and `auto` was asked. Raises Stop where there is none otherwise."""
    from datetime import UTC, datetime

    from server.web import authority

    is_local = settings.host in LOCAL
    found = authority.lan_addresses() if is_local or settings.host in ANY else [settings.host]
    if not found and lan == "auto":
        say("No local network found: the app is for this machine only")
        return None
    if not found:
        raise Stop("this machine has no private address on a network; connect it, or leave --lan out")
    if not authority.is_private(found[0]):
        raise Stop(f"{found[0]} is not a private address: use a public certificate and a reverse proxy instead")
    made = authority.prepare(settings.data / "lan", found, datetime.now(UTC))
    https = bind_one(found[0], settings.port + 1)
    return Secure(
        f"https://{found[0]}:{https.getsockname()[1]}",
        f"http://{found[0]}:{settings.port}/lan",
        made.fingerprint,
        https,
        bind_one(found[0], settings.port) if is_local else None,
        (str(made.leaf), str(made.key)),
    )


# Running


def make_server(door: Door, proxies: str) -> Any:
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

    return Server(config_of(door, proxies))


def config_of(door: Door, proxies: str) -> uvicorn.Config:
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
        forwarded_allow_ips=proxies,
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
    host = "localhost" if settings.host in (*LOCAL, *ANY) else settings.host
    local = f"http://{host}:{settings.port}"
    say(f"\n工簿 Gongbu {VERSION} · {settings.data.resolve()}")
    if not secure or settings.host in (*LOCAL, *ANY):
        say(f"  {local}")
    if settings.url:
        say(f"  {settings.url}")
    if not (settings.dist / "index.html").is_file():
        say("  The phone app is not built: run `make setup` in the project folder, then start again")
    for line in [*phone_lines(settings, secure), *app.demo_lines()]:
        say(line)
    say("Stop with Ctrl-C")


def phone_lines(settings: Settings, secure: Secure | None) -> list[str]:
    """How a phone gets here: a QR, if there is an address that a phone can reach."""
    from server.web.lan import grouped
    from server.web.qr import terminal

    if secure:
        return [
            "\nOn a phone of this network, scan. The first time it leads through trusting the certificate.",
            f"  {secure.helper}",
            terminal(secure.helper),
            f"To compare there, SHA-256 of the certificate authority:\n  {NEXT.join(grouped(secure.fingerprint))}\n",
        ]
    if settings.url:
        return [terminal(settings.url)]
    return ["A phone needs a secure address: `gongbu serve --lan` gives one on this network\n"]
