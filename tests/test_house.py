"""The plan of the house, read by a test so that it cannot lie: floors, names, generated files, the README.

`FLOORS` is the one table of allowed import directions; it is checked for Python and for TypeScript and Svelte.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVER = ROOT / "server"
PHONE = ROOT / "pwa" / "src"

# floor → the floors it may import; a floor may always import itself.
FLOORS: dict[Path, dict[str, set[str]]] = {
    SERVER: {
        "core": set(),
        "store": {"core"},
        "sync": {"store", "core"},
        "web": {"sync", "store", "core", "config"},
        "modules": {"web", "sync", "store", "core"},
        "demo": {"modules", "web", "sync", "store", "core"},
        "cli": {"app", "config", "demo", "modules", "web", "sync", "store", "core"},
    },
    PHONE: {
        "core": set(),
        "store": {"core"},
        "sync": {"store", "core"},
        "ui": {"store", "core"},
        "modules": {"ui", "store", "core"},
    },
}
# The engine: floors that serve every module and name none.
ENGINE = [
    *(SERVER / name for name in ("core", "store", "sync", "web")),
    *(PHONE / name for name in ("core", "store", "sync", "ui")),
]

# core is pure: no disk, no network, no clock, no chance, no framework.
IMPURE = {
    "asyncio", "asyncpg", "aiosqlite", "httpx", "io", "litestar", "logging", "os", "piccolo", "random", "secrets",
    "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib", "uvicorn", "uuid",
}  # fmt: skip

TOP_LEVEL = {
    "server", "pwa", "shared", "migrations", "tests", "pyproject.toml", "README.md",
    "Makefile", "LICENSE", "CHANGELOG.md",
}  # fmt: skip


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the project: those in git, or newly written and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return tuple(path for path in (ROOT / name for name in names) if path.is_file())


def files(folder: Path, *suffixes: str) -> list[Path]:
    return [path for path in tracked() if path.is_relative_to(folder) and path.suffix in suffixes]


def floor(path: Path, root: Path) -> str:
    """The first folder below the root, or the name of a file that lies at the top."""
    first = path.relative_to(root).parts[0]
    return first.split(".")[0]


# ── imports ──────────


def python_imports(path: Path) -> Iterator[tuple[int, str]]:
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield node.lineno, source
            yield from ((node.lineno, f"{source}.{name.name}") for name in node.names)


def python_targets(path: Path) -> Iterator[tuple[int, Path]]:
    for line, name in python_imports(path):
        parts = name.split(".")
        if parts[0] == "server" and len(parts) > 1:
            yield line, ROOT.joinpath(*parts)


TS_IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*|\bglob(?:<[^>]*>)?\(\s*\[?\s*)['"]([^'"]+)['"]""")


def script_targets(path: Path) -> Iterator[tuple[int, Path]]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        for source in TS_IMPORT.findall(line):
            if source.startswith("."):
                yield number, (path.parent / source).resolve()
            elif source.startswith(("/src/", "src/")):
                yield number, PHONE / source.split("src/", 1)[1]


def phone_files(folder: Path) -> list[Path]:
    return files(folder, ".ts", ".svelte", ".js")


def wrong_directions(root: Path, paths: list[Path]) -> Iterator[str]:
    allowed = FLOORS[root]
    targets = python_targets if root == SERVER else script_targets
    for path in paths:
        here = floor(path, root)
        if here not in allowed:
            continue
        for line, target in targets(path):
            if not target.is_relative_to(root) or target == root:
                continue
            there = floor(target, root)
            if there != here and there not in allowed[here]:
                yield f"{path.relative_to(ROOT)}:{line} {here} may not import {there} ({target.relative_to(root)})"


def test_server_imports_go_downwards_only() -> None:
    assert list(wrong_directions(SERVER, files(SERVER, ".py"))) == []


def test_phone_imports_go_downwards_only() -> None:
    assert list(wrong_directions(PHONE, phone_files(PHONE))) == []


@pytest.mark.parametrize("root", list(FLOORS), ids=["server", "phone"])
def test_every_floor_stands_in_the_table(root: Path) -> None:
    folders = {
        path.relative_to(root).parts[0] for path in tracked() if path.is_relative_to(root) and path.parent != root
    }
    assert folders <= set(FLOORS[root]), "a new floor needs its line in FLOORS"


