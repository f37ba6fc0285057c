"""The broker's orders to suppliers: sent side by side, each accepted or refused (ORD-4, CAN-4)."""

from models.case import OrderStage as Stage
from models.case import Who
from models.partners import PlacedOrder
from models.records import SupplierOrderRecord
from workflows.engine.pieces import in_flight, just
from workflows.engine.plan import Plan
from workflows.orders.effects import Place
from workflows.orders.facts import OrderFacts
from workflows.orders.records import Purchase

# ---- what becomes of one ----


def sent(f: OrderFacts, effect: Place) -> OrderFacts:
    """From this moment on the order is with a supplier: no cancel is accepted any more (CAN-4)."""
    return _changed(f, effect.number, state="sent")


def answered(f: OrderFacts, effect: Place, answer: PlacedOrder) -> OrderFacts:
    f = _changed(
        f,
        effect.number,
        state=answer.state,
        supplier_reference=answer.supplier_reference,
        reason=answer.reason,
    )
    purchase = f.purchase_of(effect.number)
    if answer.state == "refused":
        return f.step(f"order {effect.number} refused by {purchase.source}: {answer.reason}", Who.SUPPLIER)
    f = f.with_(handed_off_at=f.handed_off_at or f.now, last_supplier=purchase.order.supplier_id)
    return f.step(f"order {effect.number} placed with {purchase.source}", Who.SUPPLIER)


def given_up(f: OrderFacts, effect: Place) -> OrderFacts:
    """Staff stopped the order meanwhile: the supplier may have it all the same, so it is named."""
    reason = "stopped by staff before the supplier's answer was heard"
    f = _changed(f, effect.number, state="unknown", reason=reason)
    source = f.purchase_of(effect.number).source
    return f.step(f"order {effect.number} was on its way to {source}: its answer is not known")


def _changed(f: OrderFacts, number: str, **changes: object) -> OrderFacts:
    update = {"at": f.now, **changes}
    purchases = tuple(one.model_copy(update=update) if one.order.number == number else one for one in f.purchases)
    return f.with_(purchases=purchases)


# ---- what follows ----


def place(f: OrderFacts) -> Plan:
    """All that was found is ordered, side by side; then their answers are waited for."""
    effects = [Place(key=_key(one), number=one.order.number) for one in f.open_purchases if one.state == "found"]
    sent = [one for one in f.in_flight.values() if isinstance(one, Place)]
    waits = (in_flight(f, Stage.PLACING, one) for one in (*sent, *effects))
    return sum(waits, just(*effects))


def _key(purchase: Purchase) -> str:
    return f"purchase:{purchase.order.number}"


# ---- as others see them ----


def records_of(f: OrderFacts) -> tuple[SupplierOrderRecord, ...]:
    """Those whose answer is known, or will never be, as the database keeps them."""
    return tuple(
        SupplierOrderRecord(
            order=one.order,
            state=one.state,
            supplier_reference=one.supplier_reference,
            reason=one.reason,
            at=one.at,
            short=one.short,
            short_reason=one.short_reason,
        )
        for one in f.purchases
        if one.state != "found" and one.state != "sent"
    )


def in_words(f: OrderFacts) -> str:
    """Each order that is, or may be, with a supplier, as staff have to know it."""
    known = {"accepted": "was accepted by", "unknown": "was on its way, its answer is not known; ask"}
    orders = [
        f"order {one.order.number} {known[one.state]} {one.order.supplier_id}"
        for one in f.purchases
        if one.state in known
    ]
    return "; ".join(orders) or "no order was placed"
