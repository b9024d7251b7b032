"""What an inspection scores, what is missing, and what costs it most.

Same results as `score.ts`, by shared/vectors/scores.json. All sums are exact fractions of whole
numbers; a number is rounded once, when it is shown: to hundredths, half up. The grade goes by the
rounded score, as it stands on the paper.

    deduct    Σ got / Σ full × 100 over everything that was answered
    jgj59     a table is Σ got / Σ full × 100; tables of one group (scaffolds, cranes) count by their
              mean, a group by its weight; what does not apply is left out on both sides of the
              fraction (ΣD / ΣE). A table is zero if a guarantee item scores nothing, or all its
              guarantee items together less than 2/3 of their full score (40 of 60).
    weighted  the same without zero tables; within a table items count by their weight
    none      no score; passes if nothing failed and nothing is missing
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Final, Literal

from server.modules.inspections.question import Question, Verdict, asked, judge, needs_photo, photo_items
from server.modules.inspections.template import Template, Values

Grade = Literal["excellent", "pass", "fail"]
EXCELLENT: Final = 8000  # hundredths
PASS: Final = 7000
WEIGHT: Final = 100  # of what says none: 1.00
FULL: Final = 10  # of a weighted item that says none: 1.0


@dataclass(frozen=True)
class Table:
    """One section, gone through once. `got` and `full` in tenths, `score` in hundredths of 100."""

    key: str
    part: str | None
    got: int
    full: int
    score: int | None
    zero: bool


@dataclass(frozen=True)
class Cost:
    """`lost`, in hundredths of the total's points: by an item (`key` of its answer), or by a table
    that is zero over and above what its items lost (`key` of the section, or `section__part`)."""

    key: str
    lost: int


@dataclass(frozen=True)
class Score:
    """`score` in hundredths. `grade` is as things stand: final once nothing is `missing`."""

    score: int | None
    grade: Grade | None
    answered: int
    asked: int
    failed: int
    missing: list[str]
    vetoed: list[str]
    tables: list[Table]
    costs: list[Cost]


def score(template: Template, values: Values) -> Score:
    pictured = photo_items(values)
    lines = [
        _Line(question, judge(question.item, question.key, values, question.key in pictured), template.scheme, values)
        for question in asked(template, values)
    ]
    sheets = [_Sheet(list(group), template.scheme) for _, group in groupby(lines, key=lambda line: line.table)]
    shares = list(_shares(sheets, template.scheme))
    total = sum((share * sheet.ratio for share, sheet in zip(shares, sheets, strict=True)), Fraction())
    points = _hundredths(total) if any(sheet.counts for sheet in sheets) else None
    missing = [line.key for line in lines if line.is_missing(template.scheme, pictured)]
    vetoed = [line.key for line in lines if line.is_vetoed]
    failed = sum(line.verdict == "fail" for line in lines)
    is_out = bool(vetoed) or any(sheet.zero for sheet in sheets)
    return Score(
        score=points,
        grade=_grade(points, is_out) if template.scheme != "none" else _plain_grade(lines, is_out, bool(missing)),
        answered=sum(line.verdict is not None for line in lines),
        asked=len(lines),
        failed=failed,
        missing=missing,
        vetoed=vetoed,
        tables=[sheet.shown for sheet in sheets if sheet.counts],
        costs=_costs(sheets, shares),
    )


class _Line:
    """A question with its verdict, and what it counts: `got` of `full`, both 0 if it does not."""

    def __init__(self, question: Question, verdict: Verdict | None, scheme: str, values: Values) -> None:
        self.item, self.key, self.verdict = question.item, question.key, verdict
        self.table = (question.section.key, question.part)
        self.section = question.section
        self.full = self._full(scheme) if verdict in ("pass", "fail") else 0
        self.got = self.full
        if verdict == "fail":
            points = values.get(f"answers.{self.key}.points") if self.item.kind == "score" else None
            self.got = max(0, self.full - points) if type(points) is int else 0
        self.weight = WEIGHT if self.item.weight is None else self.item.weight

    def _full(self, scheme: str) -> int:
        return 0 if scheme == "none" else self.item.full or (FULL if scheme == "weighted" else 0)

    @property
    def is_vetoed(self) -> bool:
        if not self.item.veto or self.verdict != "fail":
            return False
        return self.item.kind != "score" or self.got == 0

    def is_missing(self, scheme: str, pictured: frozenset[str]) -> bool:
        if needs_photo(self.item, self.verdict) and self.key not in pictured:
            return True
        return self.verdict is None and (self.item.required or (scheme == "jgj59" and self.item.guarantee))

    @property
    def share(self) -> Fraction:
        """Of its full score, what it kept."""
        return Fraction(self.got, self.full)


class _Sheet:
    """A table being added up. `earned` is the share of its full score; `ratio` that, or 0 if it is zero."""

    def __init__(self, lines: Sequence[_Line], scheme: str) -> None:
        self.section, self.part = lines[0].section, lines[0].table[1]
        self.lines = [line for line in lines if line.full]
        self.got, self.full = sum(line.got for line in self.lines), sum(line.full for line in self.lines)
        self.by_weight = scheme == "weighted"
        self.weight = sum(line.weight for line in self.lines)
        self.counts = bool(self.weight if self.by_weight else self.full)
        self.earned = self._earned() if self.counts else Fraction()
        self.zero = scheme == "jgj59" and self._is_zero()
        self.ratio = Fraction() if self.zero else self.earned

    def _earned(self) -> Fraction:
        if not self.by_weight:
            return Fraction(self.got, self.full)
        return sum((line.share * line.weight for line in self.lines), Fraction()) / self.weight

    def _is_zero(self) -> bool:
        guarantee = [line for line in self.lines if line.item.guarantee]
        got, full = sum(line.got for line in guarantee), sum(line.full for line in guarantee)
        return any(line.got == 0 for line in guarantee) or got * 3 < full * 2

    def lost_by(self, line: _Line) -> Fraction:
        if self.by_weight:
            return (1 - line.share) * line.weight / self.weight
        return Fraction(line.full - line.got, self.full)

    @property
    def key(self) -> str:
        return self.section.key if self.part is None else f"{self.section.key}__{self.part}"

    @property
    def shown(self) -> Table:
        return Table(self.section.key, self.part, self.got, self.full, _hundredths(self.ratio), self.zero)


def _shares(sheets: Sequence[_Sheet], scheme: str) -> Iterator[Fraction]:
    """What part of the total each table is: one over all that count is 1."""
    counting = [sheet for sheet in sheets if sheet.counts]
    if scheme == "deduct":
        whole = sum(sheet.full for sheet in counting)
        yield from (Fraction(sheet.full, whole) if sheet.counts else Fraction() for sheet in sheets)
        return
    weights: dict[str, int] = {}
    times: dict[str, int] = {}
    for sheet in counting:
        group, weight = sheet.section.group, sheet.section.weight
        weights.setdefault(group, WEIGHT if weight is None else weight)
        times[group] = times.get(group, 0) + 1
    whole = sum(weights.values())
    for sheet in sheets:
        group = sheet.section.group
        yield Fraction(weights[group], whole * times[group]) if sheet.counts and whole else Fraction()


def _costs(sheets: Sequence[_Sheet], shares: Sequence[Fraction]) -> list[Cost]:
    """Largest first; what costs the same stays in the order of the paper."""
    lost: list[tuple[str, Fraction]] = []
    for share, sheet in zip(shares, sheets, strict=True):
        if sheet.zero:
            lost.append((sheet.key, share * sheet.earned))
        if sheet.counts:
            lost += [(line.key, share * sheet.lost_by(line)) for line in sheet.lines]
    lost.sort(key=lambda entry: -entry[1])
    return [Cost(key, _hundredths(points)) for key, points in lost if points]


def _hundredths(share: Fraction) -> int:
    """A share of the whole as hundredths of 100 points, half up."""
    return (share.numerator * 20_000 + share.denominator) // (2 * share.denominator)


def _grade(points: int | None, is_out: bool) -> Grade | None:
    if is_out:
        return "fail"
    if points is None:
        return None
    return "excellent" if points >= EXCELLENT else "pass" if points >= PASS else "fail"


def _plain_grade(lines: Sequence[_Line], is_out: bool, is_missing: bool) -> Grade | None:
    verdicts = {line.verdict for line in lines}
    if is_out or "fail" in verdicts:
        return "fail"
    return "pass" if "pass" in verdicts and not is_missing else None
