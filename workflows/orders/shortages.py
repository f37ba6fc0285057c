"""A supplier that had accepted can't deliver after all: those units are sourced again, or voided (ORD-19)."""

from models.failures import RefusedByRule
from models.message import LineUnits
from models.naming import by_line, units_named
from models.order_events import SupplierShortage
from workflows.orders.facts import OrderFacts
from workflows.orders.records import Purchase
from workflows.orders.shipments import as_we_write_it, left_for_more


def check(f: OrderFacts, event: SupplierShortage) -> None:
    """Raises RefusedByRule when no such order is with a supplier, or not so many of its units are open."""
    purchase = _purchase(f, event)
    left = _left(f, purchase)
    if not left:
        raise RefusedByRule("ORD-19", f"nothing of order {purchase.order.number} is open any more")
    for line in _lines_of(f, event, purchase):
        if line.quantity > left.get(line.line_id, 0):
            count = left.get(line.line_id, 0)
            number = purchase.order.number
            why = f"{line.quantity} of {line.sku} can't be missing, {count} of order {number} are open"
            raise RefusedByRule("ORD-19", why)


def receive(f: OrderFacts, event: SupplierShortage) -> OrderFacts:
    """The units are open again, and that warehouse is not chosen again for these items."""
    purchase = _purchase(f, event)
    lines = _lines_of(f, event, purchase)
    short = {line_id: purchase.short.get(line_id, 0) + count for line_id, count in by_line(lines).items()}
    after = purchase.model_copy(
        update={"short": purchase.short | short, "short_reason": event.reason, "short_at": f.now}
    )
    f = f.with_(purchases=tuple(after if one is purchase else one for one in f.purchases))
    items = f.lines.in_words(by_line(lines))
    what = f"{purchase.source} can't deliver {items} of order {purchase.order.number} after all: {event.reason}"
    return f.step(what, event.actor)


def _purchase(f: OrderFacts, event: SupplierShortage) -> Purchase:
    accepted = [one for one in f.purchases if one.state == "accepted"]
    for one in accepted:
        if one.order.number == as_we_write_it(f, event.supplier_order_number):
            return one
    known = ", ".join(one.order.number for one in accepted) or "none"
    raise RefusedByRule(
        "ORD-19",
        f"no supplier has accepted an order {event.supplier_order_number} of this one; accepted: {known}",
    )


def _left(f: OrderFacts, purchase: Purchase) -> dict[str, int]:
    """Units of this order to a supplier that are still to come, by `line_id`: what has left can't be missing."""
    still = left_for_more(f)
    to_come = _to_come(f)
    gone = _gone(f, purchase)
    left = {
        line_id: min(count - gone.get(line_id, 0), still.get(line_id, 0), to_come.get(line_id, 0))
        for line_id, count in purchase.deliverable.items()
    }
    return {line_id: count for line_id, count in left.items() if count > 0}


def _to_come(f: OrderFacts) -> dict[str, int]:
    """Units that suppliers accepted, and that are in no parcel, by `line_id`."""
    left: dict[str, int] = {}
    for purchase in f.purchases:
        if purchase.state == "accepted":
            for line_id, count in purchase.deliverable.items():
                left[line_id] = left.get(line_id, 0) + count
    for line in (line for parcels in (f.shipments, f.parcels) for parcel in parcels for line in parcel.lines):
        left[line.line_id] = left.get(line.line_id, 0) - line.quantity
    return left


def _gone(f: OrderFacts, purchase: Purchase) -> dict[str, int]:
    """Units in the parcels that name this order to a supplier, by `line_id`."""
    number = purchase.order.number
    named = [line for one in f.shipments if one.supplier_order_number == number for line in one.lines]
    named += [
        line for one in f.parcels if as_we_write_it(f, one.supplier_order_number) == number for line in one.lines
    ]
    return by_line(named)


def _lines_of(f: OrderFacts, event: SupplierShortage, purchase: Purchase) -> tuple[LineUnits, ...]:
    left = _left(f, purchase)
    if event.lines is None:
        return f.lines.units(left)
    try:
        return units_named(event.lines, f.lines.counts, left=left, in_order=True)
    except ValueError as error:
        raise RefusedByRule("ORD-19", f"the order has {error}") from None
