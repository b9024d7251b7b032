"""What defects and hazards are printed as: the notice (整改通知单) and the reply (整改回复单).

One form for every kind that has something wrong with it and photos before and after: `fields` are those of
its declaration, those that it lacks are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from server.web.report import Opened, Picture, Report

FACTS: Final = (
    ("level", "grade"), ("item", "sort"), ("place", "found_on"), ("team", "person"), ("due",),
    ("stop_work", "reported_up"),
)  # fmt: skip
TEXTS: Final = ("description", "standard", "measure")
REPLY_FACTS: Final = (("level", "place"), ("team", "person"), ("due",))
REPLY_TEXTS: Final = ("description", "measure", "reply")
CLOSED: Final = frozenset({"closed"})


def facts(one: Opened, wanted: Sequence[Sequence[str]]) -> list[list[tuple[str, str]]]:
    rows = [[(one.label(name), fact(one, name)) for name in names if is_said(one, name)] for names in wanted]
    return [row for row in rows if any(value for _, value in row)]


def fact(one: Opened, name: str) -> str:
    """A day with its year: papers are kept."""
    return str(one.values.get(name, "")) if one.kind.fields[name].type == "date" else one.text(name)


def is_said(one: Opened, name: str) -> bool:
    """An item that is a text is the key of a question, which no person reads; not every project has its own levels."""
    field = one.kind.fields.get(name)
    if field is None or (name == "grade" and not one.text(name)):
        return False
    return not (name == "item" and field.type == "text")


def texts(one: Opened, wanted: Sequence[str]) -> list[tuple[str, str]]:
    return [(one.label(name), one.text(name)) for name in wanted if name in one.kind.fields]


def pairs(pictures: Sequence[Picture]) -> list[tuple[Picture | None, Picture | None]]:
    """Before and after from the same spot; what has no partner stands alone."""
    before = [one for one in pictures if one.field == "photos"]
    after = [one for one in pictures if one.field == "after"]
    by_pair = {one.pair: one for one in after if one.pair}
    found: list[tuple[Picture | None, Picture | None]] = [(one, by_pair.get(one.key)) for one in before]
    keys = {one.key for one in before}
    return found + [(None, one) for one in after if one.pair not in keys]


async def notice(one: Opened) -> Mapping[str, Any]:
    t = one.reader.t
    return {
        "heading": t("page.notice"), "rows": facts(one, FACTS), "texts": texts(one, TEXTS),
        "before": [picture for picture in one.pictures if picture.field == "photos"],
        "photos_heading": one.label("photos"), "order": t("page.notice_order", due=one.text("due") or "____"),
        "signers": [t("page.issued_by"), t("page.received_by"), t("page.date")], "colon": t("page.colon"),
    }  # fmt: skip


async def reply(one: Opened) -> Mapping[str, Any]:
    t = one.reader.t
    done = one.record["state"] in CLOSED
    return {
        "heading": t("page.reply"), "rows": facts(one, REPLY_FACTS), "texts": texts(one, REPLY_TEXTS),
        "pairs": pairs(one.pictures), "opinion": t("page.recheck_good") if done else "",
        "signers": [t("page.done_by"), t("page.rechecked_by"), t("page.date")], "colon": t("page.colon"),
    }  # fmt: skip


def reports(module: str, kind: str) -> dict[str, Report]:
    kinds = frozenset({kind})
    return {
        f"{module}.notice": Report(kinds, "report/notice.html", notice),
        f"{module}.reply": Report(kinds, "report/reply.html", reply),
    }
