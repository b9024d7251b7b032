"""Pages made on the server: what is printed, and what must work before the app does (Jinja2).

Everything is escaped, nothing inline is allowed (the policy), styles lie in `server/web/static`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from litestar import Response
from markupsafe import Markup

from server.web import qr

if TYPE_CHECKING:
    from jinja2 import Environment

HERE: Final = Path(__file__).parent
HTML: Final = "text/html; charset=utf-8"
FOLDERS: Final = [HERE / "templates", HERE.parent / "modules" / "templates"]


@cache
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(loader=FileSystemLoader(FOLDERS), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.globals["qr"] = lambda text: Markup(qr.svg(text))
    return made


def render(template: str, **values: object) -> str:
    return environment().get_template(template).render(**values)


def page(template: str, *, lang: str, status: int = 200, **values: object) -> Response[str]:
    """A whole page; `t(zh, en)` in the template picks the reader's language."""

    def t(zh: str, en: str) -> str:
        return zh if lang == "zh" else en

    return Response(render(template, lang=lang, t=t, **values), media_type=HTML, status_code=status)
