"""`make chaos`: kill everything that can be killed, then count. Exit code 1 if a promise was broken.

With the books on SQLite, and then on PostgreSQL, where the database is killed too.
"""

import argparse
import asyncio
import functools
import operator
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.chaos.postgres import is_installed
from tests.chaos.run import POSTGRESQL, SQLITE, Figures, StoodStill, run
from tests.chaos.storm import Weather

SHORT_MINUTES: Final = 0.4
SHORT_CASES: Final = 32
HOW_TO_GET_IT: Final = (
    "there are no programs of a PostgreSQL server on this machine; install Debian's package postgresql, or let "
    "`.ci/with-postgres make chaos` do it"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="make chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="how long kills go on at random, each time")
    parser.add_argument("--cases", type=int, default=1000, help="at most so many stories in that time")
    parser.add_argument("--seed", type=int, default=None, help="of the kills; default: another one each time")
    parser.add_argument("--short", action="store_true", help="each step at one moment, and a short storm")
    books = parser.add_mutually_exclusive_group()
    books.add_argument("--sqlite", action="store_true", help="books in SQLite only")
    books.add_argument("--postgres", action="store_true", help="books in PostgreSQL only, which is killed too")
    chosen = parser.parse_args()
    if chosen.postgres and not is_installed():
        parser.error(HOW_TO_GET_IT)
    seed = chosen.seed if chosen.seed is not None else random.randrange(1_000_000)
    weather = (
        Weather(SHORT_MINUTES, SHORT_CASES, seed) if chosen.short else Weather(chosen.minutes, chosen.cases, seed)
    )
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {what}", flush=True)

    both = not (chosen.sqlite or chosen.postgres)
    left_out = both and not is_installed()
    found: list[Figures] = []
    if both or chosen.sqlite:
        found.append(_run(weather, SQLITE, short=chosen.short, say=say))
    if chosen.postgres or (both and not left_out):
        found.append(_run(weather, POSTGRESQL, short=chosen.short, say=say))
    total = functools.reduce(operator.add, found)
    if len(found) > 1:
        print(f"seed {seed}, in all: {total}")
    if left_out:
        print(f"LEFT OUT: the half with books on PostgreSQL and kills of the database: {HOW_TO_GET_IT}")
    if total.violations:
        sys.exit(1)


def _run(weather: Weather, books: str, *, short: bool, say: Callable[[str], None]) -> Figures:
    """One run, and what it came to, said. Its folder is kept when a promise was broken."""
    say(f"books on {books}, seed {weather.seed}")
    folder = Path(tempfile.mkdtemp(prefix="backhaul-chaos-"))
    try:
        figures = asyncio.run(run(folder, weather, short=short, postgres=books == POSTGRESQL, say=say))
    except StoodStill as failure:
        print(failure)
        for error in _causes(failure.__cause__):
            print(f"FAILED  {error}")
        print(f"seed {weather.seed}, books on {books}: not at its end; everything is kept in {folder}")
        sys.exit(1)
    for violation in figures.violations:
        print(f"VIOLATION  {violation}")
    print(f"seed {weather.seed}: {figures}", flush=True)
    if figures.violations:
        print(f"everything is kept in {folder}")
    else:
        shutil.rmtree(folder)
    return figures


def _causes(error: BaseException | None) -> list[str]:
    """What went wrong, one line each; a group is told one by one."""
    if isinstance(error, BaseExceptionGroup):
        return [line for one in error.exceptions for line in _causes(one)]
    return [f"{type(error).__name__}: {error}"]


if __name__ == "__main__":
    main()
