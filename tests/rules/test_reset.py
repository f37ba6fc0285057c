"""Staff reset a case in Temporal: it goes on from an earlier task in a new run, and the books follow (NTF-3)."""

import asyncio

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from tests.case_story import CaseStory
from tests.eventually import eventually
from tests.world import World


async def reset_to_its_start(case: CaseStory, task: int = 1) -> None:
    """`temporal workflow reset` to the first task, or the n-th, without what was sent since."""
    history = await case.handle.fetch_history()
    completed = [
        one.event_id for one in history.events if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    client = case.stack.client
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=case.handle.id),
            reason="a mended worker",
            workflow_task_finish_event_id=completed[task - 1],
            request_id=case.handle.id,
            reset_reapply_exclude_types=[
                ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
                ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
            ],
        )
    )


async def books_say(case: CaseStory, stage: str) -> None:
    async def look() -> str | None:
        standing = await asyncio.to_thread(case.stack.reading.standing, case.handle.id)
        return standing.stage if standing is not None else None

    await eventually(look, lambda seen: seen == stage, f"the books do not say {stage}")


async def test_NTF_3_the_books_follow_a_case_that_was_reset(world: World) -> None:
    order = await world.simple_order(await world.seller(auto_release=False))
    await order.reaches("awaiting_release")
    await order.update("release")
    await order.reaches("cancel_window")
    await books_say(order, "cancel_window")

    await reset_to_its_start(order)

    await order.reaches("awaiting_release")
    await books_say(order, "awaiting_release")
    await order.update("release")
    await order.shipped()
    await books_say(order, "shipped")
    assert len((await order.effects()).payment_intents) == 1
