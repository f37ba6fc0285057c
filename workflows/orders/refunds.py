"""What goes back of an order that came to nothing: to the seller at once, to the buyer if the seller wants so
(ORD-7, CAN-1, CAN-6)."""

from datetime import timedelta
from decimal import Decimal

from models import contract, ids
from models.case import OrderStage as Stage
from models.case import Who
from models.partners import Recipient
from models.refunds import BY_SETTING, RefundResult, RefundState
from workflows.engine.pieces import alert, at, in_flight, just, notify, wait
from workflows.engine.plan import Plan
from workflows.orders.effects import SaveCharge
from workflows.orders.facts import OrderFacts
from workflows.refunds import attempts
from workflows.refunds.attempts import BUYER, SELLER, MakeRefund, RefundAttempt

# ---- what became of them ----


def begun(f: OrderFacts, effect: MakeRefund) -> OrderFacts:
    return f.with_(refunds=attempts.asked(f.refunds, effect, f.now))


def answered(f: OrderFacts, result: RefundResult) -> OrderFacts:
    """What its workflow gives at its end, unless the refund said more already, by itself."""
    attempt = attempts.attempt_of(f.refunds, result.refund_id)
    if attempt is None or attempt.state not in ("asked", "to_confirm", "pending", "in_doubt"):
        return f
    if result.state is RefundState.RESERVED:
        result = result.model_copy(update={"unknown": True})
    if result.conflict and attempts.may_take_next_id(f.refunds, result.refund_id):
        refunds = attempts.renumbered(attempts.settled(f.refunds, result, f.now), result.refund_id)
        what = f"refund {result.refund_id} is another request's: asked for under the next number"
        return f.with_(refunds=refunds).step(what)
    return _settled(f, attempt, result)


def _settled(f: OrderFacts, attempt: RefundAttempt, result: RefundResult) -> OrderFacts:
    f = f.with_(refunds=attempts.settled(f.refunds, result, f.now))
    state = attempts.state_of(result)
    if state == "to_confirm":
        now = attempts.attempt_of(f.refunds, result.refund_id) or attempt
        return f.step(f"waits for {attempts.awaiting_second_person(now)}")
    if state == "pending":
        return f.step(f"refund {result.refund_id} of {result.amount} {result.currency} is pending", Who.GATEWAY)
    whom = "seller" if attempt.direction is SELLER else "buyer"
    if state == "succeeded":
        return f.step(f"{whom} refunded: {result.amount} {result.currency}", Who.GATEWAY)
    if state == "in_doubt":
        return f.step(f"refund {result.refund_id} of the {whom} is in doubt: {result.reason}", Who.GATEWAY)
    if attempt.direction is BUYER:
        return f.step(f"buyer could not be refunded: {result.reason}", Who.GATEWAY)
    return f.step(f"refund {result.refund_id} of the seller did not succeed: {result.reason}", Who.GATEWAY)


def reported(f: OrderFacts, result: RefundResult) -> OrderFacts:
    """It is pending, in doubt, known after all, or failed after it had succeeded (REF-7, REF-11). A word about a
    refund that this order did not make moves nothing."""
    attempt = attempts.attempt_of(f.refunds, result.refund_id)
    failed = result.state is RefundState.FAILED
    if attempt is None or (attempt.state in ("failed", "refused") and not failed):
        why = f"the order made no refund {result.refund_id} that succeeded (REF-7)"
        return f.reject(contract.REFUND_TAKEN_BACK, why, None)
    if result.unknown:
        return _in_doubt_meanwhile(f, attempt, result)
    if result.state is RefundState.RESERVED and not result.to_confirm:
        return f
    if failed and attempt.may_have_moved_money and (result.taken_back or attempt.state == "succeeded"):
        what = f"refund {attempt.refund_id} of {attempt.amount} {attempt.currency} failed after it had succeeded"
        refunds = attempts.failed_afterwards(f.refunds, result, f.now)
        return f.with_(refunds=refunds).step(f"{what}: {result.reason}", Who.GATEWAY)
    if attempt.state == "in_doubt":
        what = f"refund {result.refund_id}, which was in doubt, is {result.state.value} after all"
        return _settled(f.step(what, Who.GATEWAY), attempt, result)
    if attempt.is_under_way and attempt.state != attempts.state_of(result):
        return _settled(f, attempt, result)
    return f


def _in_doubt_meanwhile(f: OrderFacts, attempt: RefundAttempt, result: RefundResult) -> OrderFacts:
    """Its own workflow goes on asking the gateway: nobody asks for it again meanwhile (REF-11)."""
    if not attempt.is_under_way or attempt.state == "in_doubt":
        return f
    what = f"refund {attempt.refund_id} of {result.amount} {result.currency} is in doubt: {result.reason}"
    refunds = attempts.settled(f.refunds, result, f.now, awaited=True)
    return f.with_(refunds=refunds).step(what, Who.GATEWAY)


# ---- the seller's (ORD-7) ----


def to_seller(f: OrderFacts) -> Plan:
    """What was collected for units that came to nothing goes back to the seller at once (ORD-7). One in doubt is
    asked for again under its own id after some days, and looked for first (REF-6, REF-11)."""
    plan = Plan()
    due = f.seller_refund_due
    if due > 0 and (unsaved := f.unsaved_charge) is not None:
        save = SaveCharge(key=unsaved.save_key, charge_id=unsaved.charge_id)
        plan += just(save) + in_flight(f, _stage(f), save)
    elif due > 0:
        ordinal = attempts.next_ordinal(f.refunds, SELLER)
        effect = _to_seller(f, ids.order_refund_id(f.order_id, "seller", ordinal), due, 1)
        plan += just(effect) + in_flight(f, _stage(f), effect)
    for attempt in f.seller_refunds:
        if (asked := _asked(f, attempt)) is not None:
            plan += in_flight(f, _stage(f), asked)
        elif attempt.state == "in_doubt":
            plan += _look_again(f, attempt)
    return plan + alerts(f)