def test_the_table_of_floors_can_fail(tmp_path: Path) -> None:
    bad = SERVER / "core" / "bad_example.py"
    tree = ast.parse("from server.store import log")
    assert isinstance(tree.body[0], ast.ImportFrom)
    assert "store" not in FLOORS[SERVER][floor(bad, SERVER)]
    assert TS_IMPORT.findall("import type { A } from '../sync/push'; const b = import('../store/x')") == [
        "../sync/push",
        "../store/x",
    ]


def test_core_is_pure() -> None:
    impure = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files(SERVER / "core", ".py")
        for line, name in python_imports(path)
        if name.split(".")[0] in IMPURE
    ]
    assert impure == []


def test_core_on_the_phone_reads_no_clock_and_no_chance() -> None:
    forbidden = re.compile(
        r"\b(Date\.now|new Date\(\)|Math\.random|performance\.now|fetch\(|indexedDB|localStorage|document\.|window\.)"
    )
    impure = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for path in phone_files(PHONE / "core")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if forbidden.search(line.split("//")[0]) and not line.lstrip().startswith(("*", "/*"))
    ]
    assert impure == []


# ── SQL ──────────

STATEMENT = re.compile(r"\b(SELECT|INSERT INTO|DELETE FROM|UPDATE \w+ SET|(CREATE|ALTER|DROP) (TABLE|VIEW|INDEX))\b")


def statements(source: str) -> Iterator[tuple[int, str]]:
    """Texts of a Python file that are SQL; what stands in the holes of an f"…" does not matter."""
    for node in ast.walk(ast.parse(source)):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "hole" for part in parts)
        if STATEMENT.search(text):
            yield getattr(node, "lineno", 0), text.strip()[:60]


def test_SQL_is_written_in_store_and_sync_alone() -> None:
    """The log and the records are read and written in plain SQL there; ordinary rows go through Piccolo."""
    written = [
        f"{path.relative_to(ROOT)}:{line} {text}"
        for path in files(SERVER, ".py")
        if floor(path, SERVER) not in ("store", "sync")
        for line, text in statements(path.read_text("utf-8"))
    ]
    assert written == []


def test_the_search_for_SQL_can_fail() -> None:
    source = """rows("SELECT 1"); change(f"UPDATE {table} SET x = 1"); say("Select one, or update it")"""
    assert [text for _, text in statements(source)] == ["SELECT 1", "UPDATE hole SET x = 1"]


# ── names ──────────


ENGINES_OWN = {"core", "alerts"}  # kinds that the engine itself writes
ORDINARY = {"drawings", "inspections", "quality", "safety"}  # words that need not mean the module


def module_names() -> list[str]:
    names = [path.stem for path in sorted((ROOT / "shared" / "modules").glob("*.json"))]
    return [name for name in names if name not in ENGINES_OWN]


def test_the_engine_names_no_module() -> None:
    names = module_names()
    if not names:
        return
    plain, ordinary = (
        "|".join(re.escape(name) for name in names if (name in ORDINARY) == is_ordinary)
        for is_ordinary in (False, True)
    )
    # followed by `=` it is a library's argument; an ordinary word means the module as `quality.defect`, in a
    # path or in quotes
    word = re.compile(rf"\b({plain})\b(?!=)|(?<![\w.])({ordinary})\.[a-z]|[/'\"]({ordinary})[/'\"]", re.IGNORECASE)
    named = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()[:100]}"
        for path in tracked()
        if any(path.is_relative_to(folder) for folder in ENGINE)
        and path.suffix in (".py", ".ts", ".svelte", ".html", ".css", ".js", ".sql")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if word.search(line)
    ]
    named += [
        str(path.relative_to(ROOT))
        for path in tracked()
        for folder in ENGINE
        if path.is_relative_to(folder) and word.search(str(path.relative_to(ROOT)))
    ]
    assert named == []


