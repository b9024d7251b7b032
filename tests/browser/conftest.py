"""Browsers, sites and phones for the tests of this folder.

A demo site is made once and copied for each test, so that no test sees another's entries.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect, sync_playwright

from tests.browser import install
from tests.browser.chrome import Phone
from tests.browser.fox import Fox
from tests.browser.pushservice import PushService
from tests.browser.site import Site

NewPhone = Callable[..., Phone]
HERE = Path(__file__).parent

# Patience costs nothing when a thing comes; a busy machine needs it.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


def had(name: str) -> str:
    """The path of what is needed; without it the test is named as not run, which CI counts as a failure."""
    path = install.FINDERS[name]()
    if path is None:
        pytest.skip(f"{name} is not on this machine")
    return path


@pytest.fixture(scope="session")
def chromium() -> str:
    had("chinese")
    return had("chromium")


@pytest.fixture(scope="session")
def firefox() -> str:
    return had("firefox")


@pytest.fixture(scope="session")
def certutil() -> str:
    return had("certutil")


@pytest.fixture(scope="session")
def play() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo site as it is on the first day, stopped."""
    data = tmp_path_factory.mktemp("demo") / "data"
    site = Site(data).start()
    site.stop()
    return data


@pytest.fixture
def site(demo_data: Path, tmp_path: Path) -> Iterator[Site]:
    data = tmp_path / "data"
    shutil.copytree(demo_data, data)
    site = Site(data).start()
    yield site
    site.kill()
    assert site.troubles() == []


@pytest.fixture
def new_phone(play: Playwright, chromium: str, site: Site, tmp_path: Path) -> Iterator[NewPhone]:
    """Makes phones on this site. At the end no page may have thrown anything."""
    phones: list[Phone] = []

    def make(name: str, **settings: Any) -> Phone:
        phone = Phone(play, chromium, tmp_path / f"phone-{name}", settings.pop("url", site.url), **settings)
        phones.append(phone)
        return phone

    yield make
    for phone in phones:
        phone.kill()
        phone.buried()
    assert [error for phone in phones for error in phone.errors] == []


@pytest.fixture
def fox(firefox: str, site: Site, tmp_path: Path) -> Iterator[Fox]:
    fox = Fox(firefox, tmp_path / "firefox", site.url)
    yield fox
    fox.close()


@pytest.fixture
def service() -> Iterator[PushService]:
    service = PushService()
    yield service
    service.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures of every screen go, for a person to look at."""
    folder = Path(os.environ.get("GONGBU_SCREENSHOTS", HERE.parents[1] / "screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
