"""What follows from the facts of a supplier-cost review: open it, wait for a person, tell the decision (BAL-2)."""

from datetime import datetime, timedelta

from models.case import CostReviewStage as Stage
from models.case import Who
from models.cost_reviews import ReviewState
from models.partners import Recipient
from workflows.cost_reviews.effects import OpenReview
from workflows.cost_reviews.facts import CostReviewFacts
from workflows.engine.case import Note, SendMail
from workflows.engine.pieces import alert, at, in_flight, just, notify, troubles, wait
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
    """Staff are reminded, and told when the time is over; a decision is still taken then."""
    assert f.opened is not None, "it is open"
    request, since = f.request, f.opened_at or f.created_at
    what = f"decide whether {request.amount} {request.currency} are credited to the seller"
    told = alert(f, "requested", f"{what}: {request.notes}", Who.STAFF)
    plan = just(told) + wait(Stage.AWAITING_DECISION, Who.STAFF, what, since, f.due)
    for days in f.opened.review_reminder_days:
        if days < f.opened.review_days:
            left = f"{what}: due in {f.opened.review_days - days} days"
            plan += at(
                f,
                since + timedelta(days=days),
                "Reminder: decide the review",
                alert(f, f"due-{days}", left, Who.STAFF),
            )
    late = alert(f, "overdue", f"{what}: it is overdue", Who.STAFF)
    note = Note(key="note:overdue", what="nobody has decided in time")
    return plan + at(f, f.due, "The review is overdue", note, late)


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
