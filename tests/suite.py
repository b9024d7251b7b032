"""`make test`: every part of the suite, two at a time, and one summary.

`python -m tests.suite [part…]` runs the parts named, or all of them. A part that fails names its failures at once and
shows them at the end; its output lies whole in .pytest_cache/suite/. What could not run is named, and on CI that is a
failure too. The last line is the sum over all parts.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIDE_BY_SIDE = 2
SECONDS_MAX = 1500
LINES_SHOWN_MAX = 1200
LOGS = ROOT / ".pytest_cache" / "suite"
PYTEST = [sys.executable, "-m", "pytest", "-q", "--durations=5", "--no-fold-skipped"]


@dataclass(frozen=True)
class Part:
    name: str
    commands: tuple[list[str], ...]
    folder: Path = ROOT
    counts_tests: bool = False


# The longest first, so that the short ones fill the other core at the end.
PARTS = (
    Part(
        "browser",
        ([sys.executable, "-m", "tests.browser.install"], [*PYTEST, "tests/browser"]),
        counts_tests=True,
    ),
    Part("server", ([*PYTEST, "tests", "--ignore=tests/browser", "-n", "2"],), counts_tests=True),
    Part("app", (["npm", "run", "--silent", "test"],), ROOT / "pwa", counts_tests=True),
    Part("types", ([sys.executable, "-m", "mypy"],)),
    Part("app-types", (["npm", "run", "--silent", "check"],), ROOT / "pwa"),
    Part("app-lint", (["npm", "run", "--silent", "lint"],), ROOT / "pwa"),
    Part(
        "lint",
        (
            [sys.executable, "-m", "ruff", "check", "server", "tests"],
            [sys.executable, "-m", "ruff", "format", "--check", "--quiet", "server", "tests"],
        ),
    ),
)


@dataclass(frozen=True)
class Outcome:
    part: Part
    ok: bool
    output: str
    seconds: float
    passed: int
    failed: int
    skipped: int


def main(names: list[str]) -> int:
    unknown = set(names) - {part.name for part in PARTS}
    if unknown:
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(part.name for part in PARTS)}")
        return 2
    chosen = [part for part in PARTS if part.name in names or not names]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as lanes:
        outcomes = [done.result() for done in [lanes.submit(run_and_tell, part) for part in chosen]]
    return summary(outcomes)


def run_and_tell(part: Part) -> Outcome:
    outcome = run(part)
    mark = "ok    " if outcome.ok else "FAILED"
    told = [f"{mark} {part.name:<10} {counted(outcome)} in {outcome.seconds:.0f} s", *failures(outcome.output)]
    print("\n".join(told), flush=True)
    return outcome


def run(part: Part) -> Outcome:
    began = time.monotonic()
    output, code = "", 0
    for command in part.commands:
        code, text = call(command, part.folder)
        output += text
        if code:
            break
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / f"{part.name}.log").write_text(output, "utf-8")
    passed, failed, skipped = count(output) if part.counts_tests else (int(code == 0), int(code != 0), 0)
    if code and not failed:
        failed = 1
    if part.counts_tests and not passed + failed + skipped:
        code = code or 1
    ok = code == 0 and not (skipped and on_ci())
    return Outcome(part, ok, output, time.monotonic() - began, passed, failed, skipped)


def call(command: list[str], folder: Path) -> tuple[int, str]:
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return 1, (late.stdout or b"").decode(errors="replace") + f"\nnot done after {SECONDS_MAX} s\n"
    return done.returncode, done.stdout.decode(errors="replace")


def count(output: str) -> tuple[int, int, int]:
    """Passed, failed and skipped, from the closing line of pytest or vitest."""
    closing = [
        line
        for line in output.splitlines()
        if re.search(r"\d+ (passed|failed|skipped|errors?)\b.* in [\d.]+", line) or re.match(r"\s*Tests\s", line)
    ]
    line = closing[-1] if closing else ""
    found = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", line)}
    return found.get("passed", 0), found.get("failed", 0) + found.get("error", 0), found.get("skipped", 0)


def failures(output: str) -> list[str]:
    """The lines in which pytest and vitest name what failed, once each."""
    return list(dict.fromkeys(line for line in output.splitlines() if re.match(r"(FAILED|ERROR) |\s*FAIL ", line)))


def on_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def counted(outcome: Outcome) -> str:
    if not outcome.part.counts_tests:
        return ""
    words = [f"{outcome.passed} passed"]
    words += [f"{outcome.failed} failed"] if outcome.failed else []
    words += [f"{outcome.skipped} could not run"] if outcome.skipped else []
    return ", ".join(words)


def summary(outcomes: list[Outcome]) -> int:
    for outcome in outcomes:
        if not outcome.ok:
            tell_failure(outcome)
        elif outcome.skipped:
            tell_skipped(outcome)
    print("\n== summary ==")
    for outcome in outcomes:
        print(f"{'ok    ' if outcome.ok else 'FAILED'} {outcome.part.name:<10} {counted(outcome)}")
        print("".join(f"{line}\n" for line in failures(outcome.output)), end="")
    unrun = sum(outcome.skipped for outcome in outcomes)
    if unrun and on_ci():
        print(f"{unrun} tests could not run: on CI that is a failure")
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    print(f"{passed} passed, {failed} failed, {unrun} skipped")
    return 0 if all(outcome.ok for outcome in outcomes) else 1


def tell_failure(outcome: Outcome) -> None:
    """The part's output from its first failure on: the lines of dots before it say nothing."""
    lines = outcome.output.splitlines()
    began = next((at for at, line in enumerate(lines) if re.match(r"=+ (FAILURES|ERRORS) =+", line)), 0)
    lines = lines[began:]
    print(f"\n== {outcome.part.name} ==")
    if len(lines) > LINES_SHOWN_MAX:
        print(f"… {len(lines) - LINES_SHOWN_MAX} lines before these …")
    print("\n".join(lines[-LINES_SHOWN_MAX:]))


def tell_skipped(outcome: Outcome) -> None:
    print(f"\n== {outcome.part.name}: could not run ==")
    print("\n".join(line for line in outcome.output.splitlines() if line.startswith("SKIPPED")))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
