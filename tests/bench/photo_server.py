"""The server with one address more: a plain PUT as one would write it, by a signed-in person, that writes a file,
fsyncs it and answers. `python -m tests.bench.photo_server PORT FOLDER`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import uvicorn
from litestar import put

from server.app import App, find_modules
from server.config import Settings
from server.web.caller import TheCaller
from server.web.request import HttpRequest
from server.web.site import TheSite

BODY_MAX: Final = 10_000_000


@put("/bench/{name:str}", status_code=204, request_max_body_size=BODY_MAX, include_in_schema=False)
async def plain(request: HttpRequest, caller: TheCaller, site: TheSite, name: str) -> None:
    content = await request.body()
    handle = os.open(site.settings.data / "plain" / name, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    os.write(handle, content)
    os.fsync(handle)
    os.close(handle)


async def main() -> None:
    folder = Path(sys.argv[2])
    (folder / "plain").mkdir(exist_ok=True)
    more = ModuleType("plain")
    more.routes = [plain]  # type: ignore[attr-defined]
    app = App(Settings(data=folder), modules=[*find_modules(), more])
    async with app.lifespan():
        config = uvicorn.Config(
            app, host="127.0.0.1", port=int(sys.argv[1]), http="httptools", lifespan="off",
            log_config=None, access_log=False,
        )  # fmt: skip
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
