"""What an open case costs while nothing happens to it: memory of the worker, bytes in both databases."""

import asyncio
import os
import signal
import time
from typing import Final

from temporalio.client import WorkflowHandle

from bench.happy_cases import Case, Player, player, prepare
from bench.measurements import OpenCases
from bench.rounds import Say, at_most, percentile
from bench.stack import KINDS, BenchStack, Kind, database_kb, memory_kb

SIZES: Final = (100, 1000, 5000)
_WARM: Final = 50
_AT_ONCE: Final = 20
_SAMPLES: Final = 20
_SETTLE_SECONDS: Final = 2.0
_STAGE: Final = "awaiting_release"


async def grow(stack: BenchStack, sizes: tuple[int, ...], say: Say) -> list[OpenCases]:
    """Orders that wait for their release, more and more of them, first on Backhaul and then bare."""
    found: list[OpenCases] = []
    for kind in KINDS:
        await stack.start_worker(kind, max_cached_workflows=max(sizes) + 1000)
        warm = await prepare(stack, f"gw{kind}", _WARM, auto_release=False)
        cases = await prepare(stack, f"g{kind}", max(sizes), auto_release=False)
        playing = player(stack, kind)
        await _open(stack, playing, warm)
        before = await _Level.of(stack, kind)
        done = 0
        for size in sizes:
            await _open(stack, playing, cases[done:size])
            done = size
            now = await _Level.of(stack, kind)
            some = [_handle(stack, playing, kind, case) for case in cases[:: max(1, size // _SAMPLES)][:_SAMPLES]]
            one = OpenCases(
                worker=kind,
                cases=size,
                memory_kb=(now.memory - before.memory) / size,
                temporal_kb=(now.temporal - before.temporal) / size,
                books_kb=(now.books - before.books) / size,
                query_p50_ms=percentile([await _query(handle) for handle in some], 0.5),
            )
            found.append(one)
            say(
                f"{size:5} open cases  {kind:8}  {one.memory_kb:5.0f} kB of memory, "
                f"{one.temporal_kb:4.1f} + {one.books_kb:4.1f} kB in the databases each"
            )
        await stack.stop_one(kind)
    return found


class _Level:
    """How much is in use, in kB."""

    def __init__(self, memory: float, temporal: float, books: float) -> None:
        self.memory, self.temporal, self.books = memory, temporal, books

    @classmethod
    async def of(cls, stack: BenchStack, kind: Kind) -> "_Level":
        await asyncio.sleep(_SETTLE_SECONDS)
        os.kill(stack.pid(kind), signal.SIGUSR1)
        await asyncio.sleep(_SETTLE_SECONDS)
        folder = stack.plan.folder
        books = folder / ("books.db" if kind == "backhaul" else "bare.db")
        return cls(memory_kb(stack.pid(kind)), database_kb(folder / "temporal.db"), database_kb(books))


async def _open(stack: BenchStack, playing: Player, cases: list[Case]) -> None:
    async def one(case: Case) -> None:
        await playing.start_order(case)
        await stack.feed.saved(playing.order_workflow(case), _STAGE)

    await at_most(_AT_ONCE, cases, one)


def _handle(stack: BenchStack, playing: Player, kind: Kind, case: Case) -> WorkflowHandle[object, object]:
    client = stack.client if kind == "backhaul" else stack.plain_client
    return client.get_workflow_handle(playing.order_workflow(case))


async def _query(handle: WorkflowHandle[object, object]) -> float:
    """How long the case takes to say how it stands, in milliseconds."""
    began = time.perf_counter()
    await handle.query("status")
    return (time.perf_counter() - began) * 1000
