"""What follows from the facts of a supplier-cost review: open it, wait for a person, tell the decision (BAL-2)."""

from datetime import datetime

from models.case import CostReviewStage as Stage
from models.cost_reviews import ReviewState
from models.partners import Recipient
from workflows.cost_reviews.effects import OpenReview
from workflows.cost_reviews.facts import CostReviewFacts
from workflows.engine.case import SendMail
from workflows.engine.decisions import awaiting_decision
from workflows.engine.pieces import in_flight, just, notify, troubles
from workflows.engine.plan import End, Plan


def plan(facts: CostReviewFacts, now: datetime) -> Plan:
    """What must have been begun, who is waited for, how it ends. The buyer's refund is none of its business."""
    f = facts.as_of(now)
    return _procedure(f) + troubles(f)


def _procedure(f: CostReviewFacts) -> Plan:
    if f.opened is None:
        opening = OpenReview()
        return just(opening) + in_flight(f, Stage.OPENING, opening)
    if f.opened.reason is not None:
        return Plan(end=End(Stage.REFUSED, f"refused: {f.opened.reason}"))
    requested = just(_request_mail(f))
    if f.state is ReviewState.OPEN:
        return requested + _awaited(f)
    return requested + _ended(f)


def _awaited(f: CostReviewFacts) -> Plan:
    assert f.opened is not None, "it is open"
    return awaiting_decision(
        f,
        Stage.AWAITING_DECISION,
        "review",
        f"decide whether {f.request.amount} {f.request.currency} are credited to the seller",
        f.request.notes,
        since=f.opened_at or f.created_at,
        due=f.due,
        reminder_days=f.opened.review_reminder_days,
    )


def _ended(f: CostReviewFacts) -> Plan:
    """The seller is told what was decided; its balance is credited by what is saved (BAL-1)."""
    request = f.request
    match f.state:
        case ReviewState.APPROVED:
            said = f"approved: {f.approved} {request.currency} credited to the seller's balance"
            return just(_decision_mail(f)) + Plan(end=End(Stage.APPROVED, said))
        case ReviewState.REJECTED:
            assert f.decision is not None, "a person rejected it"
            return just(_decision_mail(f)) + Plan(end=End(Stage.REJECTED, f"rejected: {f.decision.reason}"))
        case ReviewState.WITHDRAWN:
            assert f.withdrawal is not None, "the seller withdrew it"
            return Plan(end=End(Stage.WITHDRAWN, f"withdrawn: {f.withdrawal.reason}"))
    return Plan(end=End(Stage.STOPPED, "stopped by staff: nothing is credited"))


def _request_mail(f: CostReviewFacts) -> SendMail:
    assert f.opened is not None, "it is open"
    return notify(
        "cost-review-requested",
        "cost_review_requested",
        Recipient.SELLER,
        review_id=f.request.review_id,
        amount=f.request.amount,
        currency=f.request.currency,
        refunded=f.opened.refunded,
        due=f.due,
    )


def _decision_mail(f: CostReviewFacts) -> SendMail:
    assert f.opened is not None, "it was open"
    return notify(
        "cost-review-decided",
        "cost_review_decided",
        Recipient.SELLER,
        review_id=f.request.review_id,
        amount=f.request.amount,
        currency=f.request.currency,
        refunded=f.opened.refunded,
        approved=f.approved,
        reason=f.decision.reason if f.decision is not None else None,
    )
