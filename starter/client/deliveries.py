"""A parcel arrived of an order that has ended: the database is told by a small workflow of its own (RET-22)."""

from datetime import timedelta
from hashlib import sha256

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError

from models.contract import DELIVERY
from models.failures import BackhaulError, Category, NotFound, RefusedByRule
from models.ids import case_of
from models.message import folded
from models.order_events import Delivered
from models.records import NoteDelivery
from models.text import summary_of
from starter.client.start import failure_of, task_queue_of

_RPC = timedelta(seconds=10)


async def note_delivery(client: Client, workflow_id: str, event: Delivered, within: timedelta) -> bool:
    """Record it; whether the database has it `within` this time. Else it will, when a worker runs.

    Raises NotFound when the order has no such shipment, RefusedByRule when it left later, PartnerUnavailable.
    """
    _, order_id = case_of(workflow_id)
    shipment = sha256(folded(event.number).encode()).hexdigest()[:12]
    try:
        handle = await client.start_workflow(
            DELIVERY,
            NoteDelivery(order_id=order_id, number=event.number, at=event.at),
            id=f"delivery-{order_id}-{shipment}",
            task_queue=await task_queue_of(client, workflow_id),
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=summary_of(f"Delivery of shipment {event.number} · order {order_id}"),
            rpc_timeout=_RPC,
        )
        await handle.result(rpc_timeout=within)
    except WorkflowFailureError as error:
        raise _reason(error) from None
    except RPCError as error:
        if error.status.name in ("DEADLINE_EXCEEDED", "CANCELLED"):
            return False
        raise failure_of(error, f"the delivery could not be recorded for {workflow_id}") from None
    except TimeoutError:
        return False
    return True


def _reason(error: WorkflowFailureError) -> BackhaulError:
    cause = error.cause.cause if isinstance(error.cause, ActivityError) else error.cause
    if isinstance(cause, ApplicationError) and cause.type == Category.NOT_FOUND:
        return NotFound(cause.message)
    if isinstance(cause, ApplicationError) and cause.type == Category.REFUSED_BY_RULE:
        return RefusedByRule("RET-22", cause.message.removesuffix(" (RET-22)"))
    return NotFound(f"the delivery could not be written down: {type(cause).__name__}")
