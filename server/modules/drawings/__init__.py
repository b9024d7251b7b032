"""Drawings beyond their declaration: a plan's file becomes tiles that a phone can carry.

`routes` are loaded when the server asks for them: the process that renders a plan lives in this package
too, and would spend a second of processor time on a framework that it has no use for.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name != "routes":
        raise AttributeError(name)
    from server.modules.drawings.addresses import routes

    return routes
