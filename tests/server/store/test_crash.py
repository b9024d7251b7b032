"""kill -9 between and during commits: every batch that was acknowledged is there, whole."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.store.store import open_store
from tests.server.site import DECLARATIONS

ROOT = Path(__file__).parent.parent.parent.parent
OPS = 7

CHILD = f"""
import asyncio, json, sys
from pathlib import Path
from server.store.store import open_store
from server.sync.sync import Sync
from tests.server.site import *

async def main():
    store = await open_store(sys.argv[1] or None, Path(sys.argv[2]), DECLARATIONS)
    clock = Clock()
    sync = Sync(store, DECLARATIONS, COMPUTED, now=clock)
    sync.attach()
    site = await Site.build(sync, clock)
    print(json.dumps({{"project": site.project}}), flush=True)

    async def write(phone):
        while True:
            answer = await phone.write(*(notice(f"{{i}}") for i in range({OPS})))
            print(json.dumps({{"device": phone.device, "n": answer["n"], "seq": answer["seq"]}}), flush=True)

    await asyncio.gather(*map(write, (site.worker, site.foreman, site.supervisor, site.office)))

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(3))
async def test_after_kill_9_every_acknowledged_batch_is_there(
    database_url: str | None, tmp_path: Path, seed: int
) -> None:
    print(f"seed {seed}")
    wanted = random.Random(seed).randrange(20, 120)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, database_url or "", str(tmp_path),
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout is not None
    lines = [await child.stdout.readline() for _ in range(wanted)]
    child.send_signal(signal.SIGKILL)
    rest = await child.stdout.read()
    await child.wait()
    told = [json.loads(line) for line in [*lines, *rest.split(b"\n")] if line.strip().endswith(b"}")]
    project, answers = told[0]["project"], told[1:]
    assert len(answers) >= wanted - 1

    store = await open_store(database_url, tmp_path, DECLARATIONS)
    log = await store.rows("SELECT seq, device, n FROM batch WHERE project = ? ORDER BY seq", project)
    assert [row[0] for row in log] == list(range(1, len(log) + 1))
    assert {(a["device"], a["n"], a["seq"]) for a in answers} <= {(device, n, seq) for seq, device, n in log}
    assert await store.access.head(project) == len(log)
    rows = await store.rows(
        "SELECT seq, count(*) FROM record WHERE project = ? AND c = 'yard.notice' GROUP BY seq", project
    )
    assert len(rows) >= len(answers)
    assert {count for _, count in rows} == {OPS}
    last = {id: n for id, n in await store.rows("SELECT id, last_n FROM device")}  # noqa: C416
    for device in {a["device"] for a in answers}:
        assert last[device] == max(n for _, name, n in log if name == device)
    await store.close()
