"""The model of an order of several lines (ORD-11, ORD-13, ORD-14, ORD-19): its supplier takes what it is sent, and
what it can't deliver after all nobody has. Its clock counts minutes. All else is tried with one line
(`order_procedure`)."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.model.procedure import Happening, changed
from tests.model.sold_lines import EVERYTHING, ITEMS, NOTHING, Units, fits, meant, minus, plus, worth

WINDOW = 30
COST = sum(item.cost for item in ITEMS)
BY_WAREHOUSE = "w"
"""Said by one that knows items only."""

NAMES = (
    "1:1",
    "1:2",
    "2:1",
    "A:1",
    "A:2",
    "A:3",
    "A:1:w",
    "A:2:w",
    "3:1",
    "KIT:1",
    "KIT:2",
    "3.1:1",
    "B:2",
    "C:1",
)
EVENTS: dict[str, tuple[str, ...]] = {
    "shipment": (*NAMES, "C:3", "3:1:w", "D:1"),
    "supplier_shortage": ("", "1:1", "2:1", "A:1", "A:3", "KIT:1", "3.2:1", "D:1"),
    "cancel_request": ("",),
}
"""`shipment`: a name, how many of it, and `w` where a warehouse says it; each is a parcel of its own.
`supplier_shortage`: the same; nothing: all that is to come."""
CLOCK = (11, 31, 65)
GUIDE: dict[str, tuple[tuple[str, str], ...]] = {
    "cancel_window": (
        ("clock", "31"),
        ("clock", "31"),
        ("clock", "31"),
        ("cancel_request", ""),
        ("shipment", "A:1"),
    ),
    "awaiting_shipment": (
        *(("shipment", name) for name in NAMES),
        *(("supplier_shortage", name) for name in EVENTS["supplier_shortage"]),
        ("cancel_request", ""),
    ),
}


@dataclass(frozen=True)
class LinesState:
    """The facts of one order of lines; units by item. It begins when it is written down and paid for."""

    now: int = 0
    bought: bool = False
    coming: Units = NOTHING
    """What its supplier accepted, less what it can't deliver."""
    searching: str = ""
    shipped: Units = NOTHING
    dropped: Units = NOTHING
    parcels: tuple[Units, ...] = ()
    """Those that wait for their turn."""
    cancelled: bool = False
    late: bool = False
    asked: tuple[int, ...] = ()
    """Cents of each refund of the seller, all of them made."""
    outcome: str | None = None
    heard: frozenset[int] = frozenset()
    rejected: int = 0

    @property
    def open(self) -> Units:
        return minus(minus(EVERYTHING, self.shipped), self.dropped)

    @property
    def unsourced(self) -> Units:
        return minus(plus(self.open, self.shipped), self.coming) if self.bought else NOTHING

    @property
    def waiting(self) -> Units:
        """In parcels whose turn has not come."""
        units = NOTHING
        for parcel in self.parcels:
            units = plus(units, parcel)
        return units

    @property
    def refund_due(self) -> int:
        """What was collected for units that came to nothing: they are counted from the end of their line."""
        cents = sum(
            worth(item.cost, item.quantity, item.quantity - dropped, item.quantity)
            for item, dropped in zip(ITEMS, self.dropped, strict=True)
        )
        return cents - sum(self.asked) if self.bought else 0


