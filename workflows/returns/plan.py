"""How a return goes: what must be done by now, what is waited for, when to look again, and when it ends.

Pure: the same facts give the same plan. It names every effect that is due; the engine begins each key once. What a
step does in detail stands in the file beside this one that is named after it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from models.case import ReturnStage as Stage
from workflows.engine.pieces import just, troubles
from workflows.engine.plan import Plan
from workflows.refunds.attempts import MakeRefund
from workflows.returns import buyer_refund as buyer
from workflows.returns import replaced, replacement, settled
from workflows.returns import seller_refund as seller
from workflows.returns.approval import approval_requested, approved, awaiting_approval, rejected
from workflows.returns.channel_updates import channel_updates
from workflows.returns.credit_memos import awaiting_credit, credit_memos, not_credited
from workflows.returns.ending import ended, stopped, withdrawn
from workflows.returns.facts import ReturnFacts
from workflows.returns.inspection import (
    awaiting_inspection,
    nothing_accepted,
    nothing_due,
    undecided_since_refund,
)
from workflows.returns.opening import opening, reopening, split_returns
from workflows.returns.refund_requests import last_refunds
from workflows.returns.refund_sla import refund_sla
from workflows.returns.return_shipment import awaiting_tracking, expired, open_again
from workflows.returns.return_window import rejected_late
from workflows.returns.rma import appeal_until, awaiting_rma, rma_announced, rma_refused

STAGES = [stage.value for stage in Stage]


def plan(facts: ReturnFacts, now: datetime) -> Plan:
    """What follows from the facts at this moment. Of several waits the one of the earliest stage stands first."""
    f = facts.as_of(now)
    whole = _plan(f) + troubles(f)
    if len(whole.waits) < 2:
        return whole
    return replace(whole, waits=tuple(sorted(whole.waits, key=lambda wait: STAGES.index(wait.stage))))


def _plan(f: ReturnFacts) -> Plan:
    if f.outcome is not None:
        return just(*f.refunds_to_begin) + ended(f, f.outcome, f.closing_message)
    if f.opened is None:
        return request(f)
    beside = split_returns(f) + reopening(f) + credit_memos(f) + channel_updates(f)
    beside += buyer.declined(f) + replacement.told(f) + just(*f.refunds_to_begin)
    if f.stopped_at is not None:
        return beside + stopped(f)
    if f.withdrawal is not None and not f.is_rejected:
        return beside + withdrawn(f)
    return beside + procedure(f)


def procedure(f: ReturnFacts) -> Plan:
    """The goods come back; then supplier and seller, seller and buyer settle, side by side."""
    goods = in_turn(f, approval, rma, return_shipment)
    if not goods.goes_on:
        return goods + replacement.sent(f)
    money = in_turn(f, inspection, credit, seller_refund) + buyer_refund(f) + replacement.sent(f)
    return goods + money + (completion(f) if money.goes_on else Plan())


def in_turn(f: ReturnFacts, *steps: Callable[[ReturnFacts], Plan]) -> Plan:
    """Each step when the one before it waits for nothing."""
    so_far = Plan()
    for step in steps:
        so_far += step(f)
        if not so_far.goes_on:
            break
    return so_far


def request(f: ReturnFacts) -> Plan:
    """1. The return request is written down (RET-1, RET-2), or a completed return is opened again (REF-7)."""
    return opening(f)


def approval(f: ReturnFacts) -> Plan:
    """2. The seller approves or rejects (RET-4, RET-5)."""
    if not (late := rejected_late(f)).is_empty:
        return late
    if f.approval is None:
        return approval_requested(f) + awaiting_approval(f)
    return approval_requested(f) + (rejected(f) if f.is_rejected else approved(f))


def rma(f: ReturnFacts) -> Plan:
    """3. The supplier authorizes it by a number, or refuses (RET-3, RET-7 to RET-9)."""
    if f.returnless:
        return Plan()
    if f.rma_given_at is not None:
        return rma_announced(f)
    if (until := appeal_until(f)) is not None:
        return refund_sla(f, "an RMA number after the supplier's refusal") + rma_refused(f, until)
    return refund_sla(f, "the RMA number") + awaiting_rma(f)


def return_shipment(f: ReturnFacts) -> Plan:
    """4. The tracking number says that the goods are on their way; without one the return expires (RET-10)."""
    if f.returnless:
        return Plan()
    if f.is_expired:
        return expired(f)
    if f.on_its_way_at is None:
        return open_again(f) + refund_sla(f, "the tracking number of the parcel back") + awaiting_tracking(f)
    return open_again(f)


def inspection(f: ReturnFacts) -> Plan:
    """5. The supplier receives and inspects (RET-11)."""
    if f.returnless or f.nothing_accepted_at is not None:
        return Plan()
    if f.seller_attempts:
        return undecided_since_refund(f)
    if f.inspection_required:
        return refund_sla(f, "the supplier to receive and inspect the goods") + awaiting_inspection(f)
    if settled.seller_due(f):
        return Plan()
    return nothing_accepted(f) if settled.accepts_nothing(f) else nothing_due(f)


def credit(f: ReturnFacts) -> Plan:
    """6. The supplier credits what it accepted, or the broker pays for it (RET-12, RET-13, RET-28)."""
    if f.returnless or f.nothing_accepted_at is not None:
        return Plan()
    if f.seller_attempts and settled.seller_difference(f) <= 0:
        return Plan()
    if settled.credit_required(f):
        return refund_sla(f, "the supplier's credit memo") + awaiting_credit(f)
    return not_credited(f)


def seller_refund(f: ReturnFacts) -> Plan:
    """7. The broker refunds the seller (RET-13)."""
    if f.returnless:
        return Plan()
    if not f.seller_attempts:
        nothing = f.nothing_accepted_at is not None or not settled.seller_due(f)
        return Plan() if nothing else seller.first_refund(f)
    made = any(one.state in ("succeeded", "refused", "failed_afterwards") for one in f.seller_attempts)
    return (
        seller.seller_told(f)
        + (Plan() if made else refund_sla(f, "the refund itself"))
        + seller.refund_until_made(f)
    )


def buyer_refund(f: ReturnFacts) -> Plan:
    """8. The seller refunds the buyer, by a person's click (RET-14, REF-1), or declines (RET-27); or it is
    replaced (RET-24)."""
    told = buyer.buyer_told(f)
    under_way = buyer.refund_under_way_or_renumbered(f)
    if under_way != Plan():
        return told + under_way
    if f.clicks:
        return told + buyer.clicked(f, f.clicks[0])
    if settled.wants_automatic_refund(f):
        return told + buyer.automatic(f)
    if settled.buyer_settled(f):
        return told
    if replaced.is_awaited(f) and not replaced.is_given_up(f):
        told += replacement.awaiting(f)
    if settled.has_its_share(f) and f.buyer_refund_in_doubt is None:
        return told
    return told + (buyer.nothing_left(f) if settled.fees_take_all(f) else buyer.awaiting_click(f))


def completion(f: ReturnFacts) -> Plan:
    """9. Both are settled, nothing is in doubt, and nobody asks for more: the return is completed."""
    seller_settled = f.returnless or settled.seller_settled(f)
    if f.clicks or not (seller_settled and settled.buyer_settled(f)):
        return Plan()
    if f.is_in_flight(MakeRefund):
        return last_refunds(f)
    results = seller.seller_results(f) + buyer.buyer_results(f)
    return ended(f, Stage.COMPLETED, f"completed: {'; '.join(results)}")
