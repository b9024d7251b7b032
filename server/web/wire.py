"""The types of the wire: what an id, a name, a code may look like before anything looks at them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from litestar.params import PathParameter, QueryParameter

from server.core.problem import Problem
from server.store.people import tidy
from server.web.password import LENGTH_MAX, LENGTH_MIN

ID: Final = "^[A-Za-z0-9_-]{1,64}$"
LINE: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
KIND: Final = r"^[a-z][a-z0-9_]{0,39}\.[a-z][a-z0-9_]{0,39}$"
SEQ_MAX: Final = 2**53 - 1

Role = Literal["worker", "foreman", "inspector", "supervisor", "manager", "office", "client"]
Id = Annotated[str, msgspec.Meta(pattern=ID)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=LINE)]
Text = Annotated[str, msgspec.Meta(max_length=100, pattern=LINE)]
SignInName = Annotated[str, msgspec.Meta(min_length=2, max_length=60, pattern=LINE)]
Password = Annotated[str, msgspec.Meta(min_length=LENGTH_MIN, max_length=LENGTH_MAX)]
Latitude = Annotated[int, msgspec.Meta(ge=-900_000_000, le=900_000_000)]
Longitude = Annotated[int, msgspec.Meta(ge=-1_800_000_000, le=1_800_000_000)]
Radius = Annotated[int, msgspec.Meta(ge=1, le=100_000)]

# the same in an address
PathId = Annotated[str, PathParameter(pattern=ID, description="An id: 1–64 letters, digits, - or _")]
AskedId = Annotated[str, QueryParameter(pattern=ID, description="An id: 1–64 letters, digits, - or _")]
AskedDay = Annotated[str, QueryParameter(pattern=DAY, description="YYYY-MM-DD")]
AskedKind = Annotated[str, QueryParameter(pattern=KIND, description="`module.kind`")]


def named(name: str, field: str = "name") -> str:
    """A tidied name. Raises `malformed` when nothing is left of it."""
    left = tidy(name)
    if not left:
        raise Problem("malformed", reason=f"{field}: empty")
    return left


def given(**fields: object) -> dict[str, object]:
    """Those that the request named at all."""
    return {name: value for name, value in fields.items() if value is not msgspec.UNSET}
