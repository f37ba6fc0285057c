"""The supplier's credit memos: each number counts once; together they reach what was accepted, or one of them is
final (RET-12, RET-28)."""

from datetime import datetime

from models.case import ReturnStage as Stage
from models.case import Who
from models.gateway_limits import movable
from workflows.engine.case import Note
from workflows.engine.pieces import alert, just, wait
from workflows.engine.plan import Plan
from workflows.returns.effects import BookCreditMemo
from workflows.returns.facts import ReturnFacts
from workflows.returns.inspection import overdue
from workflows.returns.settled import expected_credit, seller_due, seller_settled


def credit_memos(f: ReturnFacts) -> Plan:
    """They are booked as they come, one at a time; one that comes late is told to staff."""
    booking = _booking(f)
    settled_at = _seller_settled_at(f)
    for one in f.memos:
        if one.state == "booked" and settled_at is not None and one.at > settled_at:
            memo = one.memo
            what = f"credit memo {memo.number} over {memo.amount} {memo.currency} came when no more was expected"
            booking += just(alert(f, f"late-credit-{memo.number}", what, Who.STAFF))
    return booking


def _booking(f: ReturnFacts) -> Plan:
    """Staff's stop waits for it; not when it can't be done for so long that they were told."""
    memo = next((one.memo for one in f.memos if one.state == "new"), None)
    if memo is None:
        return Plan()
    effect = BookCreditMemo(key=f"credit-memo:{memo.event_id}", memo=memo)
    trouble = f.trouble.get(effect.key)
    given_up = f.stopped_at is not None and trouble is not None and trouble.alert
    return Plan() if given_up else just(effect)


def _seller_settled_at(f: ReturnFacts) -> datetime | None:
    """None while something is due to the seller."""
    if not seller_settled(f):
        return None
    return max((one.at for one in f.seller_attempts if one.state == "succeeded"), default=f.nothing_accepted_at)


def awaiting_credit(f: ReturnFacts) -> Plan:
    amount, currency = expected_credit(f), f.snapshot.charge_currency
    since = f.inspected_at or f.on_its_way_at or f.now
    what = f"credit {amount} {currency} (credited so far: {f.credited})"
    late = overdue(f, "credited", f"{f.seller.inspection_days} days to receive, inspect and credit")
    return late + wait(Stage.AWAITING_CREDIT, Who.SUPPLIER, what, since, f.refund_due)


def not_credited(f: ReturnFacts) -> Plan:
    """RET-13: what the supplier has not credited, the broker pays; of a final credit that is the seller's setting
    (RET-28)."""
    currency, missing = f.snapshot.charge_currency, seller_due(f) - f.credited
    if missing > 0:
        what = f"{missing} {currency} is not credited: refunded at the broker's expense"
        return just(Note(key="note:not-credited", what=what))
    less = movable(expected_credit(f), f.snapshot.charge_gateway, currency) - seller_due(f)
    if less <= 0:
        return Plan()
    what = f"the supplier's credit is final, {less} {currency} below the cost: the seller gets what was credited"
    return just(Note(key="note:final-credit", what=what))
