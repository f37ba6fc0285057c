"""Warehouses ship, and the seller's shop gets each tracking number (ORD-9, ORD-11)."""

from typing import Any

from models.case import OrderStage as Stage
from models.case import Who
from models.failures import RefusedByRule
from models.message import LineUnits, folded
from models.naming import by_line, by_sku, units_named
from models.order_events import Delivered, ShipmentCorrected
from models.orders import Shipment, ShipmentFact
from models.partners import Recipient
from models.return_windows import require_after_shipping
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
    if (known := _known(f, event.shipment_id)) is not None:
        _require_same(f, event, known)
        return
    try:
        lines = _lines_of(f, event)
    except ValueError as error:
        raise RefusedByRule("ORD-11", str(error)) from None
    left = left_for_more(f)
    for line in lines:
        count = left.get(line.line_id, 0)
        if line.quantity > count:
            raise RefusedByRule("ORD-11", f"{line.quantity} of {line.sku} can't ship, {count} are open")


def _lines_of(f: OrderFacts, event: Shipment) -> tuple[LineUnits, ...]:
    """The lines that it means. A supplier knows items only: its units are taken from the lines that it was sent,
    in their order (ORD-13). Raises ValueError when a name fits no line, or several."""
    left = left_for_more(f)
    if (number := as_we_write_it(f, event.supplier_order_number)) is not None:
        sent = {line.line_id for one in f.purchases if one.order.number == number for line in one.order.lines}
        left = {line_id: count for line_id, count in left.items() if line_id in sent} or left
    by_supplier = event.actor.startswith("supplier:")
    return units_named(event.lines, f.lines.counts, left=left, in_order=by_supplier)


def as_we_write_it(f: OrderFacts, number: str | None) -> str | None:
    """ORD-21: the number of our order to a supplier, however it is spelled; as it was said where there is none."""
    ours = (one.order.number for one in f.purchases)
    return next((one for one in ours if number is not None and folded(one) == folded(number)), number)


def _known(f: OrderFacts, shipment_id: str) -> ShipmentFact | Parcel | None:
    """ORD-21: the same id, however it is spelled."""
    all_of_them: tuple[ShipmentFact | Parcel, ...] = (*f.shipments, *f.parcels)
    return next((one for one in all_of_them if folded(one.shipment_id) == folded(shipment_id)), None)


def _require_same(f: OrderFacts, event: Shipment, known: ShipmentFact | Parcel) -> None:
    """The same shipment again counts once; another number, or other units, are said as what they are (ORD-20)."""
    told = {folded(box.tracking_number) for box in event.boxes}
    before = {folded(box.tracking_number) for box in known.boxes}
    if told != before:
        numbers = ", ".join(box.tracking_number for box in known.boxes)
        raise RefusedByRule(
            "ORD-20",
            f"shipment {known.shipment_id} is known under {numbers}: send shipment_corrected when its label was "
            "replaced, or give another parcel a shipment_id of its own",
        )
    before_units = by_line(known.lines)
    try:
        units = by_line(units_named(event.lines, f.lines.counts, left=before_units, in_order=True))
    except ValueError:
        units = {}
    if units != before_units:
        raise RefusedByRule(
            "ORD-11",
            f"shipment {known.shipment_id} is known with {f.lines.in_words(before_units)}: give what else was "
            "sent a shipment_id of its own",
        )


def left_for_more(f: OrderFacts) -> dict[str, int]:
    """Open units that no parcel is waiting to ship."""
    left = f.lines.open
    for parcel in f.parcels:
        for line in parcel.lines:
            left[line.line_id] = left.get(line.line_id, 0) - line.quantity
    return left


