"""Templates as files: the shipped library is whole, files go out and come back the same, wrong and hostile
ones are answered with what is wrong and where."""

from __future__ import annotations

import json
import shutil
import uuid
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from server.core.declaration import BadDeclaration, load
from server.modules.inspections import book_reading
from server.modules.inspections.book_reading import Unreadable, read_workbook
from server.modules.inspections.document import Document, document_of, read_document
from server.modules.inspections.library import TEMPLATE, Library, check
from server.modules.inspections.question import asked
from server.modules.inspections.score import score
from server.modules.inspections.template import read_template
from server.modules.inspections.workbook import template_workbook
from tests.server.web.kit import Phone, Town

SHARED: Final = Path("shared")
DECLARED: Final = load(SHARED / "modules")
KIND: Final = DECLARED.kinds[TEMPLATE]
LIBRARY: Final = Library(SHARED, DECLARED).by_key
EACH: Final = pytest.mark.parametrize("key", LIBRARY)
SMALL: Final[Document] = {
    "name": "巡查",
    "sections": [
        {"key": "s1", "title": "通道", "items": [{"key": "a1", "text": "畅通", "kind": "score", "full": 2.5}]}
    ],
}  # fmt: skip


def changed(**item: Any) -> Document:
    document = json.loads(json.dumps(SMALL))
    document["sections"][0]["items"][0] |= item
    return dict(document)


# The library


def test_it_holds_what_a_site_writes_down() -> None:
    assert {
        "jgj59", "lot", "rebar", "witness", "daylog", "safetylog", "supervisionlog", "walk", "materials",
        "safety_walk", "pour",
    } <= LIBRARY.keys()  # fmt: skip


@EACH
def test_every_template_of_it_fits_the_declaration_and_says_everything_in_both_languages(key: str) -> None:
    values = LIBRARY[key].values
    for path, value in values.items():
        assert KIND.reason(path, value) is None, path
    assert values["name_en"]
    template = read_template(values)
    assert template.sections[-1].key, "an item without a section"
    for section in template.sections:
        assert section.title, section.key
        assert section.title_en.isascii(), section.title_en
    for item in template.items:
        assert any("\u4e00" <= sign <= "\u9fff" for sign in item.text), item.text
        assert item.text_en.replace("°", "").isascii(), item.text_en
        assert bool(item.help) == bool(item.help_en), item.key


@EACH
def test_every_question_of_it_can_come_up(key: str) -> None:
    """Each condition names an answer that its item can give."""
    template = read_template(LIBRARY[key].values)
    for item in template.items:
        if item.when_item:
            on = template.item_by_key[item.when_item]
            keys = {one.partition("=")[0].strip() for one in on.options.split(";")} | {"pass", "fail", "na"}
            assert set(item.when_is.split(",")) <= keys, item.key
    assert asked(template, {})


def test_jgj_59_has_its_nineteen_tables_each_of_a_hundred_points() -> None:
    template = read_template(LIBRARY["jgj59"].values)
    assert (len(template.sections), len(template.items)) == (19, 189)
    weights = {section.group: section.weight for section in template.sections}
    assert len(weights) == 10
    assert sum(weight or 0 for weight in weights.values()) == 10_000
    for section in template.sections:
        assert sum(item.full or 0 for item in section.items) == 1000, section.title
        guarantee = sum(item.full or 0 for item in section.items if item.guarantee)
        assert guarantee == (0 if section.title_en in ("Work at height", "Construction machinery") else 600)
    assert sum(bool(item.doubt) for item in template.items) > 100
    said = json.dumps(dict(LIBRARY["jgj59"].values), ensure_ascii=False)
    assert "强制性条文" not in said


