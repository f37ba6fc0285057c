"""The model of an order (ORD, CAN): two units of one item, paid and charged once. The clock counts minutes."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from tests.model.procedure import Happening, changed

UNITS = 2
WINDOW = 30
PAUSE = 3 * 24 * 60
"""Minutes until a refund of the seller that is in doubt is asked for again."""
PAID, COST = 10_000, 6_300
"""In cents: what the buyer paid, and what the broker charges, for both units."""
IDS_IN_A_ROW = 3
BUYER, SELLER = "buyer", "seller"
HOME, ABROAD = "home", "abroad"
"""Other addresses of the buyer: in the country of automatic fulfilment, and outside (ORD-10, ORD-18)."""
ADDRESSES = {
    HOME: {"name": "Robin", "line1": "2 Oak St", "city": "Reno", "postal_code": "89501", "country": "US"},
    ABROAD: {"name": "Robin", "line1": "3 Ufer", "city": "Bonn", "postal_code": "53111", "country": "DE"},
}

EVENTS: dict[str, tuple[str, ...]] = {
    "release": ("",),
    "cancel_request": ("",),
    "payment_method_updated": ("good", "declined"),
    "shipment": ("s1:1", "s2:1", "s3:2", "s1:1:other"),
    "shipment_corrected": ("s1", "s3"),
    "supplier_shortage": ("1:1", "1:", "2:1"),
    "address_changed": (HOME, ABROAD),
    "hold": ("",),
    "resume": ("",),
}
"""`shipment`: its id, its units, and `other` where it names another tracking number than it did.
`shipment_corrected`: its id. `supplier_shortage`: the number of the order to a supplier, and the units; none: all
that are to come."""
CLOCK = (11, 31, 65)
TAKEN_BACK = "taken back"
WORDS = tuple(f"{whose} {word}" for whose in (SELLER, BUYER) for word in ("succeeded", "failed", TAKEN_BACK))
"""What a refund says; `taken back`: it had succeeded, which nobody here has heard, and failed since (REF-7)."""
FATES = ("succeeds", "fails", "refused", "in doubt", "pending", "silent", "id taken")
"""What becomes of a refund that was sent. `silent`: the gateway gives no answer for days."""
IN_TIME = "in time"
"""A variant of `cancel_request`: it reached the server inside the window; the worker came to it late (CAN-3)."""
GUIDE: dict[str, tuple[tuple[str, str], ...]] = {
    "received": (("cancel_request", ""), ("hold", ""), ("shipment", "s1:1"), ("payment_method_updated", "good")),
    "awaiting_release": (
        ("release", ""),
        ("release", ""),
        ("cancel_request", ""),
        ("hold", ""),
        ("address_changed", ABROAD),
    ),
    "awaiting_payment": (
        ("payment_method_updated", "good"),
        ("payment_method_updated", "good"),
        ("cancel_request", ""),
    ),
    "cancel_window": (
        ("clock", "31"),
        ("clock", "31"),
        ("cancel_request", ""),
        ("hold", ""),
        ("shipment", "s1:1"),
        ("address_changed", HOME),
        ("address_changed", ABROAD),
    ),
    "on_hold": (("resume", ""), ("cancel_request", ""), ("payment_method_updated", "good"), ("resume", "")),
    "placing": (
        ("cancel_request", ""),
        ("shipment", "s1:1"),
        ("hold", ""),
        ("cancel_request", IN_TIME),
        ("address_changed", HOME),
        ("supplier_shortage", "1:1"),
    ),
    "awaiting_shipment": (
        ("shipment", "s1:1"),
        ("shipment", "s3:2"),
        ("shipment", "s2:1"),
        ("cancel_request", ""),
        ("refund_word", "seller succeeded"),
        ("supplier_shortage", "1:1"),
        ("supplier_shortage", "1:"),
        ("supplier_shortage", "2:1"),
        ("shipment_corrected", "s1"),
        ("shipment", "s1:1:other"),
    ),
    "cancelling": (
        ("refund_word", "seller succeeded"),
        ("refund_word", "buyer succeeded"),
        ("refund_word", "seller failed"),
        ("refund_word", "buyer taken back"),
        ("clock", "4400"),
        ("shipment", "s1:1"),
        ("cancel_request", ""),
    ),
}
"""What goes on from each stage, or is awkward there: chosen more often than the rest."""


@dataclass(frozen=True)
class OrderSetup:
    """What is so before the order comes. `card`: on file at the seller; `stock`: who has the item."""

    auto_release: bool = True
    refused: bool = False
    """The database refuses the order: its seller is not known."""
    card: str = "good"
    stock: str = "in stock"
    refusing: frozenset[str] = frozenset()
    """The warehouses that refuse what is ordered there."""
    expires: int = 0
    """How many authorizations are too old when they are to be captured."""
    auto_refund: bool = False
    """The buyer of a cancelled order is refunded without a click (CAN-6)."""
    buyer_fates: tuple[str, ...] = ()
    seller_fates: tuple[str, ...] = ()

    def warehouses(self, *, second_source: bool) -> tuple[tuple[str, int], ...]:
        """Who has the item, and how many units of it, the closest first."""
        return STOCKS[self.stock][second_source]


STOCKS: dict[str, tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]] = {
    "in stock": ((("near", 2),), ()),
    "second source": ((), (("network", 2),)),
    "nowhere": ((), ()),
    "two near": ((("near", 2), ("far", 2)), (("network", 2),)),
    "split": ((("near", 1), ("far", 1)), ()),
    "one of two": ((("near", 1),), ()),
    "one near, one far": ((("near", 1),), (("network", 1),)),
}
"""The warehouses with stock, and those of the network."""


@dataclass(frozen=True)
class Purchase:
    """Units bought at one warehouse. `state`: found, sent, accepted, refused, unknown."""

    warehouse: str
    units: int
    state: str = "found"
    short: int = 0
    """Units that it can't deliver after all (ORD-19)."""

    @property
    def coming(self) -> int:
        return 0 if self.state == "refused" else self.units - self.short


