"""The command line: what each command does, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from server.cli import COMMANDS, run
from server.cli.project import read_point
from server.cli.say import width
from server.config import ROOT
from server.core.declaration import load
from server.store import people
from server.store.people import NewPerson
from server.store.store import open_store
from tests.postgres import fresh_database
from tests.server.web.kit import FROM_APP, NOW, Phone, hashed

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GONGBU_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("GONGBU_URL", raising=False)
    return tmp_path / "data"


def password(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))


def test_each_command_has_help(capsys: Capture) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as end:
            run([command, "--help"])
        assert end.value.code == 0
        assert f"gongbu {command}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["nonsense"], ["user"], ["serve", "--port", "x"], ["user", "role", "x", "king"]])
def test_a_wrong_command_line_ends_with_2(words: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        run(words)
    assert end.value.code == 2
    assert "usage: gongbu" in capsys.readouterr().err


def test_a_first_site_is_set_up_from_the_terminal(data: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["migrate"]) == 0
    password(monkeypatch, "long enough")
    assert run(["user", "add", "boss", "--name", "云志远"]) == 0
    assert run(["project", "add", "滨江花园", "--manager", "boss"]) == 0
    assert run(["project", "zone", "滨江花园", "Asia/Urumqi"]) == 0
    assert run(["project", "fence", "滨江花园", "--at", "31.2304167,121.4737", "--radius", "300"]) == 0
    capsys.readouterr()
    assert run(["project", "list"]) == 0
    out = capsys.readouterr().out
    assert "滨江花园" in out
    assert "Asia/Urumqi" in out
    assert "300 m" in out
    assert run(["user", "list"]) == 0
    assert "manager" in capsys.readouterr().out
    assert run(["invite", "new", "--role", "office", "--url", "https://site.example"]) == 0
    out = capsys.readouterr().out
    assert "https://site.example/enrol?code=" in out
    assert "█" in out
    assert run(["invite", "list"]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert "office" in line
    assert run(["invite", "revoke", line.split()[0]]) == 0
    capsys.readouterr()
    assert run(["invite", "list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


async def test_the_same_commands_work_on_postgres(
    data: Path, postgres_url: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fresh_database(postgres_url) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        password(monkeypatch, "long enough")
        for words in (
            ["migrate"],
            ["user", "add", "boss"],
            ["project", "add", "一号", "--manager", "boss"],
            ["project", "fence", "一号", "--at", "31.2,121.4", "--radius", "300"],
            ["user", "role", "boss", "manager", "office"],
            ["invite", "new"],
            ["invite", "list"],
            ["project", "list"],
            ["user", "list"],
            ["migrate", "--restored"],
        ):
            assert await asyncio.to_thread(run, words) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert "manager office" in out
    assert "300 m" in out
    assert not (data / "gongbu.db").exists()


def test_people_are_changed_from_the_terminal(data: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    run(["project", "add", "一号"])
    password(monkeypatch, "long enough")
    assert run(["user", "add", "wang", "--project", "一号"]) == 0
    assert run(["user", "role", "wang", "foreman", "inspector"]) == 0
    password(monkeypatch, "also long enough")
    assert run(["user", "password", "wang"]) == 0
    assert run(["user", "disable", "wang"]) == 0
    capsys.readouterr()
    run(["user", "list"])
    out = capsys.readouterr().out
    assert "foreman inspector" in out
    assert "disabled" in out
    assert run(["user", "disable", "wang", "--undo"]) == 0
    assert run(["user", "role", "wang", "none"]) == 0
    capsys.readouterr()
    run(["user", "list"])
    assert "left" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["user", "list", "--data", "/nowhere/at/all"], "no site in"),
        (["user", "password", "nobody"], "nobody called"),
        (["project", "zone", "missing", "Asia/Shanghai"], "no project 'missing'"),
        (["project", "zone", "一号", "Mars/Base"], "is not a time zone"),
        (["project", "fence", "一号"], "needs --at"),
        (["project", "fence", "一号", "--at", "here", "--radius", "3"], "is not LAT,LNG"),
        (["project", "fence", "一号", "--at", "121.4,31.2", "--radius", "3"], "latitude comes first"),
        (["invite", "new", "--uses", "9999"], "--uses is 1 to"),
        (["invite", "new", "--team", "none"], "no team 'none'"),
        (["invite", "revoke", "zzz"], "no open invite"),
        (["user", "role", "boss", "worker", "none"], "stands alone"),
        (["keys", "show"], "no keys in"),
    ],
)
def test_what_cannot_be_done_says_why_in_one_line(
    data: Path, words: list[str], says: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(["project", "add", "一号"])
    password(monkeypatch, "long enough")
    run(["user", "add", "boss"])
    (data / "keys.json").unlink(missing_ok=True)
    password(monkeypatch, "long enough")
    capsys.readouterr()
    assert run(words) == 1
    err = capsys.readouterr().err
    assert says in err
    assert err.startswith("gongbu: ")
    assert err.count("\n") == 1


def test_a_short_password_changes_nothing(data: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    run(["migrate"])
    password(monkeypatch, "short")
    assert run(["user", "add", "wang"]) == 1
    assert "at least 8" in capsys.readouterr().err


def test_keys_are_made_once_and_only_their_public_part_is_shown(data: Path, capsys: Capture) -> None:
    assert run(["keys", "make"]) == 0
    assert run(["keys", "make"]) == 1
    capsys.readouterr()
    assert run(["keys", "show"]) == 0
    out = capsys.readouterr().out
    import json

    keys = json.loads((data / "keys.json").read_text())
    assert keys["vapid_public"] in out
    assert keys["secret"] not in out
    assert keys["vapid_private"] not in out
    assert (data / "keys.json").stat().st_mode & 0o077 == 0


def test_a_point_is_read_to_whole_units_without_floating() -> None:
    assert read_point("31.2304167, -121.4737001") == (312_304_167, -1_214_737_001)


def test_a_chinese_character_takes_two_places() -> None:
    assert width("工簿 Gongbu") == 11


@contextmanager
def served(data: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """A running `gongbu serve`, its address and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "server", "serve", "--data", str(data), "--port", "0", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert process.stdout
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line.rstrip("\n"))
            if line.startswith("Stop with"):
                break
        yield process, next((line.strip() for line in said if line.startswith("  http://")), ""), said
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def status(address: str) -> int:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return int(answer.status)