class LinesProcedure:
    """What an order of several lines does by itself, and what it makes of each event."""

    def __init__(self, setup: object) -> None:
        self.setup = setup

    def begin(self) -> LinesState:
        return LinesState()

    def clock(self, state: LinesState) -> int:
        return state.now

    def at(self, state: LinesState, moment: int) -> LinesState:
        return changed(state, now=moment)

    def reaches(self, state: LinesState, event: Happening) -> bool:
        return True

    def seen(self, state: LinesState, ident: int) -> bool:
        return ident in state.heard

    def reject(self, state: LinesState) -> LinesState:
        return changed(state, rejected=state.rejected + 1)

    def next_deadline(self, state: LinesState, until: int) -> int | None:
        return WINDOW if state.now < WINDOW <= until else None

    def steps(self, state: LinesState) -> Iterable[LinesState]:
        if state.outcome is not None:
            return []
        if state.cancelled:
            return [self._ended(state, "cancelled")]
        if state.now < WINDOW:
            return []
        if not state.bought:
            return [changed(state, bought=True, coming=EVERYTHING)]
        beside = [*self._parcels(state), *self._search(state)]
        if state.refund_due:
            beside.append(changed(state, asked=(*state.asked, state.refund_due)))
        if not any(state.open) and not beside:
            return [self._ended(state, "shipped" if any(state.shipped) else "voided")]
        return beside

    def _search(self, state: LinesState) -> list[LinesState]:
        """Nobody else has what a supplier can't deliver: neither near nor in the network (ORD-6, ORD-7)."""
        if state.searching:
            return [changed(state, searching="", dropped=plus(state.dropped, state.unsourced))]
        return [changed(state, searching="network")] if any(state.unsourced) else []

    def _parcels(self, state: LinesState) -> list[LinesState]:
        """The first parcel ships when its units may; one that can't is answered (ORD-11)."""
        if not state.parcels:
            return []
        first, *others = state.parcels
        taken = changed(state, parcels=tuple(others))
        all_bought = not any(state.unsourced)
        may_ship = state.open if all_bought else minus(state.coming, state.shipped)
        if fits(first, may_ship):
            return [changed(taken, shipped=plus(state.shipped, first))]
        return [self.reject(taken)] if all_bought else []

    def _ended(self, state: LinesState, outcome: str) -> LinesState:
        dropped = plus(state.dropped, state.open)
        left = len(state.parcels)
        return changed(state, outcome=outcome, dropped=dropped, parcels=(), rejected=state.rejected + left)

    # ---- events ----

    def outside(self, state: LinesState, happening: Happening) -> Iterable[LinesState]:
        raise AssertionError("nobody stops it, and its refunds succeed")

    def hear(self, state: LinesState, event: Happening) -> Iterable[LinesState]:
        known = changed(state, heard=state.heard | {event.ident})
        match event.name:
            case "shipment":
                return [self._shipment(state, known, event.variant) or self.reject(state)]
            case "supplier_shortage":
                return [self._shortage(state, known, event.variant) or self.reject(state)]
        if state.cancelled:
            return [self.reject(state)]
        return [
            changed(known, late=any(state.open) or state.late) if state.bought else changed(known, cancelled=True)
        ]

    def _shipment(self, state: LinesState, known: LinesState, variant: str) -> LinesState | None:
        name, count, *by = variant.split(":")
        left = minus(state.open, state.waiting)
        units = meant(name, int(count), left, knows_items_only=bool(by))
        if state.cancelled or units is None or not any(units) or not fits(units, left):
            return None
        return changed(known, parcels=(*state.parcels, units))

    def _shortage(self, state: LinesState, known: LinesState, variant: str) -> LinesState | None:
        """Of what is to come, and in no parcel."""
        to_come = minus(minus(state.coming, state.shipped), state.waiting)
        left = tuple(max(0, min(a, b)) for a, b in zip(to_come, minus(state.open, state.waiting), strict=True))
        if not state.bought or not any(left):
            return None
        units: Units | None = left
        if variant:
            name, count = variant.split(":")
            units = meant(name, int(count), left, knows_items_only=True)
        if units is None or not any(units) or not fits(units, left):
            return None
        return changed(known, coming=minus(state.coming, units))

    # ---- shown ----

    def stage(self, state: LinesState) -> str:
        if state.outcome is not None:
            return state.outcome
        return "awaiting_shipment" if state.bought else "cancel_window"


def check(state: LinesState) -> None:
    """Every unit has one fate, and the seller gets back what was collected for those that came to nothing."""
    assert all(count >= 0 for count in state.open), "more shipped than ordered (ORD-11)"
    assert sum(state.asked) <= COST, "more given back to the seller than was collected (REF-3)"