@dataclass(frozen=True)
class Refund:
    """One refund of the order.

    `state`: asked, silent, pending, succeeded, failed, refused, in doubt, failed afterwards.
    """

    whose: str
    number: int
    cents: int
    state: str = "asked"
    since: int = 0
    renumbered: bool = False
    """Its id belongs to another request."""

    @property
    def is_under_way(self) -> bool:
        return self.state in ("asked", "silent", "pending")


@dataclass(frozen=True)
class OrderState:
    """The facts of one order; where it stands follows from them. `charge`: empty, asked, authorized, capturing,
    captured, voiding or voided."""

    now: int = 0
    opened: bool = False
    released_at: int | None = None
    card: str = ""
    card_is_new: bool = False
    charge: str = ""
    asked_card: str = ""
    expired: int = 0
    captured: int = 0
    held: bool = False
    cancelled: bool = False
    stopped: bool = False
    undecided: tuple[tuple[str, int], ...] = ()
    """Cancel requests that nothing is decided about: how they came, and when they were handled."""
    late: bool = False
    """A cancel request came too late: it goes on as a return (CAN-2)."""
    late_return: bool = False
    searching: str = ""
    """`near` or `network`, while the answer is awaited."""
    wanted: int = 0
    """Units that it is asked for."""
    missing: int = 0
    """What the last search in stock did not find, while the network was not asked."""
    purchases: tuple[Purchase, ...] = ()
    dropped: int = 0
    """Units that were cancelled or voided."""
    shipping_stopped: bool = False
    parcels: tuple[tuple[str, int], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    """The tracking number of each parcel that is known."""
    address: str = ""
    """What it was corrected to."""
    late_addresses: int = 0
    """Corrections that came too late: the seller is told what can still be done (ORD-18)."""
    shipped: int = 0
    refunds: tuple[Refund, ...] = ()
    tries: tuple[int, int] = (0, 0)
    """How often a gateway was asked to refund the buyer, and the seller."""
    outcome: str | None = None
    heard: frozenset[int] = frozenset()
    rejected: int = 0

    @property
    def open(self) -> int:
        return UNITS - self.shipped - self.dropped

    @property
    def is_void(self) -> bool:
        return self.opened and not self.open and not self.shipped

    @property
    def window_closed(self) -> bool:
        return self.released_at is not None and self.now >= self.released_at + WINDOW

    @property
    def with_supplier(self) -> bool:
        return any(one.state != "found" for one in self.purchases)

    @property
    def sent(self) -> bool:
        """A supplier accepted some of it."""
        return any(one.state == "accepted" for one in self.purchases)

    @property
    def unsourced(self) -> int:
        if not self.open:
            return 0
        return max(self.open + self.shipped - sum(one.coming for one in self.purchases), 0)

    @property
    def open_purchases(self) -> bool:
        return any(one.state in ("found", "sent") for one in self.purchases)

    @property
    def all_bought(self) -> bool:
        return self.with_supplier and not self.open_purchases and not self.unsourced

    @property
    def cost_due(self) -> int:
        return COST * (UNITS - self.dropped) // UNITS

    @property
    def needs_charge(self) -> bool:
        return self.cost_due > 0 and self.charge not in ("authorized", "capturing", "captured")

    @property
    def in_flight(self) -> bool:
        return self.charge in ("asked", "capturing") or bool(self.searching)

    @property
    def given_up(self) -> bool:
        return self.cancelled or self.stopped

    @property
    def on_hold(self) -> bool:
        """A person must release it; what was asked for before is answered first."""
        if not self.held or self.with_supplier or self.given_up or not self.open:
            return False
        return self.window_closed and not self.needs_charge and not self.in_flight

    @property
    def awaits_payment(self) -> bool:
        asked = self.released_at is not None and self.opened and self.charge != "asked"
        return asked and self.needs_charge and not (self.card and self.card_is_new)

    @property
    def awaits_people(self) -> bool:
        return self.released_at is None or self.awaits_payment or self.on_hold

    def of(self, whose: str) -> list[Refund]:
        return [one for one in self.refunds if one.whose == whose]

    @property
    def seller_refund_due(self) -> int:
        """What was collected for units that came to nothing, and not asked for yet."""
        asked = sum(one.cents for one in self.of(SELLER) if not one.renumbered)
        return max(self.captured - self.cost_due - asked, 0)


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

    def next_deadline(self, state: OrderState, until: int) -> int | None:
        deadlines = [state.released_at + WINDOW] if state.released_at is not None else []
        deadlines += [one.since + PAUSE for one in self._looked_for(state)]
        return min((at for at in deadlines if state.now < at <= until), default=None)

    # ---- its own steps ----

    def steps(self, state: OrderState) -> Iterable[OrderState]:
        if state.outcome is not None:
            return []
        if not state.opened:
            return [self._open(state), *self._stopped_before_it_opened(state)]
        beside = [*self._charge_answers(state), *self._searches(state), *self._suppliers(state)]
        beside += [*self._parcels(state), *self._refunds(state)]
        if state.stopped:
            return beside + self._stopped(state)
        if state.cancelled:
            return beside + self._give_back(state, "cancelled")
        beside += self._arrivals(state)
        return beside + self._fulfil(state)

    def _open(self, state: OrderState) -> OrderState:
        if self.setup.refused:
            return self._ended(state, "refused")
        card, new = state.card, state.card_is_new
        if not card and self.setup.card:
            card, new = self.setup.card, True
        released = 0 if self.setup.auto_release and state.address != ABROAD else state.released_at
        state = changed(state, opened=True, card=card, card_is_new=new, released_at=released)
        if state.stopped:
            return self._drop_open(state)
        early, state = state.undecided, changed(state, undecided=())
        for variant, handled_at in early:
            state = self._decide(state, variant, handled_at, people=state.released_at is None)
        return state

    def _stopped_before_it_opened(self, state: OrderState) -> list[OrderState]:
        return [self._ended(state, "stopped")] if state.stopped else []

    def _fulfil(self, state: OrderState) -> list[OrderState]:
        """The next thing that the order begins."""
        if state.released_at is None:
            return []
        if state.needs_charge:
            if state.charge == "asked" or state.awaits_payment:
                return []
            return [changed(state, charge="asked", asked_card=state.card, card_is_new=False)]
        if not state.window_closed or state.undecided or state.on_hold or state.in_flight:
            return []
        if state.unsourced and (not state.open_purchases or state.missing):
            if state.missing:
                return [changed(state, searching="network", wanted=state.missing)]
            return [changed(state, searching="near", wanted=state.unsourced)]
        if state.open and state.charge == "authorized":
            return [changed(state, charge="capturing")]
        if any(one.state == "found" for one in state.purchases):
            sent = tuple(changed(one, state="sent") if one.state == "found" else one for one in state.purchases)
            return [changed(state, purchases=sent)]
        if state.open or state.open_purchases:
            return []
        if state.shipped:
            return [] if self._busy(state) else [self._ended(state, "shipped")]
        return self._give_back(state, "voided")

    # ---- the seller's charge ----

    def _charge_answers(self, state: OrderState) -> list[OrderState]:
        match state.charge:
            case "asked":
                return [changed(state, charge="authorized" if state.asked_card == "good" else "")]
            case "capturing" if state.expired < self.setup.expires:
                return [changed(state, charge="", card_is_new=True, expired=state.expired + 1)]
            case "capturing":
                return [changed(state, charge="captured", captured=state.cost_due or state.captured or COST)]
        return []

    # ---- suppliers ----

    def _searches(self, state: OrderState) -> list[OrderState]:
        if not state.searching:
            return []
        found = changed(state, searching="", wanted=0)
        if state.given_up:
            return [found]
        second = state.searching == "network"
        refused = {one.warehouse for one in state.purchases if one.state == "refused" or one.short}
        left = state.wanted
        purchases = list(state.purchases)
        for warehouse, units in self.setup.warehouses(second_source=second):
            taken = sum(one.units for one in purchases if one.warehouse == warehouse and one.state != "refused")
            count = min(left, units - taken)
            if warehouse not in refused and count > 0:
                purchases.append(Purchase(warehouse, count))
                left -= count
        found = changed(found, purchases=tuple(purchases))
        if not second:
            return [changed(found, missing=left)]
        return [changed(found, missing=0, dropped=found.dropped + left)]

    def _suppliers(self, state: OrderState) -> list[OrderState]:
        after = []
        for at, one in enumerate(state.purchases):
            if one.state == "sent":
                said = "refused" if one.warehouse in self.setup.refusing else "accepted"
                answered = (*state.purchases[:at], changed(one, state=said), *state.purchases[at + 1 :])
                after.append(changed(state, purchases=answered))
                if state.stopped:  # nobody waits for it
                    unknown = (*state.purchases[:at], changed(one, state="unknown"), *state.purchases[at + 1 :])
                    after.append(changed(state, purchases=unknown))
        return after

    # ---- shipments ----

    def _parcels(self, state: OrderState) -> list[OrderState]:
        """The first parcel whose turn it is is announced; one that does not fit is set aside."""
        if not state.parcels:
            return []
        if state.given_up or (state.opened and not state.open and not state.open_purchases):
            return [self._set_aside(state, len(state.parcels))]
        if not state.with_supplier:
            return []
        (_, units), *others = state.parcels
        accepted = sum(one.coming for one in state.purchases if one.state == "accepted")
        may_ship = state.open if state.all_bought else accepted - state.shipped
        taken = changed(state, parcels=tuple(others))
        if units <= may_ship:
            return [changed(taken, shipped=state.shipped + units)]
        return [self._set_aside(state, 1)] if state.all_bought else []

    def _set_aside(self, state: OrderState, count: int) -> OrderState:
        """These parcels can't be: they are answered, and not known any more (RET-16, CAN-11)."""
        gone = {parcel for parcel, _ in state.parcels[:count]}
        return changed(
            state,
            parcels=state.parcels[count:],
            labels=tuple(one for one in state.labels if one[0] not in gone),
            rejected=state.rejected + count,
        )

    # ---- money back ----

    def _refunds(self, state: OrderState) -> list[OrderState]:
        after = [self._answered(state, one) for one in state.refunds if one.state == "asked"]
        if state.seller_refund_due:
            after.append(self._asked(state, SELLER, state.seller_refund_due))
        for one in self._looked_for(state):
            if state.now >= one.since + PAUSE:
                after.append(_with(state, changed(one, state="asked", since=state.now)))
        return after

    def _looked_for(self, state: OrderState) -> list[Refund]:
        """Those in doubt that are asked for again by themselves; the buyer's not once staff have stopped it."""
        whose = [one for one in state.refunds if one.whose == SELLER or (state.cancelled and not state.stopped)]
        return [one for one in whose if one.state == "in doubt"]

    def _asked(self, state: OrderState, whose: str, cents: int) -> OrderState:
        refund = Refund(whose, len(state.of(whose)) + 1, cents, since=state.now)
        return changed(state, refunds=(*state.refunds, refund))

    def _answered(self, state: OrderState, refund: Refund) -> OrderState:
        index = 0 if refund.whose == BUYER else 1
        fates = self.setup.buyer_fates if index == 0 else self.setup.seller_fates
        nth = state.tries[index]
        fate = fates[nth] if nth < len(fates) else "succeeds"
        buyers, sellers = state.tries
        sent = changed(state, tries=(buyers + 1, sellers) if index == 0 else (buyers, sellers + 1))
        before = [one for one in reversed(state.of(refund.whose)) if one.number < refund.number]
        in_a_row = len(list(itertools.takewhile(lambda one: one.renumbered, before)))
        if fate == "id taken" and in_a_row < IDS_IN_A_ROW - 1:
            return _with(sent, changed(refund, state="refused", renumbered=True))
        named = {"succeeds": "succeeded", "fails": "failed", "id taken": "refused"}.get(fate, fate)
        return _with(sent, _became(refund, named, state.now))

    def _busy(self, state: OrderState) -> bool:
        """Something has not come to its end that must have."""
        under_way = any(one.is_under_way for one in state.refunds)
        doubt = any(one.state == "in doubt" for one in state.refunds)
        return under_way or doubt or bool(state.seller_refund_due) or state.in_flight or bool(state.undecided)

    def _give_back(self, state: OrderState, outcome: str) -> list[OrderState]:
        """The charge is voided, shipping is stopped; then the buyer of a cancelled order is refunded (CAN-6)."""
        if state.charge in ("asked", "capturing"):
            return []
        if state.charge == "authorized":
            return [changed(state, charge="voided")]
        buyers = [one for one in state.of(BUYER) if not one.renumbered]
        if outcome == "cancelled" and self.setup.auto_refund and not buyers:
            return [self._asked(state, BUYER, 0)]
        return [] if self._busy(state) else [self._ended(state, outcome)]

    def _drop_open(self, state: OrderState) -> OrderState:
        return changed(state, dropped=state.dropped + state.open)

    def _ended(self, state: OrderState, outcome: str) -> OrderState:
        late = outcome == "shipped" and state.late
        return changed(self._set_aside(state, len(state.parcels)), outcome=outcome, late_return=late)

    # ---- staff stop it ----

    def _stopped(self, state: OrderState) -> list[OrderState]:
        """Before it went to a supplier nothing is left behind; refunds that are under way go on by themselves."""
        if state.is_void and state.charge in ("asked", "capturing"):
            return []
        if state.is_void and state.charge == "authorized":
            return [changed(state, charge="voided")]
        waits = state.in_flight or any(one.state == "sent" for one in state.purchases)
        if waits or state.seller_refund_due:
            return []
        return [self._ended(state, "stopped")]

    # ---- cancel requests ----

    def _arrivals(self, state: OrderState) -> list[OrderState]:
        """CAN-3: when the server received it decides."""
        if not state.undecided:
            return []
        (variant, _), *others = state.undecided
        known = changed(state, undecided=tuple(others))
        return [self._decided(known, in_time=variant == IN_TIME)]

    def _decide(self, state: OrderState, variant: str, handled_at: int, *, people: bool) -> OrderState:
        in_time = people or state.released_at is None or handled_at < state.released_at + WINDOW
        if in_time or state.is_void or state.with_supplier:
            return self._decided(state, in_time=True)
        return changed(state, undecided=(*state.undecided, (variant, handled_at)))

    def _decided(self, state: OrderState, *, in_time: bool) -> OrderState:
        if state.is_void:
            return state  # nothing is left to cancel
        if state.with_supplier or not in_time:
            return changed(state, late=True)
        return self._drop_open(changed(state, cancelled=True, undecided=()))

    # ---- what is no event ----

    def outside(self, state: OrderState, happening: Happening) -> Iterable[OrderState]:
        if happening.name == "stop":
            if state.outcome is not None or state.stopped:
                return [state]
            stopped = changed(state, stopped=True)
            return [self._drop_open(stopped) if state.opened and not state.with_supplier else stopped]
        whose, _, word = happening.variant.partition(" ")
        refund = spoken_of(state, whose, word)
        if refund is None:
            return [state]
        if refund.state == "succeeded" or word == TAKEN_BACK:
            after = _with(state, changed(refund, state="failed afterwards", since=state.now))
        else:
            after = _with(state, _became(refund, word, state.now))
        return [after] if state.outcome is None else [state, after]

    # ---- events ----

    def hear(self, state: OrderState, event: Happening) -> Iterable[OrderState]:
        known = changed(state, heard=state.heard | {event.ident})
        match event.name:
            case "release":
                return [changed(known, released_at=state.now) if state.released_at is None else self.reject(state)]
            case "cancel_request":
                return [self.reject(state) if state.cancelled else self._cancel(state, known, event.variant)]
            case "payment_method_updated":
                return [changed(known, card=event.variant, card_is_new=True)]
            case "hold":
                return [self.reject(state) if state.with_supplier else changed(known, held=True)]
            case "resume":
                return [changed(known, held=False) if state.held else self.reject(state)]
            case "shipment":
                return self._shipment(state, known, event.variant)
            case "shipment_corrected":
                return [self._corrected(state, known, event.variant)]
            case "supplier_shortage":
                return [self._shortage(state, known, event.variant)]
            case "address_changed":
                return [self._address(state, known, event.variant)]
        raise AssertionError(event.name)

    def _cancel(self, state: OrderState, known: OrderState, variant: str) -> OrderState:
        if not state.opened:
            return changed(known, undecided=(*state.undecided, (variant, state.now)))
        if variant == IN_TIME and not state.window_closed:
            variant = ""
        return self._decide(known, variant, state.now, people=state.awaits_people)

    def _shipment(self, state: OrderState, known: OrderState, variant: str) -> Iterable[OrderState]:
        parcel, units, *other = variant.split(":")
        if state.cancelled:
            return [self.reject(state)]
        label, before = label_of(parcel, *other), dict(state.labels).get(parcel)
        if before is not None:  # the same again counts once; another number must be said as what it is (ORD-20)
            return [known if label == before else self.reject(state)]
        coming = sum(waiting for _, waiting in state.parcels)
        if int(units) > state.open - coming:
            return [self.reject(state)]
        parcels = (*state.parcels, (parcel, int(units)))
        return [changed(known, parcels=parcels, labels=(*state.labels, (parcel, label)))]

    def _corrected(self, state: OrderState, known: OrderState, parcel: str) -> OrderState:
        """A label is replaced: the new number counts (ORD-20)."""
        if parcel not in dict(state.labels):
            return self.reject(state)
        new = label_of(parcel, "new")
        return changed(known, labels=tuple((one, new if one == parcel else it) for one, it in state.labels))

    def _shortage(self, state: OrderState, known: OrderState, variant: str) -> OrderState:
        """Of what a supplier accepted and did not ship, some does not come after all: those units are open again
        (ORD-19)."""
        number, _, units = variant.partition(":")
        at = int(number) - 1
        if at >= len(state.purchases) or state.purchases[at].state != "accepted":
            return self.reject(state)
        one, leaving = state.purchases[at], sum(waiting for _, waiting in state.parcels)
        to_come = sum(other.coming for other in state.purchases if other.state == "accepted") - state.shipped
        most = min(one.coming, state.open - leaving, to_come - leaving)
        short = int(units) if units else most
        if short > most or most <= 0:
            return self.reject(state)
        after = changed(one, short=one.short + short)
        return changed(known, purchases=(*state.purchases[:at], after, *state.purchases[at + 1 :]))

    def _address(self, state: OrderState, known: OrderState, variant: str) -> OrderState:
        """It counts as long as nobody is asked to ship (ORD-18). What was released for this country was not
        released for another (ORD-10)."""
        is_placing = state.purchases or state.searching or state.missing or state.dropped
        if is_placing or state.given_up:
            return changed(known, late_addresses=state.late_addresses + 1)
        after = changed(known, address=variant)
        is_another_country = (variant == ABROAD) != (state.address == ABROAD)
        if not is_another_country or state.released_at is None:
            return after
        if not state.opened:
            return changed(after, released_at=None)
        return changed(after, held=True) if variant == ABROAD else after

    # ---- shown ----

    def stage(self, state: OrderState) -> str | None:
        """Where an order that rests stands (ORD-2, ORD-3, ORD-4, ORD-11)."""
        if state.outcome is not None:
            return state.outcome
        if state.cancelled or state.is_void:
            return "cancelling"
        if state.released_at is None:
            return "awaiting_release"
        if state.needs_charge:
            return "awaiting_payment"
        if not state.window_closed:
            return "cancel_window"
        return "on_hold" if state.on_hold else "awaiting_shipment"


def label_of(parcel: str, other: str = "") -> str:
    """The tracking number of a parcel, or another one of it."""
    return f"1Z{parcel}{other}"


def spoken_of(state: OrderState, whose: str, word: str) -> Refund | None:
    """The refund of which a word says something new: the last one that can still change so."""
    fits = ["silent", "pending", "in doubt"] + (["succeeded"] if word == "failed" else [])
    found = [one for one in state.of(whose) if one.state in fits]
    return found[-1] if found else None


def _became(refund: Refund, state: str, now: int) -> Refund:
    """All that is left is asked for to the buyer: how much that is says its result."""
    known = ("succeeded", "pending", "silent", "in doubt")
    cents = PAID if refund.whose == BUYER and state in known else refund.cents
    return changed(refund, state=state, since=now, cents=cents)


def _with(state: OrderState, refund: Refund) -> OrderState:
    same = (refund.whose, refund.number)
    return changed(
        state, refunds=tuple(refund if (one.whose, one.number) == same else one for one in state.refunds)
    )


def check(state: OrderState) -> None:
    """What must hold in every state: never cancelled and sent, never more shipped than ordered."""
    assert not (state.cancelled and state.with_supplier), "cancelled and sent (CAN-4)"
    assert not (state.with_supplier and state.charge != "captured"), "sent without a charge (ORD-3)"
    assert 0 <= state.shipped <= UNITS - state.dropped, "more shipped than ordered (ORD-11)"
    assert state.outcome != "cancelled" or not state.shipped, "cancelled and shipped (CAN-11)"
    moved = sum(
        one.cents for one in state.of(SELLER) if one.is_under_way or one.state in ("succeeded", "in doubt")
    )
    assert moved <= state.captured, "more given back to the seller than was collected (REF-3)"
    if state.outcome in ("cancelled", "voided") and not self_made(state):
        assert moved == state.captured, "the seller did not get all of its money back (ORD-7)"


def self_made(state: OrderState) -> bool:
    """Whether a refund of the seller did not succeed: then staff were told."""
    bad = ("failed", "refused", "failed afterwards")
    return any(one.state in bad and not one.renumbered for one in state.of(SELLER))
