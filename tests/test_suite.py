"""`make test` itself: it counts what the runners say, and on CI a test that could not run is a failure."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import suite


@pytest.mark.parametrize(
    ("output", "counted"),
    [
        ("....\n3 failed, 1626 passed, 2 skipped, 1 warning in 297.29s (0:04:57)", (1626, 3, 2)),
        ("46 passed in 5.21s", (46, 0, 0)),
        ("2 passed, 1 error in 15.24s", (2, 1, 0)),
        (" Test Files  19 passed (19)\n      Tests  1 failed | 833 passed (834)\n   Duration  32.17s", (833, 1, 0)),
        ("nothing was run", (0, 0, 0)),
    ],
)
def test_the_closing_line_of_each_runner_is_understood(output: str, counted: tuple[int, int, int]) -> None:
    assert suite.count(output) == counted


def part_that_says(line: str, code: int = 0) -> suite.Part:
    script = f"print({line!r}); raise SystemExit({code})"
    return suite.Part("tried", ([sys.executable, "-c", script],), counts_tests=True)


@pytest.mark.parametrize(
    ("line", "code", "ci", "ok"),
    [
        ("3 passed in 1.0s", 0, "", True),
        ("3 passed, 1 skipped in 1.0s", 0, "", True),
        ("3 passed, 1 skipped in 1.0s", 0, "true", False),
        ("46 skipped in 1.0s", 0, "", True),
        ("46 skipped in 1.0s", 0, "true", False),
        ("2 passed, 1 failed in 1.0s", 1, "", False),
        ("no tests ran in 0.1s", 0, "", False),
        ("3 passed in 1.0s", 1, "", False),
    ],
)
def test_a_part_is_ok_only_if_its_tests_ran_and_passed(
    line: str, code: int, ci: str, ok: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(suite, "LOGS", tmp_path)
    assert suite.run(part_that_says(line, code)).ok is ok


def test_what_failed_is_named_as_soon_as_its_part_ends_and_again_in_the_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "LOGS", tmp_path)
    told = [
        "." * 72,
        "=== FAILURES ===",
        "why it fell",
        "FAILED tests/test_wall.py::test_it_stands",
        "1 failed in 1.0s",
    ]
    outcome = suite.run_and_tell(part_that_says("\n".join(told), 1))
    assert capsys.readouterr().out.splitlines()[1] == told[3]
    suite.summary([outcome])
    shown = capsys.readouterr().out
    assert told[0] not in shown
    assert told[2] in shown
    assert shown.splitlines()[-2:] == [told[3], "0 passed, 1 failed, 0 skipped"]
