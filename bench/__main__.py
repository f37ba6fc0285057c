"""`make bench ARGS="..."`: measure, keep the numbers, show them, write them into the documentation."""

import argparse
import asyncio
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import temporalio

from bench import cancel_window, report
from bench.cliffs import WIDTHS, first_try, hang, look_up, source
from bench.measurements import LATEST, About, Cliffs, Measurements, Sourcing, keep, kept
from bench.open_cases import SIZES, grow
from bench.rounds import calm_cases, calm_workflows, pair_of, play_rounds
from bench.stack import KINDS, BenchStack, running
from bench.starts_and_replays import replay, start
from models.failures import BackhaulError
from starter.ops.dev_server import find_server
from starter.ops.interrupt import ended_by_signals

_INTERRUPTED: Final = 130


def _options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench", description="Backhaul beside a bare Temporal workflow that does the same."
    )
    parser.add_argument("--rounds", type=int, help="rounds of both in turns (5; with --quick 2)")
    parser.add_argument("--cases", type=int, default=30, help="orders and returns per round and worker (30)")
    parser.add_argument("--at-once", type=int, default=10, help="cases under way at a time (10)")
    parser.add_argument("--quick", action="store_true", help="only orders and returns, no growth and no cliffs")
    parser.add_argument("--full", action="store_true", help="5,000 open cases too")
    parser.add_argument("--open-cases", type=int, choices=SIZES, help="at most so many open cases (1,000)")
    parser.add_argument("--json", type=Path, default=LATEST, help="where the numbers are kept")
    parser.add_argument("--no-docs", action="store_true", help="do not write the numbers into docs/performance.md")
    parser.add_argument(
        "--docs-only", action="store_true", help="measure nothing: write the kept numbers into the document"
    )
    return parser.parse_args(arguments)


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


async def measure(options: argparse.Namespace, folder: Path) -> AsyncGenerator[Measurements, None]:
    """All that the options ask for; gives what is known so far, more each time.

    Everything that is started in `folder` has ended when this does.
    """
    about = _about(options)
    async with running(folder) as stack:
        await asyncio.gather(*(stack.start_worker(kind, count_sql=True) for kind in KINDS))
        say("one calm order and return of each: what is counted")
        calm = await calm_cases(stack)
        await asyncio.gather(*(stack.start_worker(kind) for kind in KINDS))
        async for rounds in play_rounds(stack, about.rounds, about.cases, about.at_once, say):
            measured = Measurements(
                about=about,
                order=pair_of(rounds, "order", calm.orders),
                returns=pair_of(rounds, "return", calm.returns),
                order_costs=calm.orders,
                return_costs=calm.returns,
                rounds=rounds,
            )
            yield measured
        if options.quick:
            return
        async for more in _measure_more(stack, options):
            measured = measured.model_copy(update=more)
            yield measured


async def _measure_more(stack: BenchStack, options: argparse.Namespace) -> AsyncIterator[dict[str, object]]:
    """Sections of the measurements."""
    for kind in KINDS:
        await stack.stop_one(kind)
    say("replays and starts")
    yield {"replays": await replay(stack, *calm_workflows())}
    yield {"starts": await start(stack)}
    say("lists and look-ups in a large database")
    cliffs = Cliffs(lists=await look_up())
    yield {"cliffs": cliffs}
    async for found in _cliffs(stack):
        cliffs = cliffs.model_copy(update=found)
        yield {"cliffs": cliffs}
    most = options.open_cases or (5000 if options.full else 1000)
    yield {"open_cases": await grow(stack, tuple(size for size in SIZES if size <= most), say)}


async def _cliffs(stack: BenchStack) -> AsyncIterator[dict[str, object]]:
    await stack.start_worker("backhaul")
    yield {"first_try": await first_try(stack)}
    sourcing: list[Sourcing] = []
    for lines, warehouses in WIDTHS:
        say(f"an order of {lines} lines x {warehouses} warehouses")
        sourcing.append(await source(stack, lines, warehouses))
        yield {"sourcing": list(sourcing)}
    yield {"hanging": await hang(stack, say)}
    await stack.stop_one("backhaul")


def _about(options: argparse.Namespace) -> About:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    server = subprocess.run([find_server(), "--version"], capture_output=True, text=True)
    return About(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit.stdout.strip() or "unknown",
        python=platform.python_version(),
        sdk=temporalio.__version__ if hasattr(temporalio, "__version__") else version("temporalio"),
        server=server.stdout.strip(),
        processors=os.cpu_count() or 1,
        processor=_processor(),
        load_before=os.getloadavg()[0],
        rounds=options.rounds or (2 if options.quick else 5),
        cases=options.cases,
        at_once=min(options.at_once, options.cases),
        cancel_window_seconds=cancel_window.SECONDS,
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


async def _run(options: argparse.Namespace) -> int:
    """Gives the exit code. What was measured before an interruption is kept, but not written down."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    measured: Measurements | None = None
    code = _INTERRUPTED
    try:
        with ended_by_signals():
            async with aclosing(measure(options, folder)) as parts:
                async for measured in parts:
                    keep(measured, options.json)
            code = 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if measured is not None:
        say(report.table(measured))
        if code == 0 and not options.no_docs:
            report.write_document(measured)
    return code


def main() -> None:
    options = _options()
    if options.docs_only:
        report.write_document(kept(options.json))
        return
    try:
        sys.exit(asyncio.run(_run(options)))
    except BackhaulError as error:
        sys.stderr.write(f"bench: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
