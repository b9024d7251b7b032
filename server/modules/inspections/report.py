"""An inspection on paper: every question with its answer, the score as the score sheets have it, photos, signature.

A daily log (施工日志) is an inspection of a template of the log family; on paper it has the day's attendance too.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, Final

from server.core.merge import shown
from server.modules.inspections.question import Question, asked, judge, photo_items
from server.modules.inspections.record_book import record_book
from server.modules.inspections.score import Score, score
from server.modules.inspections.template import Template, read_template, rows
from server.store.tables import Team
from server.web import ink
from server.web.reading import scaled
from server.web.report import Opened, Report

INSPECTION: Final = "inspections.inspection"


async def record_values(one: Opened) -> Mapping[str, Any]:
    paper = await one.other(str(one.values.get("template")))
    raw = {} if paper is None else paper.values
    template = read_template(raw)
    result = score(template, one.values)
    t, english = one.reader.t, one.reader.lang == "en"
    pictured = photo_items(one.values)
    numbers = numbers_of(one)
    questions = asked(template, one.values)
    sections = [
        {
            "title": _title(group[0], one, english), "table": _table(result, group[0]),
            "lines": [_line(question, one, pictured, numbers, english) for question in group],
        }
        for group in (list(found) for _, found in groupby(questions, key=lambda q: (q.section.key, q.part)))
    ]  # fmt: skip
    name = (raw.get("name_en") if english else None) or raw.get("name") or one.reader.said(one.kind.label)
    drawn = one.values.get("signature")
    return {
        "name": name, "code": raw.get("code", ""), "sections": sections, "result": result,
        "scheme": template.scheme, "total": "" if result.score is None else scaled(result.score, 2, fixed=True),
        "grade": t(f"page.grade_{result.grade}") if result.grade else "",
        "costs": _costs(result, template, english), "colon": t("page.colon"),
        "signature": ink.signature(drawn) if isinstance(drawn, dict) else "",
        "signed_by": one.writer("signature") if drawn else "",
        "approved": _approved(one),
        "signers": [t("page.inspected_by"), t("page.responsible_unit"), t("page.approved_by")],
        "fails": result.failed, "remarks": rows(one.values, "remarks"),
    }  # fmt: skip


def numbers_of(one: Opened) -> dict[str, list[int]]:
    """Answer key → the numbers of its photos."""
    found: dict[str, list[int]] = {}
    for picture in one.pictures:
        found.setdefault(picture.item, []).append(picture.number)
    return found


def _title(question: Question, one: Opened, english: bool) -> str:
    section = question.section
    title = (section.title_en if english else "") or section.title
    label = one.values.get(f"parts.{question.part}.label") if question.part else None
    return f"{title} · {label}" if label else title


def _table(result: Score, question: Question) -> Mapping[str, Any] | None:
    """The sums of a scored section, as text."""
    found = next((t for t in result.tables if t.key == question.section.key and t.part == question.part), None)
    if found is None or found.score is None:
        return None
    return {
        "got": scaled(found.got, 1), "full": scaled(found.full, 1), "score": scaled(found.score, 2, fixed=True),
        "zero": found.zero,
    }  # fmt: skip


def _line(
    question: Question, one: Opened, pictured: frozenset[str], numbers: Mapping[str, list[int]], english: bool
) -> dict[str, Any]:
    item, at = question.item, f"answers.{question.key}."
    verdict = judge(item, question.key, one.values, question.key in pictured)
    points = one.values.get(at + "points")
    return {
        "text": (item.text_en if english else "") or item.text,
        "clause": item.clause, "guarantee": item.guarantee, "verdict": verdict,
        "full": scaled(item.full, 1) if item.full is not None else "",
        "points": scaled(points, 1) if isinstance(points, int) else "",
        "said": _said(question, one, verdict), "note": one.values.get(at + "note", ""),
        "remark": one.values.get(f"remarks.{question.key}.text", ""), "photos": numbers.get(question.key, []),
    }  # fmt: skip


def _said(question: Question, one: Opened, verdict: str | None) -> str:
    item, at, t = question.item, f"answers.{question.key}.", one.reader.t
    if verdict == "na":
        return t("page.not_applicable")
    match item.kind:
        case "number":
            value = one.values.get(at + "value")
            return f"{scaled(value, 3)} {item.unit}".strip() if isinstance(value, int) else ""
        case "choice":
            return _option(item.options, str(one.values.get(at + "choice", "")), one.reader.lang)
        case "text":
            return str(one.values.get(at + "text", ""))
        case "check":
            return t(f"page.result_{verdict}") if verdict in ("pass", "fail") else ""
        case _:
            return t("page.done") if verdict == "done" else ""


def _option(options: str, chosen: str, lang: str) -> str:
    """`a=中文|English;b=…` → the words of the chosen one."""
    for part in options.split(";"):
        key, _, words = part.partition("=")
        if key.strip() == chosen:
            zh, _, en = words.partition("|")
            return (en if lang == "en" and en else zh).strip()
    return chosen


def _costs(result: Score, template: Template, english: bool) -> list[tuple[str, str]]:
    named = {section.key: (section.title_en if english else "") or section.title for section in template.sections}
    named |= {item.key: (item.text_en if english else "") or item.text for item in template.items}
    found = [(named.get(cost.key.partition("__")[0], cost.key), scaled(cost.lost, 2)) for cost in result.costs]
    return found[:5]


def _approved(one: Opened) -> str:
    seal = one.record["seal"]
    return f"{one.reader.name(seal['by'])} · {one.reader.wall(seal['et'])}" if seal else ""


async def log_values(one: Opened) -> Mapping[str, Any]:
    """The same with the attendance of the day by trade, from the shifts that its reader may see."""
    return {**await record_values(one), "trades": await trades(one)}


async def trades(one: Opened) -> list[tuple[str, int, str]]:
    """Trade → people, hours; from any kind of record that counts minutes of a worker on a day."""
    day, kinds = str(one.values.get("date", "")), one.site.declarations.kinds
    counted = [
        c for c, kind in kinds.items() if kind.computed_by and {"worker", "minutes", "team"} <= kind.fields.keys()
    ]
    teams = await Team.select(Team.id, Team.trade, Team.name).where(Team.project == one.project)
    trade_of = {team["id"]: team["trade"] or team["name"] for team in teams}
    found: dict[str, tuple[set[str], int]] = {}
    for c in counted:
        async for chunk in one.site.store.records(one.project, c, day, day):
            for _, body in chunk:
                _count(found, shown_of(body, kinds[c]), trade_of)
    return [(trade, len(people), scaled(minutes * 10 // 60, 1)) for trade, (people, minutes) in sorted(found.items())]


def _count(found: dict[str, tuple[set[str], int]], values: Mapping[str, Any], trade_of: Mapping[str, str]) -> None:
    trade = trade_of.get(str(values.get("team")), "")
    people, minutes = found.get(trade, (set(), 0))
    found[trade] = (people | {str(values.get("worker"))}, minutes + int(values.get("minutes") or 0))


def shown_of(body: str, kind: Any) -> Mapping[str, Any]:
    from server.store.round import decode

    return shown(decode(body), kind)


KINDS: Final = frozenset({INSPECTION})
reports: Final = {
    "inspections.record": Report(KINDS, "inspections/record.html", record_values, record_book),
    "inspections.log": Report(KINDS, "inspections/log.html", log_values),
}
