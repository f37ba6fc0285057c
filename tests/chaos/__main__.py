"""`make chaos`: kill everything that can be killed, then count. Exit code 1 if a promise was broken."""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.run import run
from tests.chaos.storm import Weather


def main() -> None:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long kills go on at random")
    parser.add_argument("--cases", type=int, default=1000, help="at most so many stories in that time")
    parser.add_argument("--seed", type=int, default=None, help="of the kills; default: another one each time")
    parser.add_argument("--postgres", action="store_true", help="books in PostgreSQL, which is killed too")
    parser.add_argument("--short", action="store_true", help="each step at one moment, and a short storm")
    chosen = parser.parse_args()
    seed = chosen.seed if chosen.seed is not None else random.randrange(1_000_000)
    weather = Weather(0.25 if chosen.short else chosen.minutes, 16 if chosen.short else chosen.cases, seed)
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)

    with tempfile.TemporaryDirectory(prefix="backhaul-chaos-") as folder:
        figures = asyncio.run(run(Path(folder), weather, short=chosen.short, postgres=chosen.postgres, say=say))
    for violation in figures.violations:
        print(f"VIOLATION  {violation}")
    print(f"seed {seed}: {figures}")
    sys.exit(1 if figures.violations else 0)


if __name__ == "__main__":
    main()
