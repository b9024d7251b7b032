"""The templates that are shipped: `shared/templates/*.json`, checked when the server starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from server.core.declaration import BadDeclaration, Declarations, Kind
from server.core.value import Value
from server.modules.inspections.document import read_document
from server.web.site import Site

TEMPLATE: Final = "inspections.template"


@dataclass(frozen=True)
class Shipped:
    """One of them, as the values that a draft begins with."""

    key: str
    values: Mapping[str, Value]

    @property
    def items(self) -> int:
        return sum(path.startswith("items.") and path.endswith(".text") for path in self.values)


class Library:
    """All of them, by key (the file's name), in the order of their codes. Raises BadDeclaration with
    file, path and reason."""

    def __init__(self, shared: Path, declarations: Declarations) -> None:
        kind = declarations.kinds[TEMPLATE]
        found = [_read(file, kind) for file in sorted((shared / "templates").glob("*.json"))]
        found.sort(key=lambda one: str(one.values.get("code", "~")))
        self.by_key: Mapping[str, Shipped] = {one.key: one for one in found}

    async def close(self) -> None:
        """Nothing to give back."""


def library_of(site: Site) -> Library:
    return Library(site.settings.shared, site.declarations)


def check(shared: Path, declarations: Declarations) -> None:
    """At the start, so that a wrong file stops it. Raises BadDeclaration."""
    Library(shared, declarations)


def _read(file: Path, kind: Kind) -> Shipped:
    try:
        document: Any = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadDeclaration(file.name, "$", f"not JSON: {error}") from error
    reading = read_document(document, kind)
    for fault in reading.faults:
        raise BadDeclaration(file.name, f"$.{fault.at}", fault.code)
    return Shipped(file.stem, reading.values)
