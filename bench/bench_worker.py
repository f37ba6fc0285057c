"""The workers that are measured: `python -m bench.bench_worker backhaul` or `bare`, each a process of its own.

The first is Backhaul's own worker, with a short cancel window. Beside it stands only what measures, switched by
the environment:

- BENCH_FEED: path of the socket that is told of each activity's end;
- BENCH_COUNT_SQL: count SQL statements.

SIGUSR1 lets it give back the memory that it no longer uses.
"""

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import sys
from pathlib import Path

from temporalio.client import Client

from activities.database import open_database
from bench import bare_worker, cancel_window
from bench.activity_feed import Telling, count_statements
from models.converter import data_converter
from models.environment import settings_from_environment, temporal_profile
from models.logs import configure_logs
from worker import build_worker

READY = "worker is ready"


def _give_back_memory() -> None:
    """What is no longer used, to the system: else the process seems larger or smaller by chance."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # other C libraries have no such function
        ctypes.CDLL(None).malloc_trim(0)


def _say_ready() -> None:
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()


async def _run(kind: str) -> None:
    settings = settings_from_environment()
    configure_logs(settings.log_format, settings.log_level)
    if os.environ.get("BENCH_COUNT_SQL"):
        count_statements()
    cancel_window.shorten()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _give_back_memory)
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
    async with build_worker(client, settings, open_database(settings)):
        _say_ready()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1]))
