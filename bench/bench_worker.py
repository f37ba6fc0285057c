"""The workers that are measured: `python -m bench.bench_worker backhaul` or `bare`, each a process of its own.

The first is Backhaul's own worker. Beside it stands only what measures, switched by the environment:

- BENCH_FEED: path of the socket that is told of each activity's end;
- BENCH_CANCEL_WINDOW_SECONDS: how long the cancel window is (settings of sellers count it in minutes);
- BENCH_COUNT_SQL: count SQL statements.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client

from activities.database import open_books
from bench import bare_worker
from bench.activity_feed import Telling, count_statements
from models.converter import data_converter
from models.environment import settings_from_environment, temporal_profile
from models.logs import configure_logs
from models.parties import Seller
from worker import build_worker

READY = "worker is ready"


def _shorten_cancel_window(seconds: float) -> None:
    Seller.cancel_window = property(lambda _: timedelta(seconds=seconds))  # type: ignore[assignment, method-assign]


def _say_ready() -> None:
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()


async def _run(kind: str) -> None:
    settings = settings_from_environment()
    configure_logs(settings.log_format, settings.log_level)
    if os.environ.get("BENCH_COUNT_SQL"):
        count_statements()
    if seconds := os.environ.get("BENCH_CANCEL_WINDOW_SECONDS"):
        _shorten_cancel_window(float(seconds))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    telling = Telling(Path(os.environ["BENCH_FEED"]))
    if kind == "bare":
        client = await Client.connect(**temporal_profile(), interceptors=[telling])
        async with bare_worker.build(client):
            _say_ready()
            await stop.wait()
        return
    client = await Client.connect(
        **temporal_profile(), data_converter=data_converter(settings), interceptors=[telling]
    )
    async with build_worker(client, settings, open_books(settings)):
        _say_ready()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1]))
