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
from workflows.orders.void_choices import is_sourced_elsewhere
from workflows.refunds import attempts
from workflows.refunds.attempts import BUYER, SELLER, MakeRefund, RefundAttempt

# ---- what became of them ----


def begun(f: OrderFacts, effect: MakeRefund) -> OrderFacts:
    to_begin = tuple(one for one in f.refunds_to_begin if one.refund_id != effect.refund_id)
    return f.with_(refunds=attempts.asked(f.refunds, effect, f.now), refunds_to_begin=to_begin)


def answered(f: OrderFacts, effect: MakeRefund, result: RefundResult) -> OrderFacts:
    """What its workflow gives at its end, unless the refund said more already, by itself."""
    attempt = attempts.attempt_of(f.refunds, result.refund_id)
    if attempt is None or attempt.state not in ("asked", "to_confirm", "pending", "in_doubt"):
        return f
    if result.state is RefundState.RESERVED:
        result = result.model_copy(update={"unknown": True})
    if result.conflict and attempts.may_take_next_id(f.refunds, result.refund_id):
        refunds = attempts.asked_anew(attempts.settled(f.refunds, result, f.now), result.refund_id)
        what = f"refund {result.refund_id} is another request's: asked for under the next number"
        return f.with_(refunds=refunds).step(what)
    if result.parts:
        return _divided(f, effect, result)
    return _settled(f, attempt, result)


def _divided(f: OrderFacts, effect: MakeRefund, result: RefundResult) -> OrderFacts:
    """No single payment of the buyer, or charge on the seller, can carry it (REF-3, ORD-8)."""
    refunds, parts = attempts.in_parts(f.refunds, effect, result, f.now)
    divided = f.with_(refunds=refunds, refunds_to_begin=(*f.refunds_to_begin, *parts))
    return divided.step(attempts.parts_in_words(parts))


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
    if result.parts:
        return _divided_meanwhile(f, result)
    attempt = attempts.attempt_of(f.refunds, result.refund_id)
    failed = result.state is RefundState.FAILED
    if attempt is None or (attempt.state in ("failed", "refused") and not failed):
        why = f"the order made no refund {result.refund_id} that succeeded (REF-7)"
        return f.reject(contract.REFUND_TAKEN_BACK, why, None)
    if result.unknown:
        return _in_doubt_meanwhile(f, attempt, result)
    if result.state is RefundState.RESERVED and not result.to_confirm:
        return _held_up(f, result)
    if failed and attempt.may_have_moved_money and (result.taken_back or attempt.state == "succeeded"):
        what = f"refund {attempt.refund_id} of {attempt.amount} {attempt.currency} failed after it had succeeded"
        refunds = attempts.failed_afterwards(f.refunds, result, f.now)
        return f.with_(refunds=refunds).step(f"{what}: {result.reason}", Who.GATEWAY)
    if attempt.state == "in_doubt":
        what = f"refund {result.refund_id}, which was in doubt, is {result.state.value} after all"
        return _settled(f.step(what, Who.GATEWAY), attempt, result)
    if attempt.is_under_way and attempt.state != attempts.state_of(result):
        return _settled(f, attempt, result)
    return _held_up(f, result)


def _held_up(f: OrderFacts, result: RefundResult) -> OrderFacts:
    refunds, said = attempts.held_up(f.refunds, result)
    return f if said is None else f.with_(refunds=refunds).step(said, Who.GATEWAY)


def _waited_for(f: OrderFacts, stage: Stage, attempt: RefundAttempt, asked: MakeRefund) -> Plan:
    """Its end; or people, who must do something before it goes on."""
    if attempt.held_up is None:
        return in_flight(f, stage, asked)
    what = f"{attempt.held_up.what} (refund {attempt.refund_id})"
    return wait(stage, attempt.held_up.who, what, attempt.at)


def _divided_meanwhile(f: OrderFacts, result: RefundResult) -> OrderFacts:
    """It says so before its end, so that its parts are asked for even by an order that staff stop meanwhile, or
    that no longer waits for it. Where the order did not ask, the parts begin without it."""
    asked_for = attempts.in_flight_refund(f, result.refund_id)
    attempt = attempts.attempt_of(f.refunds, result.refund_id)
    if asked_for is None and attempt is not None and attempt.state == "in_doubt":
        asked_for = _again(f, attempt)
    told = asked_for is None or attempts.has_parts(f.refunds, result.refund_id)
    return f if asked_for is None or told else _divided(f, asked_for, result)


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
    plan = just(*f.refunds_to_begin)
    due = f.seller_refund_due
    if due > 0 and (unsaved := f.unsaved_charge) is not None:
        save = SaveCharge(key=unsaved.save_key, charge_id=unsaved.charge_id)
        plan += just(save) + in_flight(f, _stage(f), save)
    elif due > 0:
        ordinal = attempts.next_ordinal(f.refunds, SELLER)
        effect = _to_seller(f, ids.order_refund_id(f.order_id, "seller", ordinal), due)
        plan += just(effect) + in_flight(f, _stage(f), effect)
    for attempt in f.seller_refunds:
        if (asked := attempts.in_flight_refund(f, attempt.refund_id)) is not None:
            plan += _waited_for(f, _stage(f), attempt, asked)
        elif attempt.state == "in_doubt":
            plan += _look_again(f, attempt)
    return plan + alerts(f)


