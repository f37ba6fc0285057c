"""What the suite and the demo need of the server, tried on it: clocks that move, and fairness between sellers."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from temporalio import activity, workflow
from temporalio.client import WorkflowExecutionDescription
from temporalio.common import Priority
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.eventually import eventually

BUSY, QUIET = "a seller with many cases", "a seller with few"


@workflow.defn
class SleepsADay:
    @workflow.run
    async def run(self) -> float:
        """Seconds that went by on its clock."""
        began = workflow.now()
        await workflow.sleep(timedelta(days=1))
        return (workflow.now() - began).total_seconds()


@workflow.defn
class CallsOnce:
    @workflow.run
    async def run(self, seller: str) -> None:
        await workflow.execute_activity(
            "note",
            seller,
            task_queue=f"{workflow.info().task_queue}-partners",
            start_to_close_timeout=timedelta(seconds=10),
            priority=Priority(fairness_key=seller),
        )


def asks_partner(case: WorkflowExecutionDescription) -> bool:
    return len(case.raw_description.pending_activities) > 0


async def test_a_day_goes_by_in_seconds(env: WorkflowEnvironment) -> None:
    async with Worker(
        env.client,
        task_queue=f"sleeps-{uuid4().hex}",
        workflows=[SleepsADay],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ) as worker:
        handle = await env.client.start_workflow(
            SleepsADay.run, id=f"sleeps-{uuid4().hex}", task_queue=worker.task_queue
        )
        await eventually(handle.describe, lambda seen: seen.history_length >= 5, "its timer is not set")
        await env.fast_forward(handle, timedelta(days=1))
        async with asyncio.timeout(30):
            assert await handle.result() >= timedelta(days=1).total_seconds()


async def test_a_seller_with_many_cases_holds_up_no_other_one(env: WorkflowEnvironment) -> None:
    """In its turn, that is: which part of its queue the server looks at first is chance, so it has three tries;
    without turns the other one would come last in each."""
    served = [await served_before_the_quiet_one(env)]
    while served[-1] >= 15 and len(served) < 3:
        served.append(await served_before_the_quiet_one(env))
    assert served[-1] < 15, f"the busy seller's came first, as many as they are: {served}"


async def served_before_the_quiet_one(env: WorkflowEnvironment) -> int:
    """How many calls of a seller with sixty cases are made before the first one of a seller who came last."""
    queue = f"fair-{uuid4().hex}"
    order: list[str] = []

    @activity.defn(name="note")
    async def note(seller: str) -> None:
        order.append(seller)

    async with Worker(
        env.client, task_queue=queue, workflows=[CallsOnce], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        waiting = []
        for number, seller in enumerate([*[BUSY] * 60, QUIET, QUIET]):
            handle = await env.client.start_workflow(
                CallsOnce.run, seller, id=f"{queue}-{number}", task_queue=queue
            )
            waiting.append(handle)
        for handle in waiting:
            await eventually(handle.describe, asks_partner, "it asks no partner")
        async with Worker(
            env.client, task_queue=f"{queue}-partners", activities=[note], max_concurrent_activities=1
        ):
            await asyncio.gather(*(handle.result() for handle in waiting))
    return order.index(QUIET)
