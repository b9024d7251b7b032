"""The SQL view of a kind shows what a person would see, on both engines alike."""

from __future__ import annotations

import json

from tests.server.site import Site, change, entry, new_id

COLUMNS = "day, note, amount, done, tags, _state"


async def test_a_view_shows_the_values_shown_and_leaves_deleted_records_out(site: Site) -> None:
    plain, edited, gone = new_id(), new_id(), new_id()
    me = site.worker.person
    await site.worker.write(
        entry(me, "2026-03-01", plain, note="工 'quoted'", amount=1234, done=True, tags=["a"]),
        entry(me, "2026-03-02", edited, note="before", amount=1),
        entry(me, "2026-03-03", gone),
    )
    await site.worker.write(
        change("yard.entry", edited, "note", "after"),
        change("yard.entry", edited, "amount", None),
        {"k": "add", "c": "yard.entry", "r": edited, "f": "tags", "v": "b"},
        {"k": "del", "c": "yard.entry", "r": gone},
    )
    rows = await site.store.rows(f"SELECT {COLUMNS} FROM yard_entry WHERE _project = ? ORDER BY day", site.project)
    shown = [(*row[:3], None if row[3] is None else bool(row[3]), json.loads(row[4]), row[5]) for row in rows]
    assert shown == [
        ("2026-03-01", "工 'quoted'", 1234, True, ["a"], "open"),
        ("2026-03-02", "after", None, None, ["b"], "open"),
    ]


async def test_a_view_counts_photos_and_rows_have_a_view_of_their_own(site: Site) -> None:
    r, c = new_id(), "yard.notice"
    photo = {"sha": "a" * 64, "at": 1, "w": 1, "h": 1}
    spot = {"plan": "p1", "page": 2, "x": 5, "y": 6}
    values: dict[str, object] = {"photos.p1": photo, "photos.p2": photo, "lines.a1.what": "pour", "lines.a1.hours": 8}
    await site.worker.write({"k": "new", "c": c, "r": r, "set": {"text": "x", "spot": spot, **values}})
    await site.worker.write(
        *(change(c, r, f"photos.{key}", value) for key, value in (("p1", None), ("p3", photo), ("p4", None))),
        change(c, r, "marks.p3", {"shapes": [{"t": "text", "c": "red", "p": [1, 1], "s": "x"}]}),
        change(c, r, "lines.a1.hours", 9),
        change(c, r, "lines.b2.ok", True),
        change(c, r, "lines.c3.what", None),
    )
    ((found, pin, photos, lines),) = await site.store.rows(
        "SELECT _id, spot, photos_count, lines_count FROM yard_notice WHERE _project = ?", site.project
    )
    assert (found, json.loads(pin), photos, lines) == (r, spot, 2, 2)
    rows = await site.store.rows(
        "SELECT _key, what, hours, ok FROM yard_notice__lines WHERE _project = ? AND _id = ? ORDER BY _key",
        site.project,
        r,
    )
    shown = [(*row[:3], None if row[3] is None else bool(row[3])) for row in rows]
    assert shown == [("a1", "pour", 9, None), ("b2", None, None, True)]


async def test_every_declared_kind_has_a_view(site: Site) -> None:
    for name in ("core_project", "core_person", "core_team", "core_place", "yard_plan", "yard_paper", "yard_total"):
        await site.store.rows(f"SELECT * FROM {name}")
    rows = await site.store.rows("SELECT name, roles FROM core_person WHERE _id = ?", site.worker.person)
    assert [(name, json.loads(roles)) for name, roles in rows] == [("worker", ["worker"])]


async def test_records_are_read_by_day_in_chunks(site: Site, monkeypatch: object) -> None:
    from server.store import store as stores

    days = [f"2026-03-{day:02}" for day in (1, 1, 2, 3, 3, 3, 4)]
    await site.office.write(*(entry(site.worker.person, day) for day in days))
    await site.office.write({"k": "new", "c": "yard.entry", "r": new_id(), "set": {"worker": site.worker.person}})
    size = stores.CHUNK_MAX
    stores.CHUNK_MAX = 2  # type: ignore[misc]
    try:
        chunks = [c async for c in site.store.records(site.project, "yard.entry", "2026-03-01", "2026-03-03")]
        every = [c async for c in site.store.records(site.project, "yard.entry")]
    finally:
        stores.CHUNK_MAX = size  # type: ignore[misc]
    found = [json.loads(body)["set"]["day"] for chunk in chunks for _, body in chunk]
    assert found == days[:-1]
    assert all(len(chunk) <= 2 for chunk in chunks)
    assert sum(map(len, every)) == len(days) + 1
    assert {aud for chunk in chunks for aud, _ in chunk} == {f"person:{site.worker.person}"}
