"""The model of an order's direct refunds under one cap (REF): 100.00 were paid. Money in cents."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.model.procedure import Happening

PAID = 10_000
AMOUNTS = (3_000, 6_000, 15_000, 0)
"""What is asked for; 0: all that is left (REF-8)."""
MOST_REFUNDS = 4
COUNTS = ("reserved", "pending", "failing", "succeeded")
"""`failing`: heard to have failed, and not yet given back: another refund may find it either way."""

EVENTS: dict[str, tuple[str, ...]] = {
    "refund": tuple(str(amount) for amount in AMOUNTS),
    "gateway_update": ("succeeded", "failed", "pending", "other"),
}
CLOCK = (1, 8)


@dataclass(frozen=True)
class RefundSetup:
    """`slow`: the gateway says *pending*, and more only days later (REF-7)."""

    slow: bool = False
    allow_over_refund: bool = False


@dataclass(frozen=True)
class One:
    """One refund: what was asked for, what was reserved, how it stands."""

    asked: int
    amount: int = 0
    state: str = "asked"


@dataclass(frozen=True)
class RefundsState:
    """All refunds of one order."""

    now: int = 0
    refunds: tuple[One, ...] = ()
    heard: frozenset[int] = frozenset()
    rejected: int = 0
    outcome: str | None = None

    @property
    def taken(self) -> int:
        return sum(one.amount for one in self.refunds if one.state in COUNTS)


def refund_of(event: Happening, refunds: int) -> int | None:
    """Which of so many refunds, counted from 0, an update speaks of; None: it is not there yet."""
    number = event.ident % (refunds or 1) if event.damage else event.ident % MOST_REFUNDS
    return number if number < refunds else None


class RefundProcedure:
    """Reserve under the cap, send, and wait for the gateway's word; several at a time."""

    def __init__(self, setup: RefundSetup) -> None:
        self.setup = setup

    def begin(self) -> RefundsState:
        return RefundsState()

    def clock(self, state: RefundsState) -> int:
        return state.now

    def at(self, state: RefundsState, moment: int) -> RefundsState:
        return replace(state, now=moment)

    def reaches(self, state: RefundsState, event: Happening) -> bool:
        return event.name == "refund" or refund_of(event, len(state.refunds)) is not None

    def seen(self, state: RefundsState, ident: int) -> bool:
        return False  # each refund counts its own events: see `_update`

    def reject(self, state: RefundsState) -> RefundsState:
        return replace(state, rejected=state.rejected + 1)

    def next_deadline(self, state: RefundsState, until: int) -> int | None:
        return None

    def steps(self, state: RefundsState) -> Iterable[RefundsState]:
        return [
            self._with(state, number, self._next(state, one))
            for number, one in enumerate(state.refunds)
            if one.state in ("asked", "reserved", "failing")
        ]

    def _next(self, state: RefundsState, one: One) -> One:
        if one.state == "failing":
            return replace(one, state="failed")
        if one.state == "reserved":
            # The books let an over-refund pass if the seller allows it; this gateway never does.
            at_gateway = sum(other.amount for other in state.refunds if other.state in ("pending", "succeeded"))
            if at_gateway + one.amount > PAID:
                return replace(one, state="refused")
            return replace(one, state="pending" if self.setup.slow else "succeeded")
        amount = one.asked or PAID - state.taken
        left = max(PAID - state.taken, 0)
        if amount <= 0 or (amount > left and not self.setup.allow_over_refund):
            return replace(one, state="refused")
        return replace(one, state="reserved", amount=amount)

    def hear(self, state: RefundsState, event: Happening) -> Iterable[RefundsState]:
        if event.name == "refund":
            if len(state.refunds) == MOST_REFUNDS:
                return [state]
            return [replace(state, refunds=(*state.refunds, One(int(event.variant))))]
        return self._update(state, event)

    def _update(self, state: RefundsState, event: Happening) -> Iterable[RefundsState]:
        number = refund_of(event, len(state.refunds))
        assert number is not None, "it reaches one"
        one = state.refunds[number]
        if event.ident in state.heard:
            return [state] if one.state == "pending" else [state, self.reject(state)]
        known = replace(state, heard=state.heard | {event.ident})
        if one.state == "failing":
            return [known, self.reject(state)]
        if one.state != "pending" or event.variant == "other":
            return [self.reject(state)]
        if event.variant == "pending":
            return [known]
        word = "failing" if event.variant == "failed" else event.variant
        return [self._with(known, number, replace(one, state=word))]

    def _with(self, state: RefundsState, number: int, one: One) -> RefundsState:
        return replace(state, refunds=(*state.refunds[:number], one, *state.refunds[number + 1 :]))


def check(state: RefundsState, setup: RefundSetup) -> None:
    """What must hold in every state: never over the cap, unless the seller allows it (REF-3, REF-5)."""
    assert setup.allow_over_refund or state.taken <= PAID, "more refunded than paid (REF-3)"
    assert sum(one.amount for one in state.refunds if one.state in ("pending", "succeeded")) <= PAID
    assert all(one.amount or one.state in ("asked", "refused") for one in state.refunds), "nothing was moved"
