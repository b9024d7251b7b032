"""The tries that a request takes before its secret is looked at, and gets back when it was right."""

from __future__ import annotations

import math
from typing import Literal

from server.core.problem import Problem
from server.web.limit import Tries, address_key
from server.web.request import HttpRequest
from server.web.site import Site

Taken = list[tuple[Literal["address", "name"], str]]


def take(request: HttpRequest, site: Site, name: str | None = None) -> Taken:
    """One try of the address and, if given, of the name. Raises `too_many_tries`."""
    taken: Taken = [("address", address_key(request.client.host if request.client else "-"))]
    if name is not None:
        taken.append(("name", name))
    for at, (which, key) in enumerate(taken):
        wait_s = limit_of(site, which).take(key, site.now() / 1000)
        if wait_s:
            give_back(site, taken[:at])  # one locked name must not eat a whole office's tries
            raise Problem("too_many_tries", retry_after=math.ceil(wait_s))
    return taken


def give_back(site: Site, taken: Taken) -> None:
    for which, key in taken:
        limit_of(site, which).give_back(key, site.now() / 1000)


def limit_of(site: Site, which: str) -> Tries:
    return site.by_name if which == "name" else site.by_address
