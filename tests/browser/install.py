"""The browsers that the tests drive: found, or installed where that can be done without asking.

Standard library only. On Debian, as root or with sudo that asks nothing, apt brings Chromium, Firefox ESR, fonts for
Chinese and certutil. Elsewhere what is there is used; the tests name what is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHROMIUM = (
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FIREFOX = (
    "firefox-esr",
    "firefox",
    "/Applications/Firefox.app/Contents/MacOS/firefox",
)
DEBIAN_PACKAGES = {
    "chromium": "chromium",
    "firefox": "firefox-esr",
    "certutil": "libnss3-tools",
    "chinese": "fonts-noto-cjk",
}


def chromium() -> str | None:
    return found(os.environ.get("GONGBU_CHROMIUM"), *CHROMIUM)


def firefox() -> str | None:
    return found(os.environ.get("GONGBU_FIREFOX"), *FIREFOX)


def certutil() -> str | None:
    return found("certutil")


def chinese() -> str | None:
    """A font with Chinese characters; every Mac has one, elsewhere fontconfig knows."""
    if sys.platform == "darwin":
        return "PingFang SC"
    if not shutil.which("fc-list"):
        return None
    listed = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False)
    return next(iter(listed.stdout.splitlines()), None)


FINDERS = {"chromium": chromium, "firefox": firefox, "certutil": certutil, "chinese": chinese}


def found(*candidates: str | None) -> str | None:
    for candidate in candidates:
        path = shutil.which(candidate) if candidate else None
        if path:
            return path
    return None


def missing() -> list[str]:
    return [name for name, find in FINDERS.items() if not find()]


def install(names: list[str]) -> None:
    apt = shutil.which("apt-get")
    if not apt or not Path("/etc/debian_version").exists():
        return
    before = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if before and not shutil.which("sudo"):
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = [DEBIAN_PACKAGES[name] for name in names]
    for command in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        subprocess.run([*before, apt, *command], env=environment, check=False, stdin=subprocess.DEVNULL)


def main() -> int:
    names = missing()
    if names:
        print(f"installing for the browser tests: {', '.join(names)}", flush=True)
        install(names)
    for name in missing():
        print(f"not to be had here: {name}; its tests are named as skipped", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
