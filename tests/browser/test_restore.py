"""The README's backup and restore, run as they stand there, with a phone that had gone further than the backup: its
numbers are ahead of the server's, its copy is newer, and still everything that waits on it arrives."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.browser.conftest import NewPhone
from tests.browser.flows import check_in, enrol, invite, sent, tap_in_or_out
from tests.browser.site import DEMO, ROOT, Site

WORKER = "何备份"


def test_P1_a_phone_ahead_of_a_restored_backup_goes_on_and_loses_nothing_that_waits(
    site: Site, new_phone: NewPhone, tmp_path: Path
) -> None:
    phone = new_phone("ahead", place=None)
    enrol(phone, invite(site, "--project", DEMO, "--role", "worker"), WORKER)
    phone.settle_in()
    check_in(phone)
    sent(phone)
    shell(commands("Backup"), site.data, tmp_path / "backup")
    phone.open("/")
    tap_in_or_out(phone)
    sent(phone)
    assert site.entries_of(WORKER) == 2

    site.kill()
    shutil.rmtree(site.data)
    shell(commands("Restore"), site.data, tmp_path / "backup")
    assert site.entries_of(WORKER) == 1
    site.start()

    phone.open("/")
    tap_in_or_out(phone)
    sent(phone)
    # The second, which the backup does not hold, goes again only if it had not come back to the phone by then.
    assert site.entries_of(WORKER) in (2, 3)


def commands(section: str) -> str:
    found = re.search(rf"^### {section}\n.*?```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    assert found
    return found[1]


def shell(script: str, data: Path, backup: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["sh", "-euc", script],
        env={**os.environ, "DATA": str(data), "BACKUP": str(backup), "PATH": path},
        check=True,
        timeout=60,
    )