def test_serve_says_where_it_is_and_ends_well_on_a_signal(tmp_path: Path) -> None:
    with served(tmp_path / "data") as (process, address, said):
        assert status(address + "/healthz") == 200
        assert not any("█" in line for line in said), "a phone cannot reach localhost"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_serve_ends_although_somebody_still_listens(tmp_path: Path) -> None:
    with served(tmp_path / "data") as (process, address, _):
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert idle.recv(100)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0


async def test_serve_ends_without_losing_what_it_acknowledged(tmp_path: Path) -> None:
    """Pushes go on while it stops: each is answered after its commit, or not at all."""
    data, declared = tmp_path / "data", load(ROOT / "shared" / "modules")
    store = await open_store(None, data, declared)
    project = await people.add_project(store, "一号", NOW)
    await people.add_people(store, project, [NewPerson("w", "worker", hashed(), roles=["manager"])], NOW)
    await store.close()
    acknowledged = []
    with served(data) as (process, address, _):
        async with httpx.AsyncClient(base_url=address, headers=FROM_APP) as http:
            phone = Phone(http)
            await phone.login("worker")
            with suppress(httpx.HTTPError):
                for n in range(1, 10_000):
                    answer = await phone.push(project, [{"k": "del", "c": "core.team", "r": "x"}])
                    if answer.status_code != 200:
                        break
                    acknowledged.append(n)
                    if n == 20:
                        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 20) == 0
    store = await open_store(None, data, declared)
    kept = [n for (n,) in await store.rows("SELECT n FROM refused ORDER BY n")]
    await store.close()
    assert len(acknowledged) >= 20
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) - len(acknowledged) <= 1, "one more may have been stored whose answer was lost"


def test_serve_on_a_taken_port_says_so(tmp_path: Path, capsys: Capture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["serve", "--data", str(tmp_path), "--port", str(taken.getsockname()[1])]) == 1
    assert "choose another port" in capsys.readouterr().err


def test_demo_does_not_touch_a_folder_with_a_real_project(data: Path, capsys: Capture) -> None:
    run(["project", "add", "真项目"])
    assert run(["serve", "--demo", "--port", "0"]) == 1
    assert "holds a real project" in capsys.readouterr().err


def test_lan_without_a_network_says_so_or_goes_on_without(
    data: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.web.authority.lan_addresses", list)
    assert run(["serve", "--lan", "--port", "0"]) == 1
    assert "no private address" in capsys.readouterr().err
    assert run(["serve", "--lan", "--host", "8.8.8.8", "--port", "0"]) == 1


@pytest.mark.skipif(sys.platform == "darwin", reason="127.0.0.2 is not set up on a Mac")
def test_lan_prints_the_fingerprint_and_a_qr_that_leads_to_trusting_it(tmp_path: Path) -> None:
    with served(tmp_path / "data", "--lan", "--host", "127.0.0.2") as (process, _, said):
        text = "\n".join(said)
        assert "█" in text
        helper = next(line.strip() for line in said if line.endswith("/lan"))
        assert status(helper) == 200
        with urllib.request.urlopen(helper.replace("/lan", "/"), timeout=10) as answer:
            assert answer.url == helper
            page = answer.read().decode()
        printed = [line.strip() for line in said if re.fullmatch(r"  ([0-9A-F]{2}:){7}[0-9A-F]{2}", line)]
        assert len(printed) == 4
        assert all(part in page for part in printed)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
