"""What is said to a return that waits itself for its order to be known here is kept for it (RET-16, RET-20)."""

from datetime import timedelta

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from models.case import Answer, ReturnStage
from models.contract import RETURN_KIND
from models.failures import Conflict
from models.ids import case_of
from models.message import Event
from models.orphans import REPORTABLE, kept_as, kept_word
from starter.client.start import failure_of, report_orphan

_RPC = timedelta(seconds=10)


async def keep_for_return(client: Client, workflow_id: str, name: str, event: Event) -> Answer | None:
    """Keep it until the return starts; what its sender is told. None: no such return waits for its order.

    Raises NotTheirs when its sender may not say it, Conflict for what only people decide when they see the return,
    PartnerUnavailable.
    """
    kind, number = case_of(workflow_id)
    orphan = await _waits(client, number) if kind == "return" else None
    if orphan is None:
        return None
    RETURN_KIND.require_sender(name, event)
    why = f"the order of return {number} is not known here yet (kept as {orphan.id})"
    if name not in REPORTABLE:
        raise Conflict(f"{why}: there is nothing to decide before it is; send {name} then (RET-20)")
    kept = await report_orphan(client, kept_word(workflow_id, name, event), task_queue=orphan.task_queue)
    return Answer(
        duplicate=kept.already,
        stage=ReturnStage.REFUSED,
        message=f"{why}: {name} is kept too, and given to the return when it has started (RET-20)",
    )


async def _waits(client: Client, return_id: str) -> WorkflowExecutionDescription | None:
    """The orphan that starts this return when its order is known."""
    for orphan in kept_as(return_id):
        try:
            told = await client.get_workflow_handle(orphan).describe(rpc_timeout=_RPC)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                continue
            raise failure_of(error, f"what return {return_id} waits for is not known") from None
        if told.status is WorkflowExecutionStatus.RUNNING:
            return told
    return None