def test_the_checked_example_stands_on_the_shipped_tables_too() -> None:
    """85, 90, 80, no pit, 78, 88, 82, 90, the mean of 84 and 80 = 82, 80: D 76.0 of E 90 is 84.44."""
    template = read_template(LIBRARY["jgj59"].values)
    wanted = {
        "b01": 85, "b02": 90, "b03": 80, "b12": 78, "b13": 88, "b14": 82, "b15": 90, "b17": 84, "b18": 80, "b19": 80,
    }  # fmt: skip
    values: dict[str, Any] = {}
    for section in template.sections:
        lost = (100 - wanted.get(section.key, 100)) * 10
        for item in section.items:
            if section.key not in wanted:
                values[f"answers.{item.key}.result"] = "na"
                continue
            points = min(lost, (item.full or 0) // 3)
            values[f"answers.{item.key}.points"] = points
            lost -= points
    found = score(template, values)
    assert (found.score, found.grade, found.missing) == (8444, "excellent", [])
    values["answers.b14_01.points"] = template.item_by_key["b14_01"].full
    assert score(template, values).grade == "fail"


def test_a_wrong_file_stops_the_start_with_its_name_the_place_and_the_reason(tmp_path: Path) -> None:
    shutil.copytree(SHARED / "templates", tmp_path / "templates")
    check(tmp_path, DECLARED)
    (tmp_path / "templates" / "odd.json").write_text(json.dumps(changed(kind="guess")))
    with pytest.raises(BadDeclaration, match=r"odd\.json: \$\.sections\[0\]\.items\[0\]\.kind: option"):
        check(tmp_path, DECLARED)
    (tmp_path / "templates" / "odd.json").write_text("{")
    with pytest.raises(BadDeclaration, match=r"odd\.json: \$: not JSON"):
        check(tmp_path, DECLARED)


# Out and in


@EACH
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_out_and_in_again_is_the_same(key: str, lang: Any) -> None:
    values = LIBRARY[key].values
    document = document_of(values, KIND)
    assert read_document(json.loads(json.dumps(document)), KIND).values == values
    reading = read_workbook(template_workbook(document, KIND, lang), KIND)
    assert reading.faults == []
    assert reading.values == values


ROWS: Final = st.fixed_dictionaries(
    {"text": st.text(min_size=1, max_size=30), "kind": st.sampled_from(["check", "number", "text", "photo"])},
    optional={
        "clause": st.text(max_size=20), "help": st.text(max_size=50), "required": st.just(True),
        "low": st.integers(-(10**9), 0).map(lambda n: n / 1000), "high": st.integers(0, 10**9).map(lambda n: n / 1000),
        "weight": st.integers(0, 100_000).map(lambda n: n / 100), "veto": st.just(True),
    },
)  # fmt: skip


@given(st.lists(st.lists(ROWS, min_size=1, max_size=4), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_whatever_people_type_comes_back_as_it_was(sections: list[list[dict[str, Any]]]) -> None:
    """Spaces around a text aside, and what a sheet cannot hold."""
    document = {
        "name": "x",
        "sections": [
            {"key": f"s{i}", "items": [{"key": f"s{i}_{j}", **tidied(row)} for j, row in enumerate(items)]}
            for i, items in enumerate(sections)
        ],
    }
    reading = read_document(document, KIND)
    if reading.faults:
        return
    again = read_workbook(template_workbook(document_of(reading.values, KIND), KIND, "zh"), KIND)
    assert again.faults == []
    assert again.values == reading.values


def tidied(row: dict[str, Any]) -> dict[str, Any]:
    clean = {name: one_line(value) if isinstance(value, str) else value for name, value in row.items()}
    return {name: value for name, value in clean.items() if value != "" and "_x" not in str(value)}


def one_line(text: str) -> str:
    return " ".join("".join(sign for sign in text if sign.isprintable()).split())


def test_a_cell_never_becomes_a_formula() -> None:
    document = changed(text="=1+1", help='=HYPERLINK("http://x")', clause="+1", deductions=["5|@SUM(A1)|-2"])
    book = load_workbook(BytesIO(template_workbook(document, KIND, "en")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {"=1+1", '=HYPERLINK("http://x")'} <= {cell.value for cell in cells}
    assert {cell.data_type for cell in cells} <= {"s", "n"}


# What is wrong, and where


WRONG: Final[dict[str, tuple[Any, str, str]]] = {
    "no object": ([], "$", "type"),
    "no name": ({**SMALL, "name": ""}, "name", "required"),
    "a word nobody knows": ({**SMALL, "colour": "red"}, "colour", "unknown"),
    "no sections": ({**SMALL, "sections": []}, "sections", "empty"),
    "no items": ({**SMALL, "sections": [{"key": "s1", "items": []}]}, "sections", "empty"),
    "a section that is a word": ({**SMALL, "sections": ["x"]}, "sections[0]", "type"),
    "an item that is a number": ({**SMALL, "sections": [{"key": "s", "items": [1]}]}, "sections[0].items[0]", "type"),
    "a key twice": (
        {**SMALL, "sections": [SMALL["sections"][0], {**SMALL["sections"][0], "key": "s2"}]},
        "sections[1].items[0].key", "twice",
    ),
    "a bad key": (changed(key="A 1"), "sections[0].items[0].key", "key"),
    "a key that parts could not add to": (changed(key="a__1"), "sections[0].items[0].key", "key"),
    "a kind nobody knows": (changed(kind="guess"), "sections[0].items[0].kind", "option"),
    "no text": (changed(text=None), "sections[0].items[0].text", "required"),
    "a score without points": (changed(full=None), "sections[0].items[0].full", "required"),
    "a hundredth of a point": (changed(full=0.25), "sections[0].items[0].full", "decimals"),
    "a word for a number": (changed(full="ten"), "sections[0].items[0].full", "not_a_number"),
    "no number at all": (changed(low=float("nan")), "sections[0].items[0].low", "not_a_number"),
    "an endless number": (changed(low=1e300), "sections[0].items[0].low", "max"),
    "points below nothing": (changed(full=-1), "sections[0].items[0].full", "min"),
    "limits the wrong way round": (changed(kind="number", low=2, high=1), "sections[0].items[0].low", "limits"),
    "a choice of nothing": (changed(kind="choice"), "sections[0].items[0].options", "required"),
    "a choice nobody can read": (changed(options="yes;no"), "sections[0].items[0].options", "options"),
    "a deduction nobody can read": (changed(deductions=["much|多"]), "sections[0].items[0].deductions", "deduction"),
    "asked after nothing": (changed(when_item="zz"), "sections[0].items[0].when_item", "no_item"),
    "asked after itself": (changed(when_item="a1"), "sections[0].items[0].when_item", "no_item"),
    "too long a text": (changed(text="长" * 501), "sections[0].items[0].text", "max"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_document_says_what_and_where(name: str) -> None:
    document, at, code = WRONG[name]
    assert (at, code) in [(fault.at, fault.code) for fault in read_document(document, KIND).faults]


def book_of(change: Any) -> bytes:
    """The small template as people would save it, after a change."""
    book = load_workbook(BytesIO(template_workbook(SMALL, KIND, "zh")))
    change(book)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def put(cell: str, value: Any, sheet: str = "检查项") -> Any:
    return lambda book: book[sheet].__setitem__(cell, value)


CELLS: Final[dict[str, tuple[Any, str, str]]] = {
    "a formula": (put("C2", "=1+1"), "检查项!C2", "formula"),
    "a word for a number": (put("F2", "十分"), "检查项!F2", "not_a_number"),
    "a hundredth of a point": (put("F2", 0.25), "检查项!F2", "decimals"),
    "a kind nobody knows": (put("E2", "猜"), "检查项!E2", "option"),
    "neither yes nor no": (put("L2", "也许"), "检查项!L2", "type"),
    "a heading nobody knows": (put("X1", "颜色"), "检查项!X1", "column"),
    "no text": (put("C2", None), "检查项!C2", "required"),
    "a key twice": (lambda book: book["检查项"].append(["s1", "a1", "又一项", None, "合格判定"]), "检查项!B3", "twice"),
    "no name": (put("B1", None, "检查表"), "检查表!B1", "required"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_wrong_sheet_says_which_cell(name: str) -> None:
    change, at, code = CELLS[name]
    faults = [(fault.at, fault.code) for fault in read_workbook(book_of(change), KIND).faults]
    assert (at, code) in faults
    assert len(faults) == 1


def test_a_sheet_typed_by_hand_needs_no_keys_and_no_sections_sheet() -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    items = book.create_sheet("Items")
    items.append(["Section", "Item", "Type", "Full score", "Required"])
    items.append(["临边", "护栏牢固", "扣分", 10, "是"])
    items.append([None, "踢脚板", "Pass or fail", None, None])
    items.append(["用电", "漏保", "check", None, "no"])
    head = book.create_sheet("template")
    head.append(["名称", "我的检查表"])
    out = BytesIO()
    book.save(out)
    reading = read_workbook(out.getvalue(), KIND)
    assert reading.faults == []
    template = read_template(reading.values)
    assert [(section.title, [item.text for item in section.items]) for section in template.sections] == [
        ("临边", ["护栏牢固", "踢脚板"]), ("用电", ["漏保"]),
    ]  # fmt: skip
    assert [item.required for item in template.items] == [True, False, False]


# Hostile files


def zipped(**parts: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return out.getvalue()


def with_part(name: str, content: bytes) -> bytes:
    out = BytesIO(template_workbook(SMALL, KIND, "zh"))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, content)
    return out.getvalue()


HOSTILE: Final[dict[str, tuple[bytes, str]]] = {
    "no zip at all": (b"PK\x03\x04 and nothing", "file"),
    "a zip of something else": (zipped(**{"a.txt": b"hello"}), "file"),
    "a bomb": (with_part("xl/media/x.bin", b"\0" * 20_000_000), "too_large"),
    "many parts": (zipped(**{f"p{i}": b"" for i in range(200)}), "too_large"),
    "entities": (with_part("xl/x.xml", b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), "file"),
    "no items": (book_of(lambda book: book.remove(book["检查项"])), "sheet"),
    "a row far down": (book_of(put("C90000", "x")), "too_many"),
    "cut off": (template_workbook(SMALL, KIND, "zh")[:-200], "file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused(name: str) -> None:
    content, code = HOSTILE[name]
    with pytest.raises(Unreadable) as refused:
        read_workbook(content, KIND)
    assert refused.value.code == code


def test_a_wide_sheet_is_looked_at_only_so_far() -> None:
    reading = read_workbook(book_of(put("XFD2", "x")), KIND)
    assert reading.faults == []
    assert book_reading.COLUMNS_MAX < 100


# Over HTTP


async def read(phone: Phone, project: str, content: bytes, lang: str = "zh") -> Any:
    address = f"/api/inspections/templates/read?project={project}&lang={lang}"
    return await phone.http.post(address, content=content)


async def test_the_library_is_listed_and_a_template_of_it_becomes_a_record(town: Town) -> None:
    phone = await town.phone("office")
    listed = (await phone.http.get("/api/inspections/library")).json()["templates"]
    assert {one["key"] for one in listed} == LIBRARY.keys()
    assert next(one["items"] for one in listed if one["key"] == "jgj59") == 189
    for one in listed:
        values = (await phone.http.get(f"/api/inspections/library/{one['key']}")).json()["values"]
        r = str(uuid.uuid4())
        answer = await phone.push(town.one, [{"k": "new", "c": TEMPLATE, "r": r, "set": {**values, "version": 1}}])
        assert answer.json()["results"][0]["status"] == "applied", one["key"]
        for suffix in ("json", "xlsx"):
            file = await phone.http.get(f"/api/inspections/templates/{r}.{suffix}?project={town.one}")
            again = await read(phone, town.one, file.content)
            assert again.json() == {"values": values}, (one["key"], suffix)


async def test_a_wrong_file_is_told_in_the_language_of_the_caller(town: Town) -> None:
    phone = await town.phone("office")
    content = book_of(put("F2", "十分"))
    fault = {"at": "检查项!F2", "code": "not_a_number"}
    for lang, message in (("zh", "不是数字"), ("en", "Not a number")):
        answer = await read(phone, town.one, content, lang)
        assert (answer.status_code, answer.json()["code"]) == (422, "wrong_file")
        assert answer.json()["faults"] == [{**fault, "message": message}]
    assert (await read(phone, town.one, b"\x00")).json()["faults"][0]["code"] == "file"


async def test_every_code_has_words_in_both_languages() -> None:
    codes = {code for _, _, code in (*WRONG.values(), *CELLS.values())} | {code for _, code in HOSTILE.values()}
    for language in ("zh-CN", "en"):
        known = json.loads((SHARED / "locales" / f"{language}.json").read_text("utf-8"))
        assert [code for code in codes if f"page.template.{code}" not in known and f"reason.{code}" not in known] == []


async def test_a_file_too_large_is_refused_before_it_is_read(town: Town) -> None:
    answer = await read(await town.phone("office"), town.one, b"PK" + b"\0" * 3_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_template_of_another_site_is_not_there(town: Town) -> None:
    office, stranger = await town.phone("office"), await town.phone("stranger")
    r = str(uuid.uuid4())
    await office.push(town.one, [{"k": "new", "c": TEMPLATE, "r": r, "set": {"name": "x"}}])
    address = f"/api/inspections/templates/{r}.json?project="
    assert (await office.http.get(address + town.one)).status_code == 200
    assert (await stranger.http.get(address + town.one)).status_code == 403
    assert (await stranger.http.get(address + town.two)).status_code == 404
