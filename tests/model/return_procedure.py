"""The model of a return (RET): two units of one item, paid 50.00 and charged 31.50 each. Its clock counts days."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.model.procedure import Happening

PAID = 10_000
COST = 6_300
FEE = 1_000
"""In cents."""
SLA = 60

EVENTS: dict[str, tuple[str, ...]] = {
    "seller_approval": ("approved", "with fee", "too dear", "returnless", "rejected"),
    "supplier_rma": ("issued", "refused"),
    "return_tracking": ("",),
    "goods_received": ("accepted", "rejected", "manual", "too many"),
    "credit_memo": ("c1:6300", "c2:3150", "c1:3150", "foreign"),
    "buyer_refund": ("", "1000", "99900"),
    "withdrawal": ("",),
    "channel_update": ("refunded_by_channel", "escalated"),
    "staff_override": ("tracking", "rma", "inspection", "credit_memo", "by the seller"),
}
CLOCK = (8, 31, 61)


@dataclass(frozen=True)
class ReturnSetup:
    """The settings of supplier and seller."""

    rma_by_hand: bool = False
    auto_refund: bool = False
    refund_on_breach: bool = False


@dataclass(frozen=True)
class ReturnState:
    """The facts of one return; where it stands follows from them. Money in cents."""

    now: int = 0
    opened: bool = False
    approval: str = ""
    rma: str = ""
    rma_given: bool = False
    appeal_until: int | None = None
    tracked: bool = False
    tracking_due: int | None = None
    reopen_until: int | None = None
    on_the_way: bool = False
    goods: str = ""
    early_goods: tuple[str, ...] = ()
    """Receptions that came before the return opened: judged when it does."""
    waived: frozenset[str] = frozenset()
    memos: tuple[tuple[str, int], ...] = ()
    memo_numbers: frozenset[str] = frozenset()
    foreign_memos: int = 0
    credited: int = 0
    clicks: tuple[int, ...] = ()
    """Cents asked for; 0: all."""
    paying: int | None = None
    refunded: int = 0
    buyer_done: bool = False
    automatic_failed: bool = False
    channel: bool = False
    channel_booked: int | None = None
    seller_paying: bool = False
    seller_refunded: int = 0
    supplier_done: bool = False
    withdrawn: bool = False
    outcome: str | None = None
    heard: frozenset[int] = frozenset()
    rejected: int = 0

    @property
    def fee(self) -> int:
        return FEE if self.approval == "with fee" else 0


class ReturnProcedure:
    """What a return does by itself, and what it makes of each event."""

    def __init__(self, setup: ReturnSetup) -> None:
        self.setup = setup

    def begin(self) -> ReturnState:
        return ReturnState()

    def clock(self, state: ReturnState) -> int:
        return state.now

    def at(self, state: ReturnState, moment: int) -> ReturnState:
        return replace(state, now=moment)

    def reaches(self, state: ReturnState, event: Happening) -> bool:
        return True

    def seen(self, state: ReturnState, ident: int) -> bool:
        return ident in state.heard

    def reject(self, state: ReturnState) -> ReturnState:
        return replace(state, rejected=state.rejected + 1)

    def next_deadline(self, state: ReturnState, until: int) -> int | None:
        deadlines = (state.appeal_until, state.tracking_due, state.reopen_until, SLA)
        return min((at for at in deadlines if at is not None and state.now < at <= until), default=None)

    # ---- what is so ----

    def _broker_pays(self, state: ReturnState) -> bool:
        return self.setup.refund_on_breach and state.now >= SLA

    def _inspection_moot(self, state: ReturnState) -> bool:
        return "inspection" in state.waived or state.credited >= COST or self._broker_pays(state)

    def _inspected(self, state: ReturnState) -> bool:
        return state.goods in ("accepted", "rejected")

    def _accepted(self, state: ReturnState) -> bool:
        return state.goods == "accepted" or (state.goods != "rejected" and self._inspection_moot(state))

    def _evidently_sent(self, state: ReturnState) -> bool:
        return state.tracked or "tracking" in state.waived or bool(state.goods) or state.credited >= COST

    def _left_for_buyer(self, state: ReturnState) -> int:
        return PAID - state.fee - state.refunded

    # ---- its own steps ----

    def steps(self, state: ReturnState) -> Iterable[ReturnState]:
        if not state.opened:
            return [self._open(state)]
        following = [self._book(state)] if state.memos or state.foreign_memos else []
        if state.outcome is None:
            following += self._procedure(state)
        return following

    def _open(self, state: ReturnState) -> ReturnState:
        opened = replace(state, opened=True, early_goods=())
        for goods in state.early_goods:
            opened = self.reject(opened) if goods == "too many" else replace(opened, goods=goods)
        return opened

    def _book(self, state: ReturnState) -> ReturnState:
        if state.foreign_memos:
            return replace(self.reject(state), foreign_memos=state.foreign_memos - 1)
        (_, cents), *others = state.memos
        return replace(state, memos=tuple(others), credited=state.credited + cents)

    def _procedure(self, state: ReturnState) -> list[ReturnState]:
        if state.approval == "too dear":
            return [replace(self.reject(state), approval="")]
        if state.approval == "rejected":
            return [self._ended(state, "rejected")]
        if not state.approval:
            return [self._ended(state, "withdrawn")] if state.withdrawn else []
        if state.approval == "returnless":
            return self._sides(state, supplier=False)
        if not state.rma_given:
            return self._authorization(state)
        if not state.on_the_way:
            return self._parcel(state)
        return self._sides(state, supplier=True)

    def _authorization(self, state: ReturnState) -> list[ReturnState]:
        if state.withdrawn:
            return [self._ended(state, "withdrawn")]
        if state.rma == "issued" or "rma" in state.waived or not self.setup.rma_by_hand:
            return [replace(state, rma_given=True, appeal_until=None)]
        if state.rma != "refused":
            return []
        if state.appeal_until is None:
            return [replace(state, appeal_until=state.now + 14)]
        return [self._ended(state, "refused_by_supplier")] if state.now >= state.appeal_until else []

    def _parcel(self, state: ReturnState) -> list[ReturnState]:
        if state.withdrawn:
            return [self._ended(state, "withdrawn")]
        if self._evidently_sent(state):
            return [replace(state, on_the_way=True)]
        if state.tracking_due is None:
            return [replace(state, tracking_due=state.now + 30)]
        if state.now < state.tracking_due:
            return []
        if state.reopen_until is None:
            return [replace(state, reopen_until=state.now + 30)]
        return [self._ended(state, "expired")] if state.now >= state.reopen_until else []

    def _sides(self, state: ReturnState, *, supplier: bool) -> list[ReturnState]:
        """Supplier and seller, seller and buyer, side by side; both must be done (RET-13, RET-14)."""
        following = self._buyer_side(state)
        if supplier:
            following += self._supplier_side(state)
        supplier_done = state.supplier_done or not supplier
        at_rest = state.paying is None and not state.seller_paying
        if state.withdrawn and at_rest:
            following.append(self._ended(state, "withdrawn"))
        elif state.buyer_done and supplier_done and at_rest and not state.clicks and not self._unbooked(state):
            following.append(self._ended(state, "completed"))
        return following

    def _unbooked(self, state: ReturnState) -> bool:
        return state.channel and state.channel_booked is None

    def _supplier_side(self, state: ReturnState) -> list[ReturnState]:
        if state.seller_paying:
            return [replace(state, seller_paying=False, seller_refunded=COST, supplier_done=True)]
        if state.supplier_done or state.withdrawn:
            return []
        if not self._inspected(state) and not self._inspection_moot(state):
            return []
        if not self._accepted(state):
            return [replace(state, supplier_done=True)]
        if state.credited >= COST or "credit_memo" in state.waived or self._broker_pays(state):
            return [replace(state, seller_paying=True)]
        return []

    def _buyer_side(self, state: ReturnState) -> list[ReturnState]:
        if state.paying is not None:
            return [replace(state, paying=None, refunded=state.refunded + state.paying, buyer_done=True)]
        if state.withdrawn:
            return []
        if self._unbooked(state):
            return [self._book_channel(state)]
        if state.clicks:
            asked, *others = state.clicks
            amount = asked or self._left_for_buyer(state)
            served = replace(state, clicks=tuple(others))
            if state.channel or amount <= 0 or amount > PAID - state.refunded:
                return [self.reject(served)]
            return [replace(served, paying=amount)]
        ready = state.approval == "returnless" or (self._inspected(state) and self._accepted(state))
        if self.setup.auto_refund and ready and not state.buyer_done and not state.automatic_failed:
            amount = self._left_for_buyer(state)
            return [replace(state, paying=amount) if amount > 0 else replace(state, automatic_failed=True)]
        return []

    def _book_channel(self, state: ReturnState) -> ReturnState:
        booked = PAID if not state.refunded else 0
        return replace(state, channel_booked=booked, buyer_done=True)

    def _ended(self, state: ReturnState, outcome: str) -> ReturnState:
        """What the marketplace paid is booked, and clicks that can't be served are answered."""
        if self._unbooked(state):
            state = self._book_channel(state)
        return replace(state, outcome=outcome, rejected=state.rejected + len(state.clicks), clicks=())

    # ---- events ----

    def hear(self, state: ReturnState, event: Happening) -> Iterable[ReturnState]:
        known = replace(state, heard=state.heard | {event.ident})
        after = self._heard(state, known, event.name, event.variant)
        return [self.reject(state) if after is None else after]

    def _heard(self, state: ReturnState, known: ReturnState, name: str, variant: str) -> ReturnState | None:
        """The state after the event; None: a rule refuses it."""
        match name:
            case "seller_approval":
                refused = bool(state.approval) or (variant == "too dear" and state.opened)
                return None if refused else replace(known, approval=variant)
            case "supplier_rma":
                refused = state.rma_given or state.rma == "issued"
                return None if refused else replace(known, rma=variant, appeal_until=None)
            case "return_tracking":
                return replace(known, tracked=True)
            case "goods_received":
                if not state.opened:
                    return replace(known, early_goods=(*state.early_goods, variant))
                refused = variant == "too many" or state.seller_paying or state.seller_refunded > 0
                return None if refused else replace(known, goods=variant)
            case "credit_memo":
                return self._credit(state, known, variant)
            case "buyer_refund":
                return self._click(state, known, int(variant or 0))
            case "withdrawal":
                moved = state.paying is not None or state.refunded or state.seller_paying or state.seller_refunded
                received = state.goods or state.early_goods
                return None if state.withdrawn or received or moved else replace(known, withdrawn=True)
            case "channel_update":
                return replace(known, channel=state.channel or variant == "refunded_by_channel")
            case "staff_override":
                return None if variant == "by the seller" else replace(known, waived=state.waived | {variant})
        raise AssertionError(name)

    def _credit(self, state: ReturnState, known: ReturnState, variant: str) -> ReturnState | None:
        if variant == "foreign":
            return None if state.opened else replace(known, foreign_memos=state.foreign_memos + 1)
        number, _, cents = variant.partition(":")
        if number in state.memo_numbers:
            return known
        return replace(
            known, memos=(*state.memos, (number, int(cents))), memo_numbers=state.memo_numbers | {number}
        )

    def _click(self, state: ReturnState, known: ReturnState, asked: int) -> ReturnState | None:
        nothing_left = state.opened and not asked and self._left_for_buyer(state) <= 0
        if state.channel or state.approval == "rejected" or nothing_left:
            return None
        return replace(known, clicks=(*state.clicks, asked))

    # ---- shown ----

    def stage(self, state: ReturnState) -> str:
        """Where a return that rests stands: the earliest stage of what it waits for."""
        if state.outcome is not None:
            return state.outcome
        if not state.approval:
            return "awaiting_approval"
        if state.approval == "returnless":
            return "awaiting_buyer_refund"
        if not state.rma_given:
            return "rma_refused" if state.rma == "refused" else "awaiting_rma"
        if not state.on_the_way:
            return "expired" if state.reopen_until is not None else "awaiting_tracking"
        if state.supplier_done:
            return "awaiting_buyer_refund"
        inspected = self._inspected(state) or self._inspection_moot(state)
        return "awaiting_credit" if inspected else "in_transit"


def check(state: ReturnState) -> None:
    """What must hold in every state: money back once, never over the cap, none after a withdrawal."""
    channel = state.channel_booked or 0
    assert state.refunded + channel <= PAID, "more refunded than paid (REF-3)"
    assert state.seller_refunded in (0, COST), "the seller is refunded once (RET-13)"
    if state.outcome in ("withdrawn", "rejected", "expired", "refused_by_supplier"):
        assert not state.seller_refunded, "money in a return that ended without (RET-15, RET-10)"
        assert not state.refunded, "money in a return that ended without (RET-15, RET-10)"
