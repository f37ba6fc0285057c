"""What people and the database see of an orphan beside stage, waits and timeline."""

from typing import Any

from models import contract
from models.calls import SAVE_ORPHAN, Call
from models.case import CaseRecord, Ended, OrphanStage
from models.message import Message
from models.orphans import SaveOrphan
from models.worklists import Work
from workflows.engine.plan import Plan
from workflows.engine.procedure import CaseView
from workflows.orphans.facts import OrphanFacts

_ON_ITS_WAY = (OrphanStage.LOOKING, OrphanStage.DELIVERING)


def view(f: OrphanFacts, plan: Plan) -> CaseView:
    """Lists and search attributes show its numbers and who said it; never what was said, which may be personal."""
    waits = any(wait.stage not in _ON_ITS_WAY for wait in plan.waits)
    return CaseView(
        is_kept=True,
        attributes={contract.ORDER_ID.name: None, contract.SUPPLIER_ID.name: f.supplier_id},
        deadlines={"expires_at": f.expires_at} if f.outcome is None else {},
        work=(Work.ORPHANS,) if waits and f.outcome is None else (),
        numbers=f.request.every_number,
    )


def projection(f: OrphanFacts, record: CaseRecord) -> tuple[Call[Any, Any], Message]:
    """All that was said, and what became of it."""
    decision = f.dismissal or f.match
    return SAVE_ORPHAN, SaveOrphan(
        orphan_id=f.request.orphan_id,
        record=record.model_copy(update={"order_id": ""}),
        request=f.request,
        candidates=f.possible,
        matched_to=f.taken_by,
        decided_by=decision.actor if decision is not None else None,
        reason=decision.reason if decision is not None else None,
        reported_at=f.created_at,
        expires_at=f.expires_at,
    )


def facts_in_status(f: OrphanFacts) -> dict[str, Any]:
    """As the query `status` tells them: what was said without its note."""
    request = f.request
    return {
        "orphan_id": request.orphan_id,
        "source": request.source,
        "about": request.about,
        "event": request.event,
        "numbers": list(request.every_number),
        "seller_id": request.seller_id,
        "supplier_id": request.supplier_id,
        "said": {name: value for name, value in request.said.items() if name != "note"},
        "looks": f.looks,
        "fitting": list(f.found.fitting),
        "candidates": list(f.found.candidates),
        "matched_to": f.taken_by,
        "not_taken": [one.model_dump(mode="json") for one in f.not_taken],
    }


def result(f: OrphanFacts) -> Ended:
    """What the workflow gives when it has ended."""
    return Ended(workflow_id=f.case_id, outcome=f.outcome or "", message=f.closing_message)
