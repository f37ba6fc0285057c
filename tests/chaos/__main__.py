"""`make chaos`: kill everything that can be killed, then count. Exit code 1 if a promise was broken."""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.chaos.run import StoodStill, run
from tests.chaos.storm import Weather

SHORT_MINUTES: Final = 0.3
SHORT_CASES: Final = 24


def main() -> None:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long kills go on at random")
    parser.add_argument("--cases", type=int, default=1000, help="at most so many stories in that time")
    parser.add_argument("--seed", type=int, default=None, help="of the kills; default: another one each time")
    parser.add_argument("--postgres", action="store_true", help="books in PostgreSQL, which is killed too")
    parser.add_argument("--short", action="store_true", help="each step at one moment, and a short storm")
    chosen = parser.parse_args()
    seed = chosen.seed if chosen.seed is not None else random.randrange(1_000_000)
    weather = (
        Weather(SHORT_MINUTES, SHORT_CASES, seed) if chosen.short else Weather(chosen.minutes, chosen.cases, seed)
    )
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)

    folder = Path(tempfile.mkdtemp(prefix="backhaul-chaos-"))
    try:
        figures = asyncio.run(run(folder, weather, short=chosen.short, postgres=chosen.postgres, say=say))
    except StoodStill as failure:
        print(failure)
        for error in _causes(failure.__cause__):
            print(f"FAILED  {error}")
        print(f"seed {seed}: not at its end; everything is kept in {folder}")
        sys.exit(1)
    for violation in figures.violations:
        print(f"VIOLATION  {violation}")
    print(f"seed {seed}: {figures}")
    if figures.violations:
        print(f"everything is kept in {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


def _causes(error: BaseException | None) -> list[str]:
    """What went wrong, one line each; a group is told one by one."""
    if isinstance(error, BaseExceptionGroup):
        return [line for one in error.exceptions for line in _causes(one)]
    return [f"{type(error).__name__}: {error}"]


if __name__ == "__main__":
    main()
