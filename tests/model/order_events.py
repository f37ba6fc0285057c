"""What an order makes of each event."""

from collections.abc import Iterable

from tests.model.order_happenings import ABROAD, IN_TIME, label_of
from tests.model.order_state import WINDOW, OrderSetup, OrderState, drop_open, rejected
from tests.model.procedure import Happening, changed
from tests.model.special_order import after_arrival, after_choice, may_cancel


def hear(setup: OrderSetup, state: OrderState, event: Happening) -> Iterable[OrderState]:
    known = changed(state, heard=state.heard | {event.ident})
    match event.name:
        case "release":
            return [changed(known, released_at=state.now) if state.released_at is None else rejected(state)]
        case "cancel_request":
            return [rejected(state) if state.cancelled else _cancel(setup, state, known, event.variant)]
        case "payment_method_updated":
            return [changed(known, card=event.variant, card_is_new=True)]
        case "hold":
            return [rejected(state) if state.with_supplier else changed(known, held=True)]
        case "resume":
            return [changed(known, held=False) if state.held else rejected(state)]
        case "shipment":
            return _shipment(state, known, event.variant)
        case "shipment_corrected":
            return [_corrected(state, known, event.variant)]
        case "supplier_shortage":
            return [_shortage(state, known, event.variant)]
        case "address_changed":
            return [_address(state, known, event.variant)]
        case "choice_after_void":
            return [after_choice(setup, state, known, event.variant)]
        case "stock_arrived":
            return [after_arrival(setup, state, known)]
    raise AssertionError(event.name)


def _cancel(setup: OrderSetup, state: OrderState, known: OrderState, variant: str) -> OrderState:
    if not state.opened:
        return changed(known, undecided=(*state.undecided, (variant, state.now)))
    if variant == IN_TIME and not state.window_closed:
        variant = ""
    return decide(setup, known, variant, state.now, people=state.awaits_people)


def decide(setup: OrderSetup, state: OrderState, variant: str, handled_at: int, *, people: bool) -> OrderState:
    in_time = people or state.released_at is None or handled_at < state.released_at + WINDOW
    if in_time or state.is_void or state.with_supplier:
        return decided(setup, state, in_time=True)
    return changed(state, undecided=(*state.undecided, (variant, handled_at)))


def decided(setup: OrderSetup, state: OrderState, *, in_time: bool) -> OrderState:
    if state.is_void:
        if may_cancel(setup, state):
            return changed(state, cancelled=True, undecided=())
        return state  # nothing is left to cancel
    if state.with_supplier or not in_time:
        return changed(state, late=True)
    return drop_open(changed(state, cancelled=True, undecided=()))


def _shipment(state: OrderState, known: OrderState, variant: str) -> Iterable[OrderState]:
    parcel, units, *other = variant.split(":")
    if state.cancelled:
        return [rejected(state)]
    label, before = label_of(parcel, *other), dict(state.labels).get(parcel)
    if before is not None:  # the same again counts once; another number must be said as what it is (ORD-20)
        return [known if label == before else rejected(state)]
    coming = sum(waiting for _, waiting in state.parcels)
    if int(units) > state.open - coming:
        return [rejected(state)]
    parcels = (*state.parcels, (parcel, int(units)))
    return [changed(known, parcels=parcels, labels=(*state.labels, (parcel, label)))]


def _corrected(state: OrderState, known: OrderState, parcel: str) -> OrderState:
    """A label is replaced: the new number counts (ORD-20)."""
    if parcel not in dict(state.labels):
        return rejected(state)
    new = label_of(parcel, "new")
    return changed(known, labels=tuple((one, new if one == parcel else it) for one, it in state.labels))


def _shortage(state: OrderState, known: OrderState, variant: str) -> OrderState:
    """Of what a supplier accepted and did not ship, some does not come after all: those units are open again
    (ORD-19)."""
    number, _, units = variant.partition(":")
    at = int(number) - 1
    if at >= len(state.purchases) or state.purchases[at].state != "accepted":
        return rejected(state)
    one, leaving = state.purchases[at], sum(waiting for _, waiting in state.parcels)
    to_come = sum(other.coming for other in state.purchases if other.state == "accepted") - state.shipped
    most = min(one.coming, state.open - leaving, to_come - leaving)
    short = int(units) if units else most
    if short > most or most <= 0:
        return rejected(state)
    after = changed(one, short=one.short + short)
    return changed(known, purchases=(*state.purchases[:at], after, *state.purchases[at + 1 :]))


def _address(state: OrderState, known: OrderState, variant: str) -> OrderState:
    """It counts as long as nobody is asked to ship (ORD-18). What was released for this country was not
    released for another (ORD-10)."""
    is_placing = state.searching or (not state.only_waits and (state.purchases or state.searched))
    if is_placing or state.given_up:
        return changed(known, late_addresses=state.late_addresses + 1)
    after = changed(known, address=variant)
    is_another_country = (variant == ABROAD) != (state.address == ABROAD)
    if not is_another_country or state.released_at is None:
        return after
    if not state.opened:
        return changed(after, released_at=None)
    return changed(after, held=True) if variant == ABROAD else after
