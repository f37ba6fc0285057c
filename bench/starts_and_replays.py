"""How long it takes to start the programs, and to bring a case back to memory from its history."""

import asyncio
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from bench import cancel_window
from bench.histories import history_of
from bench.measurements import Replays, Starts, Took
from bench.stack import BenchStack, cpu_ms
from models.converter import DATA_CONVERTER
from workflows.registry import WORKFLOWS
from workflows.runner import workflow_runner

REPLAYS: Final = 20
_STARTS: Final = 3
_HELPS: Final = 7


async def replay(stack: BenchStack, order: str, return_: str, refund: str) -> Replays:
    """The histories of these workflows, each from its start; nothing else should run meanwhile."""
    cancel_window.shorten()
    histories = [await history_of(stack.client, workflow_id) for workflow_id in (order, return_, refund)]
    took = [await _replay(history) for history in histories]
    return Replays(times=REPLAYS, order=took[0], returns=took[1], refund=took[2])


async def _replay(history: WorkflowHistory) -> Took:
    """Without the first, which loads modules: with what it takes to start an empty worker for it."""
    replayer = Replayer(workflows=WORKFLOWS, data_converter=DATA_CONVERTER, workflow_runner=workflow_runner("on"))
    took: list[Took] = []
    for _ in range(REPLAYS + 1):
        began, used = time.perf_counter(), time.process_time()
        await replayer.replay_workflow(history)
        took.append(_took(time.perf_counter() - began, time.process_time() - used))
    return _median(took[1:])


async def start(stack: BenchStack) -> Starts:
    """`backhaul worker` until it asks for work; `backhaul --help` from the outside."""
    workers = [await _worker(stack) for _ in range(_STARTS)]
    helps = [await asyncio.to_thread(_help) for _ in range(_HELPS)]
    return Starts(worker=_median(workers), help=_median(helps))


async def _worker(stack: BenchStack) -> Took:
    began = time.perf_counter()
    pid = await stack.start_product_worker()
    took = Took(clock_ms=(time.perf_counter() - began) * 1000, cpu_ms=cpu_ms(pid))
    await stack.stop_product_worker()
    return took


def _help() -> Took:
    """Of a process of its own; nothing else may be waited for meanwhile."""
    backhaul = Path(sys.executable).with_name("backhaul")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([str(backhaul), "--help"], check=True, capture_output=True)
    clock = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return _took(clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _took(clock: float, cpu: float) -> Took:
    return Took(clock_ms=clock * 1000, cpu_ms=cpu * 1000)


def _median(took: list[Took]) -> Took:
    return Took(
        clock_ms=statistics.median(one.clock_ms for one in took),
        cpu_ms=statistics.median(one.cpu_ms for one in took),
    )
