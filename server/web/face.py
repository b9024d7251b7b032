"""The addresses of the engine that the framework serves, in one list; modules add their own."""

from __future__ import annotations

from typing import Any

from server.web import (
    alerts,
    calendar,
    channels,
    devices,
    enrol,
    export,
    hello,
    history,
    invites,
    jobs,
    lan,
    ledger,
    pdf,
    people,
    photos,
    printed,
    projects,
    proof,
    report,
    shell,
    signin,
    subscriptions,
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
    *ledger.routes,
    *printed.routes,
    *report.routes,
    *pdf.routes,
    *proof.routes,
    *lan.routes,
    *subscriptions.routes,
    *alerts.routes,
    *channels.routes,
    *jobs.routes,
    *calendar.routes,
    *shell.routes,
]
