"""Which events a rule refuses, and what events and answers make of the facts of a review (BAL-2)."""

from models.cost_reviews import (
    MOST_EVIDENCE,
    CostDecision,
    EvidenceAdded,
    OpenedCostReview,
    ReviewWithdrawn,
)
from models.failures import RefusedByRule
from models.message import Event, Message
from workflows.cost_reviews.effects import OpenReview
from workflows.cost_reviews.facts import CostReviewFacts
from workflows.engine.case import Answered
from workflows.engine.common_facts import apply_common
from workflows.engine.decisions import check_decision, require_undecided


def check(f: CostReviewFacts, event: Event) -> None:
    """Raises Conflict or RefusedByRule when the event can't be used now."""
    require_undecided(f, "review", f.decision, f.withdrawal)
    if isinstance(event, CostDecision):
        check_decision("BAL-2", f.request, event, asks="asked for this review", wants="asked for")
    if isinstance(event, EvidenceAdded) and len(f.all_evidence) >= MOST_EVIDENCE:
        raise RefusedByRule("BAL-2", f"the review has {MOST_EVIDENCE} pieces of evidence already")


def apply(f: CostReviewFacts, fact: Message) -> CostReviewFacts:
    """The facts after this one."""
    match fact:
        case CostDecision():
            after = f.with_(decision=fact, settled_at=f.now)
            of = f" {after.approved} {f.request.currency}" if after.approved is not None else ""
            return after.step(f"{fact.decision}{of}" + (f": {fact.reason}" if fact.reason else ""), fact.actor)
        case ReviewWithdrawn():
            return f.with_(withdrawal=fact, settled_at=f.now).step(f"withdrawn: {fact.reason}", fact.actor)
        case EvidenceAdded():
            added = f.with_(evidence=(*f.evidence, fact.evidence))
            return added.step(f"evidence added: {fact.kind} {fact.reference}", fact.actor)
        case Answered(effect=OpenReview(), answer=OpenedCostReview() as answer):
            return _opened(apply_common(f, fact), answer)
    return apply_common(f, fact)


def _opened(f: CostReviewFacts, answer: OpenedCostReview) -> CostReviewFacts:
    after, request = f.with_(opened=answer, opened_at=f.now), f.request
    if answer.reason is not None:
        return after
    asked = f"review of {request.amount} {request.currency} requested"
    return after.step(f"{asked}; the buyer was refunded {answer.refunded}: {request.notes}", request.requested_by)
