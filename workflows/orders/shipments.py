"""Warehouses ship, and the seller's shop gets each tracking number (ORD-9, ORD-11)."""

from models.case import OrderStage as Stage
from models.case import Who
from models.failures import RefusedByRule
from models.message import LineUnits
from models.naming import by_sku, units_named
from models.orders import Shipment, ShipmentFact
from models.partners import Recipient
from workflows.engine.case import Effect, Note, RejectEvent, SendMail
from workflows.engine.pieces import after_days, alert, just, mail_lines, notify, wait
from workflows.engine.plan import Plan, Wait
from workflows.orders import lines as order_lines
from workflows.orders.effects import AnnounceTracking
from workflows.orders.facts import OrderFacts
from workflows.orders.records import Parcel

# ---- a shipment comes ----


def check(f: OrderFacts, event: Shipment) -> None:
    """Raises RefusedByRule when the order has not so many open units."""
    if f.accepted_cancel is not None:
        raise RefusedByRule("CAN-11", "the order is cancelled and does not ship")
    if f.knows_shipment(event.shipment_id):
        return
    try:
        lines = _lines_of(f, event)
    except ValueError as error:
        raise RefusedByRule("ORD-11", f"the order has {error}") from None
    left = _left_for_more(f)
    for line in lines:
        count = left.get(line.line_id, 0)
        if line.quantity > count:
            raise RefusedByRule("ORD-11", f"{line.quantity} of {line.sku} can't ship, {count} are open")


def _lines_of(f: OrderFacts, event: Shipment) -> tuple[LineUnits, ...]:
    """The lines that it means. A supplier knows items only: its units are taken from the lines that it was sent,
    in their order (ORD-13). Raises ValueError when a name fits no line, or several."""
    left = _left_for_more(f)
    if event.supplier_order_number is not None:
        sent = {
            line.line_id
            for one in f.purchases
            if one.order.number == event.supplier_order_number
            for line in one.order.lines
        }
        left = {line_id: count for line_id, count in left.items() if line_id in sent} or left
    by_supplier = event.actor.startswith("supplier:")
    return units_named(event.lines, f.lines.counts, left=left, in_order=by_supplier)


def _left_for_more(f: OrderFacts) -> dict[str, int]:
    """Open units that no parcel is waiting to ship."""
    left = f.lines.open
    for parcel in f.parcels:
        for line in parcel.lines:
            left[line.line_id] = left.get(line.line_id, 0) - line.quantity
    return left


def receive(f: OrderFacts, event: Shipment) -> OrderFacts:
    """Keep a shipment until its turn; the same `shipment_id` counts once."""
    if f.knows_shipment(event.shipment_id):
        return f.step(f"shipment {event.shipment_id} is known already; counted once", event.actor)
    what = f"shipment {event.shipment_id} left the warehouse"
    parcel = Parcel(
        event_id=event.event_id,
        shipment_id=event.shipment_id,
        carrier=event.carrier,
        tracking_number=event.tracking_number,
        lines=_lines_of(f, event),
        supplier_order_number=event.supplier_order_number,
    )
    return f.with_(parcels=(*f.parcels, parcel)).step(what, event.actor)


# ---- its turn ----


def begun(f: OrderFacts, effect: AnnounceTracking) -> OrderFacts:
    """Its units have left; the shop is told."""
    parcel = next(one for one in f.parcels if one.shipment_id == effect.shipment_id)
    fact = ShipmentFact(
        shipment_id=parcel.shipment_id,
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        lines=parcel.lines,
        supplier_order_number=parcel.supplier_order_number,
        at=f.now,
    )
    return f.with_(
        lines=order_lines.ship(f.lines, parcel.lines),
        parcels=tuple(one for one in f.parcels if one is not parcel),
        shipments=(*f.shipments, fact),
    )


def set_aside(f: OrderFacts, effect: RejectEvent) -> OrderFacts:
    """It can't be used after all."""
    return f.with_(parcels=tuple(one for one in f.parcels if one.event_id != effect.event_id))


def announced(f: OrderFacts, effect: AnnounceTracking) -> OrderFacts:
    return f.step(f"tracking number of shipment {effect.shipment_id} is with the shop", Who.SHOP)


# ---- what follows ----


def announce(f: OrderFacts) -> Plan:
    """Tell the shop the tracking number of each shipment whose turn it is; one that does not fit is set aside."""
    under_way = [one for one in f.in_flight.values() if isinstance(one, AnnounceTracking)]
    waits = [Wait(Stage.AWAITING_SHIPMENT, one.who, one.summary, f.done.get(one.key, f.now)) for one in under_way]
    mails = [_mail(one) for one in f.shipments if _is_to_be_mailed(f, one)]
    return Plan(effects=(*mails, *_turns(f)), waits=tuple(waits))


def _is_to_be_mailed(f: OrderFacts, shipment: ShipmentFact) -> bool:
    return f.is_answered(_key(shipment.shipment_id)) and f"mail:shipped-{shipment.shipment_id}" not in f.done


def _mail(shipment: ShipmentFact) -> SendMail:
    """The seller is told once the shop has the number."""
    return notify(
        f"shipped-{shipment.shipment_id}",
        "order_shipped",
        Recipient.SELLER,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        lines=mail_lines(by_sku(shipment.lines)),
    )


def _key(shipment_id: str) -> str:
    return f"shipment:{shipment_id}"


def _turns(f: OrderFacts) -> list[Effect]:
    """What becomes of the parcels that wait: each is announced once its units may ship."""
    turns: list[Effect] = []
    if not f.parcels or f.is_given_up:
        return turns  # the order ends without them
    left, all_is_bought = f.can_ship, f.is_bought
    for parcel in f.parcels:
        short = [line for line in parcel.lines if line.quantity > left.get(line.line_id, 0)]
        if not short:
            for line in parcel.lines:
                left[line.line_id] -= line.quantity
            turns.append(AnnounceTracking(key=_key(parcel.shipment_id), shipment_id=parcel.shipment_id))
        elif all_is_bought:
            line = short[0]
            why = f"{line.quantity} of {line.sku} can't ship, {left.get(line.line_id, 0)} are open (ORD-11)"
            turns.append(_rejected(parcel, why))
        else:
            break
    return turns


def leftovers(f: OrderFacts, outcome: str) -> Plan:
    """Shipments that came before their turn, of an order that ends without it, are answered (CAN-11)."""
    return just(*(_rejected(parcel, f"the order is {outcome} (CAN-11)") for parcel in f.parcels))


def _rejected(parcel: Parcel, why: str) -> RejectEvent:
    return RejectEvent(key=f"reject:{parcel.event_id}", name="shipment", event_id=parcel.event_id, reason=why)


def await_shipments(f: OrderFacts) -> Plan:
    """Done when every line is shipped, cancelled or voided; staff are told of an order that does not ship."""
    if not f.lines.has_open:
        return Plan()
    placed = f.handed_off_at or f.now
    items = f.lines.in_words(f.lines.open)
    plan = wait(Stage.AWAITING_SHIPMENT, Who.SUPPLIER, f"ship {items}", placed)
    for days in f.seller.shipment_reminder_days:
        what = f"not shipped after {days} days: {items}"
        note = Note(key=f"note:unshipped-{days}", what=what)
        told = alert(f, f"unshipped-{days}", what, Who.SUPPLIER)
        plan += after_days(f, placed, days, "Reminder: not shipped yet", note, told)
    return plan
