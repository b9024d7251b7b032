"""`gongbu serve --lan`: from a phone that trusts nothing to the app over https, by the page that leads there."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Error

from tests.browser.axe import grave
from tests.browser.conftest import NewPhone
from tests.browser.flows import sign_in
from tests.browser.site import Site

# An address that is not the one of `localhost`, on this machine all the same.
HOST = "127.0.0.2"


@pytest.fixture
def site(demo_data: Path, tmp_path: Path) -> Iterator[Site]:
    if sys.platform == "darwin":
        pytest.skip("127.0.0.2 is not set up on a Mac")
    shutil.copytree(demo_data, tmp_path / "data")
    site = Site(tmp_path / "data", host=HOST, options=("--lan",)).start()
    yield site
    site.kill()


def test_a_phone_is_led_to_trust_the_sites_own_certificate(
    site: Site, new_phone: NewPhone, certutil: str, tmp_path: Path
) -> None:
    secure = f"https://{HOST}:{site.port + 1}"
    phone = new_phone("lan", home=tmp_path / "home")
    phone.open("/lan")
    assert phone.context is not None
    other = phone.context.new_page()
    with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        other.goto(secure)
    other.close()

    assert grave(phone.page) == []
    with phone.page.expect_download() as download:
        phone.page.locator("a[href='/lan/gongbu.crt']").first.click()
    certificate = tmp_path / "gongbu.crt"
    download.value.save_as(certificate)
    fingerprint = hashlib.sha256(certificate.read_bytes()).hexdigest().upper()
    shown = phone.page.inner_text("body").replace(":", "").replace("\n", "").replace(" ", "")
    assert fingerprint in shown
    phone.switch_off()

    trust(certutil, certificate, tmp_path / "home")
    phone.url = secure
    sign_in(phone, "worker")
    phone.installed()
    assert phone.page.evaluate("isSecureContext")
    site.kill()
    phone.open("/")
    phone.sees(phone.say("labour.today"))


def trust(certutil: str, certificate: Path, home: Path) -> None:
    """What a person does in the system's settings."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    for arguments in (["-N", "--empty-password"], ["-A", "-n", "gongbu", "-t", "C,,", "-i", str(certificate)]):
        subprocess.run([certutil, "-d", f"sql:{database}", *arguments], check=True, capture_output=True)
