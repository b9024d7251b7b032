"""What ids are called, for tables and lists that people read: the names of a project's people and things."""

from __future__ import annotations

from server.store.tables import Member, Place, Team


async def names_of_people(project: str) -> dict[str, str]:
    """Everybody who is or was on the project."""
    name = Member.person._.name.as_alias("name")
    rows = await Member.select(Member.person, name).where(Member.project == project)
    return {row["person"]: row["name"] for row in rows}


async def all_names(project: str) -> dict[str, str]:
    """Its people, teams and places."""
    names = await names_of_people(project)
    for table in (Team, Place):
        rows = await table.select(table.id, table.name).where(table.project == project)
        names.update({row["id"]: row["name"] for row in rows})
    return names
