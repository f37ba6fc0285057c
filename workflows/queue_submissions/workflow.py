"""Begins a batch of what waits in an account's queue, when its schedule says so (AMZ-6)."""

from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from models import contract
    from models.amazon.batches import BY_SCHEDULE, ChannelBatchRequest, SubmitQueue, batch_id_at
    from models.text import summary_of


@workflow.defn(name=contract.QUEUE_SUBMISSION)
class QueueSubmission:
    """One turn of the schedule. The batch itself looks whether something waits, and whether another is under
    way."""

    @workflow.run
    async def run(self, request: SubmitQueue) -> None:
        """Takes the account and the kind."""
        batch = ChannelBatchRequest(
            batch_id=batch_id_at(request.connection_id, request.kind, workflow.now()),
            connection_id=request.connection_id,
            kind=request.kind,
            requested_by=BY_SCHEDULE,
        )
        with suppress(WorkflowAlreadyStartedError):
            await workflow.start_child_workflow(
                contract.CHANNEL_BATCH,
                batch,
                id=contract.CHANNEL_BATCH_KIND.workflow_id_of(batch),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=summary_of(f"Batch {batch.batch_id} · by schedule"),
            )