def test_no_module_imports_another() -> None:
    crossing = []
    for root in FLOORS:
        home = root / "modules"
        targets = python_targets if root == SERVER else script_targets
        for path in files(home, ".py", ".ts", ".svelte"):
            own = floor(path, home)
            for line, target in targets(path):
                if (
                    target.is_relative_to(home)
                    and target != home
                    and floor(target, home) in set(module_names()) - {own}
                ):
                    crossing.append(f"{path.relative_to(ROOT)}:{line} imports {target.relative_to(root)}")
    assert crossing == []


def test_shared_holds_data_only() -> None:
    others = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.is_relative_to(ROOT / "shared") and path.suffix not in (".json", ".md")
    ]
    assert others == []


def test_the_top_level_is_the_plan() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} == TOP_LEVEL


def test_the_lock_file_holds_no_download_addresses() -> None:
    lock = ROOT / "pwa" / "package-lock.json"
    if lock.exists():
        packages = json.loads(lock.read_text("utf-8"))["packages"]
        assert [name for name, package in packages.items() if "resolved" in package and not package.get("link")] == []


def test_no_file_names_this_machine() -> None:
    words = re.compile(r"(?<![\w/])/(work|farm|tmp/w)/")
    named = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix in (".py", ".ts", ".svelte", ".json", ".md", ".toml", ".html", ".css", "")
        and path != Path(__file__).resolve()
        and words.search(path.read_text("utf-8", errors="ignore"))
    ]
    assert named == []


# ── generated files ──────────


def test_generated_files_are_fresh() -> None:
    done = gongbu("generate", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def gongbu(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


# ── the README ──────────


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", readme(), re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section {title!r}"
    return found[1]


def mapped() -> list[str]:
    """The paths of the README's map: one a line, indented below the folder that they lie in."""
    block = re.search(r"```\n(.*?)```", section("The map"), re.DOTALL)
    assert block, "the map is a block of code"
    above: list[str] = []
    paths = []
    for line in block[1].splitlines():
        entry = re.match(r"( *)(\S+)(?:  |$)", line)
        if not entry:
            continue
        depth = len(entry[1]) // 2
        above = [*above[:depth], entry[2]]
        paths.append("".join(above))
    return paths


def test_the_map_in_the_readme_is_true() -> None:
    paths = mapped()
    assert [path for path in paths if not (ROOT / path).exists()] == []
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    shown = {path.split("/")[0] for path in paths}
    assert {name for name in top if not name.startswith(".")} - shown == set(), "not in the map"


def test_the_map_names_every_floor() -> None:
    paths = set(mapped())
    for root, floors in FLOORS.items():
        for name in floors:
            assert f"{root.relative_to(ROOT)}/{name}/" in paths


def commands(program: str) -> set[str]:
    """What follows `make` or `gongbu` wherever the README shows it as code."""
    code = re.findall(r"```\w*\n(.*?)```|`([^`\n]+)`", readme(), re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for pair in code for part in pair for line in part.splitlines()]
    return {
        word[1]
        for line in lines
        if (word := re.match(rf"(?:\S*/|sudo (?:-u \w+ )?(?:\S*/)?)?{program} ([a-z][\w-]*)", line))
    }


def test_every_make_command_in_the_readme_is_a_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert commands("make")
    assert commands("make") - targets == set()


def test_every_gongbu_command_in_the_readme_exists_and_explains_itself() -> None:
    assert commands("gongbu")
    for command in sorted(commands("gongbu")):
        done = gongbu(command, "--help")
        assert done.returncode == 0, f"gongbu {command} --help: {done.stderr}"


def test_every_link_in_the_readme_leads_somewhere_and_every_name_is_there() -> None:
    """[`push`](server/sync/push.py): the file is there, and the word stands in it."""
    links = re.findall(r"\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)", readme())
    assert links
    wrong = [target for _, target in links if not (ROOT / target).exists()]
    for text, target in links:
        path = ROOT / target
        for name in re.findall(r"`([\w.]+)(?:\(\))?`", text):
            if (
                path.is_file()
                and name != path.name
                and not re.search(rf"\b{re.escape(name)}\b", path.read_text("utf-8"))
            ):
                wrong.append(f"{name} is not in {target}")
    assert wrong == []
