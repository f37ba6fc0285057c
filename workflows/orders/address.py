"""The buyer's address is corrected in time, or it is said aloud what can still be done (ORD-18)."""

from models.buyers import Address
from models.order_events import AddressChanged
from models.orders import Hold
from models.partners import Recipient
from workflows.engine.pieces import just, notify
from workflows.engine.plan import Plan
from workflows.engine.procedure import Reply
from workflows.orders.effects import SearchStock
from workflows.orders.facts import OrderFacts
from workflows.orders.records import AddressAsked

_TOO_LATE = (
    "too late: the order is on its way to the address that it had; ask the carrier to redirect the parcel, or let "
    "the buyer refuse it and send a new order (ORD-18)"
)


def receive(f: OrderFacts, event: AddressChanged) -> OrderFacts:
    """Decide it: it counts as long as no warehouse is chosen or asked for, so that none ships to the old one. To
    another country outside of automatic fulfilment it waits for a click again (ORD-10)."""
    if not can_change(f):
        f = _asked(f, event, accepted=False, message=_TOO_LATE)
        return f.step("a correction of the address came too late", event.actor)
    if event.address == f.ship_to:
        f = _asked(f, event, accepted=True, message="the order has this address already")
        return f.step("the address is as it was", event.actor)
    before = f.ship_to.country
    f = _asked(f, event, accepted=True, message="the address is corrected").with_(corrected_address=event.address)
    what = "the buyer's address is corrected"
    if f.seller_settings is None and f.released_at is not None and event.address.country != before:
        # Nobody knows the seller's countries before it is opened: its opening releases it, or a click.
        return f.with_(released_at=None).step(f"{what}; released for {before} only (ORD-10)", event.actor)
    if event.address.country == before or not _needs_a_click(f, event.address.country):
        return f.step(what, event.actor)
    reason = f"it ships to {event.address.country} now: release the hold, or cancel (ORD-10)"
    hold = Hold(event_id=f"{event.event_id}:hold"[:100], actor="system:backhaul", reason=reason)
    return f.with_(hold=hold, held_at=f.now).step(f"{what}; put on hold: {reason}", event.actor)


def can_change(f: OrderFacts) -> bool:
    """Nothing is bought, chosen or searched for, or all of it waits for stock, and the order goes on."""
    if f.outcome is not None or f.is_given_up or f.is_in_flight(SearchStock):
        return False
    return f.waits_for_stock or not (f.purchases or f.searches)


def _asked(f: OrderFacts, event: AddressChanged, *, accepted: bool, message: str) -> OrderFacts:
    one = AddressAsked(event=event, accepted=accepted, message=message)
    return f.with_(addresses=(*f.addresses, one))


def _needs_a_click(f: OrderFacts, country: str) -> bool:
    """What was released for one country was not released for another (ORD-10)."""
    is_released = f.released_at is not None and f.seller_settings is not None
    return is_released and country not in f.seller.automatic_countries


def reply(f: OrderFacts, event: AddressChanged) -> Reply | None:
    """What the sender is told."""
    one = next((one for one in f.addresses if one.event.event_id == event.event_id), None)
    return None if one is None else Reply(accepted=one.accepted, message=one.message)


def answers(f: OrderFacts) -> Plan:
    """Of a correction that came too late the seller is told what can still be done (ORD-18, NTF-4)."""
    told = Plan()
    for one in f.addresses:
        if not one.accepted:
            key = f"address-too-late-{one.event.event_id}"
            told += just(notify(key, "address_too_late", Recipient.SELLER, address=on_one_line(one.event.address)))
    return told


def on_one_line(address: Address) -> str:
    """As people write it, line by line."""
    lines = (
        address.name,
        address.company,
        address.line1,
        address.line2,
        address.line3,
        " ".join(part for part in (address.postal_code, address.city) if part),
        address.region,
        address.country,
    )
    return ", ".join(line for line in lines if line)
