"""What the app says, from the same locale files: a test asks for a key and works in both languages."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).resolve().parents[2] / "shared" / "locales"


@cache
def words(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((LOCALES / f"{language}.json").read_text("utf-8"))
    return found


def say(language: str, key: str, **values: object) -> str:
    """The text of a key with its `{name}`s filled in; of `one|other` the form that `n` asks for."""
    one, _, other = words(language)[key].partition("|")
    text = other if other and values.get("n") != 1 else one
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def pattern(language: str, key: str, **values: object) -> re.Pattern[str]:
    """The same, of any number, with anything where a `{name}` was not given."""
    forms = words(language)[key].split("|")
    for name, value in values.items():
        forms = [form.replace("{" + name + "}", str(value)) for form in forms]
    return re.compile("|".join(re.sub(r"\\\{\w+\\\}", ".+?", re.escape(form)) for form in forms))
