"""The data folder as commands open it: settings from flags and environment, the store for a while."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from server.cli.say import Stop
from server.config import Settings, read
from server.store.store import Store

T = TypeVar("T")


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="data folder (default: GONGBU_DATA, or ./gongbu-data)")


def action(actions: Any, name: str, run: Any, about: str) -> argparse.ArgumentParser:
    """One of a command's own commands: `gongbu user add`."""
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=about, description=about[0].upper() + about[1:] + "."
    )
    add_data(parser)
    parser.set_defaults(run=run)
    return parser


def settings_of(args: argparse.Namespace) -> Settings:
    return read().at(data=args.data)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def with_store(args: argparse.Namespace, work: Callable[[Store], Awaitable[T]], *, new: bool = False) -> T:
    """Run `work` on the opened store. A folder without a database is refused unless `new` allows one."""
    settings = settings_of(args)
    check_folder(settings, new=new)

    async def run() -> T:
        from server.core.declaration import load
        from server.store.store import open_store

        settings.data.mkdir(parents=True, exist_ok=True)
        store = await open_store(settings.database_url or None, settings.data, load(settings.shared / "modules"))
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


def check_folder(settings: Settings, *, new: bool) -> None:
    from server.store.engine import DATABASE_FILE

    if new or settings.database_url or (settings.data / DATABASE_FILE).exists():
        return
    raise Stop(f"no site in {settings.data.resolve()}: name its folder with --data, or make one with `gongbu migrate`")


async def find_project(asked: str) -> str:
    """A project by its id, the beginning of it, or its name. Raises Stop when that is none or several."""
    from server.store.tables import Project

    rows = await Project.select(Project.id, Project.name).order_by(Project.created)
    found = [row for row in rows if asked and (row["id"].startswith(asked) or row["name"] == asked)]
    if not asked and len(rows) == 1:
        found = rows
    if len(found) == 1:
        return str(found[0]["id"])
    known = ", ".join(row["name"] for row in rows) or "none yet; add one with `gongbu project add NAME`"
    raise Stop(f"{'several projects' if len(found) > 1 else 'no project'} {asked!r}. Projects: {known}")


async def find_person(asked: str) -> str:
    """A person by sign-in name, id, or a name that only one has."""
    from server.store.people import tidy, tidy_login
    from server.store.tables import Person

    is_meant = (Person.login == tidy_login(asked)) | (Person.id == asked) | (Person.name == tidy(asked))
    ids = await Person.select(Person.id).where(is_meant).output(as_list=True)
    if len(ids) != 1:
        raise Stop(f"{'several people' if ids else 'nobody'} called {asked!r}; `gongbu user list` shows all")
    return str(ids[0])
