"""What a running server was told: folders, database, address. Read once, passed on as an argument.

Every setting is an environment variable or a flag of `gongbu serve`; nothing else reads the
environment. The secrets that the server makes for itself lie in the data folder (`keys.json`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from server.core.limits import Limits

VERSION: Final = "0.1.0"
ROOT: Final = Path(__file__).resolve().parent.parent
DATA: Final = Path("gongbu-data")


@dataclass(frozen=True)
class Settings:
    data: Path = DATA
    database_url: str = ""
    shared: Path = ROOT / "shared"
    dist: Path = ROOT / "pwa" / "dist"
    host: str = "127.0.0.1"
    port: int = 8000
    url: str = ""
    """The address that people use, when it is not the one that the server listens on."""
    hosts: frozenset[str] = field(default_factory=frozenset)
    """More host names that requests may ask for; addresses and localhost always may."""
    proxies: str = "127.0.0.1,::1"
    """Addresses of reverse proxies whose word on the caller's address and scheme is taken."""
    files: str = ""
    """Where photos and files lie: a folder, or `s3://bucket/beginning`; the data folder's own if empty."""
    limits: Limits = field(default_factory=Limits)
    private_addresses: bool = False
    """Whether alerts may be sent to private addresses: a gateway in the same network, tests."""
    contact: str = ""
    """Whom a push service may write to about this server: `mailto:` or `https://`."""
    demo: bool = False
    lan: bool = False

    @property
    def files_place(self) -> str:
        return self.files or str(self.data / "files")

    @property
    def is_public(self) -> bool:
        """Whether people come by https alone, whatever a proxy in between says."""
        return self.url.startswith("https://") and not self.lan

    def at(self, **changes: object) -> Settings:
        """The same settings with some changed; None leaves a setting as it is."""
        told = {name: value for name, value in changes.items() if value is not None}
        return replace(self, **told)  # type: ignore[arg-type]


def read(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings from GONGBU_DATA, DATABASE_URL, GONGBU_HOST, GONGBU_PORT, GONGBU_URL, GONGBU_HOSTS,
    GONGBU_PROXIES, GONGBU_DIST, GONGBU_FILES (for s3:// also the usual AWS_… ones), GONGBU_CONTACT,
    GONGBU_ALLOW_PRIVATE_ADDRESSES (1)."""
    return Settings().at(
        data=Path(env["GONGBU_DATA"]) if env.get("GONGBU_DATA") else None,
        database_url=env.get("DATABASE_URL"),
        host=env.get("GONGBU_HOST"),
        port=int(env["GONGBU_PORT"]) if env.get("GONGBU_PORT", "").isdigit() else None,
        url=env["GONGBU_URL"].rstrip("/") if env.get("GONGBU_URL") else None,
        hosts=frozenset(filter(None, env.get("GONGBU_HOSTS", "").lower().split(","))) or None,
        proxies=env.get("GONGBU_PROXIES") or None,
        dist=Path(env["GONGBU_DIST"]) if env.get("GONGBU_DIST") else None,
        files=env.get("GONGBU_FILES") or None,
        contact=env.get("GONGBU_CONTACT") or None,
        private_addresses=env.get("GONGBU_ALLOW_PRIVATE_ADDRESSES") == "1" or None,
    )
