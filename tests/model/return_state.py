"""The facts of a return (RET): two units of one item, paid 50.00 and charged 31.50 each. Its clock counts days."""

from dataclasses import dataclass

from tests.model.procedure import changed
from tests.model.replacement_order import Another

PAID = 10_000
COST = 6_300
FEE = 1_000
"""In cents."""
SLA = 60
PAUSE = 3
"""Days until a refund of the seller that did not succeed is made again."""
BUYER, SELLER = "buyer", "seller"


@dataclass(frozen=True)
class ReturnSetup:
    """The settings of supplier and seller, and what becomes of the refunds that are sent, one after another; all
    others succeed."""

    rma_by_hand: bool = False
    refused: bool = False
    """The database refuses the return: more comes back than was shipped (RET-2)."""
    service: str = ""
    """What the supplier's web service says of the RMA: issued, refused, pending; empty: it has none."""
    auto_refund: bool = False
    refund_on_breach: bool = False
    replaces_at_once: bool = False
    """Otherwise a replacement waits for the goods (RET-24)."""
    pays_as_agreed: bool = False
    """The seller gets what was agreed, however little the supplier's last credit is (RET-28)."""
    buyer_fates: tuple[str, ...] = ()
    seller_fates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refund:
    """One refund of the return.

    `state`: asked, silent, pending, succeeded, failed, refused, in doubt, failed afterwards.
    """

    whose: str
    number: int
    cents: int
    state: str = "asked"
    since: int = 0
    by_click: bool = False
    automatic: bool = False
    """Asked for by the seller's setting at first, whoever asked again."""
    by_channel: bool = False
    made_again: bool = False
    """It failed afterwards, and a later one succeeded."""
    renumbered: bool = False
    """Its id belongs to another request."""

    @property
    def may_have_moved(self) -> bool:
        return self.state in ("asked", "silent", "pending", "succeeded", "in doubt")

    @property
    def is_under_way(self) -> bool:
        return self.state in ("asked", "silent", "pending")

    @property
    def counts(self) -> bool:
        """Against what was paid (REF-3)."""
        return self.state in ("silent", "pending", "succeeded", "in doubt")


@dataclass(frozen=True)
class ReturnState:
    """The facts of one return; where it stands follows from them. Money in cents."""

    now: int = 0
    opened: bool = False
    open_again: bool = False
    reopening: bool = False
    """It is not yet known again what it has."""
    approval: str = ""
    rma: str = ""
    rma_given: bool = False
    service_done: bool = False
    appeal_until: int | None = None
    tracked: bool = False
    tracking_due: int | None = None
    reopen_until: int | None = None
    on_the_way: bool = False
    goods: tuple[tuple[tuple[str, int], ...], ...] = ()
    """What each receipt says that counts (RET-26)."""
    arrived: bool = False
    """Somebody said once that something arrived."""
    said_since: bool = False
    """Goods or credits, after the seller was refunded."""
    early: tuple[tuple[str, str], ...] = ()
    """What came before the return opened: judged again when it does."""
    waived: frozenset[str] = frozenset()
    memos: tuple[tuple[int, bool], ...] = ()
    """Cents that are not booked yet, and whether they are the last ones."""
    memo_numbers: frozenset[str] = frozenset()
    credited: int = 0
    final: bool = False
    """No more is credited (RET-28)."""
    declined: bool = False
    """The buyer is not refunded (RET-27)."""
    clicks: tuple[int, ...] = ()
    """Cents asked for; 0: all."""
    refunds: tuple[Refund, ...] = ()
    sent: tuple[int, int] = (0, 0)
    """How often a gateway was asked to refund the buyer, and the seller."""
    to_renumber: tuple[Refund, ...] = ()
    automatic_refused: bool = False
    """The seller's setting asked for nothing that can be refunded."""
    nothing_left: bool = False
    """The fees take all that was paid."""
    channel: bool = False
    channel_todo: int = 0
    """What the marketplace refunded, and is not booked yet."""
    channel_passed: bool = False
    another: Another | None = None
    """The order that replaces it (RET-24)."""
    nothing_accepted: bool = False
    withdrawn: bool = False
    stopped: bool = False
    outcome: str | None = None
    heard: frozenset[int] = frozenset()
    rejected: int = 0

    @property
    def is_replaced(self) -> bool:
        return self.opened and self.approval == "replacement"

    @property
    def fee(self) -> int:
        return {"with fee": FEE, "all of it": PAID}.get(self.approval, 0)

    def of(self, whose: str) -> list[Refund]:
        """The refunds by a gateway, of one of them."""
        return [one for one in self.refunds if one.whose == whose and not one.by_channel]

    @property
    def by_channel(self) -> list[Refund]:
        return [one for one in self.refunds if one.by_channel]

    @property
    def owed(self) -> int:
        """What failed afterwards, and was not made again since (REF-7)."""
        failed = [one for one in self.of(BUYER) if one.state == "failed afterwards" and not one.made_again]
        return sum(one.cents for one in failed)

    @property
    def refunded(self) -> int:
        return sum(one.cents for one in self.of(BUYER) if one.state == "succeeded")

    @property
    def seller_refunded(self) -> int:
        return sum(one.cents for one in self.of(SELLER) if one.state == "succeeded")

    def units(self, *words: str) -> int:
        """Units that were spoken of, with these words."""
        return sum(count for receipt in self.goods for word, count in receipt if not words or word in words)

    @property
    def awaited(self) -> int:
        """Units that nobody has spoken of; none once it was short."""
        return 0 if self.units("short") else 2 - self.units()

    @property
    def seller_got(self) -> int:
        return sum(one.cents for one in self.of(SELLER) if one.may_have_moved)

    @property
    def in_doubt(self) -> bool:
        return any(one.state == "in doubt" for one in self.refunds)