def receive(f: OrderFacts, event: Shipment) -> OrderFacts:
    """Keep a shipment until its turn; the same `shipment_id` counts once."""
    if _known(f, event.shipment_id) is not None:
        return f.step(f"shipment {event.shipment_id} is known already; counted once", event.actor)
    what = f"shipment {event.shipment_id} left the warehouse"
    parcel = Parcel(
        event_id=event.event_id,
        shipment_id=event.shipment_id,
        carrier=event.boxes[0].carrier,
        tracking_number=event.boxes[0].tracking_number,
        more_parcels=event.boxes[1:],
        lines=_lines_of(f, event),
        supplier_order_number=event.supplier_order_number,
        substitutes=_substitutes(f, event),
        delivered_at=event.delivered_at,
    )
    if parcel.substitutes:
        skus = {one.line_id: one.sku for one in f.lines.counts}
        stand_in = ", ".join(f"{new} for {skus[line_id]}" for line_id, new in parcel.substitutes.items())
        what += f"; successor parts: {stand_in}"
    return f.with_(parcels=(*f.parcels, parcel)).step(what, event.actor)


def _substitutes(f: OrderFacts, event: Shipment) -> dict[str, str]:
    """Successor parts by the `line_id` for which they stand (ORD-20); the same part spelled otherwise is none."""
    found: dict[str, str] = {}
    for named in event.lines:
        if named.substitute_sku is not None:
            for line in units_named([named], f.lines.counts, left=left_for_more(f), in_order=True):
                if folded(named.substitute_sku) != folded(line.sku):
                    found[line.line_id] = named.substitute_sku
    return found


# ---- its number was wrong, or its label is replaced (ORD-20) ----


def check_correction(f: OrderFacts, event: ShipmentCorrected) -> None:
    """Raises RefusedByRule when there is no such shipment, or when it has several parcels."""
    known = _require_known(f, event.shipment_id, "ORD-20")
    if known.more_parcels:
        raise RefusedByRule(
            "ORD-20", f"shipment {known.shipment_id} has {len(known.boxes)} parcels: tell each as a shipment"
        )
    if known.delivered_at is not None:
        raise RefusedByRule("ORD-20", f"shipment {known.shipment_id} is delivered: its number stays")


def _require_known(f: OrderFacts, shipment_id: str, rule: str) -> ShipmentFact | Parcel:
    known = _known(f, shipment_id)
    if known is None:
        ids = [one.shipment_id for one in f.shipments] + [one.shipment_id for one in f.parcels]
        told = ", ".join(ids) or "none"
        raise RefusedByRule(rule, f"no shipment {shipment_id} is known; known: {told}")
    return known


def correct(f: OrderFacts, event: ShipmentCorrected) -> OrderFacts:
    """The new number counts from now on: shop and seller are told."""
    known = _known(f, event.shipment_id)
    assert known is not None, "it was checked"
    same = (known.carrier, known.tracking_number) == (event.carrier, event.tracking_number)
    told: dict[str, Any] = {"corrected_by": (*known.corrected_by, event.event_id)}
    if not same:
        told |= {"carrier": event.carrier, "tracking_number": event.tracking_number}
    if isinstance(known, Parcel):
        f = f.with_(parcels=tuple(one.model_copy(update=told) if one is known else one for one in f.parcels))
    else:
        told["corrections"] = known.corrections + (not same)
        f = f.with_(shipments=tuple(one.model_copy(update=told) if one is known else one for one in f.shipments))
    if same:
        return f.step(f"shipment {known.shipment_id} has this number already", event.actor)
    what = f"shipment {known.shipment_id} goes under {event.carrier} {event.tracking_number} now"
    return f.step(f"{what} (was {known.tracking_number})", event.actor)


# ---- it arrived (RET-22) ----


def check_delivery(f: OrderFacts, event: Delivered) -> None:
    """Raises RefusedByRule when there is no such shipment, or it left later."""
    known = _require_known(f, _shipment_of(f, event), "RET-22")
    if isinstance(known, ShipmentFact):
        require_after_shipping(known.shipment_id, known.at, event.at)


