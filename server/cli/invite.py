"""`gongbu invite`: let people in from the terminal; a new one is printed as a QR to scan."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from server.cli.opened import action, find_person, find_project, now_ms, settings_of, with_store
from server.cli.say import Stop, say, table
from server.core.person import SERVER
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


def make(args: argparse.Namespace) -> int:
    from server.web.invites import DAYS_MAX, USES_MAX, NewInvite, make_invite
    from server.web.keys import read_or_make
    from server.web.qr import terminal

    if not 1 <= args.uses <= USES_MAX or not 1 <= args.days <= DAYS_MAX:
        raise Stop(f"--uses is 1 to {USES_MAX}, --days 1 to {DAYS_MAX}")
    settings = settings_of(args)
    keys = read_or_make(settings.data)

    async def work(store: Store) -> str:
        project = await find_project(args.project)
        team = await find_team(project, args.team) if args.team else None
        person = await find_person(args.person) if args.person else None
        wanted = NewInvite(project, team, person, args.role or ["worker"], args.uses, args.days)
        return (await make_invite(store, keys, wanted, SERVER, now_ms())).id

    code = keys.invite_code(with_store(args, work))
    url = (args.url or settings.url).rstrip("/")
    if url:
        say(terminal(f"{url}/enrol?code={code}"))
        say(f"{url}/enrol?code={code}")
    say(f"Code {code}, for {args.uses}, {args.days} days" + ("" if url else "; --url ADDRESS prints a QR as well"))
    return 0


async def find_team(project: str, name: str) -> str:
    from server.store.tables import Team

    teams = await Team.select(Team.id, Team.name, Team.closed).where(Team.project == project)
    found = [team["id"] for team in teams if name in (team["id"], team["name"])]
    if len(found) != 1:
        known = [team["name"] for team in teams if team["closed"] is None]
        raise Stop(f"no team {name!r}. Teams: {', '.join(known) or 'none yet'}")
    return str(found[0])


def show(args: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    async def work(_: Store) -> list[tuple[Any, ...]]:
        from server.store.tables import Invite, Person, Project, Team

        is_open = (Invite.revoked.is_null()) & (Invite.expires > now_ms())
        names = {
            row["id"]: row["name"] for one in (Person, Team, Project) for row in await one.select(one.id, one.name)
        }
        return [
            (
                row.id[:8],
                names[row.project],
                names.get(row.team) or names.get(row.person),
                row.roles,
                f"{row.uses}/{row.uses_max}",
                f"{datetime.fromtimestamp(row.expires / 1000, UTC):%Y-%m-%d %H:%M}Z",
            )
            for row in await Invite.objects().where(is_open).order_by(Invite.created)
        ]

    table(["ID", "PROJECT", "FOR", "ROLES", "USED", "UNTIL"], with_store(args, work))
    return 0


def revoke(args: argparse.Namespace) -> int:
    async def work(store: Store) -> None:
        from server.store.tables import Invite

        ids = await Invite.select(Invite.id).where(Invite.revoked.is_null()).output(as_list=True)
        found = [id for id in ids if id.startswith(args.id)]
        if len(found) != 1:
            raise Stop(f"{'several invites begin' if found else 'no open invite begins'} with {args.id!r}")
        async with store.transaction():
            await Invite.update({Invite.revoked: now_ms()}).where(Invite.id == found[0])

    with_store(args, work)
    say("Taken back")
    return 0
