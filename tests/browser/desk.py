"""A person's other device, over plain HTTP: writes into the running site what a test needs to stand there."""

from __future__ import annotations

import hashlib
import http.cookiejar
import json
import time
import urllib.request
import uuid
from typing import Any

from server.core.batch import Op
from server.core.value import Value, canonical
from server.demo.phone import Phone as Keys
from server.demo.phone import push_body
from tests.browser.flows import PASSWORD
from tests.browser.site import Site

ALL = 2**40
"""A base beyond every head: it knew all there is (M2)."""


class Desk:
    def __init__(self, site: Site, name: str) -> None:
        self.url = site.url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.keys = Keys("", name)
        key = self.keys.public_key
        jwk = {"kty": "EC", "crv": "P-256", "x": key.x, "y": key.y}
        device = {"label": "desk", "key": jwk}
        me = self.ask("POST", "/api/login", {"name": name, "password": PASSWORD, "device": device})
        self.person, self.device = str(me["person"]["id"]), str(me["device"])
        self.project = str(me["projects"][0]["id"])
        self.v = int(self.ask("GET", "/api/hello")["v"])

    def ask(self, method: str, path: str, body: dict[str, Any] | bytes | None = None) -> dict[str, Any]:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        head = {"Content-Type": "application/json", "X-Requested-With": "gongbu"}
        request = urllib.request.Request(self.url + path, method=method, data=data, headers=head)
        with self.opener.open(request) as answer:
            told: dict[str, Any] = json.loads(answer.read())
            return told

    def push(self, *ops: Op) -> None:
        now = int(time.time() * 1000)
        batch = self.keys.sign(self.project, ALL, now, self.v, list(ops))
        (told,) = self.ask("POST", "/api/push", push_body(self.device, now, [batch]))["results"]
        assert told["status"] == "applied", told

    def template(self, name: str, sections: dict[str, list[dict[str, Value]]], scheme: str = "none") -> str:
        """A published template: section → its items, each with a `key`."""
        r = new_id()
        values: dict[str, Value] = {"name": name, "family": r, "version": 1, "scheme": scheme}
        for s, (title, items) in enumerate(sections.items(), 1):
            values |= {f"sections.s{s}.title": title, f"sections.s{s}.order": s}
            for n, item in enumerate(items, 1):
                key = item["key"]
                row = {"section": f"s{s}", "order": n, **{sub: v for sub, v in item.items() if sub != "key"}}
                values |= {f"items.{key}.{sub}": value for sub, value in row.items()}
        content = {"c": "inspections.template", "f": values, "r": r}
        ver = hashlib.sha256(canonical(content)).hexdigest()
        self.push(
            {"k": "new", "c": "inspections.template", "r": r, "set": values},
            {"k": "act", "c": "inspections.template", "r": r, "act": "publish", "ver": ver},
        )
        return r

    def inspection(self, template: str, place: str, values: dict[str, Value] | None = None) -> str:
        r = new_id()
        head: dict[str, Value] = {"template": template, "place": place, "date": time.strftime("%Y-%m-%d")}
        whole = {**head, "lead": self.person, **(values or {})}
        self.push({"k": "new", "c": "inspections.inspection", "r": r, "set": whole})
        return r


def new_id() -> str:
    """UUIDv7, as a phone makes them."""
    raw = bytearray(int(time.time() * 1000).to_bytes(6) + uuid.uuid4().bytes[6:])
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))
