"""The OpenAPI of every address, as JSON at `/api/schema`: the framework's part and the exchange's.

The framework would describe its own errors; here every operation answers trouble with the one problem
body (P9), changing ones name the header that they need, and all but a few the session's cookie.
"""

from __future__ import annotations

from typing import Any, Final

from litestar.enums import OpenAPIMediaType
from litestar.openapi.plugins import OpenAPIRenderPlugin

from server.core.problem import CATALOGUE
from server.web import uploads
from server.web.answer import TYPE
from server.web.caller import COOKIE
from server.web.edge import SAFE
from server.web.exchange import PATHS
from server.web.request import HttpRequest

WITHOUT_SESSION: Final = frozenset({"/api/hello", "/healthz", "/api/login", "/api/enrol", "/lan", "/lan/gongbu.crt"})
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "message", "do"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"enum": sorted(CATALOGUE)},
        "message": {"type": "string", "description": "In the language of Accept-Language or ?lang"},
        "do": {"enum": sorted({sort.do for sort in CATALOGUE.values()})},
        "advice": {"type": "string"},
        "reason": {"type": "string"},
    },
}
RESPONSE: Final = {"description": "Trouble", "content": {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
FROM_APP: Final = {
    "name": "X-Requested-With",
    "in": "header",
    "required": True,
    "schema": {"const": "gongbu"},
}


class Schema(OpenAPIRenderPlugin):
    def __init__(self) -> None:
        super().__init__(path="/", media_type=OpenAPIMediaType.OPENAPI_JSON, favicon="", style="")

    def render(self, request: HttpRequest, openapi_schema: dict[str, Any]) -> bytes:
        return self.render_json(request, whole(openapi_schema))


def whole(schema: dict[str, Any]) -> dict[str, Any]:
    components = schema.get("components", {})
    paths = {**schema["paths"], **PATHS, **uploads.PATHS}
    return {
        **schema,
        "components": {
            **components,
            "schemas": {**components.get("schemas", {}), "Problem": PROBLEM},
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}},
        },
        "paths": {path: described(path, item) for path, item in paths.items()},
    }


def described(path: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        method: {
            **operation,
            "parameters": [*operation.get("parameters", []), *([] if method.upper() in SAFE else [FROM_APP])],
            "responses": {**right(operation["responses"]), "default": RESPONSE},
            "security": [] if path in WITHOUT_SESSION else [{"session": []}],
        }
        for method, operation in item.items()
    }


def right(responses: dict[str, Any]) -> dict[str, Any]:
    """Those for requests that go well."""
    return {status: response for status, response in responses.items() if status < "400"}
