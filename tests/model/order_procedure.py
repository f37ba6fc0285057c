"""The model of an order (ORD, CAN): two units of one item, paid and charged once. The clock counts minutes."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.model.procedure import Happening, changed

UNITS = 2
WINDOW = 30

EVENTS: dict[str, tuple[str, ...]] = {
    "release": ("",),
    "cancel_request": ("",),
    "payment_method_updated": ("good", "declined"),
    "shipment": ("s1:1", "s2:1", "s3:2"),
    "hold": ("",),
    "resume": ("",),
}
CLOCK = (11, 31, 65)


@dataclass(frozen=True)
class OrderSetup:
    """What is so before the order comes. `card`: on file at the seller; `stock`: who has the item."""

    auto_release: bool = True
    card: str = "good"
    stock: str = "in stock"


@dataclass(frozen=True)
class OrderState:
    """The facts of one order; where it stands follows from them."""

    now: int = 0
    opened: bool = False
    released_at: int | None = None
    card: str = ""
    card_is_new: bool = False
    authorized: bool = False
    held: bool = False
    cancelled: bool = False
    asked_late: bool = False
    looked: bool = False
    sent: bool = False
    parcels: tuple[tuple[str, int], ...] = ()
    known_parcels: frozenset[str] = frozenset()
    shipped: int = 0
    outcome: str | None = None
    heard: frozenset[int] = frozenset()
    rejected: int = 0

    @property
    def left(self) -> int:
        return UNITS - self.shipped

    @property
    def window_closed(self) -> bool:
        return self.released_at is not None and self.now >= self.released_at + WINDOW


class OrderProcedure:
    """What an order does by itself, and what it makes of each event."""

    def __init__(self, setup: OrderSetup) -> None:
        self.setup = setup

    def begin(self) -> OrderState:
        return OrderState()

    def clock(self, state: OrderState) -> int:
        return state.now

    def at(self, state: OrderState, moment: int) -> OrderState:
        return changed(state, now=moment)

    def reaches(self, state: OrderState, event: Happening) -> bool:
        return True

    def seen(self, state: OrderState, ident: int) -> bool:
        return ident in state.heard

    def reject(self, state: OrderState) -> OrderState:
        return changed(state, rejected=state.rejected + 1)

    def outside(self, state: OrderState, happening: Happening) -> Iterable[OrderState]:
        raise AssertionError(happening.name)

    def next_deadline(self, state: OrderState, until: int) -> int | None:
        if state.released_at is None:
            return None
        closes = state.released_at + WINDOW
        return closes if state.now < closes <= until else None

    def stage(self, state: OrderState) -> str | None:
        """Where an order that rests stands (ORD-2, ORD-3, ORD-4, ORD-11); None: it goes on by itself."""
        if state.outcome is not None:
            return state.outcome
        if not state.opened or state.cancelled:
            return None
        if state.released_at is None:
            return "awaiting_release"
        if not state.authorized:
            return None if state.card_is_new else "awaiting_payment"
        if not state.window_closed:
            return "cancel_window"
        if state.looked and self.setup.stock == "nowhere":
            return None
        if state.held and not state.sent:
            return "on_hold"
        if not state.sent or state.parcels or not state.left:
            return None
        return "awaiting_shipment"

    def steps(self, state: OrderState) -> Iterable[OrderState]:
        if self.stage(state) is not None:
            return []
        return [self._next(state)]

    def _next(self, state: OrderState) -> OrderState:
        if not state.opened:
            card, new = state.card, state.card_is_new
            if not card and self.setup.card:
                card, new = self.setup.card, True
            released = 0 if self.setup.auto_release else state.released_at
            return changed(state, opened=True, card=card, card_is_new=new, released_at=released)
        if state.cancelled:
            return self._ended(state, "cancelled")
        if not state.authorized:
            return changed(state, card_is_new=False, authorized=state.card == "good")
        if not state.looked:
            return changed(state, looked=True)
        if not state.sent:
            return self._ended(state, "voided") if self.setup.stock == "nowhere" else changed(state, sent=True)
        if not state.left:
            return self._ended(state, "shipped")
        (_, units), *others = state.parcels
        return changed(state, parcels=tuple(others), shipped=state.shipped + units)

    def _ended(self, state: OrderState, outcome: str) -> OrderState:
        """Parcels that the order can't have any more are answered, not forgotten (RET-16, CAN-11)."""
        return changed(state, outcome=outcome, rejected=state.rejected + len(state.parcels), parcels=())

    def hear(self, state: OrderState, event: Happening) -> Iterable[OrderState]:
        known = changed(state, heard=state.heard | {event.ident})
        match event.name:
            case "release":
                return [changed(known, released_at=state.now) if state.released_at is None else self.reject(state)]
            case "cancel_request":
                return self._cancel(state, known)
            case "payment_method_updated":
                return [changed(known, card=event.variant, card_is_new=True)]
            case "hold":
                return [self.reject(state) if state.sent else changed(known, held=True)]
            case "resume":
                return [changed(known, held=False) if state.held else self.reject(state)]
            case "shipment":
                return self._shipment(state, known, event.variant)
        raise AssertionError(event.name)

    def _cancel(self, state: OrderState, known: OrderState) -> Iterable[OrderState]:
        if state.cancelled:
            return [self.reject(state), known]
        accepted, late = changed(known, cancelled=True), changed(known, asked_late=True)
        if state.sent:
            return [late]
        if not state.window_closed or self.stage(state) is not None:
            return [accepted]
        # After the window the order goes on: whether a person was still waited for, a race decides.
        return [accepted, late]

    def _shipment(self, state: OrderState, known: OrderState, variant: str) -> Iterable[OrderState]:
        parcel, _, units = variant.partition(":")
        if state.cancelled:
            return [self.reject(state)]
        if parcel in state.known_parcels:
            return [known]
        coming = sum(waiting for _, waiting in state.parcels)
        if int(units) > state.left - coming:
            return [self.reject(state)]
        return [
            changed(
                known,
                parcels=(*state.parcels, (parcel, int(units))),
                known_parcels=state.known_parcels | {parcel},
            )
        ]


def check(state: OrderState) -> None:
    """What must hold in every state: never cancelled and sent, never more shipped than ordered."""
    assert not (state.outcome == "cancelled" and state.sent), "cancelled and sent (CAN-4)"
    assert not (state.sent and not state.authorized), "sent without a charge (ORD-3)"
    assert 0 <= state.shipped <= UNITS, "more shipped than ordered (ORD-11)"
    assert state.outcome != "cancelled" or not state.shipped, "cancelled and shipped (CAN-11)"
