"""What follows from the facts of a claim: open it, wait for a person if need be, tell its end (CLM-1, CLM-2)."""

from datetime import datetime

from models.case import ClaimStage as Stage
from models.claims import ClaimState
from models.partners import Recipient
from workflows.claims.effects import WriteClaim
from workflows.claims.facts import ClaimFacts
from workflows.engine.case import SendMail
from workflows.engine.decisions import awaiting_decision
from workflows.engine.pieces import in_flight, just, notify, troubles
from workflows.engine.plan import End, Plan


def plan(facts: ClaimFacts, now: datetime) -> Plan:
    """What must have been begun, who is waited for, how it ends."""
    f = facts.as_of(now)
    return _procedure(f) + troubles(f)


def _procedure(f: ClaimFacts) -> Plan:
    if f.opened is None:
        opening = WriteClaim()
        return just(opening) + in_flight(f, Stage.OPENING, opening)
    if f.opened.reason is not None:
        return Plan(end=End(Stage.REFUSED, f"refused: {f.opened.reason}"))
    requested = just(_request_mail(f)) if f.waited else Plan()
    if f.state is ClaimState.OPEN:
        return requested + _awaited(f)
    return requested + _ended(f)


def _awaited(f: ClaimFacts) -> Plan:
    assert f.opened is not None, "it is open"
    return awaiting_decision(
        f,
        Stage.AWAITING_DECISION,
        "claim",
        f"decide whether {f.request.amount} {f.request.currency} that the seller claims are credited",
        ", ".join(f.why_a_person),
        since=f.opened_at or f.created_at,
        due=f.due,
        reminder_days=f.opened.claim_reminder_days,
    )


def _ended(f: ClaimFacts) -> Plan:
    """The seller is told what was decided; its balance is credited by what is saved (BAL-1)."""
    match f.state:
        case ClaimState.APPROVED:
            said = f"approved: {f.approved} {f.request.currency} credited to the seller's balance"
            return just(_decision_mail(f)) + Plan(end=End(Stage.APPROVED, said))
        case ClaimState.REJECTED:
            assert f.decision is not None, "a person rejected it"
            return just(_decision_mail(f)) + Plan(end=End(Stage.REJECTED, f"rejected: {f.decision.reason}"))
        case ClaimState.WITHDRAWN:
            assert f.withdrawal is not None, "the seller withdrew it"
            return Plan(end=End(Stage.WITHDRAWN, f"withdrawn: {f.withdrawal.reason}"))
    return Plan(end=End(Stage.STOPPED, "stopped by staff: nothing is credited"))


def _request_mail(f: ClaimFacts) -> SendMail:
    return notify(
        "claim-requested",
        "claim_requested",
        Recipient.SELLER,
        claim_id=f.request.claim_id,
        amount=f.request.amount,
        currency=f.request.currency,
        dealer=f.request.dealer,
        without_receipt=None if f.request.receipt is not None else "yes",
        due=f.due,
    )


def _decision_mail(f: ClaimFacts) -> SendMail:
    return notify(
        "claim-decided",
        "claim_decided",
        Recipient.SELLER,
        claim_id=f.request.claim_id,
        amount=f.request.amount,
        currency=f.request.currency,
        dealer=f.request.dealer,
        approved=f.approved,
        reason=f.decision.reason if f.decision is not None else None,
    )
