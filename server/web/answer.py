"""Trouble as `application/problem+json`, in the caller's language (P9).

One body for all of it: type, title, status, code, message, do, and what the problem adds. Whatever
the framework refuses by itself (a wrong type, an unknown path) comes out as a code of the same list.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException

from server.core.problem import CATALOGUE, Problem
from server.store.database import Clash
from server.web import log
from server.web.language import FIRST, Language, choose, named, words
from server.web.request import HttpRequest

if TYPE_CHECKING:
    from litestar.types import Scope, Send

TYPE: Final = "application/problem+json"
BY_STATUS: Final = {
    401: "signed_out",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_type",
    429: "too_many_tries",
    503: "unavailable",
}
REASON_MAX: Final = 300


def message(code: str, language: Language) -> str:
    return words(language).get(f"problem.{code}", code)


def message_in(code: str, language: str) -> str:
    """The same for a language tag (`zh-CN`)."""
    return message(code, named(language) or FIRST)


def body(problem: Problem, language: Language) -> dict[str, Any]:
    said = message(problem.code, language)
    advice = words(language).get(f"problem.{problem.code}.do")
    return {
        "type": f"urn:gongbu:problem:{problem.code}",
        "title": said,
        "status": problem.sort.status,
        "code": problem.code,
        "message": said,
        "do": problem.sort.do,
        **({"advice": advice} if advice else {}),
        **problem.extra,
    }


def headers(problem: Problem) -> dict[str, str]:
    return {"Retry-After": str(problem.retry_after)} if problem.retry_after is not None else {}


def language_of(scope: Scope) -> Language:
    accept = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
    return choose(scope.get("query_string", b""), accept.decode("latin-1"))


def answer(request: HttpRequest, problem: Problem) -> Response[bytes]:
    said = msgspec.json.encode(body(problem, language_of(request.scope)))
    return Response(said, status_code=problem.sort.status, media_type=TYPE, headers=headers(problem))


def of_framework(error: HTTPException) -> Problem:
    """What Litestar refused, as a problem of the catalogue."""
    if isinstance(error, ValidationException):
        return Problem("malformed", reason=why(error))
    if error.status_code in BY_STATUS:
        return Problem(BY_STATUS[error.status_code])
    if error.status_code < 500:
        return Problem("malformed", reason=str(error.detail)[:REASON_MAX])
    return Problem("broken")


def why(error: ValidationException) -> str:
    """`device.key: Expected `str`, got `int``: the field and what is wrong with it."""
    found = error.extra if isinstance(error.extra, list) else []
    parts = [": ".join(filter(None, (one.get("key"), one.get("message")))) for one in found if isinstance(one, dict)]
    return ("; ".join(parts) or str(error.detail))[:REASON_MAX]


def handle(request: HttpRequest, error: Exception) -> Response[bytes]:
    """The exception handler of the whole application."""
    if isinstance(error, Problem):
        return answer(request, error)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return answer(request, of_framework(error))
    if isinstance(error, Clash):  # two wanted the same name or code at once
        return answer(request, Problem("taken"))
    if is_unreadable(error):
        return answer(request, Problem("malformed", reason="the body is not JSON in UTF-8"))
    log.error("broken", error, id=request.scope.get("request_id"))
    return answer(request, Problem("broken"))


def is_unreadable(error: Exception) -> bool:
    """A body in broken UTF-8 or nested without end, which the framework's reader does not catch."""
    if not isinstance(error, UnicodeDecodeError | RecursionError):
        return False
    *_, (last, _) = traceback.walk_tb(error.__traceback__)
    return last.f_code.co_name == "decode_json"


async def send_problem(scope: Scope, send: Send, problem: Problem) -> None:
    """The same answer from outside the framework."""
    said = msgspec.json.encode(body(problem, language_of(scope)))
    told = [(name.lower().encode(), value.encode()) for name, value in headers(problem).items()]
    told += [(b"content-type", TYPE.encode()), (b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": problem.sort.status, "headers": told})
    await send({"type": "http.response.body", "body": said, "more_body": False})


assert set(BY_STATUS.values()) <= set(CATALOGUE)
