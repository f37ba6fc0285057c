"""What people and the database see of a claim beside stage, waits and timeline (CLM-1, CLM-2)."""

from typing import Any

from models import calls
from models.calls import Call
from models.case import CaseRecord, Ended
from models.claims import ClaimState, SaveClaim
from models.message import Message
from models.worklists import Work
from workflows.claims.facts import ClaimFacts
from workflows.engine.plan import Plan
from workflows.engine.procedure import CaseView

BY_RULE = "system:rule"
"""Who has decided what needed no person."""


def view(f: ClaimFacts, plan: Plan) -> CaseView:
    """It waits for a person as long as it is open."""
    is_open = f.is_kept and f.state is ClaimState.OPEN
    return CaseView(
        is_kept=f.is_kept,
        attributes={},
        deadlines={"decision_due": f.due} if is_open else {},
        sla_state=f.sla_state,
        work=(Work.TO_DECIDE,) if is_open else (),
    )


def projection(f: ClaimFacts, record: CaseRecord) -> tuple[Call[Any, Any], Message] | None:
    """Nothing of one that is refused: its id may be another's."""
    if not f.is_kept:
        return None
    last = f.decision or f.withdrawal
    by = BY_RULE if f.ruled_at is not None else None
    return calls.SAVE_CLAIM, SaveClaim(
        record=record,
        claim_id=f.request.claim_id,
        state=f.state,
        approved=f.approved,
        receipts=f.all_receipts,
        decided_by=last.actor if last is not None else by,
        reason=last.reason if last is not None else None,
        at=f.settled_at or f.stopped_at or f.opened_at or f.created_at,
    )


def facts_in_status(f: ClaimFacts) -> dict[str, Any]:
    """As the query `status` tells them."""
    request = f.request
    return {
        "claim_id": request.claim_id,
        "order_id": request.order_id,
        "units": [one.model_dump(mode="json") for one in f.opened.units] if f.opened is not None else [],
        "claimed": str(request.amount),
        "approved": str(f.approved) if f.approved is not None else None,
        "currency": request.currency,
        "state": f.state.value,
        "by_rule": f.ruled_at is not None,
        "why_a_person": list(f.why_a_person) if f.waited else [],
        "dealer": request.dealer,
        "notes": request.notes,
        "requested_by": request.requested_by,
        "receipts": [one.model_dump(mode="json", exclude_none=True) for one in f.all_receipts],
    }


def result(f: ClaimFacts) -> Ended:
    """What the workflow gives when it has ended."""
    return Ended(workflow_id=f.case_id, outcome=f.outcome or "", message=f.closing_message)
