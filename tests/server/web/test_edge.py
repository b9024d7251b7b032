"""What every request meets first: hosts, the app's own header, limits, headers, languages, logs."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.config import Settings
from server.core.problem import CATALOGUE, Problem
from server.web.edge import Edge, is_known_host
from server.web.language import TAGS, choose, words
from server.web.limit import Tries, address_key
from tests.server.web.kit import Phone, Town, note, town


async def test_every_answer_carries_the_security_headers(town: Town) -> None:
    client = await town.client()
    for path in ("/api/hello", "/api/nope", "/", "/static/print.css"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "nonce" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=(self)" in headers["permissions-policy"]
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert len(headers["x-request-id"]) == 16


async def test_answers_are_not_kept_by_caches_unless_they_say_so(town: Town) -> None:
    phone = await town.phone("worker")
    assert (await phone.http.get("/api/me")).headers["cache-control"] == "no-store"
    assert "public" in (await phone.http.get("/static/print.css")).headers["cache-control"]


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
async def test_P11_a_changing_request_from_anywhere_but_the_app_is_refused(town: Town, method: str) -> None:
    phone = await town.phone("worker")
    del phone.http.headers["X-Requested-With"]
    answer = await phone.http.request(method, "/api/logout")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_from_app")
    assert (await phone.http.get("/api/me")).status_code == 200


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("localhost:8000", True),
        ("127.0.0.1", True),
        ("192.168.1.5:8000", True),
        ("[::1]:8000", True),
        ("app.localhost", True),
        ("site.example", True),
        ("evil.example", False),
        ("site.example.evil.example", False),
        ("", False),
    ],
)
def test_a_name_that_somebody_else_resolves_to_this_machine_gets_nothing(host: str, is_known: bool) -> None:
    assert is_known_host(host, frozenset({"localhost", "site.example"})) is is_known


async def test_a_wrong_host_is_answered_421_and_the_configured_one_served(tmp_path: Path) -> None:
    async with town(tmp_path, url="https://site.example") as built:
        for host, status in [("evil.example", 421), ("site.example", 200)]:
            client = await built.client(Host=host)
            answer = await client.get("/api/hello")
            assert answer.status_code == status, answer.text
        assert "max-age" in answer.headers["strict-transport-security"]
        signed_in = await Phone(await built.client(Host="site.example")).login("worker")
        assert all("Secure" in cookie for cookie in signed_in.headers.get_list("set-cookie"))


async def test_a_problem_speaks_the_callers_language(town: Town) -> None:
    client = await town.client()
    english = (await client.get("/api/me")).json()
    chinese = (await client.get("/api/me", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})).json()
    forced = (await client.get("/api/me?lang=zh")).json()
    assert english["message"] == words("en")["problem.signed_out"]
    assert chinese["message"] == forced["message"] == words("zh")["problem.signed_out"]


@pytest.mark.parametrize(
    ("query", "accept", "language"),
    [
        (b"", "", "zh"),
        (b"", "en", "en"),
        (b"", "en-GB;q=0.8, zh-TW;q=0.9", "zh"),
        (b"", "fr, *;q=0.1", "zh"),
        (b"lang=en", "zh-CN", "en"),
        (b"lang=xx", "en", "en"),
        (b"\xff\xfe=&lang=en", "zh", "en"),
        (b"", "en;q=abc, zh;q=0.1", "zh"),
        (b"", "en;q=0", "zh"),
    ],
)
def test_the_language_is_what_was_asked_for(query: bytes, accept: str, language: str) -> None:
    assert choose(query, accept) == language


def test_every_code_of_the_catalogue_has_words_in_both_languages() -> None:
    for language in TAGS:
        known = words(language)
        assert [code for code in CATALOGUE if f"problem.{code}" not in known] == []


async def test_what_the_framework_refuses_is_a_problem_too(town: Town) -> None:
    phone = await town.phone("worker")
    http = phone.http
    for answer, status, code in [
        (await http.get("/api/nope"), 404, "not_found"),
        (await http.put("/api/me"), 405, "method_not_allowed"),
        (await http.get("/api/push"), 405, "method_not_allowed"),
        (await http.post("/api/pull"), 405, "method_not_allowed"),
        (await http.post("/api/teams", content=b"{"), 400, "malformed"),
        (await http.post("/api/teams", content=b'{"name":"\xff"}'), 400, "malformed"),
        (await http.post("/api/teams", content=b"[" * 100_000), 400, "malformed"),
        (await http.post("/api/teams", content=b" " * 2_000_000), 413, "too_large"),
        (await http.get("/api/history"), 400, "malformed"),
        (await http.get("/api/history?project=%00&c=a.b&r=x"), 400, "malformed"),
        (await http.post("/api/push", content=b"{}"), 400, "malformed"),
    ]:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_failure_of_ours_is_500_with_a_number_and_without_details(
    town: Town, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("张伟's secret")

    phone = await town.phone("worker")
    monkeypatch.setattr(town.site.access, "projects", fail)
    answer = await phone.http.get("/api/me")
    assert (answer.status_code, answer.json()["code"]) == (500, "broken")
    assert "secret" not in answer.text
    assert [record for record in caplog.records if record.levelno == logging.ERROR]


async def test_logs_name_the_route_and_nobody(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    from server.web import log

    lines: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(log.OneLine())
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    log.LOG.addHandler(handler)
    log.LOG.setLevel(logging.INFO)
    try:
        worker = await town.phone("worker")
        await worker.push(town.one, [note(town.people["worker"], "a secret text")])
        manager = await town.phone("manager")
        await manager.http.get(f"/api/projects/{town.one}/people")
        await Phone(await town.client()).login("worker", "guessed password")
    finally:
        log.LOG.removeHandler(handler)
    text = "\n".join(lines)
    logged = [json.loads(line) for line in lines if '"request"' in line]
    assert {"/api/login", "/api/push", "/api/projects/{id}/people"} <= {line["route"] for line in logged}
    assert all({"id", "method", "status", "ms", "at", "level"} <= line.keys() for line in logged)
    for private in ("worker", "secret", "guessed", "198.51.100.7", *town.people.values(), town.one):
        assert private not in text


async def test_pages_that_no_route_has_open_the_app_and_data_addresses_do_not(town: Town, tmp_path: Path) -> None:
    client = await town.client(Accept="text/html")
    assert "pwa/dist" in (await client.get("/k/notes.note")).text
    for path in ("/api/nope", "/print/nope", "/assets/nope.js", "/favicon.ico"):
        assert (await client.get(path)).status_code == 404


async def test_the_app_is_served_as_it_was_built(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>built</title>")
    (dist / "sw.js").write_text("// worker")
    (dist / "manifest.webmanifest").write_text("{}")
    (dist / "assets" / "app.abc.js").write_text("console.log(1)")
    (dist / "assets" / "app.abc.js.gz").write_bytes(b"packed")
    async with town(tmp_path, dist=dist) as built:
        client = await built.client(Accept="text/html")
        for path in ("/", "/app-shell", "/enrol?code=x", "/k/notes.note", "/settings"):
            shell = await client.get(path)
            assert "built" in shell.text
            assert shell.headers["cache-control"] == "no-cache"
        worker = await client.get("/sw.js")
        assert (worker.headers["cache-control"], worker.headers["service-worker-allowed"]) == ("no-cache", "/")
        assert worker.headers["content-type"].startswith("text/javascript")
        asset = await client.get("/assets/app.abc.js", headers={"Accept-Encoding": "identity"})
        assert asset.text == "console.log(1)"
        assert "immutable" in asset.headers["cache-control"]
        async with client.stream("GET", "/assets/app.abc.js", headers={"Accept-Encoding": "gzip"}) as packed:
            assert packed.headers["content-encoding"] == "gzip"
        for path in ("/assets/%2e%2e/sw.js", "/assets//etc/passwd", "/static/..%2fpage.py"):
            assert (await client.get(path)).status_code == 404


def test_tries_come_back_one_by_one_and_memory_is_bounded() -> None:
    tries = Tries(most=2, each_s=10, keys_max=5)
    assert [tries.take("a", 0), tries.take("a", 0)] == [0, 0]
    assert tries.take("a", 0) == 10
    assert tries.take("a", 10) == 0
    for key in range(100):
        tries.take(str(key), 10)
    assert len(tries.spent) == 5


def test_an_address_counts_as_a_household() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::2")
    assert address_key("2001:db8:0:1::1") != address_key("2001:db8::1")
    assert address_key("::ffff:192.0.2.1") == "192.0.2.1"


async def test_an_answer_that_broke_off_is_not_begun_again() -> None:
    sent: list[str] = []

    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise Problem("unavailable")

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")], "query_string": b""}
    await Edge(half, Settings())(scope, send, send)  # type: ignore[arg-type]
    assert sent == ["http.response.start"]


async def test_a_failure_outside_the_framework_is_answered_too() -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    edge = Edge(fail, Settings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(edge), base_url="http://localhost") as client:  # type: ignore[arg-type]
        answer = await client.get("/")
    assert (answer.status_code, answer.json()["code"]) == (500, "broken")
