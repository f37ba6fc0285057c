"""What people and the database see of a batch beside stage, waits and timeline."""

from typing import Any

from models import contract
from models.calls import SAVE_CASE, Call
from models.case import CaseRecord, Ended
from models.message import Message
from models.records import SaveCase
from workflows.channel_batches.facts import BatchFacts
from workflows.engine.plan import Plan
from workflows.engine.procedure import CaseView


def view(f: BatchFacts, plan: Plan) -> CaseView:
    """It is found by Amazon's number of its feed."""
    return CaseView(
        is_kept=f.is_kept,
        attributes={contract.ORDER_ID.name: None},
        deadlines={},
        numbers=(f.feed_id,) if f.feed_id is not None else (),
    )


def projection(f: BatchFacts, record: CaseRecord) -> tuple[Call[Any, Any], Message] | None:
    """Where it stands; its own table is written by its steps. Nothing of one that was refused."""
    if not f.is_kept:
        return None
    return SAVE_CASE, SaveCase(record=record.model_copy(update={"order_id": ""}))


def facts_in_status(f: BatchFacts) -> dict[str, Any]:
    """As the query `status` tells them."""
    opened = f.opened
    return {
        "batch_id": f.request.batch_id,
        "connection_id": f.request.connection_id,
        "kind": f.request.kind.value,
        "requested_by": f.request.requested_by,
        "document": opened.number if opened is not None and opened.reason is None else None,
        "messages": opened.messages if opened is not None else 0,
        "kept_back": opened.kept_back if opened is not None else 0,
        "document_id": f.document_id,
        "feed_id": f.feed_id,
        "in_doubt": f.doubt,
        "status": f.status.status if f.status is not None else None,
        "settled": f.settled.model_dump(mode="json") if f.settled is not None else None,
    }


def result(f: BatchFacts) -> Ended:
    """What the workflow gives when it has ended."""
    return Ended(workflow_id=f.case_id, outcome=f.outcome or "", message=f.closing_message)
