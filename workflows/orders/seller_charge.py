"""The broker's charge on the seller: authorized, captured, or voided (ORD-3, CAN-1)."""

from models import ids
from models.case import OrderStage as Stage
from models.case import Who
from models.charges import ChargeConnection
from models.parties import SmallCharges
from models.partners import ChargeAnswer, ChargeState, Recipient
from workflows.engine.case import Note
from workflows.engine.pieces import in_flight, just, notify, wait
from workflows.engine.plan import Plan
from workflows.orders import charges
from workflows.orders.effects import Authorize, Capture, ChooseConnection, VoidAuthorization
from workflows.orders.facts import OrderFacts
from workflows.refunds.attempts import RefundAttempt

# ---- the gateway answers ----


def connection_chosen(f: OrderFacts, answer: ChargeConnection) -> OrderFacts:
    f = f.with_(charge_connection=answer)
    return f.step(f"the seller is charged by connection {answer.connection_id}", Who.BOOKS)


def authorization_answered(f: OrderFacts, answer: ChargeAnswer) -> OrderFacts:
    f = f.with_(charges=charges.authorized(f.charges, answer, f.now, f.steps + 1))
    charge = charges.attempt_of(f.charges, answer.charge_id)
    if charge is None or not charge.holds_money:
        return f.step(f"charge declined: {answer.reason or 'no reason given'}", Who.GATEWAY)
    return f.step(f"seller's payment method charged: {charge.amount} {f.currency}", Who.GATEWAY)


def capture_answered(f: OrderFacts, effect: Capture, answer: ChargeAnswer) -> OrderFacts:
    f = f.with_(charges=charges.captured(f.charges, answer, effect.amount, f.now, f.steps + 1))
    if answer.state is ChargeState.CAPTURED:
        return f.step(f"charge collected: {effect.amount} {f.currency}", Who.GATEWAY)
    return f.step(f"charge could not be collected: {answer.reason or answer.state.value}", Who.GATEWAY)


def void_answered(f: OrderFacts, answer: ChargeAnswer) -> OrderFacts:
    f = f.with_(charges=charges.voided(f.charges, answer, f.now, f.steps + 1))
    if answer.state is ChargeState.CAPTURED:
        return f.step("the seller's charge was collected already", Who.GATEWAY)
    return f.step("seller's charge voided", Who.GATEWAY)


# ---- ORD-3: authorized before anything is bought, captured before anything is sent ----


def authorize(f: OrderFacts) -> Plan:
    """Reserve parts + shipping + tax; without a valid method the order waits, and the seller is told."""
    if f.needs_connection:
        return _begin(f, Stage.RECEIVED, ChooseConnection())
    told = _small_charge_told(f)
    if not f.needs_charge:
        return told
    if (refund := _refund_not_known(f)) is not None:
        what = f"find out whether refund {refund.refund_id} was made, before the seller is charged again"
        return wait(Stage.AWAITING_PAYMENT, Who.STAFF, what, refund.at)
    if f.awaits_small_charge:
        return told + _collected_otherwise(f)
    if f.awaits_payment:
        return _payment_needed(f)
    return _begin(f, Stage.RECEIVED, _authorization(f))


def _refund_not_known(f: OrderFacts) -> RefundAttempt | None:
    """What a special order is charged for depends on what went back: that must be known (ORD-8, REF-11)."""
    return next((one for one in f.seller_refunds if one.state in ("asked", "in_doubt")), None)


def _authorization(f: OrderFacts) -> Authorize:
    last = f.charges[-1] if f.charges else None
    number = len(f.charges) if last is not None and last.state == "asked" else len(f.charges) + 1
    assert f.payment_method is not None, "there is a method to charge"
    assert f.charge_connection is not None, "it is known by which connection"
    return Authorize(
        key=f"charge:{number}",
        charge_id=ids.charge_id(f.order_id, number),
        amount=f.charge_due,
        currency=f.currency,
        payment_method=f.payment_method,
        method_number=f.methods_given,
        connection_id=f.charge_connection.connection_id,
    )


def _payment_needed(f: OrderFacts) -> Plan:
    last = f.charges[-1] if f.charges else None
    reason = (last.reason if last else None) or "there is no payment method on file"
    mail = notify(
        f"payment-{len(f.charges)}",
        "payment_needed",
        Recipient.SELLER,
        reason=reason,
        amount=f.charge_due,
        currency=f.currency,
    )
    since = last.at if last else f.opened_at or f.created_at
    what = f"give a valid card or PayPal ({reason})"
    return just(mail) + wait(Stage.AWAITING_PAYMENT, Who.SELLER, what, since)


# ---- REF-14: too little for the gateway ----


def _small_charge_told(f: OrderFacts) -> Plan:
    """The seller is told once, with what becomes of it."""
    if not f.has_small_charge:
        return Plan()
    gives_up = f.seller.small_charges is SmallCharges.GIVE_UP
    charge = f"the charge of {f.uncollected} {f.currency} is less than the gateway takes"
    key = f"small-charge-{f.special.round}" if f.special is not None else "small-charge"
    said = f"{charge}: it is given up, and the order goes on" if gives_up else f"{charge}: it is not made"
    mail = notify(
        key,
        "small_charge",
        Recipient.SELLER,
        amount=f.uncollected,
        currency=f.currency,
        given_up="yes" if gives_up else None,
    )
    return just(Note(key=f"note:{key}", what=said), mail)


def _collected_otherwise(f: OrderFacts) -> Plan:
    what = f"collect {f.uncollected} {f.currency} otherwise, which is less than the gateway takes, and resume"
    return wait(Stage.AWAITING_PAYMENT, Who.STAFF, what, f.opened_at or f.created_at)


def capture(f: OrderFacts) -> Plan:
    """Take the money for what can be bought; where nothing is due any more, release it."""
    charge = f.charge
    if charge is None or charge.state is ChargeState.CAPTURED:
        return Plan()
    number = len(f.charges)
    if not f.charge_due or f.awaits_small_charge:
        return _begin(f, Stage.PLACING, _void(f, charge))
    capture = Capture(key=f"capture:{number}", charge_id=charge.charge_id, amount=f.charge_due)
    return _begin(f, Stage.PLACING, capture)


# ---- CAN-1, ORD-7: nothing is bought ----


def release(f: OrderFacts) -> Plan:
    """Nothing is bought: an authorization is voided; one that is being made, or captured, is waited for first."""
    asked = [one for one in f.in_flight.values() if isinstance(one, Authorize | Capture)]
    if asked:
        return in_flight(f, Stage.CANCELLING, asked[0])
    charge = f.charge
    if charge is None or charge.state is ChargeState.CAPTURED:
        return Plan()
    return _begin(f, Stage.CANCELLING, _void(f, charge))


def _void(f: OrderFacts, charge: charges.ChargeAttempt) -> VoidAuthorization:
    return VoidAuthorization(key=f"void:{len(f.charges)}", charge_id=charge.charge_id)


def _begin(
    f: OrderFacts, stage: Stage, effect: ChooseConnection | Authorize | Capture | VoidAuthorization
) -> Plan:
    return just(effect) + in_flight(f, stage, effect)
