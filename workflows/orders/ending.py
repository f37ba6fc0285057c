"""How an order ends: shipped, voided, cancelled, or stopped by staff; and what must be given back before (ORD-7,
CAN-1, CAN-2, CAN-11)."""

from models.cancellations import Fault
from models.case import OrderStage as Stage
from models.case import Who
from models.text import counted
from workflows.engine.case import Effect, SendMail
from workflows.engine.pieces import alert, in_flight, just, troubles, wait
from workflows.engine.plan import End, Plan
from workflows.orders import (
    buyer_requests,
    cancellation,
    purchase_orders,
    refunds,
    replacing,
    seller_charge,
    shipments,
)
from workflows.orders.effects import AnnounceTracking, OpenLateCancelReturn, Place, StopShipping
from workflows.orders.facts import OrderFacts
from workflows.refunds.attempts import MakeRefund, attempt_of

BUYER_REQUEST = "buyer request"
"""The marketplace hears its own buyer's wish, not in whose words it was granted (CAN-9)."""
STOPPED = "stopped by staff; what had to be undone was undone"


def wanted(f: OrderFacts) -> list[Effect]:
    """What is in flight and shall go on: once nothing is bought any more, no supplier is waited for."""
    given_up = f.is_given_up
    return [one for one in f.in_flight.values() if not (given_up and one.cancellable)]


# ---- the three ends of the procedure ----


def end(f: OrderFacts) -> Plan:
    """Nothing is left open: all is shipped, cancelled or voided (ORD-11)."""
    if not f.lines.has_shipped:
        return _ended(f, Stage.VOIDED, "order voided: no source has the items", _give_back(f))
    return _ended(f, Stage.SHIPPED, f"nothing is left open, after {counted(len(f.shipments), 'shipment')}", Plan())


def cancel(f: OrderFacts) -> Plan:
    """Nothing is sent, the charge is voided or refunded, shipping is stopped (CAN-1, CAN-11); then the buyer is
    refunded, if the seller wants so (CAN-6)."""
    accepted = f.accepted_cancel
    assert accepted is not None, "a cancel request was accepted"
    steps = cancellation.notice(f, accepted) + _give_back(f)
    if steps.goes_on:
        steps += refunds.to_buyer(f)
    if f.lines.has_shipped:
        return _ended(f, Stage.SHIPPED, f"what had not shipped is cancelled: {accepted.event.reason}", steps)
    return _ended(f, Stage.CANCELLED, f"order cancelled: {accepted.event.reason}", steps)


def _ended(f: OrderFacts, outcome: Stage, message: str, steps: Plan) -> Plan:
    steps += shipments.leftovers(f, outcome)
    if not steps.goes_on or _is_busy(f):
        return steps
    return steps + Plan(end=End(outcome, message))


def _is_busy(f: OrderFacts) -> bool:
    """Something has not come to its end that must have."""
    if f.undecided_cancel is not None or any(one.state == "in_doubt" for one in f.refunds):
        return True
    return any(not isinstance(one, SendMail) for one in wanted(f))


def _give_back(f: OrderFacts) -> Plan:
    """The charge is voided, and the order leaves the shop's shipping list; side by side."""
    stop = StopShipping(reason=_reason(f), without_sending=buyer_requests.is_not_told(f))
    # The shop knows the first one alone; of a special order some has shipped.
    none = f.is_answered(stop.key) or f.request.split_from is not None or f.lines.has_shipped
    shipping = Plan() if none else buyer_requests.look_before_cancelling(f)
    if shipping.goes_on and not none:
        shipping += just(stop) + in_flight(f, Stage.CANCELLING, stop)
    return seller_charge.release(f) + shipping


def _reason(f: OrderFacts) -> str:
    last = f.cessations[-1]
    if f.buyer_asked is not None and last.fault is Fault.BUYER:
        return BUYER_REQUEST
    return "out of stock" if last.kind == "voided" else last.reason


# ---- staff stop it ----


def stop(f: OrderFacts) -> Plan:
    """Before the order is with a supplier, nothing of it is left behind; after that, staff must look."""
    left = _left(f)
    awaited = [one for one in wanted(f) if one.key not in left and not isinstance(one, SendMail)]
    given_up = [one for one in f.in_flight.values() if isinstance(one, Place)]
    steps = shipments.leftovers(f, Stage.STOPPED)
    if f.is_void or (f.special is not None and not f.lines.has_open):
        steps += just(*_cut_off(f).effects, *_give_back(f).effects)
    elif not given_up and f.splitting is None:
        steps += just(alert(f, "stopped", _in_words(f), Who.STAFF))
    for effect in (*awaited, *given_up):
        steps += in_flight(f, Stage.CANCELLING, effect)
    return steps if not steps.goes_on else steps + Plan(end=End(Stage.STOPPED, STOPPED, left))


def _left(f: OrderFacts) -> tuple[str, ...]:
    """What goes on by itself when staff stop the order: refunds under way; of shipments staff are told."""
    assert f.stopped_at is not None, "staff stopped it"
    before = [one for one in f.in_flight.values() if f.done[one.key] < f.stopped_at]
    pending = [
        one
        for one in f.in_flight.values()
        if isinstance(one, MakeRefund)
        and (attempt := attempt_of(f.refunds, one.refund_id)) is not None
        and attempt.state in ("pending", "in_doubt")
    ]
    begun = [one.key for one in before if isinstance(one, MakeRefund | AnnounceTracking)]
    return tuple(dict.fromkeys([*begun, *(one.key for one in pending)]))


def _cut_off(f: OrderFacts) -> Plan:
    """CAN-6: the automatic refund of the buyer that a stop came before."""
    if not refunds.is_due_to_buyer(f) or f.buyer_refunds:
        return Plan()
    what = "the automatic refund of the buyer was cut off: it was not made; refund the buyer if it is due"
    return just(alert(f, "buyer-refund", what, Who.STAFF))


def _in_words(f: OrderFacts) -> str:
    """What is where, as staff have to know it."""
    told = f"order {f.order_id} was stopped while it is with suppliers: nothing was called back"
    facts = [told, purchase_orders.in_words(f), refunds.money_in_words(f)]
    facts += [
        f"the shop may not have the tracking number of shipment {one.shipment_id}"
        for one in f.in_flight.values()
        if isinstance(one, AnnounceTracking)
    ]
    return "; ".join(facts)


# ---- it has ended ----


def close(f: OrderFacts) -> Plan:
    """The last e-mails; and what was cancelled too late goes on as a return (CAN-2)."""
    assert f.outcome is not None, "it has ended"
    named = [one for one in f.in_flight.values() if not one.cancellable]
    plan = just(*named, *f.refunds_to_begin) + replacing.news(f) + cancellation.late_cancel_return(f)
    plan += refunds.alerts(f) + troubles(f)
    for effect in named:
        if isinstance(effect, OpenLateCancelReturn):
            plan += in_flight(f, f.outcome, effect)
    mails = [f.done[one.key] for one in named if isinstance(one, SendMail)]
    if mails:
        plan += wait(f.outcome, Who.MAIL, "send the last e-mails", min(mails))
    return plan + Plan(end=End(f.outcome, f.closing_message, _left_at_last(f)))


def _left_at_last(f: OrderFacts) -> tuple[str, ...]:
    """Staff who press Cancel after the end do not want to wait for the last e-mails."""
    if f.stopped_at is None:
        return ()
    if f.outcome == Stage.STOPPED:
        return _left(f)
    return tuple(
        key for key, one in f.in_flight.items() if isinstance(one, SendMail) and f.done[key] < f.stopped_at
    )