def rejected(state: ReturnState) -> ReturnState:
    return changed(state, rejected=state.rejected + 1)


def spoken_of(state: ReturnState, whose: str, word: str) -> Refund | None:
    """The refund of which a word says something new: the last one that can still change so."""
    fits = ["silent", "pending", "in doubt"] + (["succeeded"] if word == "failed" else [])
    return last_of(sorted((one for one in state.of(whose) if one.state in fits), key=lambda one: one.number))


def last_of(refunds: list[Refund]) -> Refund | None:
    return refunds[-1] if refunds else None


def with_refund(state: ReturnState, refund: Refund) -> ReturnState:
    """What changed last stands last."""
    same = (refund.whose, refund.number)
    others = tuple(one for one in state.refunds if (one.whose, one.number) != same)
    return changed(state, refunds=(*others, refund))


def without_units(state: ReturnState, units: int, words: tuple[str, ...]) -> ReturnState:
    """Without so many units of these words, the oldest first."""
    receipts = []
    for receipt in state.goods:
        kept = []
        for word, count in receipt:
            taken = min(units, count) if not words or word in words else 0
            units -= taken
            kept += [(word, count - taken)] if count > taken else []
        receipts.append(tuple(kept))
    return changed(state, goods=tuple(receipts))


def check(state: ReturnState) -> None:
    """What must hold in every state: money back once, never over the cap, none after a withdrawal."""
    moved = sum(one.cents for one in state.refunds if one.whose == BUYER and one.counts)
    assert moved <= PAID, "more refunded than paid (REF-3)"
    assert sum(one.cents for one in state.of(SELLER) if one.counts) <= COST, "the seller is refunded once (RET-13)"
    if state.outcome in ("withdrawn", "rejected", "expired", "refused_by_supplier"):
        assert not any(one.may_have_moved for one in state.of(SELLER)), "money in a return that ended without"
        assert not any(one.may_have_moved for one in state.of(BUYER)), "money in a return that ended without"
    if state.is_replaced and state.another is not None:
        own = sum(one.cents for one in state.of(BUYER) if one.counts)
        assert own + state.another.shipped * PAID // 2 <= PAID, "the same unit is replaced and refunded (RET-24)"
    if state.outcome == "completed":
        assert not state.in_doubt, "completed while money is in doubt (REF-11)"
