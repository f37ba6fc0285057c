"""Many cases at once, looked at all the time by people who get their answers late: each history replays on the
code that made it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError

from tests.replay.replaying import replayer
from tests.replay.test_replay_while_watched import SlowAnswers, a_worker
from tests.rules.test_return_events import test_RET_16_each_event_does_the_same_as_signal_and_as_update as a_return
from tests.world import World

CASES = 16
AT_ONCE = 8
ANSWERING = 0.15
"""Seconds for an answer: some writes to the books and some events of the same case come meanwhile."""


@asynccontextmanager
async def watched(world: World) -> AsyncIterator[None]:
    """Somebody asks each open return of this test how it stands, over and over."""

    async def ask(case: WorkflowHandle[Any, Any]) -> None:
        with suppress(RPCError, WorkflowQueryFailedError):
            await case.query("status")

    async def look() -> None:
        returns = f'WorkflowType="Return" AND ExecutionStatus="Running" AND TaskQueue="{world.task_queue}"'
        while True:
            ids = [case.id async for case in world.client.list_workflows(returns)]
            await asyncio.gather(*(ask(world.client.get_workflow_handle(ident)) for ident in ids))
            await asyncio.sleep(0.01)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()


@pytest.mark.proof
async def test_returns_that_run_side_by_side_and_are_watched_replay(world: World) -> None:
    """A local activity that ended in the task that started a timer, which its end cancelled, did not replay; nor
    did one that ended while a question was answered."""
    world.task_queue = f"watched-{world.tag}"
    places = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with places:
            await a_return(world, "signal")

    async with a_worker(world, SlowAnswers(ANSWERING)), watched(world):
        await asyncio.gather(*(one() for _ in range(CASES)))

    mine = [case.id async for case in world.client.list_workflows('WorkflowType="Return"') if world.tag in case.id]
    assert len(mine) == CASES
    for workflow_id in mine:
        await replayer().replay_workflow(await world.client.get_workflow_handle(workflow_id).fetch_history())
