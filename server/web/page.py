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
from server.web.language import Words

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
    """A whole page; `t("page.total")` in the template says it in the reader's language."""
    said = render(template, lang=lang, t=Words(lang), **values)
    return Response(said, media_type=HTML, status_code=status)
