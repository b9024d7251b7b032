"""`gongbu project`: the sites of this server."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from server.cli.opened import action, find_person, find_project, now_ms, with_store
from server.cli.say import Stop, say, table
from server.store.store import Store


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    new = action(actions, "add", add, "add a project")
    new.add_argument("name")
    new.add_argument("--zone", default="Asia/Shanghai", help="time zone (default: Asia/Shanghai)")
    new.add_argument("--manager", help="who manages it: sign-in name, name or id")
    action(actions, "list", show, "list the projects")
    zone = action(actions, "zone", set_zone, "set a project's time zone")
    zone.add_argument("project", help="name or id")
    zone.add_argument("zone", help="IANA name, e.g. Asia/Urumqi")
    fence = action(actions, "fence", set_fence, "set or take away a project's fence")
    fence.add_argument("project", help="name or id")
    fence.add_argument("--at", metavar="LAT,LNG", help="centre in degrees, e.g. 31.2304,121.4737")
    fence.add_argument("--radius", type=int, metavar="METRES", help="1 to 100000")
    fence.add_argument("--none", action="store_true", help="no fence")


def add(args: argparse.Namespace) -> int:
    from server.store.people import add_project, set_member

    check_zone(args.zone)

    async def work(store: Store) -> str:
        manager = await find_person(args.manager) if args.manager else None
        id = await add_project(store, args.name, now_ms(), zone=args.zone)
        if manager:
            await set_member(store, id, manager, ["manager"], [], now_ms())
        return id

    say(f"Added {args.name} ({with_store(args, work, new=True)})")
    return 0


def show(args: argparse.Namespace) -> int:
    async def work(_: Store) -> list[tuple[Any, ...]]:
        from server.store.tables import Member, Project

        people = Counter(await Member.select(Member.project).where(Member.ended.is_null()).output(as_list=True))
        return [
            (
                row.name,
                row.zone,
                "-" if row.radius_m is None else f"{row.radius_m} m",
                people[row.id],
                row.head,
                "demo" if row.demo else "",
                row.id,
            )
            for row in await Project.objects().order_by(Project.created)
        ]

    table(["PROJECT", "ZONE", "FENCE", "PEOPLE", "HEAD", "", "ID"], with_store(args, work))
    return 0


def set_zone(args: argparse.Namespace) -> int:
    check_zone(args.zone)
    change(args, zone=args.zone)
    say(f"{args.project}: {args.zone}")
    return 0


def set_fence(args: argparse.Namespace) -> int:
    if args.none:
        change(args, lat=None, lng=None, radius_m=None)
        say(f"{args.project}: no fence")
        return 0
    if not args.at or not args.radius or not 1 <= args.radius <= 100_000:
        raise Stop("a fence needs --at LAT,LNG and --radius METRES (1 to 100000), or --none")
    lat, lng = read_point(args.at)
    change(args, lat=lat, lng=lng, radius_m=args.radius)
    say(f"{args.project}: {args.radius} m around {args.at}")
    return 0


def change(args: argparse.Namespace, **columns: object) -> None:
    from server.store.people import change_project

    async def work(store: Store) -> None:
        await change_project(store, await find_project(args.project), **columns)

    with_store(args, work)


def read_point(text: str) -> tuple[int, int]:
    """Degrees as people copy them, to whole 1e-7 degrees."""
    from decimal import Decimal, InvalidOperation

    try:
        lat, lng = (int(Decimal(part.strip()) * 10_000_000) for part in text.split(","))
    except (ValueError, InvalidOperation) as error:
        raise Stop(f"{text!r} is not LAT,LNG in degrees") from error
    if abs(lat) > 900_000_000 or abs(lng) > 1_800_000_000:
        raise Stop(f"{text!r} is not on the earth: latitude comes first")
    return lat, lng


def check_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise Stop(f"{zone!r} is not a time zone; use a name like Asia/Shanghai") from error
