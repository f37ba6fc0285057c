"""What the database says of a case: when no worker answers, and long after the server has forgotten it."""

from typing import Any

from activities.database import Reading
from models.case import CaseStatus, Ended, Wait, Who
from models.failures import NotFound
from models.ids import case_of


def ending_in_database(reading: Reading, workflow_id: str) -> Ended | None:
    """How a case ended; none if the database does not know it as ended."""
    standing = reading.standing(workflow_id)
    if standing is None or not standing.ended:
        return None
    return Ended(workflow_id=workflow_id, outcome=standing.stage, message="")


def status_in_database(reading: Reading, workflow_id: str) -> CaseStatus | None:
    """What the database says of a case, in the form of its own answer; none if it does not know it.

    Facts leave out the request, which holds the buyer's address. Events that could not be used are known
    only to the case itself.
    """
    standing = reading.standing(workflow_id)
    if standing is None:
        return None
    wait = None
    if standing.waiting_on is not None and standing.waiting_since is not None:
        wait = Wait(
            stage=standing.stage,
            who=Who(standing.waiting_on),
            what=standing.waiting_for or "",
            since=standing.waiting_since,
            due=standing.due_by,
        )
    return CaseStatus(
        workflow_id=workflow_id,
        stage=standing.stage,
        outcome=standing.stage if standing.ended else None,
        waiting_for=wait,
        also_waiting_for=(),
        deadlines={"due": standing.due_by} if standing.due_by is not None else {},
        sla_state=standing.sla_state,
        custody=standing.custody,
        money=standing.money,
        work=standing.work,
        timeline=reading.timeline(workflow_id),
        rejected_events=(),
        rejected_count=0,
        facts=_facts_in_books(reading, workflow_id),
    )


def _facts_in_books(reading: Reading, workflow_id: str) -> dict[str, Any]:
    kind, number = case_of(workflow_id)
    left_out = {"request", "timeline", "listed", "standing"}
    try:
        match kind:
            case "order":
                return reading.order_view(number).model_dump(mode="json", exclude=left_out)
            case "return":
                return reading.return_view(number).model_dump(mode="json", exclude=left_out)
            case "refund":
                return reading.refund(number).model_dump(mode="json", exclude=left_out)
            case "cost-review":
                return reading.cost_review(number).model_dump(mode="json", exclude=left_out)
            case "claim":
                return reading.claim(number).model_dump(mode="json", exclude=left_out)
            case "batch":
                return reading.batch(number).model_dump(mode="json", exclude=left_out)
            case "orphan":
                return reading.orphan(number).model_dump(mode="json", exclude=left_out)
            case "report-import":
                return {}  # `backhaul amazon imports` tells its counts
    except NotFound:
        return {}  # it was refused before it had facts
