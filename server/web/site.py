"""What every request has at hand: settings, declarations, the store, the exchange, the server's keys.

And `photos`, for whoever shows photos and files: `await site.photos.…`
    seen_by(person, sha)       whether somebody may see it; ask before showing
    find(sha)                  its type, size, state, and the facts of its EXIF; None while it has not arrived
    content(sha, width)        bytes: WebP of 320 or 1280, or with None the picture without its EXIF
    path(sha)                  the kept bytes, exactly as they were sent, as a file
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from litestar.di import NamedDependency

from server.config import Settings
from server.core.declaration import Declarations
from server.store.access import Access
from server.store.store import Store
from server.sync.alert.alerts import Alerts
from server.sync.photos import Photos
from server.sync.sync import Sync
from server.web.keys import Keys
from server.web.limit import Tries
from server.web.password import Passwords


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


class Owned(Protocol):
    """What a module keeps as long as the server runs."""

    async def close(self) -> None: ...


Own = TypeVar("Own", bound=Owned)


@dataclass
class Site:
    settings: Settings
    declarations: Declarations
    store: Store
    sync: Sync
    photos: Photos
    alerts: Alerts
    keys: Keys
    now: Callable[[], int] = clock_ms
    """Milliseconds UTC; the only clock that the face reads."""
    passwords: Passwords = field(default_factory=Passwords)
    by_name: Tries = field(default_factory=lambda: Tries(most=10, each_s=60))
    by_address: Tries = field(default_factory=lambda: Tries(most=60, each_s=10))
    """A whole site office may sit behind one address, so it has more tries than a name."""

    reports: dict[str, Any] = field(default_factory=dict)
    """The paper forms of the modules, by name: `server.web.report.Report`."""

    owned: dict[Any, Owned] = field(default_factory=dict)

    def own(self, make: Callable[[Site], Own]) -> Own:
        """The one that `make` made for this site, when it was first asked for; closed when the server stops."""
        if make not in self.owned:
            self.owned[make] = make(self)
        found: Own = self.owned[make]  # type: ignore[assignment]
        return found

    @property
    def access(self) -> Access:
        return self.store.access

    def link(self, path: str, asked: str) -> str:
        """An address that people can open: the configured one, else the one they asked (already checked)."""
        return (self.settings.url or asked.rstrip("/")) + path


TheSite = NamedDependency[Site]  # as a handler asks for it
