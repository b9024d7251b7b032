"""`gongbu worker`: a second process that does the jobs and takes no requests (PostgreSQL only).

SQLite belongs to one process, whose jobs it does itself; with PostgreSQL any number may share them, because
each claims its jobs (`FOR UPDATE SKIP LOCKED`).
"""

from __future__ import annotations

import argparse
import asyncio
import signal

from server.cli.opened import add_data, settings_of
from server.cli.say import Stop, say


def arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    if not settings.database_url:
        raise Stop("a worker of its own needs PostgreSQL (DATABASE_URL); with SQLite `gongbu serve` does the jobs")

    async def work() -> None:
        from server.app import App

        stopping = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stopping.set)
        async with App(settings).lifespan():
            say("Doing jobs")
            await stopping.wait()

    asyncio.run(work())
    return 0