def _shipment_of(f: OrderFacts, event: Delivered) -> str:
    """The id of the shipment with this tracking number; what is not known stays as it was said."""
    every: tuple[ShipmentFact | Parcel, ...] = (*f.shipments, *f.parcels)
    for one in every:
        if folded(event.number) in [folded(box.tracking_number) for box in one.boxes]:
            return one.shipment_id
    return event.number


def delivered(f: OrderFacts, event: Delivered) -> OrderFacts:
    """The first word counts."""
    known = _known(f, _shipment_of(f, event))
    assert known is not None, "it was checked"
    if known.delivered_at is not None:
        return f.step(f"shipment {known.shipment_id} is known as delivered already", event.actor)
    told = {"delivered_at": event.at}
    f = f.with_(
        parcels=tuple(one.model_copy(update=told) if one is known else one for one in f.parcels),
        shipments=tuple(one.model_copy(update=told) if one is known else one for one in f.shipments),
    )
    return f.step(f"shipment {known.shipment_id} is delivered", event.actor)


# ---- its turn ----


def begun(f: OrderFacts, effect: AnnounceTracking) -> OrderFacts:
    """Its units have left; the shop is told. Of one that left before, only its number is told anew."""
    if any(one.shipment_id == effect.shipment_id for one in f.shipments):
        return f
    parcel = next(one for one in f.parcels if one.shipment_id == effect.shipment_id)
    fact = ShipmentFact(
        shipment_id=parcel.shipment_id,
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        lines=parcel.lines,
        supplier_order_number=as_we_write_it(f, parcel.supplier_order_number),
        more_parcels=parcel.more_parcels,
        substitutes=parcel.substitutes,
        corrected_by=parcel.corrected_by,
        delivered_at=parcel.delivered_at,
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
    return Plan(effects=(*mails, *_turns(f), *_corrections(f)), waits=tuple(waits))


def _corrections(f: OrderFacts) -> list[Effect]:
    """A number that was replaced is told to the shop after the one before (ORD-20)."""
    return [
        AnnounceTracking(key=_key(one.shipment_id, one.corrections), shipment_id=one.shipment_id)
        for one in f.shipments
        if one.corrections and not f.is_in_flight(AnnounceTracking)
    ]


def _is_to_be_mailed(f: OrderFacts, shipment: ShipmentFact) -> bool:
    told = f.is_answered(_key(shipment.shipment_id, shipment.corrections))
    return told and f"mail:{_mail_key(shipment)}" not in f.done


def _mail_key(shipment: ShipmentFact) -> str:
    again = f"-{shipment.corrections + 1}" if shipment.corrections else ""
    return f"shipped-{shipment.shipment_id}{again}"


def _mail(shipment: ShipmentFact) -> SendMail:
    """The seller is told once the shop has the number."""
    return notify(
        _mail_key(shipment),
        "tracking_corrected" if shipment.corrections else "order_shipped",
        Recipient.SELLER,
        carrier=shipment.carrier,
        tracking_number=", ".join(box.tracking_number for box in shipment.boxes),
        lines=mail_lines(by_sku(shipment.lines)),
    )


def _key(shipment_id: str, corrections: int = 0) -> str:
    return f"shipment:{shipment_id}" + (f":{corrections + 1}" if corrections else "")


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
    if not f.wanted_now:
        return Plan()
    special = f.special.round if f.special is not None else 0
    placed = (f.special.round_began_at if f.special is not None else None) or f.handed_off_at or f.now
    items = f.lines.in_words(f.wanted_now)
    plan = wait(Stage.AWAITING_SHIPMENT, Who.SUPPLIER, f"ship {items}", placed)
    for days in f.seller.shipment_reminder_days:
        what = f"not shipped after {days} days: {items}"
        key = f"unshipped-{days}" + (f"-{special + 1}" if special else "")
        note = Note(key=f"note:{key}", what=what)
        told = alert(f, key, what, Who.SUPPLIER)
        plan += after_days(f, placed, days, "Reminder: not shipped yet", note, told)
    return plan
