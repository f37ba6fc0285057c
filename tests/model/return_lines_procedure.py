"""The model of a return of several lines (RET-11, RET-12, RET-14, REF-13, ORD-13, ORD-14): all that was sold comes
back, and every refund that is within its cap succeeds. All else is tried with one line (`return_procedure`)."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.model.procedure import Happening, changed
from tests.model.sold_lines import EVERYTHING, ITEMS, NOTHING, Units, fits, meant, minus, plus, worth

PAID = sum(item.paid for item in ITEMS)
COST = sum(item.cost for item in ITEMS)
BUYER, SELLER = "buyer", "seller"

EVENTS: dict[str, tuple[str, ...]] = {
    "seller_approval": ("approved",),
    "return_tracking": ("", "1:1", "A:1", "KIT:1", "3.2:5"),
    "goods_received": (
        *("1:2:accepted", "1:1:rejected", "2:1:accepted", "2:1:rejected", "A:1:accepted", "A:3:accepted"),
        *("A:2:accepted:w", "A:1:rejected:w", "KIT:2:accepted", "KIT:1:accepted", "KIT:1:rejected:w"),
        *("3.1:2:rejected", "B:1:accepted", "C:4:accepted", "3.2:1:rejected", "C:5:accepted", "D:1:accepted"),
    ),
    "credit_memo": (f"c1:{COST}", "c2:4000", "c3:2001"),
    "buyer_refund": ("", "1:1", "2:1", "A:1", "A:3", "KIT:1", "KIT:2", "3.1:1", "C:1", "3.2:3", "3.2:5", "D:1"),
}
"""A name, how many of it, what is said of them, and `w` where a warehouse says it. A credit memo: its number, and
cents."""
CLOCK = (1,)
GUIDE: dict[str, tuple[tuple[str, str], ...]] = {
    "awaiting_approval": (("seller_approval", "approved"),),
    "awaiting_tracking": (("return_tracking", ""), ("goods_received", "A:3:accepted")),
    "in_transit": (
        *(("goods_received", said) for said in EVENTS["goods_received"]),
        ("goods_received", "A:3:accepted"),
        ("goods_received", "KIT:2:accepted"),
        ("buyer_refund", "C:1"),
        ("credit_memo", f"c1:{COST}"),
    ),
    "awaiting_credit": (("credit_memo", f"c1:{COST}"), ("buyer_refund", "KIT:1"), ("credit_memo", "c2:4000")),
    "awaiting_buyer_refund": tuple(("buyer_refund", name) for name in EVENTS["buyer_refund"]),
}

Group = tuple[str, Units]
"""What is said of some units: accepted, or rejected."""


@dataclass(frozen=True)
class Refund:
    """`units`: those that it is for, by item; nothing for the seller's. `state`: asked, succeeded or refused."""

    whose: str
    number: int
    cents: int
    units: Units = NOTHING
    state: str = "asked"


@dataclass(frozen=True)
class ReturnedState:
    """The facts of one return of lines, from when it is open."""

    now: int = 0
    approved: bool = False
    tracked: bool = False
    on_the_way: bool = False
    arrived: bool = False
    goods: tuple[Group, ...] = ()
    memos: tuple[int, ...] = ()
    memo_numbers: frozenset[str] = frozenset()
    credited: int = 0
    said_since: bool = False
    nothing_accepted: bool = False
    clicks: tuple[str, ...] = ()
    refunds: tuple[Refund, ...] = ()
    outcome: str | None = None
    heard: frozenset[int] = frozenset()
    rejected: int = 0

    def of(self, whose: str) -> list[Refund]:
        return [one for one in self.refunds if one.whose == whose]

    def cents(self, whose: str, *states: str) -> int:
        return sum(one.cents for one in self.of(whose) if one.state in states)

    @property
    def units_refunded(self) -> Units:
        """Of refunds that were made, or may be."""
        units = NOTHING
        for one in self.of(BUYER):
            units = plus(units, one.units) if one.state != "refused" else units
        return units

    def said(self, *words: str) -> Units:
        units = NOTHING
        for word, some in self.goods:
            units = plus(units, some) if not words or word in words else units
        return units

    @property
    def inspected(self) -> bool:
        return self.said() == EVERYTHING

    @property
    def needs_inspection(self) -> bool:
        return not self.inspected and self.credited < COST

    @property
    def accepted(self) -> Units:
        """What nobody needs to inspect is accepted."""
        awaited = NOTHING if self.needs_inspection else minus(EVERYTHING, self.said())
        return plus(self.said("accepted"), awaited)

    @property
    def due(self) -> int:
        """What the seller gets in all, in cents."""
        some = zip(ITEMS, self.accepted, strict=True)
        return sum(worth(item.cost, item.quantity, 0, count) for item, count in some)

    @property
    def difference(self) -> int:
        last = self.of(SELLER)[-1:]
        if not last or last[0].state != "succeeded" or not self.said_since or self.needs_inspection:
            return 0
        return self.due - self.cents(SELLER, "succeeded")

    @property
    def supplier_done(self) -> bool:
        sellers = self.of(SELLER)
        if not sellers:
            return self.nothing_accepted
        return sellers[-1].state == "succeeded" and self.difference <= 0


