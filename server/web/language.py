"""Which language a caller reads (`?lang=` first, then Accept-Language, else Chinese), and its words.

All words that the server says to people stand in `shared/locales`: those of its own pages under `page.*`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qs

from server.config import ROOT

Language = Literal["zh", "en"]
TAGS: Final = {"zh": "zh-CN", "en": "en"}
FIRST: Final[Language] = "zh"
RANGES_MAX: Final = 20
CACHED_LENGTH_MAX: Final = 300


class Words:
    """The words of a language: `t("page.total")`, `t("page.invite_good", n=3, until=day)`.

    `{name}` is filled in; a text of two forms, `one|other`, is chosen by `n`. A key that is not there raises.
    """

    def __init__(self, lang: str) -> None:
        self.lang: Language = named(lang) or FIRST

    def __call__(self, key: str, **values: object) -> str:
        one, _, other = words(self.lang)[key].partition("|")
        text = other if other and values.get("n") != 1 else one
        return PLACE.sub(lambda found: str(values[found[1]]), text)


PLACE: Final = re.compile(r"\{(\w+)\}")


@cache
def words(language: Language, folder: Path = ROOT / "shared" / "locales") -> Mapping[str, str]:
    """Every text of a language, by its dotted key."""
    found: dict[str, str] = json.loads((folder / f"{TAGS[language]}.json").read_text(encoding="utf-8"))
    return found


def choose(query: bytes, accept: str) -> Language:
    if len(query) + len(accept) > CACHED_LENGTH_MAX:
        return chosen(query, accept)
    return chosen_before(query, accept)


@lru_cache(maxsize=512)
def chosen_before(query: bytes, accept: str) -> Language:
    return chosen(query, accept)


def chosen(query: bytes, accept: str) -> Language:
    return named(asked(query)) or preferred(accept) or FIRST


def asked(query: bytes) -> str:
    """What `?lang=` says; a query that cannot be read asks for nothing."""
    try:
        return parse_qs(query.decode("latin-1"), max_num_fields=100).get("lang", [""])[0]
    except ValueError:
        return ""


def named(tag: str) -> Language | None:
    start = tag.strip().lower()[:2]
    return "zh" if start == "zh" else "en" if start == "en" else None


def preferred(accept: str) -> Language | None:
    """The best known language of an Accept-Language header, or None."""
    ranges = [weighed(part) for part in accept.split(",")[:RANGES_MAX]]
    known = [(weight, language) for weight, language in ranges if language and weight > 0]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def weighed(part: str) -> tuple[float, Language | None]:
    tag, _, weight = part.partition(";q=")
    try:
        return (float(weight) if weight else 1.0), named(tag)
    except ValueError:
        return 0.0, None
