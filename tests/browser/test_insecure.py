"""Where a page is not secure the app says so, and why, instead of failing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.axe import grave
from tests.browser.chrome import Language
from tests.browser.conftest import NewPhone
from tests.browser.site import Site

HOST = "gongbu.test"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_on_plain_http_the_app_says_why_it_cannot_work(
    language: Language, demo_data: Path, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    monkeypatch.setenv("GONGBU_HOSTS", HOST)
    site.stop()
    site.start()
    phone = new_phone(
        "http",
        language=language,
        url=f"http://{HOST}:{site.port}",
        arguments=(f"--host-resolver-rules=MAP {HOST} 127.0.0.1",),
        place=None,
    )
    phone.open("/")
    phone.sees(phone.say("insecure.title"))
    phone.sees(phone.say("insecure.text"))
    assert grave(phone.page) == []
