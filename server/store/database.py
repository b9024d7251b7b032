"""The small interface that both engines offer, and what they share.

`sqlite.py` and `postgres.py` implement `Database`; everything above speaks to `Store`. One
contract suite runs over both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from server.core.batch import OPS_MAX
from server.core.problem import Problem
from server.store.round import Answer, Push, Statement, Watch

Row: TypeAlias = tuple[Any, ...]
Heads: TypeAlias = Mapping[str, int]  # project → newest seq

PUSHES_IN_ROUND_MAX: Final = 64
OPS_IN_ROUND_MAX: Final = 4_000
COMPUTE_DELAY_MS: Final = 1_000  # what is computed waits for what else may come
PAGE_SLACK: Final = OPS_MAX + 1  # a page never ends inside a seq, and a seq has this many at most
EVERYTHING: Final = frozenset({"all", "office", "person:*", "private:*", "team:*"})


class Clash(Exception):
    """A unique index, or a row that is pointed at and missing, refused a row."""


class Page(msgspec.Struct, frozen=True):
    """Records by seq: their JSON texts, the seq that a phone has all of now, whether more wait."""

    head: int
    cursor: int
    more: bool
    bodies: Sequence[bytes]


class Recent(msgspec.Struct, frozen=True):
    """A record as it stands now, with what decides who may see it."""

    seq: int
    r: str
    aud: str
    body: bytes


Committed: TypeAlias = Callable[[Heads], None]


class Database(Protocol):
    """`committed` is called on the event loop after each commit, with the heads that moved
    (none if only rights changed)."""

    dialect: str
    watch: Watch
    committed: Committed

    async def start(self) -> None: ...

    async def close(self) -> None:
        """Finish the commits in hand, then let go."""

    async def append(self, push: Push) -> list[Answer]:
        """Judge and store a push; answered only after its commit. Raises Problem."""

    async def change(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Writes of the engine's own (jobs, marks) in one transaction; answers what each statement
        returned. Raises Clash. Ordinary rows go through Piccolo."""

    async def rows(self, sql: str, *args: Any) -> list[Row]:
        """A read with `?` placeholders."""

    async def look(self, sql: str, *args: Any) -> list[Row]:
        """The same for a few rows by key: quick enough for the event loop."""

    async def pulse(self, project: str) -> tuple[int, int | None]:
        """The revision of all rights, and the project's head (None if there is none)."""

    async def page(self, project: str, labels: frozenset[str], after: int, limit: int, fresh: bool) -> Page:
        """P6: records beyond `after` that these labels may see; fresh ones get no deleted ones."""

    async def tell(self, project: str, head: int) -> None:
        """Have `committed` called in every process, though nothing was committed to the log."""

    async def recent(self, project: str, after: int, limit: int) -> tuple[int, list[Recent]]:
        """The head, and records beyond `after`, whoever may see them; at most `limit`."""


def ignore(heads: Heads) -> None:
    """What happens after a commit until somebody listens."""


def cut(rows: Sequence[Row], limit: int, head: int, *, fresh: bool) -> Page:
    """A page out of (seq, deleted, body) rows, of which there are up to PAGE_SLACK too many."""
    end = len(rows)
    if end > limit:
        end = limit
        while end < len(rows) and rows[end][0] == rows[end - 1][0]:
            end += 1
    more = end < len(rows)
    bodies = [row[2] for row in rows[:end] if not (fresh and row[1])]
    return Page(head, rows[end - 1][0] if more else head, more, bodies)


def outcome_of(outcome: list[Answer] | Problem) -> list[Answer]:
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


def labels_of(labels: frozenset[str]) -> tuple[list[str], list[str]]:
    """Exact labels, and the beginnings that stand for whole classes (`person:*` → `person:`)."""
    exact = sorted(label for label in labels if not label.endswith(":*"))
    return exact, sorted(label[:-1] for label in labels if label.endswith(":*"))


def after_class(beginning: str) -> str:
    """The first text behind all that begin so: `:` is followed by `;`."""
    return beginning[:-1] + ";"
