"""What staff can do at the Temporal server: let a case that pauses try again now, and reset one.

Cases have their clocks moved here. A case whose clock is moved by half an hour while a partner is away for two
seconds has tried in vain for half an hour, and pauses accordingly, but by the real clock. Nobody waits for that.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import ResetActivityRequest, ResetWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from models.ids import refund_workflow_id
from tests.case_story import CaseStory
from tests.stack import Stack
from workflows.engine.calls import SPREAD

SOON: Final = timedelta(seconds=3)
PAUSE: Final = timedelta(minutes=15) * (1 + SPREAD)
"""The longest first pause of a case whose activity failed for ten minutes."""


async def try_again_now(stack: Stack, workflow_id: str) -> int:
    """Activities that wait longer than a moment for their next try are tried at once; gives what is pending."""
    handle = stack.client.get_workflow_handle(workflow_id)
    described = (await handle.describe()).raw_description
    now = await stack.env.get_current_time(handle)  # the case's own: so the server counts its next try
    for pending in described.pending_activities:
        if _pauses(pending, now):
            await stack.client.workflow_service.reset_activity(
                ResetActivityRequest(
                    namespace=stack.client.namespace,
                    execution=WorkflowExecution(workflow_id=workflow_id),
                    id=pending.activity_id,
                )
            )
    return len(described.pending_activities) + described.HasField("pending_workflow_task")


async def end_pause(case: CaseStory) -> None:
    """The same, and a case that itself pauses before it asks again has its pause passed by."""
    try:
        pending = await try_again_now(case.stack, case.handle.id)
        if not pending and await asyncio.to_thread(_says_that_it_tries_again, case):
            await case.forward(seconds=PAUSE.total_seconds())
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended, or is only just being started
            raise


async def reset_before_refund(case: CaseStory, refund_id: str) -> None:
    """`temporal workflow reset` to the task that asked for this refund. Asked twice, it is done once."""
    client = case.stack.client
    told = refund_workflow_id(refund_id)
    task = 0
    async for event in case.handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            task = event.event_id
        if event.start_child_workflow_execution_initiated_event_attributes.workflow_id == told:
            break
    else:
        raise AssertionError(f"{case.id} has not asked for {refund_id}")
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=case.handle.id),
            reason="a mended worker",
            workflow_task_finish_event_id=task,
            request_id=refund_id,
        )
    )


def _says_that_it_tries_again(case: CaseStory) -> bool:
    """Whether the timeline tells of trouble with the very thing that the case waits for."""
    standing = case.stack.reading.standing(case.handle.id)
    if standing is None or standing.waiting_for is None:
        return False
    trouble = f"{standing.waiting_for.removeprefix('answer: ')}: no success yet"
    return any(step.what.startswith(trouble) for step in case.stack.reading.timeline(case.handle.id))


def _pauses(pending: PendingActivityInfo, now: datetime) -> bool:
    waits = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and pending.attempt > 1
    return waits and pending.next_attempt_schedule_time.ToDatetime(tzinfo=UTC) > now + SOON
