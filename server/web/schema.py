"""The OpenAPI of every address, as JSON at `/api/schema`: the framework's part and the exchange's."""

from __future__ import annotations

from typing import Any

from litestar.enums import OpenAPIMediaType
from litestar.openapi.plugins import OpenAPIRenderPlugin

from server.web.exchange import PATHS
from server.web.request import HttpRequest


class Schema(OpenAPIRenderPlugin):
    def __init__(self) -> None:
        super().__init__(path="/", media_type=OpenAPIMediaType.OPENAPI_JSON, favicon="", style="")

    def render(self, request: HttpRequest, openapi_schema: dict[str, Any]) -> bytes:
        return self.render_json(request, whole(openapi_schema))


def whole(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "paths": {**schema["paths"], **PATHS}}
