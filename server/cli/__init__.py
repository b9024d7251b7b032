"""The command line. Each command is a file here with `arguments(parser)` and `run(args) -> int`.

Only the file of the command that was named is imported, so `gongbu --help` answers at once. Exit codes:
0 done · 1 could not be done, and why · 2 the command line was wrong · 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Final

from server.cli.say import Stop, say
from server.config import VERSION

COMMANDS: Final = {
    "serve": "start the server",
    "worker": "do the jobs beside it (PostgreSQL)",
    "jobs": "work that was given up: list, try again",
    "migrate": "bring the database up to date",
    "generate": "write the phone app's types from the declarations",
    "user": "people: add, list, password, role, disable",
    "project": "sites: add, list, zone, fence",
    "invite": "invites: new, list, revoke",
    "keys": "the server's own keys: show, make",
}


def run(words: Sequence[str]) -> int:
    args = parse(words)
    try:
        return int(args.run(args))
    except Stop as stop:
        say(f"gongbu: {stop}", to=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Ends the process by itself for --help and for a wrong command line."""
    parser = argparse.ArgumentParser(
        prog="gongbu", description="工簿 Gongbu: the site notebook.", epilog="gongbu COMMAND --help says more."
    )
    parser.add_argument("--version", action="version", version=f"gongbu {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    named = next((word for word in words if not word.startswith("-")), None)
    for name, about in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
        if name == named:
            module = importlib.import_module(f"server.cli.{name}")
            module.arguments(command)
    return parser.parse_args(words)
