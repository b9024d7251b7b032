"""The addresses of the engine that the framework serves, in one list; modules add their own."""

from __future__ import annotations

from typing import Any

from server.web import (
    devices,
    enrol,
    export,
    hello,
    history,
    invites,
    lan,
    people,
    photos,
    printed,
    projects,
    shell,
    signin,
)

routes: list[Any] = [
    *hello.routes,
    *signin.routes,
    *enrol.routes,
    *devices.routes,
    *invites.routes,
    *people.routes,
    *projects.routes,
    *history.routes,
    *photos.routes,
    *export.routes,
    *printed.routes,
    *lan.routes,
    *shell.routes,
]
