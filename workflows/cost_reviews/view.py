"""What people and the database see of a review beside stage, waits and timeline (BAL-2)."""

from typing import Any

from models import calls, contract
from models.calls import Call
from models.case import CaseRecord, Ended
from models.cost_reviews import ReviewState, SaveCostReview
from models.message import Message
from models.worklists import Work
from workflows.cost_reviews.facts import CostReviewFacts
from workflows.engine.plan import Plan
from workflows.engine.procedure import CaseView


def view(f: CostReviewFacts, plan: Plan) -> CaseView:
    """It waits for a person as long as it is open."""
    is_open = f.is_kept and f.state is ReviewState.OPEN
    return CaseView(
        is_kept=f.is_kept,
        attributes={contract.RETURN_ID.name: f.return_id} if f.return_id is not None else {},
        deadlines={"decision_due": f.due} if is_open else {},
        sla_state=f.sla_state,
        work=(Work.TO_DECIDE,) if is_open else (),
    )


def projection(f: CostReviewFacts, record: CaseRecord) -> tuple[Call[Any, Any], Message] | None:
    """Nothing of one that is refused: its id may be another's."""
    if not f.is_kept:
        return None
    last = f.decision or f.withdrawal
    return calls.SAVE_COST_REVIEW, SaveCostReview(
        record=record,
        review_id=f.request.review_id,
        state=f.state,
        approved=f.approved,
        evidence=f.all_evidence,
        decided_by=last.actor if last is not None else None,
        reason=last.reason if last is not None else None,
        at=f.settled_at or f.stopped_at or f.opened_at or f.created_at,
    )


def facts_in_status(f: CostReviewFacts) -> dict[str, Any]:
    """As the query `status` tells them."""
    request = f.request
    return {
        "review_id": request.review_id,
        "order_id": request.order_id,
        "return_id": request.return_id,
        "requested": str(request.amount),
        "refunded": str(f.opened.refunded) if f.opened is not None else None,
        "approved": str(f.approved) if f.approved is not None else None,
        "currency": request.currency,
        "state": f.state.value,
        "notes": request.notes,
        "requested_by": request.requested_by,
        "evidence": [one.model_dump(mode="json", exclude_none=True) for one in f.all_evidence],
    }


def result(f: CostReviewFacts) -> Ended:
    """What the workflow gives when it has ended."""
    return Ended(workflow_id=f.case_id, outcome=f.outcome or "", message=f.closing_message)
