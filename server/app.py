"""The top of the server: finds the modules, opens the store, and puts the floors together.

A module is `server/modules/<name>.py` or a package of that name. What it has beyond its declaration
it hands in as plain values, all of them optional:
    routes: list      Litestar handlers; `site: Site` and `caller: Caller` are injected by name
    reports: dict     the name of a paper form → how it is filled (`server.web.report`)
    files: dict       kind → what is done with a file that a record of it names, once it has come: (site, sha)
    computed: dict    the name in a kind's `computed_by` → how it is computed (`server.sync.computed`)
    check: callable   (shared folder, declarations): looks at the data that the module ships, raises BadDeclaration
Its pages lie in `server/modules/templates/<name>/`, their styles in `server/modules/static/`.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig

from server.config import VERSION, Settings
from server.core.declaration import Declarations, load
from server.store.store import open_store
from server.store.tables import Project
from server.sync.alert.address import Wire
from server.sync.alert.alerts import Alerts
from server.sync.alert.channel.push import Push
from server.sync.alert.ground import Outside
from server.sync.photos import Photos
from server.sync.sync import Sync
from server.web import answer, face, language, shell
from server.web.caller import caller
from server.web.edge import Edge
from server.web.keys import Keys, read_or_make
from server.web.pdf import Pdf
from server.web.schema import Schema
from server.web.site import Site, clock_ms

MODULES: Final = Path(__file__).parent / "modules"
ENGINE: Final = frozenset({"core.mirror", "core.alerts"})  # the engine keeps these records itself
BODY_MAX: Final = 1024 * 1024


class NotHere(Exception):
    """This data folder is not for what was asked; the message says why."""


class App:
    """The whole server as one ASGI application. `site` is there while `lifespan` lasts."""

    def __init__(
        self, settings: Settings, now: Callable[[], int] = clock_ms, modules: Sequence[ModuleType] | None = None
    ) -> None:
        self.settings, self.now = settings, now
        self.modules = find_modules() if modules is None else modules
        self.declarations: Declarations = load(settings.shared / "modules")
        for module in self.modules:
            getattr(module, "check", lambda *_: None)(settings.shared, self.declarations)
        self.computed = computed_by_name(self.modules, self.declarations)
        self.framework = Litestar(
            [*face.routes, *(route for module in self.modules for route in getattr(module, "routes", []))],
            dependencies={"site": Provide(provide_site, sync_to_thread=False), "caller": Provide(caller)},
            exception_handlers={404: shell.elsewhere, Exception: answer.handle},
            lifespan=[self.open],
            openapi_config=OpenAPIConfig("工簿 Gongbu", VERSION, path="/api/schema", render_plugins=[Schema()]),
            request_max_body_size=BODY_MAX,
            logging_config=None,
        )
        self.edge = Edge(self.framework, settings)
        self.demo: Any = None

    @property
    def site(self) -> Site:
        site: Site = self.framework.state.site
        return site

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.edge(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[Site]:
        """For tests and the command line; uvicorn goes through the protocol instead."""
        async with self.open(self.framework):
            yield self.site

    @asynccontextmanager
    async def open(self, app: Litestar) -> AsyncIterator[None]:
        """Migrate, open, start; on the way out finish every commit."""
        keys = read_or_make(self.settings.data)
        store = await open_store(self.settings.database_url or None, self.settings.data, self.declarations)
        sync = Sync(store, self.declarations, computed=self.computed, message=answer.message_in, now=self.now)
        photos = Photos(sync, self.settings.files_place, self.settings.data, self.settings.limits, self.now)
        alerts = Alerts(store, self.declarations, outside(self.settings, keys), self.now, sync.is_busy)
        sync.outside.kinds |= alerts.jobs
        await sync.start()
        photos.start()
        site = Site(self.settings, self.declarations, store, sync, photos, alerts, keys, self.now)
        photos.files = {
            kind: partial(take, site) for module in self.modules for kind, take in getattr(module, "files", {}).items()
        }
        site.reports = {name: one for module in self.modules for name, one in getattr(module, "reports", {}).items()}
        pdf = site.own(Pdf)
        sync.slow.kinds |= pdf.jobs
        self.edge.site = app.state.site = site
        try:
            await self.prepare_demo(site)
            yield
        finally:
            for owned in site.owned.values():
                await owned.close()
            site.passwords.close()
            await sync.stop()
            await photos.close()
            await alerts.close()
            await store.close()

    async def prepare_demo(self, site: Site) -> None:
        """The demo site in a folder of its own, or not at all: everybody knows its passwords."""
        kinds = await Project.select(Project.demo).distinct().output(as_list=True)
        if self.settings.demo and 0 in kinds:
            raise NotHere("this data folder holds a real project; --demo needs a folder of its own (--data DIR)")
        if not self.settings.demo and 1 in kinds:
            raise NotHere("this data folder holds the demo site, whose passwords are public; start it with --demo")
        if self.settings.demo:
            from server.demo import set_up

            self.demo = await set_up(site)

    def demo_lines(self) -> list[str]:
        """Who can sign in to the demo site, to be printed."""
        if self.demo is None:
            return []
        names = [f"  {login:<12}{name}  {role}" for login, name, role in self.demo.logins]
        return ["Sign in with one of these names, password gongbu-demo:", *names]

    def hush(self) -> None:
        """The server is about to stop: let those go who only listen."""
        self.closing = asyncio.ensure_future(self.site.sync.hub.close())


def outside(settings: Settings, keys: Keys) -> Outside:
    """What alerts need of this server: its keys, its address, its words."""
    contact = settings.url if settings.url.startswith("https://") else "mailto:gongbu@localhost"
    return Outside(
        Wire(private=settings.private_addresses),
        Push(keys.vapid_private, settings.contact or contact),
        lambda path: (settings.url or f"http://localhost:{settings.port}") + path,
        keys.opened,
        lambda key, lang: language.words("en" if lang == "en" else "zh").get(key, key),
    )


def provide_site(state: State) -> Any:
    return state.site


def computed_by_name(modules: Sequence[ModuleType], declarations: Declarations) -> dict[str, Any]:
    """What modules compute, by the name in `computed_by`. A name that nobody answers to stops the start."""
    found = {name: one for module in modules for name, one in getattr(module, "computed", {}).items()}
    for kind in declarations.kinds.values():
        if kind.computed_by and kind.computed_by not in {*found, *ENGINE}:
            raise NotHere(f"{kind.c} is computed by {kind.computed_by!r}, which no module brings")
    return found


def find_modules() -> list[ModuleType]:
    names = sorted(found.name for found in pkgutil.iter_modules([str(MODULES)]))
    return [importlib.import_module(f"server.modules.{name}") for name in names]
