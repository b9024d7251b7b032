"""`gongbu migrate`: create the database or bring it up to date. Safe to repeat, and to run twice at once."""

from __future__ import annotations

import argparse

from server.cli.opened import add_data, settings_of, with_store
from server.cli.say import say
from server.store.store import Store


def arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument(
        "--restored", action="store_true", help="after restoring a backup: every phone pulls everything anew"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    async def count(store: Store) -> int:
        from server.store.tables import Project

        if args.restored:
            await store.renew()
        return len(await Project.select(Project.id))

    projects = with_store(args, count, new=True)
    where = "the database of DATABASE_URL" if settings_of(args).database_url else settings_of(args).data.resolve()
    say(f"Up to date: {where} ({projects} projects)")
    if args.restored:
        say("Every phone will start again from the beginning; what waits on them is still sent")
    return 0
