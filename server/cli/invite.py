"""`gongbu invite`: let people in from the terminal; a new one is printed as a QR to scan."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from server.cli.opened import add_data, find_person, find_project, now_ms, settings_of, with_store
from server.cli.say import Stop, say, table
from server.store.store import Store
from server.web.wire import Role

DAY_MS = 86_400_000


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    new = action(actions, "new", make, "make an invite and print it")
    new.add_argument("--project", default="", help="name or id (may be left out when there is only one)")
    new.add_argument("--team", help="team to join, by name")
    new.add_argument("--person", help="a new phone for this person: sign-in name, name or id")
    new.add_argument("--role", action="append", choices=get_args(Role), help="role; may be repeated (default: worker)")
    new.add_argument("--uses", type=int, default=1, help="for how many people (1 to 200, default 1)")
    new.add_argument("--days", type=int, default=7, help="for how many days (1 to 90, default 7)")
    new.add_argument("--url", help="the address that phones use (default: GONGBU_URL)")
    action(actions, "list", show, "list the open invites")
    end = action(actions, "revoke", revoke, "take an invite back")
    end.add_argument("id", help="its id, or the beginning of it")


def action(actions: Any, name: str, run: Any, about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=about, description=about[0].upper() + about[1:] + "."
    )
    add_data(parser)
    parser.set_defaults(run=run)
    return parser


def make(args: argparse.Namespace) -> int:
    from server.web.invites import DAYS_MAX, USES_MAX, NewInvite, insert
    from server.web.keys import read_or_make
    from server.web.qr import terminal

    if not 1 <= args.uses <= USES_MAX or not 1 <= args.days <= DAYS_MAX:
        raise Stop(f"--uses is 1 to {USES_MAX}, --days 1 to {DAYS_MAX}")
    settings = settings_of(args)
    keys = read_or_make(settings.data)

    async def work(store: Store) -> str:
        from server.store.people import new_id

        project, id = await find_project(store, args.project), new_id()
        team = await find_team(store, project, args.team) if args.team else None
        person = await find_person(store, args.person) if args.person else None
        wanted = NewInvite(project, team, person, args.role or ["worker"], args.uses, args.days)
        await store.change([insert(keys, wanted, id, "server", now_ms())])
        return id

    code = keys.invite_code(with_store(args, work))
    url = (args.url or settings.url).rstrip("/")
    if url:
        say(terminal(f"{url}/enrol?code={code}"))
        say(f"{url}/enrol?code={code}")
    say(f"Code {code}, for {args.uses}, {args.days} days" + ("" if url else "; --url ADDRESS prints a QR as well"))
    return 0


async def find_team(store: Store, project: str, name: str) -> str:
    rows = await store.rows("SELECT id FROM team WHERE project = ? AND (name = ? OR id = ?)", project, name, name)
    if len(rows) != 1:
        known = await store.rows("SELECT name FROM team WHERE project = ? AND closed IS NULL", project)
        raise Stop(f"no team {name!r}. Teams: {', '.join(one for (one,) in known) or 'none yet'}")
    return str(rows[0][0])


def show(args: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    async def work(store: Store) -> list[tuple[Any, ...]]:
        return await store.rows(
            "SELECT i.id, p.name, coalesce(t.name, w.name), i.roles, i.uses, i.uses_max, i.expires FROM invite i"
            " JOIN project p ON p.id = i.project LEFT JOIN team t ON t.id = i.team LEFT JOIN person w"
            " ON w.id = i.person WHERE i.revoked IS NULL AND i.expires > ? ORDER BY i.created",
            now_ms(),
        )

    rows = [
        (id[:8], project, whom, roles, f"{uses}/{most}", f"{datetime.fromtimestamp(ends / 1000, UTC):%Y-%m-%d %H:%M}Z")
        for id, project, whom, roles, uses, most, ends in with_store(args, work)
    ]
    table(["ID", "PROJECT", "FOR", "ROLES", "USED", "UNTIL"], rows)
    return 0


def revoke(args: argparse.Namespace) -> int:
    async def work(store: Store) -> None:
        rows = await store.rows("SELECT id FROM invite WHERE revoked IS NULL")
        found = [id for (id,) in rows if id.startswith(args.id)]
        if len(found) != 1:
            raise Stop(f"{'several invites begin' if found else 'no open invite begins'} with {args.id!r}")
        await store.change([("UPDATE invite SET revoked = ? WHERE id = ?", (now_ms(), found[0]))])

    with_store(args, work)
    say("Taken back")
    return 0
