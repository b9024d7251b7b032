"""`gongbu jobs`: work that failed too often and was given up; `--again` has all of it tried again."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from server.cli.opened import add_data, now_ms, with_store
from server.cli.say import say
from server.store.dead import Dead, dead_jobs, revive
from server.store.store import Store


def arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--again", action="store_true", help="try all of them again")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    async def work(store: Store) -> list[Dead]:
        dead = await dead_jobs(store)
        if args.again and dead:
            await store.change([revive(one.key, now_ms()) for one in dead])
        return dead

    dead = with_store(args, work)
    for one in dead:
        say(f"{datetime.fromtimestamp(one.at / 1000, UTC):%Y-%m-%d %H:%M}Z  {one.key}  {one.tries}×  {one.error}")
    say(f"{len(dead)} given up" + (", to be tried again" if args.again and dead else ""))
    return 0