class ReturnedLinesProcedure:
    """What a return of several lines does by itself, and what it makes of each event."""

    def __init__(self, setup: object) -> None:
        self.setup = setup

    def begin(self) -> ReturnedState:
        return ReturnedState()

    def clock(self, state: ReturnedState) -> int:
        return state.now

    def at(self, state: ReturnedState, moment: int) -> ReturnedState:
        return changed(state, now=moment)

    def reaches(self, state: ReturnedState, event: Happening) -> bool:
        return True

    def seen(self, state: ReturnedState, ident: int) -> bool:
        return ident in state.heard

    def reject(self, state: ReturnedState) -> ReturnedState:
        return changed(state, rejected=state.rejected + 1)

    def next_deadline(self, state: ReturnedState, until: int) -> int | None:
        return None

    # ---- its own steps ----

    def steps(self, state: ReturnedState) -> Iterable[ReturnedState]:
        following = [self._book(state)] if state.memos else []
        if state.outcome is not None or not state.approved:
            return following
        if not state.on_the_way:
            sent = state.tracked or state.arrived or state.credited >= COST
            return [*following, changed(state, on_the_way=True)] if sent else following
        following += [self._answered(state, one) for one in state.refunds if one.state == "asked"]
        following += [*self._buyer_side(state), *self._seller_side(state)]
        under_way = any(one.state == "asked" for one in state.refunds)
        if state.cents(BUYER, "succeeded") and state.supplier_done and not under_way and not state.clicks:
            following.append(changed(state, outcome="completed"))
        return following

    def _book(self, state: ReturnedState) -> ReturnedState:
        first, *others = state.memos
        return changed(state, memos=tuple(others), credited=state.credited + first)

    def _answered(self, state: ReturnedState, refund: Refund) -> ReturnedState:
        """Within what was paid, and no unit twice (REF-3, REF-13)."""
        others = [one for one in state.of(refund.whose) if one.state == "succeeded"]
        cap = PAID if refund.whose == BUYER else COST
        units = refund.units
        for one in others:
            units = plus(units, one.units)
        fits_cap = refund.cents + sum(one.cents for one in others) <= cap and fits(units, EVERYTHING)
        answered = changed(refund, state="succeeded" if fits_cap else "refused")
        return changed(state, refunds=tuple(answered if one is refund else one for one in state.refunds))

    def _buyer_side(self, state: ReturnedState) -> list[ReturnedState]:
        if not state.clicks or any(one.state == "asked" for one in state.of(BUYER)):
            return []
        first, *others = state.clicks
        served = changed(state, clicks=tuple(others))
        amount = self._amount(state, first)
        if amount is None or amount <= 0:
            return [served]
        units = self._named(first) if first else minus(EVERYTHING, state.units_refunded)
        assert units is not None, "it was looked at when it came"
        return [self._asked(served, BUYER, amount, units)]

    def _seller_side(self, state: ReturnedState) -> list[ReturnedState]:
        enough = state.credited >= state.due
        if any(one.state == "asked" for one in state.of(SELLER)):
            return []
        if state.of(SELLER):
            return [self._asked(state, SELLER, state.difference)] if state.difference > 0 and enough else []
        if state.needs_inspection or state.nothing_accepted:
            return []
        if not any(state.accepted):
            return [changed(state, nothing_accepted=True)]
        return [self._asked(state, SELLER, state.due)] if enough else []

    def _asked(self, state: ReturnedState, whose: str, cents: int, units: Units = NOTHING) -> ReturnedState:
        refund = Refund(whose, len(state.of(whose)) + 1, cents, units)
        return changed(state, refunds=(*state.refunds, refund))

    # ---- what is refunded to the buyer ----

    def _named(self, click: str) -> Units | None:
        name, count = click.split(":")
        units = meant(name, int(count), EVERYTHING, knows_items_only=False)
        return units if units is not None and any(units) and fits(units, EVERYTHING) else None

    def _amount(self, state: ReturnedState, click: str) -> int | None:
        """Cents; none: the units that are named are not of the return. Single units add up to their line."""
        left = PAID - state.cents(BUYER, "succeeded")
        if not click:
            return left
        units = self._named(click)
        if units is None:
            return None
        before = state.units_refunded
        cents = 0
        for item, count, done in zip(ITEMS, units, before, strict=True):
            first = min(done, item.quantity - count)
            cents += worth(item.paid, item.quantity, first, first + count)
        return min(cents, left)

    # ---- events ----

    def outside(self, state: ReturnedState, happening: Happening) -> Iterable[ReturnedState]:
        raise AssertionError("nobody stops it, and its refunds succeed")

    def hear(self, state: ReturnedState, event: Happening) -> Iterable[ReturnedState]:
        known = changed(state, heard=state.heard | {event.ident})
        return [self._heard(state, known, event.name, event.variant) or self.reject(state)]

    def _heard(self, state: ReturnedState, known: ReturnedState, name: str, variant: str) -> ReturnedState | None:
        match name:
            case "seller_approval":
                return None if state.approved else changed(known, approved=True)
            case "return_tracking":
                return None if variant and self._named(variant) is None else changed(known, tracked=True)
            case "goods_received":
                return self._received(state, known, variant)
            case "credit_memo":
                number, _, cents = variant.partition(":")
                if number in state.memo_numbers:
                    return known
                memos, numbers = (*state.memos, int(cents)), state.memo_numbers | {number}
                since = state.said_since or bool(state.of(SELLER))
                return changed(known, memos=memos, memo_numbers=numbers, said_since=since)
            case "buyer_refund":
                amount = self._amount(state, variant)
                return None if amount is None or amount <= 0 else changed(known, clicks=(*state.clicks, variant))
        raise AssertionError(name)

    def _received(self, state: ReturnedState, known: ReturnedState, variant: str) -> ReturnedState | None:
        """Receipts add up; a line of which all has arrived may be looked at again as a whole (RET-25, RET-26)."""
        name, count, word, *by = variant.split(":")
        left = minus(EVERYTHING, state.said())
        units = meant(name, int(count), left if any(left) else EVERYTHING, knows_items_only=bool(by))
        if units is None or not any(units):
            return None
        goods = state.goods
        for at, item in enumerate(ITEMS):
            if units[at] <= left[at]:
                continue
            if left[at] or units[at] != item.quantity:
                return None
            goods = tuple((said, _without(some, at)) for said, some in goods)
        since = state.said_since or bool(state.of(SELLER))
        goods = (*goods, (word, units))
        return changed(known, goods=goods, arrived=True, nothing_accepted=False, said_since=since)

    # ---- shown ----

    def stage(self, state: ReturnedState) -> str:
        if state.outcome is not None:
            return state.outcome
        if not state.approved:
            return "awaiting_approval"
        if not state.on_the_way:
            return "awaiting_tracking"
        if not state.of(SELLER) and not state.nothing_accepted:
            return "in_transit" if state.needs_inspection else "awaiting_credit"
        if state.difference > 0:
            return "awaiting_credit"
        return "awaiting_buyer_refund"


def _without(units: Units, at: int) -> Units:
    return tuple(0 if place == at else count for place, count in enumerate(units))


def check(state: ReturnedState) -> None:
    """No unit is spoken of twice, and no more is refunded than was paid."""
    assert fits(state.said(), EVERYTHING), "more arrived than came back (RET-26)"
    assert fits(state.units_refunded, EVERYTHING) or state.cents(BUYER, "asked"), (
        "a unit is refunded twice (REF-13)"
    )
    assert state.cents(BUYER, "succeeded") <= PAID, "more refunded than paid (REF-3)"
