"""What follows from the facts of a claim: open it, wait for a person if need be, tell its end (CLM-1, CLM-2)."""

from datetime import datetime, timedelta

from models.case import ClaimStage as Stage
from models.case import Who
from models.claims import ClaimState
from models.partners import Recipient
from workflows.claims.effects import WriteClaim
from workflows.claims.facts import ClaimFacts
from workflows.engine.case import Note, SendMail
from workflows.engine.pieces import alert, at, in_flight, just, notify, troubles, wait
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
    """Staff are reminded, and told when the time is over; a decision is still taken then (CLM-2)."""
    assert f.opened is not None, "it is open"
    request, since = f.request, f.opened_at or f.created_at
    what = f"decide whether {request.amount} {request.currency} that the seller claims are credited"
    told = alert(f, "requested", f"{what}: {', '.join(f.why_a_person)}", Who.STAFF)
    plan = just(told) + wait(Stage.AWAITING_DECISION, Who.STAFF, what, since, f.due)
    for days in f.opened.claim_reminder_days:
        if days < f.opened.claim_days:
            left = f"{what}: due in {f.opened.claim_days - days} days"
            plan += at(
                f,
                since + timedelta(days=days),
                "Reminder: decide the claim",
                alert(f, f"due-{days}", left, Who.STAFF),
            )
    late = alert(f, "overdue", f"{what}: it is overdue", Who.STAFF)
    note = Note(key="note:overdue", what="nobody has decided in time")
    return plan + at(f, f.due, "The claim is overdue", note, late)


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
