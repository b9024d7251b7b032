"""The simulation on as many seeds as one likes: `make soak SEEDS=5000`.

`python -m tests.simulation.soak --seeds 5000 --first 100000 --steps 800 --site sqlite`; each failing seed is told
with the fewest steps that show it, and can be played again with `python -m tests.simulation.run SEED`.
"""

from __future__ import annotations

import argparse
import time

from tests.simulation.run import STEPS, run
from tests.simulation.sites import SITES

FAILURES_MAX = 10
EVERY = 250


def main() -> int:
    words = argparse.ArgumentParser(prog="soak", description=__doc__)
    words.add_argument("--seeds", type=int, default=200)
    words.add_argument("--first", type=int, default=1_000)
    words.add_argument("--steps", type=int, default=STEPS)
    words.add_argument("--site", choices=sorted(SITES), default="model")
    given = words.parse_args()
    began, failures = time.monotonic(), 0
    seeds = range(given.first, given.first + given.seeds)
    with SITES[given.site]() as make:
        told = (run(seed, given.steps, make) for seed in seeds)
        for done, (seed, story) in enumerate(zip(seeds, told, strict=True), 1):
            if story:
                failures += 1
                print(story, flush=True)
            if failures >= FAILURES_MAX:
                break
            if done % EVERY == 0:
                print(f"{done} seeds, to {seed}: {failures} failures, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{given.seeds} seeds from {given.first} on {given.site}: {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
