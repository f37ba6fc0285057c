"""Several workers serve one case, with and without their caches: everything happens once (REF-6)."""

from collections import Counter
from contextlib import AsyncExitStack
from decimal import Decimal

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetStickyTaskQueueRequest

from models.case import CaseStatus
from tests.case_story import CaseStory, OrderStory
from tests.model.stage_walker import ORDER_GOES_ON, RETURN_GOES_ON, Act, walk
from tests.world import World
from worker import WorkerSettings, build_worker

WORKERS = ("one", "two")
BOTH = {"workflow task": set(WORKERS), "activity": set(WORKERS)}
CASES_AT_MOST = 20
"""Whom the server gives a task is its own choice: so many orders and returns until both workers served one."""


def whoever_comes(act: Act) -> Act:
    """The server no longer keeps the case's next task for the worker that remembers it: either may take it."""

    async def forget_then_act(case: CaseStory, status: CaseStatus) -> None:
        client = case.stack.client
        await client.workflow_service.reset_sticky_task_queue(
            ResetStickyTaskQueueRequest(
                namespace=client.namespace, execution=WorkflowExecution(workflow_id=case.handle.id)
            )
        )
        await act(case, status)

    return forget_then_act


async def served_by(*cases: CaseStory) -> dict[str, set[str]]:
    """Which workers began workflow tasks, and which activities, of these cases."""
    begun: dict[str, set[str]] = {"workflow task": set(), "activity": set()}
    for case in cases:
        async for event in case.handle.fetch_history_events():
            if event.HasField("workflow_task_started_event_attributes"):
                begun["workflow task"].add(event.workflow_task_started_event_attributes.identity)
            if event.HasField("activity_task_started_event_attributes"):
                begun["activity"].add(event.activity_task_started_event_attributes.identity)
    return begun


@pytest.mark.parametrize("caches", [(2000, 2000), (0, 2000)], ids=["cached", "one cached"])
async def test_REF_6_two_workers_with_one_case_do_everything_once(world: World, caches: tuple[int, int]) -> None:
    queue = f"two-{world.tag}"
    async with AsyncExitStack() as workers:
        for name, cached in zip(WORKERS, caches, strict=True):
            limits = WorkerSettings(drain_seconds=0.1, max_cached_workflows=cached)
            # As in another process: one connection has one worker on a task queue.
            client = await world.env.connect_client(data_converter=world.client.data_converter, identity=name)
            await workers.enter_async_context(
                build_worker(client, world.settings, world.engine, task_queue=queue, limits=limits)
            )
        for _ in range(CASES_AT_MOST):
            order, case = await _there_and_back(world, queue)
            await _everything_happened_once(order)
            served = await served_by(order, case)
            if served == BOTH:
                break
    assert served == BOTH


async def _there_and_back(world: World, queue: str) -> tuple[OrderStory, CaseStory]:
    order = await world.simple_order(task_queue=queue)
    await walk(order, "ended", {stage: whoever_comes(act) for stage, act in ORDER_GOES_ON.items()})
    await order.ends("shipped")
    case = await world.return_of(order, task_queue=queue)
    await walk(case, "ended", {stage: whoever_comes(act) for stage, act in RETURN_GOES_ON.items()})
    await case.ends("completed")
    return order, case


async def _everything_happened_once(order: OrderStory) -> None:
    effects = await order.effects()
    assert [one.amount for one in effects.captures] == [Decimal("63.00")]
    assert len(effects.supplier_orders) == len(effects.shipments) == 1
    assert sorted(one.amount for one in effects.refunds) == [Decimal("1.00"), Decimal("63.00")]
    sent = Counter(one.message_id for one in effects.mails)
    assert sent
    assert set(sent.values()) == {1}
