"""A case that is looked at while it writes its books: what the server wrote down still replays.

A worker under load takes its time for an answer, and meanwhile a write to the books ends and an event comes. The
end of a local activity would then reach the case in the next task, beside the event, and in a replay one task
earlier, before it. So the books are written by ordinary activities.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import PayloadCodec
from temporalio.testing import WorkflowEnvironment

from models.converter import DATA_CONVERTER
from models.settings import Settings
from starter.sandbox import RunningSandbox, SandboxClient
from tests.eventually import PATIENCE
from tests.replay.replaying import replayer
from tests.rules.test_return_events import events_of, manual_return
from tests.world import World
from worker import WorkerSettings, build_worker

pytestmark = pytest.mark.proof

ANSWERING = 1.0
"""Seconds that a worker under load takes for an answer; a write to the books takes some milliseconds."""


class SlowAnswers(PayloadCodec):
    """Gives what people asked for late, and says when it begins to."""

    def __init__(self, seconds: float = ANSWERING) -> None:
        self._seconds = seconds
        self.asked = asyncio.Event()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if any(b'"also_waiting_for"' in payload.data for payload in payloads):
            self.asked.set()
            await asyncio.sleep(self._seconds)
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


@asynccontextmanager
async def a_worker(world: World, answers: SlowAnswers | None = None) -> AsyncIterator[None]:
    """A worker that keeps no case: what comes while it is away waits for the next worker, not for this one."""
    config = world.client.config()
    if answers is not None:
        config["data_converter"] = dataclasses.replace(DATA_CONVERTER, payload_codec=answers)
    limits = WorkerSettings(drain_seconds=0.1, max_cached_workflows=0 if answers is None else 100)
    async with build_worker(
        Client(**config), world.settings, world.engine, task_queue=world.task_queue, limits=limits
    ):
        yield


@pytest.fixture
async def idle_world(
    env: WorkflowEnvironment,
    stack_sandbox: RunningSandbox,
    stack_client: SandboxClient,
    stack_books: Engine,
    stack_settings: Settings,
) -> World:
    """A world whose worker comes and goes as the test says."""
    return World(env, stack_sandbox, stack_client, stack_books, stack_settings, f"watched-{uuid4().hex[:8]}")


STEPS = {
    "awaiting_approval": "seller_approval",
    "awaiting_rma": "supplier_rma",
}
"""What the first stages of a return wait for."""


@pytest.mark.parametrize("looked_at", STEPS)
async def test_a_case_that_is_looked_at_while_it_writes_its_books_replays(
    idle_world: World, looked_at: str
) -> None:
    world = idle_world
    async with a_worker(world):
        case = await manual_return(world)
        events = events_of(case)
        for stage, event in STEPS.items():
            await case.reaches(stage)
            if stage == looked_at:
                break
            await case.signal(event, **events[event])

    # While no worker is there, the next event comes, and somebody looks: one task brings both.
    await case.signal(STEPS[looked_at], **events[STEPS[looked_at]])
    looking = asyncio.create_task(case.handle.query("status", rpc_timeout=timedelta(seconds=PATIENCE)))
    answers = SlowAnswers()
    async with a_worker(world, answers):
        await asyncio.wait_for(answers.asked.wait(), PATIENCE)
        await case.handle.signal("unknown_event", {"event_id": "e1", "actor": "seller:jane"})
        await looking
        await case.shows("the unknown event", lambda seen: seen.rejected_count == 1)

    await replayer().replay_workflow(await case.handle.fetch_history())
