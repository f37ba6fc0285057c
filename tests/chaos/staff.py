"""What staff can do at the Temporal server for a case that pauses: let it try again now.

Cases have their clocks moved here. A case whose clock is moved by half an hour while a partner is away for two
seconds has tried in vain for half an hour, and pauses accordingly, but by the real clock. Nobody waits for that.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import ResetActivityRequest
from temporalio.service import RPCError, RPCStatusCode

from tests.world import CaseStory, World

SOON: Final = timedelta(seconds=3)
PAUSE: Final = timedelta(minutes=15)
"""Of a case whose activity failed for ten minutes, before it asks again."""
PAUSES: Final = "it is tried again"
"""What the case's timeline says then."""


async def try_again_now(world: World, workflow_id: str) -> int:
    """Activities that wait longer than a moment for their next try are tried at once; gives what is pending."""
    handle = world.client.get_workflow_handle(workflow_id)
    described = (await handle.describe()).raw_description
    now = await world.env.get_current_time(handle)  # the case's own: so the server counts its next try
    for pending in described.pending_activities:
        if _pauses(pending, now):
            await world.client.workflow_service.reset_activity(
                ResetActivityRequest(
                    namespace=world.client.namespace,
                    execution=WorkflowExecution(workflow_id=workflow_id),
                    id=pending.activity_id,
                )
            )
    return len(described.pending_activities) + described.HasField("pending_workflow_task")


async def end_pause(case: CaseStory) -> None:
    """The same, and a case that itself pauses before it asks again has its pause passed by."""
    try:
        pending = await try_again_now(case.world, case.handle.id)
        timeline = case.world.reading.timeline(case.handle.id)
        if not pending and timeline and timeline[-1].what.endswith(PAUSES):
            await case.forward(seconds=PAUSE.total_seconds())
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended, or is only just being started
            raise


def _pauses(pending: PendingActivityInfo, now: datetime) -> bool:
    waits = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and pending.attempt > 1
    return waits and pending.next_attempt_schedule_time.ToDatetime(tzinfo=UTC) > now + SOON
