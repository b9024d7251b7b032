"""`make bench`: the figures, whole processes on the loopback address, medians, and the bare limits of the same run.

`python -m tests.bench [part…]`; the numbers also go to `bench-results/`. A busy machine makes times long and leaves
ratios much as they are: the load is told with the table.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Final

from tests.bench import alerts, inspections, live, merge, phone, phone_photos, photos, pull, push, reports, thumb
from tests.bench.figure import Figure, save, table

PARTS: Final[dict[str, Callable[[], list[Figure]]]] = {
    "push": push.figures,
    "pull": pull.figures,
    "live": live.figures,
    "merge": merge.figures,
    "phone": phone.figures,
    "photos": photos.figures,
    "phone_photos": phone_photos.figures,
    "inspections": inspections.figures,
    "thumb": thumb.figures,
    "reports": reports.figures,
    "alerts": alerts.figures,
}


def main(names: list[str]) -> int:
    unknown = set(names) - set(PARTS)
    if unknown:
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
        return 2
    told: list[Figure] = []
    before = os.getloadavg()
    for name in names or PARTS:
        began = time.monotonic()
        found = PARTS[name]()
        told += found
        print(f"\n{name} ({time.monotonic() - began:.0f} s)\n{table(found)}", flush=True)
    load = f"load average {before[0]:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} processors"
    missed = sum(figure.ok is False for figure in told)
    print(f"\n{load}; {missed} of {sum(f.ok is not None for f in told)} targets missed; {save(told, load)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
