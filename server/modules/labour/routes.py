"""The addresses of labour: the month as XLSX, the month and the day as pages to print."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.params import QueryParameter

from server.core.problem import Problem
from server.modules.labour.page import day_values, month_values
from server.modules.labour.read import SHIFT, Asked, read_sheet
from server.modules.labour.sheet import month_of
from server.modules.labour.words import month_title
from server.web.caller import TheCaller
from server.web.export import disposition
from server.web.language import Words
from server.web.page import page
from server.web.site import TheSite
from server.web.wire import ID, AskedDay, AskedId

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AskedMonth = Annotated[str, QueryParameter(pattern="^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$", description="YYYY-MM")]
AskedTeam = Annotated[str | None, QueryParameter(pattern=ID, description="Only this team's sheet")]
AskedPerson = Annotated[str | None, QueryParameter(pattern=ID, description="Only this person's line")]


@get("/api/labour/month.xlsx", summary="The month's attendance as XLSX", tags=["labour"], media_type=XLSX)
async def month_xlsx(
    caller: TheCaller,
    site: TheSite,
    project: AskedId,
    month: AskedMonth,
    team: AskedTeam = None,
    person: AskedPerson = None,
) -> Response[bytes]:
    """One worksheet a team, ready to print and sign; each caller gets the lines that he may see."""
    from server.modules.labour.workbook import month_workbook

    read = await read_sheet(caller, site, Asked(project, *month_of(month), team, person))
    t = Words(caller.lang)
    content = await asyncio.to_thread(month_workbook, read.sheet, read.project, t)
    name = f"{read.project} {t('page.month_sheet', month=month_title(read.sheet.first, t))}.xlsx"
    return Response(content, media_type=XLSX, headers=disposition(name))


@get("/print/labour/month", summary="The month's attendance to print", tags=["labour"], media_type="text/html")
async def month_page(
    caller: TheCaller,
    site: TheSite,
    project: AskedId,
    month: AskedMonth,
    team: AskedTeam = None,
    person: AskedPerson = None,
) -> Response[str]:
    read = await read_sheet(caller, site, Asked(project, *month_of(month), team, person))
    return page("labour/month.html", lang=caller.lang, **month_values(read.sheet, read.project, Words(caller.lang)))


@get("/print/labour/day", summary="A day's attendance to print", tags=["labour"], media_type="text/html")
async def day_page(
    caller: TheCaller,
    site: TheSite,
    project: AskedId,
    day: AskedDay,
    team: AskedTeam = None,
    person: AskedPerson = None,
) -> Response[str]:
    real = real_day(day)
    read = await read_sheet(caller, site, Asked(project, real, real, team, person))
    kind = site.declarations.kinds[SHIFT]
    values = day_values(read.sheet, read.project, read.zone, kind, Words(caller.lang))
    return page("labour/day.html", lang=caller.lang, **values)


def real_day(day: str) -> str:
    """Raises `malformed` for a day that no calendar has."""
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise Problem("malformed", reason="day: YYYY-MM-DD") from error


routes: Final[list[Any]] = [month_xlsx, month_page, day_page]
