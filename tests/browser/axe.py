"""axe on whatever is shown: WCAG 2.2 AA, and nothing serious may be found."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "pwa" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
GRAVE = ("serious", "critical")
CONTRAST = ["color-contrast"]


@cache
def source() -> str:
    return AXE.read_text("utf-8")


def grave(page: Page) -> list[str]:
    """One line for each serious or critical finding: rule, element, what is wrong."""
    return told(found(page, TAGS))


def pale(page: Page) -> list[str]:
    """The same for words that do not stand out from their ground."""
    return told(found(page, CONTRAST))


def found(page: Page, only: list[str]) -> list[dict[str, Any]]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(source())
    violations: list[dict[str, Any]] = page.evaluate(run(only))
    return violations


def run(only: list[str]) -> str:
    asked = {"runOnly": only, "resultTypes": ["violations"]}
    return f"axe.run(document, {json.dumps(asked)}).then(found => found.violations)"


def told(violations: list[dict[str, Any]]) -> list[str]:
    return [
        f"{violation['id']}: {node['target'][0]} {node['failureSummary'].splitlines()[-1].strip()}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]
