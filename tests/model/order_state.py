"""The facts of an order (ORD, CAN): two units of one item, paid and charged once. Its clock counts minutes."""

from dataclasses import dataclass

from tests.model.procedure import changed

UNITS = 2
WINDOW = 30
CHOICE = 2 * 24 * 60
"""Minutes in which the seller may choose after a void, where it may (ORD-8)."""
PAUSE = 3 * 24 * 60
"""Minutes until a refund of the seller that is in doubt is asked for again."""
PAID, COST = 10_000, 6_300
"""In cents: what the buyer paid, and what the broker charges, for both units."""
BUYER, SELLER = "buyer", "seller"


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
    chooses: bool = False
    """The seller has days to choose what becomes of what nobody has (ORD-8)."""
    claimed: bool = False
    """What is voided is claimed as bought elsewhere: it can't wait for stock (CLM-1)."""
    restocked: int = 0
    """So many units are there once stock has arrived."""

    def warehouses(self, *, second_source: bool, arrived: bool = False) -> tuple[tuple[str, int], ...]:
        """Who has the item, and how many units of it, the closest first. `arrived`: stock of a special order."""
        more = (("new", self.restocked),) if arrived and self.restocked and not second_source else ()
        return STOCKS[self.stock][second_source] + more


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
    searched: bool = False
    """It was asked before who has the item."""
    dropped: int = 0
    """Units that were cancelled or voided."""
    voided: int = 0
    """Units of these that nobody had, and that do not wait."""
    voided_at: int = 0
    settled: int = 0
    """Voided units of which the seller has said that they stay so (ORD-8)."""
    elsewhere: bool = False
    """It buys some of them itself."""
    checking: int = 0
    """Units of which the database is asked whether they may wait."""
    waiting: int = 0
    """Open units that wait for stock."""
    arrived: int = 0
    """What of it is said to be there."""
    told: int = 0
    """Voided units whose stock was there before the seller has chosen."""
    special: bool = False
    round: int = 0
    """How often stock arrived for what waited."""
    before: int = 0
    """Purchases that were made before this round."""
    refusals_before: int = 0
    """Purchases that were made when somebody said last that stock is there."""
    capturing: int = 0
    """Cents that are being captured."""
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
        return not self.only_waits and any(one.state != "found" for one in self.purchases[self.before :])

    @property
    def wanted_now(self) -> int:
        return self.open - self.waiting

    @property
    def only_waits(self) -> bool:
        return bool(self.waiting) and not self.wanted_now

    @property
    def buys_special(self) -> bool:
        return self.round > 0 and self.wanted_now > 0

    @property
    def undecided_voids(self) -> int:
        return self.voided - self.settled

    @property
    def kept(self) -> int:
        """What was collected from the seller, and did not go back."""
        moved = ("asked", "silent", "pending", "succeeded", "in doubt")
        back = [one.cents for one in self.of(SELLER) if one.state in moved and not one.renumbered]
        return self.captured - sum(back)

    @property
    def uncollected(self) -> int:
        if self.special:
            return max(self.cost_due - self.kept, 0)
        return 0 if self.captured else self.cost_due

    @property
    def sent(self) -> bool:
        """A supplier accepted some of it."""
        return any(one.state == "accepted" for one in self.purchases)

    @property
    def unsourced(self) -> int:
        if not self.wanted_now:
            return 0
        return max(self.wanted_now + self.shipped - sum(one.coming for one in self.purchases), 0)

    @property
    def open_purchases(self) -> bool:
        return any(one.state in ("found", "sent") for one in self.purchases)

    @property
    def all_bought(self) -> bool:
        return self.with_supplier and not self.open_purchases and not self.unsourced

    @property
    def cost_due(self) -> int:
        return COST * (UNITS - self.dropped - self.waiting) // UNITS

    @property
    def needs_charge(self) -> bool:
        return self.uncollected > 0 and self.charge not in ("authorized", "capturing")

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
        may_charge = self.card_is_new or self.charge in ("captured", "voided")
        return asked and self.needs_charge and not (self.card and may_charge)

    @property
    def awaits_people(self) -> bool:
        if self.only_waits or self.buys_special:
            return True
        return self.released_at is None or self.awaits_payment or self.on_hold

    def of(self, whose: str) -> list[Refund]:
        return [one for one in self.refunds if one.whose == whose]

    @property
    def seller_refund_due(self) -> int:
        """What was collected for units that came to nothing, and not asked for yet."""
        asked = sum(one.cents for one in self.of(SELLER) if not one.renumbered)
        return max(self.captured - self.cost_due - asked, 0)

    @property
    def looked_for(self) -> list[Refund]:
        """Those in doubt that are asked for again by themselves; the buyer's not once staff have stopped it."""
        whose = [one for one in self.refunds if one.whose == SELLER or (self.cancelled and not self.stopped)]
        return [one for one in whose if one.state == "in doubt"]

    @property
    def is_busy(self) -> bool:
        """Something has not come to its end that must have."""
        under_way = any(one.is_under_way for one in self.refunds)
        doubt = any(one.state == "in doubt" for one in self.refunds)
        return under_way or doubt or bool(self.seller_refund_due) or self.in_flight or bool(self.undecided)


def rejected(state: OrderState) -> OrderState:
    return changed(state, rejected=state.rejected + 1)


def set_aside(state: OrderState, count: int) -> OrderState:
    """These parcels can't be: they are answered, and not known any more (RET-16, CAN-11)."""
    gone = {parcel for parcel, _ in state.parcels[:count]}
    return changed(
        state,
        parcels=state.parcels[count:],
        labels=tuple(one for one in state.labels if one[0] not in gone),
        rejected=state.rejected + count,
    )


def drop_open(state: OrderState) -> OrderState:
    return changed(state, dropped=state.dropped + state.open, waiting=0)


def spoken_of(state: OrderState, whose: str, word: str) -> Refund | None:
    """The refund of which a word says something new: the last one that can still change so."""
    fits = ["silent", "pending", "in doubt"] + (["succeeded"] if word == "failed" else [])
    found = [one for one in state.of(whose) if one.state in fits]
    return found[-1] if found else None


def with_refund(state: OrderState, refund: Refund) -> OrderState:
    same = (refund.whose, refund.number)
    return changed(
        state, refunds=tuple(refund if (one.whose, one.number) == same else one for one in state.refunds)
    )


def check(state: OrderState) -> None:
    """What must hold in every state: never cancelled and sent, never more shipped than ordered."""
    coming = sum(one.coming for one in state.purchases if one.state in ("sent", "accepted"))
    assert not (state.cancelled and coming > state.shipped), "cancelled and sent (CAN-4)"
    assert not (state.with_supplier and not state.captured), "sent without a charge (ORD-3)"
    assert 0 <= state.waiting <= state.open, "more waits than is open (ORD-8)"
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
