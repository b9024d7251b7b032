"""The words of an alert, from the declaration: its title with the level, and the fields that it says.

Names of people are left out: who has the phone sees them in the app.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from server.core.declaration import Alert as Rule
from server.core.declaration import Kind
from server.core.field import Field
from server.sync.alert.notice import BODY_LENGTH_MAX, TITLE_LENGTH_MAX, short

Language = Literal["zh", "en"]
SAYABLE: Final = frozenset({"text", "long_text", "choice", "place", "date"})
BETWEEN: Final = {"zh": "：", "en": ": "}


def title_of(rule: Rule, kind: Kind, level: str, language: str) -> str:
    """`新隐患：重大`: the level in words where a choice of the kind has it."""
    title = rule.title[cast("Language", language)]
    options = (field.options or {} for field in kind.fields.values() if field.type == "choice")
    found = next((one[level] for one in options if level in one), None)
    word = getattr(found, language) if found is not None else ""
    return short(f"{title}{BETWEEN[language]}{word}" if word else title, TITLE_LENGTH_MAX)


def body_of(rule: Rule, kind: Kind, values: Mapping[str, Any], language: str) -> str:
    said = [
        text
        for name in rule.body
        if (text := _say(kind.fields[name], values.get(name), language)) and kind.fields[name].type in SAYABLE
    ]
    return short(" · ".join(said), BODY_LENGTH_MAX)


def _say(field: Field, value: Any, language: str) -> str:
    if field.type == "choice":
        option = (field.options or {}).get(value)
        return getattr(option, language) if option is not None else ""
    if isinstance(value, dict):
        return str(value.get("code") or "")
    return value if isinstance(value, str) else ""
