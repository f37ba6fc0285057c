"""Which events a rule refuses, and what events and answers make of the facts of a claim (CLM-1)."""

from models.claims import MOST_RECEIPTS, ClaimDecision, ClaimState, ClaimWithdrawn, OpenedClaim, ReceiptAdded
from models.failures import Conflict, RefusedByRule
from models.message import Event, Message
from workflows.claims.effects import WriteClaim
from workflows.claims.facts import ClaimFacts
from workflows.engine.case import Answered
from workflows.engine.common_facts import apply_common
from workflows.engine.decisions import check_decision, require_undecided


def check(f: ClaimFacts, event: Event) -> None:
    """Raises Conflict or RefusedByRule when the event can't be used now."""
    require_undecided(f, "claim", f.decision, f.withdrawal)
    if f.ruled_at is not None:
        raise Conflict("it is approved already, by rule (CLM-1)")
    if isinstance(event, ClaimDecision):
        check_decision("CLM-1", f.request, event, asks="made this claim", wants="claims")
    if isinstance(event, ReceiptAdded) and len(f.all_receipts) >= MOST_RECEIPTS:
        raise RefusedByRule("CLM-1", f"the claim has {MOST_RECEIPTS} receipts already")


def apply(f: ClaimFacts, fact: Message) -> ClaimFacts:
    """The facts after this one."""
    match fact:
        case ClaimDecision():
            after = f.with_(decision=fact, settled_at=f.now)
            of = f" {after.approved} {f.request.currency}" if after.approved is not None else ""
            return after.step(f"{fact.decision}{of}" + (f": {fact.reason}" if fact.reason else ""), fact.actor)
        case ClaimWithdrawn():
            return f.with_(withdrawal=fact, settled_at=f.now).step(f"withdrawn: {fact.reason}", fact.actor)
        case ReceiptAdded():
            after = _ruled(f.with_(receipts=(*f.receipts, fact.receipt)))
            return after.step(f"receipt added: {fact.kind} {fact.reference}{_said(after)}", fact.actor)
        case Answered(effect=WriteClaim(), answer=OpenedClaim() as answer):
            return _opened(apply_common(f, fact), answer)
    return apply_common(f, fact)


def _opened(f: ClaimFacts, answer: OpenedClaim) -> ClaimFacts:
    after, request = f.with_(opened=answer, opened_at=f.now), f.request
    if answer.reason is not None:
        return after
    units = ", ".join(f"{one.quantity} x {one.sku}" for one in answer.units)
    asked = f"{request.amount} {request.currency} claimed, paid to {request.dealer} for {units}"
    after = _ruled(after)
    if after.state is ClaimState.OPEN:
        asked = f"{asked}; a person decides: {', '.join(after.why_a_person)}"
    return after.step(f"{asked}{_said(after)}", request.requested_by)


def _ruled(f: ClaimFacts) -> ClaimFacts:
    """Approved without a person, if it is open and all that CLM-1 asks for holds."""
    if not f.is_kept or f.state is not ClaimState.OPEN or f.why_a_person:
        return f
    return f.with_(ruled_at=f.now, settled_at=f.now)


def _said(f: ClaimFacts) -> str:
    return f"; approved by rule: {f.request.amount} {f.request.currency} (CLM-1)" if f.ruled_at is not None else ""
