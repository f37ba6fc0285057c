"""The broker's charge on the seller: authorized, captured, or voided (ORD-3, CAN-1)."""

from models import ids
from models.case import OrderStage as Stage
from models.case import Who
from models.partners import ChargeAnswer, ChargeState, Recipient
from workflows.engine.pieces import in_flight, just, notify, wait
from workflows.engine.plan import Plan
from workflows.orders import charges
from workflows.orders.effects import Authorize, Capture, VoidAuthorization
from workflows.orders.facts import OrderFacts

# ---- the gateway answers ----


def authorization_answered(f: OrderFacts, answer: ChargeAnswer) -> OrderFacts:
    f = f.with_(charges=charges.authorized(f.charges, answer, f.now, f.steps + 1))
    if f.charge is None:
        return f.step(f"charge declined: {answer.reason or 'no reason given'}", Who.GATEWAY)
    return f.step(f"seller's payment method charged: {f.charge.amount} {f.currency}", Who.GATEWAY)


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
    if not f.needs_charge:
        return Plan()
    if f.awaits_payment:
        return _payment_needed(f)
    return _begin(f, Stage.RECEIVED, _authorization(f))


def _authorization(f: OrderFacts) -> Authorize:
    last = f.charges[-1] if f.charges else None
    number = len(f.charges) if last is not None and last.state == "asked" else len(f.charges) + 1
    assert f.payment_method is not None, "there is a method to charge"
    return Authorize(
        key=f"charge:{number}",
        charge_id=ids.charge_id(f.order_id, number),
        amount=f.lines.cost_due,
        currency=f.currency,
        payment_method=f.payment_method,
        method_number=f.methods_given,
    )


def _payment_needed(f: OrderFacts) -> Plan:
    last = f.charges[-1] if f.charges else None
    reason = (last.reason if last else None) or "there is no payment method on file"
    mail = notify(
        f"payment-{len(f.charges)}",
        "payment_needed",
        Recipient.SELLER,
        reason=reason,
        amount=f.lines.cost_due,
        currency=f.currency,
    )
    since = last.at if last else f.opened_at or f.created_at
    what = f"give a valid card or PayPal ({reason})"
    return just(mail) + wait(Stage.AWAITING_PAYMENT, Who.SELLER, what, since)


def capture(f: OrderFacts) -> Plan:
    """Take the money for what can be bought; where nothing is due any more, release it."""
    charge = f.charge
    if charge is None or charge.state is ChargeState.CAPTURED:
        return Plan()
    number = len(f.charges)
    if not f.lines.cost_due:
        return _begin(f, Stage.PLACING, _void(f, charge))
    capture = Capture(key=f"capture:{number}", charge_id=charge.charge_id, amount=f.lines.cost_due)
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


def _begin(f: OrderFacts, stage: Stage, effect: Authorize | Capture | VoidAuthorization) -> Plan:
    return just(effect) + in_flight(f, stage, effect)
