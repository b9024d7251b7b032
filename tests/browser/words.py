"""What the app says, from the same locale files: a test asks for a key and works in both languages."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).resolve().parents[2] / "shared" / "locales"


@cache
def words(language: str) -> dict[str, str]:
    return flat(json.loads((LOCALES / f"{language}.json").read_text("utf-8")))


def flat(tree: dict[str, object], before: str = "") -> dict[str, str]:
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            leaves |= flat(value, f"{before}{key}.")
        else:
            leaves[before + key] = str(value)
    return leaves


def say(language: str, key: str, **values: object) -> str:
    text = words(language)[key]
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text
