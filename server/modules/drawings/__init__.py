"""Drawings beyond their declaration: a plan's file becomes tiles that a phone can carry.

What it brings is loaded when the server asks for it: the process that renders a plan lives in this package
too, and would spend a second of processor time on a framework that it has no use for.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name not in ("routes", "files"):
        raise AttributeError(name)
    from server.modules.drawings import addresses

    return addresses.routes if name == "routes" else {"drawings.plan": addresses.take}
