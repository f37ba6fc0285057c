"""How long it takes to start the programs, and to bring a case back to memory from its history."""

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from bench.histories import history_of
from bench.measurements import Replays, Starts
from bench.stack import BenchStack
from models.converter import DATA_CONVERTER
from worker import workflow_runner
from workflows.registry import WORKFLOWS

REPLAYS: Final = 20
_STARTS: Final = 3
_HELPS: Final = 7


async def replay(stack: BenchStack, order: str, return_: str, refund: str) -> Replays:
    """The histories of these workflows, each from its start; nothing else should run meanwhile."""
    histories = [await history_of(stack.client, workflow_id) for workflow_id in (order, return_, refund)]
    took = [await _median(history) for history in histories]
    return Replays(times=REPLAYS, order_ms=took[0], return_ms=took[1], refund_ms=took[2])


async def _median(history: WorkflowHistory) -> float:
    """Without the first, which loads modules: by the clock, with what it takes to start an empty worker for it."""
    replayer = Replayer(workflows=WORKFLOWS, data_converter=DATA_CONVERTER, workflow_runner=workflow_runner("on"))
    took: list[float] = []
    for _ in range(REPLAYS + 1):
        began = time.perf_counter()
        await replayer.replay_workflow(history)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took[1:])


async def start(stack: BenchStack) -> Starts:
    """`backhaul worker` until it asks for work; `backhaul --help` from the outside."""
    workers = [await stack.start_product_worker() for _ in range(_STARTS)]
    helps = [await asyncio.to_thread(_help) for _ in range(_HELPS)]
    return Starts(worker_cpu_ms=statistics.median(workers), help_wall_ms=statistics.median(helps))


def _help() -> float:
    backhaul = Path(sys.executable).with_name("backhaul")
    began = time.perf_counter()
    subprocess.run([str(backhaul), "--help"], check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000