def _look_again(f: OrderFacts, attempt: RefundAttempt) -> Plan:
    """One in doubt is asked for again with the same words after some days: it is looked for before it is sent."""
    again, tries = attempt.at + timedelta(days=f.seller.refund_retry_days), attempt.tries + 1
    if attempt.direction is SELLER:
        effect = _to_seller(f, attempt.refund_id, attempt.amount, tries)
    else:
        effect = _to_buyer(f, attempt.refund_id, tries)
    whom = "seller" if attempt.direction is SELLER else "buyer"
    what = f"find out whether refund {attempt.refund_id} of the {whom} was made"
    return at(f, again, f"Look again for refund {attempt.refund_id}", effect) + wait(
        _stage(f), Who.STAFF, what, attempt.at, again
    )


def alerts(f: OrderFacts) -> Plan:
    """Staff are told of refunds that need somebody to look."""
    told = Plan()
    for one in f.refunds:
        whom = "seller" if one.direction is SELLER else "buyer"
        refund = f"refund {one.refund_id} of the {whom}"
        if one.state == "in_doubt" and not one.awaited:
            what = f"{refund} is in doubt: {one.reason}; look whether it was made"
            told += just(alert(f, f"{one.refund_id}-in-doubt", what, Who.STAFF))
        elif one.state == "failed_afterwards":
            what = f"{refund} failed after it had succeeded: {one.reason}"
            told += just(alert(f, f"{one.refund_id}-failed-afterwards", what, Who.STAFF))
        elif one.state in ("failed", "refused") and one.direction is SELLER and not one.renumbered:
            told += just(alert(f, one.refund_id, f"{refund} did not succeed: {one.reason}", Who.STAFF))
    return told


def _asked(f: OrderFacts, attempt: RefundAttempt) -> MakeRefund | None:
    """The effect whose end is awaited."""
    refunds = (one for one in f.in_flight.values() if isinstance(one, MakeRefund))
    return next((one for one in refunds if one.refund_id == attempt.refund_id), None)


def _to_seller(f: OrderFacts, refund_id: str, amount: Decimal, tries: int) -> MakeRefund:
    return MakeRefund(
        key=f"refund:{refund_id}:{tries}",
        refund_id=refund_id,
        direction=SELLER,
        amount=amount,
        currency=f.currency,
        reason=_reason(f),
        requested_by="broker:backhaul",
        again=tries > 1,
    )


def _reason(f: OrderFacts) -> str:
    if not f.cessations and (split := next((one for one in f.cancels if one.decision == "split"), None)):
        return split.event.reason
    if not f.cessations:
        return "more was collected than is due"
    last = f.cessations[-1]
    if last.kind == "cancelled":
        return last.reason
    return "out of stock" if f.is_void else f"voided: {last.reason}"


def _stage(f: OrderFacts) -> Stage:
    """Where an order stands that waits for a refund only."""
    return Stage.CANCELLING if f.is_void else Stage.AWAITING_SHIPMENT


# ---- the buyer's (CAN-6) ----


def to_buyer(f: OrderFacts) -> Plan:
    """Without a person's click only because the seller's setting automates it: all that is still refundable. While
    it is in doubt the order stays open (REF-11)."""
    if not f.buyer_refund_is_due:
        return Plan()
    attempt = f.buyer_refund
    if attempt is None:
        ordinal = attempts.next_ordinal(f.refunds, BUYER)
        effect = _to_buyer(f, ids.order_refund_id(f.order_id, "buyer", ordinal), 1)
        return just(effect) + in_flight(f, Stage.CANCELLING, effect)
    if attempt.state == "to_confirm":
        return wait(Stage.CANCELLING, Who.SELLER, attempts.awaiting_second_person(attempt), attempt.at)
    asked = _asked(f, attempt)
    if asked is not None:
        return in_flight(f, Stage.CANCELLING, asked)
    return _look_again(f, attempt) if attempt.state == "in_doubt" else _buyer_mails(attempt)


def _to_buyer(f: OrderFacts, refund_id: str, tries: int) -> MakeRefund:
    cancelled = f.accepted_cancel
    return MakeRefund(
        key=f"refund:{refund_id}:{tries}",
        refund_id=refund_id,
        direction=BUYER,
        amount=None,
        currency=f.request.paid_currency,
        reason=f"order cancelled: {cancelled.event.reason}" if cancelled else "order cancelled",
        requested_by=BY_SETTING,
        again=tries > 1,
    )


def _buyer_mails(attempt: RefundAttempt) -> Plan:
    if attempt.state == "succeeded":
        mail = notify(
            "buyer-refunded",
            "buyer_refunded",
            Recipient.BUYER,
            amount=attempt.amount,
            currency=attempt.currency,
            refund_id=attempt.refund_id,
        )
        return just(mail)
    if attempt.state in ("failed", "refused"):
        mail = notify(
            "refund-failed",
            "refund_failed",
            Recipient.SELLER,
            reason=attempt.reason,
            amount=attempt.amount or None,
            currency=attempt.currency,
            refund_id=attempt.refund_id,
            direction=BUYER.value,
        )
        return just(mail)
    return Plan()


# ---- in words ----


def money_in_words(f: OrderFacts) -> str:
    """What the seller was charged, and what of it went back or is on its way."""
    return (
        f"the seller was charged {f.captured} {f.currency}, "
        f"refunds of {f.seller_refunds_asked} {f.currency} were asked for"
    )
