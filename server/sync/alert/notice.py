"""What an alert says, in the receiver's language: a title, a line, where a tap leads.

A push payload passes through somebody else's service, encrypted but kept for a while, so it carries what
a person needs to act on and no names of people.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

TITLE_LENGTH_MAX: Final = 80
BODY_LENGTH_MAX: Final = 240
NOTE_LENGTH_MAX: Final = 200


class Notice(msgspec.Struct, frozen=True):
    """`tag` is the alert's id: the same alert replaces its own notification instead of stacking up.
    `path` is where a tap leads in the app, `link` the same as a whole address for people outside of it."""

    tag: str
    title: str
    body: str
    path: str
    link: str
    site: str
    project: str
    language: str
    urgent: bool
    step: int = 0
    actions: tuple[tuple[str, str], ...] = ()
    """What can be answered from the notification itself, each with the word on its button."""

    @property
    def text(self) -> str:
        """For a channel that knows nothing but text."""
        return "\n".join(part for part in (f"【{self.site}】{self.title}", self.body, self.link) if part)

    def payload(self) -> dict[str, Any]:
        """What the service worker reads."""
        return {
            "kind": "alert", "alert": self.tag, "project": self.project, "title": self.title, "body": self.body,
            "site": self.site, "path": self.path, "lang": self.language, "urgent": self.urgent, "step": self.step,
            "actions": self.actions,
        }  # fmt: skip


class Target(msgspec.Struct, frozen=True):
    """Where one attempt goes. `url` is a push endpoint, a robot's hook, a gateway or an SMTP server; what is
    secret in it never gets into a log."""

    id: str
    channel: str
    url: str
    secret: str = ""
    key: str = ""  # of a phone: its public key (p256dh)
    to: str = ""  # of e-mail: the addresses, separated by commas


class Told(msgspec.Struct, frozen=True):
    """How an attempt ended: `sent`, `later` (try again), `gone` (never again), `failed`."""

    status: str
    note: str = ""
    retry_after_s: int | None = None


SENT: Final = Told("sent")
TOO_MANY: Final = 429
SERVER_FAULT: Final = 500


def short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def told_of(status: int, retry_after_s: int | None, note: str = "") -> Told:
    """What an HTTP status means where the channel says no more: 429 and 5xx are tried again."""
    if status < 300:
        return SENT
    words = note or f"http {status}"
    return Told("later" if status in (408, TOO_MANY) or status >= SERVER_FAULT else "failed", words, retry_after_s)
