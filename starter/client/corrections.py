"""A parcel of an order that has ended goes under another number: shop and seller are told (ORD-20)."""

from datetime import timedelta

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.service import RPCError

from models.case import Answer
from models.contract import CORRECTION, NUMBERS, ORDER_ID
from models.failures import Conflict
from models.ids import case_of, correction_workflow_id
from models.order_events import ShipmentCorrected
from models.records import NoteCorrection
from models.text import summary_of
from starter.client.start import failure_of, task_queue_of

_RPC = timedelta(seconds=10)


async def correct_after_end(
    client: Client, workflow_id: str, event: ShipmentCorrected, within: timedelta
) -> Answer | None:
    """Record a parcel's new number; what its sender is told, once shop and seller know it. None: they don't know
    it `within` this time, and will.

    Raises Conflict when staff ended the correction itself, PartnerUnavailable.
    """
    _, order_id = case_of(workflow_id)
    try:
        handle = await client.start_workflow(
            CORRECTION,
            NoteCorrection(order_id=order_id, event=event),
            id=correction_workflow_id(order_id, event.event_id),
            task_queue=await task_queue_of(client, workflow_id),
            result_type=Answer,
            # The database knows the event: again, it is answered, and nobody is told twice.
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=summary_of(f"New number of shipment {event.shipment_id} · order {order_id}"),
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(ORDER_ID, order_id), SearchAttributePair(NUMBERS, [event.tracking_number])]
            ),
            rpc_timeout=_RPC,
        )
        answer: Answer = await handle.result(rpc_timeout=within)
    except WorkflowFailureError:
        raise Conflict(
            f"the correction of shipment {event.shipment_id} was ended by staff; send it again"
        ) from None
    except RPCError as error:
        if error.status.name in ("DEADLINE_EXCEEDED", "CANCELLED"):
            return None
        raise failure_of(error, f"the correction could not be recorded for {workflow_id}") from None
    except TimeoutError:
        return None
    return answer
