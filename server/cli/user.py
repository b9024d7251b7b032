"""`gongbu user`: people from the terminal, for the first manager and for who forgot a password."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections import defaultdict
from typing import Any, Final, get_args

from server.cli.opened import action, find_person, find_project, now_ms, with_store
from server.cli.say import Stop, say, table
from server.store.store import Store
from server.web.password import LENGTH_MIN
from server.web.wire import Role

NOWHERE: Final = {"site": "", "roles": "", "ended": None}


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    new = action(actions, "add", add, "add a person, with a password asked for (or read from a pipe)")
    new.add_argument("login", help="sign-in name")
    new.add_argument("--name", help="name as it is shown (default: the sign-in name)")
    new.add_argument("--project", default="", help="project to join, by name or id")
    new.add_argument("--role", action="append", choices=get_args(Role), help="role there; may be repeated")
    new.add_argument("--no-password", action="store_true", help="comes in by invite only")
    action(actions, "list", show, "list everybody")
    change = action(actions, "password", password, "set a password; signs all of the person's phones out")
    change.add_argument("person", help="sign-in name, name or id")
    role = action(actions, "role", roles, "set a person's roles on a project")
    role.add_argument("person", help="sign-in name, name or id")
    role.add_argument("roles", nargs="+", choices=[*get_args(Role), "none"], metavar="ROLE", help="roles, or none")
    role.add_argument("--project", default="", help="project, by name or id")
    end = action(actions, "disable", disable, "sign a person out everywhere and let nobody sign in as him")
    end.add_argument("person", help="sign-in name, name or id")
    end.add_argument("--undo", action="store_true", help="let him in again")


def ask_password() -> str:
    """Typed twice, or one line from a pipe."""
    if sys.stdin.isatty():
        typed = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != typed:
            raise Stop("the two passwords differ; nothing was changed")
    else:
        typed = sys.stdin.readline().rstrip("\n")
    if len(typed) < LENGTH_MIN:
        raise Stop(f"a password needs at least {LENGTH_MIN} characters; nothing was changed")
    return typed


def add(args: argparse.Namespace) -> int:
    from server.store.people import NewPerson, Taken, add_people
    from server.web.password import hash_now

    hashed = None if args.no_password else hash_now(ask_password())

    async def work(store: Store) -> str:
        project = await find_project(args.project) if args.project or args.role else None
        person = NewPerson(args.name or args.login, args.login, hashed, roles=args.role or ["worker"])
        try:
            return (await add_people(store, project, [person], now_ms()))[0]
        except Taken as taken:
            raise Stop(f"the sign-in name {taken.what!r} is taken") from taken

    say(f"Added {args.login} ({with_store(args, work)})")
    return 0


def show(args: argparse.Namespace) -> int:
    async def work(_: Store) -> list[tuple[Any, ...]]:
        from server.store.tables import Member, Person

        site, stays = Member.project._.name.as_alias("site"), defaultdict[str, list[dict[str, Any]]](list)
        for row in await Member.select(Member.person, Member.roles, Member.ended, site):
            stays[row["person"]].append(row)
        return [
            (person.login, person.name, stay["site"], stay["roles"], standing(person.closed, stay["ended"]), person.id)
            for person in await Person.objects().order_by(Person.name, Person.id)
            for stay in stays.get(person.id, [NOWHERE])
        ]

    table(["SIGN-IN", "NAME", "PROJECT", "ROLES", "", "ID"], with_store(args, work))
    return 0


def standing(closed: int | None, ended: int | None) -> str:
    if closed is not None:
        return "disabled"
    return "" if ended is None else "left"


def password(args: argparse.Namespace) -> int:
    from server.store.people import set_password
    from server.web.password import hash_now

    hashed = hash_now(ask_password())

    async def work(store: Store) -> None:
        await set_password(store, await find_person(args.person), hashed)

    with_store(args, work)
    say("Password set; every phone of that person has to sign in again")
    return 0


def roles(args: argparse.Namespace) -> int:
    from server.store.people import end_member, set_member
    from server.store.tables import MemberTeam

    async def work(store: Store) -> None:
        person, project = await find_person(args.person), await find_project(args.project)
        if args.roles == ["none"]:
            await end_member(store, project, person, now_ms())
            return
        crews = MemberTeam.select(MemberTeam.team).where(MemberTeam.project == project, MemberTeam.person == person)
        await set_member(store, project, person, args.roles, await crews.output(as_list=True), now_ms())

    if "none" in args.roles and len(args.roles) > 1:
        raise Stop("`none` stands alone")
    with_store(args, work)
    say(f"{args.person}: {' '.join(args.roles)}")
    return 0


def disable(args: argparse.Namespace) -> int:
    from server.store.people import close_person

    async def work(store: Store) -> None:
        await close_person(store, await find_person(args.person), None if args.undo else now_ms())

    with_store(args, work)
    say(f"{args.person}: {'may sign in again' if args.undo else 'signed out everywhere and disabled'}")
    return 0