def _look_again(f: OrderFacts, attempt: RefundAttempt) -> Plan:
    """One in doubt is asked for again with the same words after some days: it is looked for before it is sent."""
    again, effect = attempt.at + timedelta(days=f.seller.refund_retry_days), _again(f, attempt)
    whom = "seller" if attempt.direction is SELLER else "buyer"
    what = f"find out whether refund {attempt.refund_id} of the {whom} was made"
    return at(f, again, f"Look again for refund {attempt.refund_id}", effect) + wait(
        _stage(f), Who.STAFF, what, attempt.at, again
    )


def _again(f: OrderFacts, attempt: RefundAttempt) -> MakeRefund:
    """The same refund, asked for once more."""
    if attempt.direction is SELLER:
        effect = _to_seller(f, attempt.refund_id, attempt.amount, attempt.tries + 1)
    else:
        effect = _to_buyer(f, attempt.refund_id, attempt.tries + 1)
    if attempt.part_of is None:
        return effect
    return effect.model_copy(update={"part_of": attempt.part_of, "amount": attempt.amount})


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
        elif one.state in ("failed", "refused") and one.direction is SELLER and not one.asked_anew:
            told += just(alert(f, one.refund_id, f"{refund} did not succeed: {one.reason}", Who.STAFF))
    return told


def _to_seller(f: OrderFacts, refund_id: str, amount: Decimal, tries: int = 1) -> MakeRefund:
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
    return Stage.CANCELLING if f.is_void or f.accepted_cancel is not None else Stage.AWAITING_SHIPMENT


# ---- the buyer's (CAN-6) ----


def is_due_to_buyer(f: OrderFacts) -> bool:
    """The seller's setting refunds the buyer of an order that was cancelled, if it paid anything (ORD-15) and gets
    nothing: of what was shipped, or is bought elsewhere, the buyer is refunded by a click."""
    automatic = f.accepted_cancel is not None and f.seller.auto_refund_buyer
    gets_some = f.lines.has_shipped or is_sourced_elsewhere(f)
    return automatic and not gets_some and f.request.paid > 0


def to_buyer(f: OrderFacts) -> Plan:
    """Without a person's click only because the seller's setting automates it: all that is still refundable. While
    it is in doubt the order stays open (REF-11)."""
    if not is_due_to_buyer(f):
        return Plan()
    if not f.buyer_refunds:
        ordinal = attempts.next_ordinal(f.refunds, BUYER)
        effect = _to_buyer(f, ids.order_refund_id(f.order_id, "buyer", ordinal))
        return just(effect) + in_flight(f, Stage.CANCELLING, effect)
    plan = _buyer_mails(f)
    for attempt in f.buyer_refunds:
        if attempt.state == "to_confirm":
            plan += wait(Stage.CANCELLING, Who.SELLER, attempts.awaiting_second_person(attempt), attempt.at)
        elif (asked := attempts.in_flight_refund(f, attempt.refund_id)) is not None:
            plan += _waited_for(f, Stage.CANCELLING, attempt, asked)
        elif attempt.state == "in_doubt":
            plan += _look_again(f, attempt)
    return plan


def _to_buyer(f: OrderFacts, refund_id: str, tries: int = 1) -> MakeRefund:
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


def _buyer_mails(f: OrderFacts) -> Plan:
    """The buyer is told of its money, the seller of what did not succeed."""
    told = Plan()
    for one in attempts.told(f.buyer_refunds):
        mail = notify(
            "buyer-refunded",
            "buyer_refunded",
            Recipient.BUYER,
            amount=one.amount,
            currency=one.currency,
            refund_id=one.refund_ids,
        )
        told += just(mail)
    for failed in f.buyer_refunds:
        if failed.state in ("failed", "refused"):
            mail = notify(
                f"refund-failed-{failed.refund_id}" if failed.part_of is not None else "refund-failed",
                "refund_failed",
                Recipient.SELLER,
                reason=failed.reason,
                amount=failed.amount or None,
                currency=failed.currency,
                refund_id=failed.refund_id,
                direction=BUYER.value,
            )
            told += just(mail)
    return told


# ---- in words ----


def money_in_words(f: OrderFacts) -> str:
    """What the seller was charged, and what of it went back or is on its way."""
    return (
        f"the seller was charged {f.captured} {f.currency}, "
        f"refunds of {f.seller_refunds_asked} {f.currency} were asked for"
    )
