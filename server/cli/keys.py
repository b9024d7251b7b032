"""`gongbu keys`: the server's own keys, which push services and invites depend on."""

from __future__ import annotations

import argparse

from server.cli.opened import action, settings_of
from server.cli.say import Stop, say


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    action(actions, "show", show, "print the public parts")
    action(actions, "make", make, "make the keys, if the folder has none yet")


def show(args: argparse.Namespace) -> int:
    from server.web.authority import fingerprint
    from server.web.keys import FILE, BadKeys, read

    folder = settings_of(args).data
    if not (folder / FILE).exists():
        raise Stop(f"no keys in {folder.resolve()}; `gongbu keys make` or the first `gongbu serve` makes them")
    try:
        say(f"Push (VAPID) public key: {read(folder / FILE).vapid_public}")
    except BadKeys as bad:
        raise Stop(str(bad)) from bad
    if (folder / "lan" / "authority.crt").exists():
        say(f"Local certificate authority, SHA-256: {fingerprint(folder / 'lan' / 'authority.crt')}")
    return 0


def make(args: argparse.Namespace) -> int:
    from server.web.keys import FILE, read_or_make

    folder = settings_of(args).data
    if (folder / FILE).exists():
        raise Stop(
            f"{(folder / FILE).resolve()} is there already; new keys would end all invites and push subscriptions"
        )
    read_or_make(folder)
    say(f"Made {(folder / FILE).resolve()}. Keep it in the backup, and to yourself")
    return 0
