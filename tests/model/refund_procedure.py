"""The model of an order's direct refunds under one cap (REF): 100.00 were paid. Money in cents, time in days."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.model.procedure import Happening, changed

PAID = 10_000
AMOUNTS = (3_000, 6_000, 15_000, 0)
"""What is asked for; 0: all that is left (REF-8)."""
MOST_REFUNDS = 4
LOOK_AGAIN = 1
"""Days of silence after which the gateway is asked."""
LOOKS_IN_VAIN = 7
"""After so many of them the refund is in doubt (REF-11)."""

EVENTS: dict[str, tuple[str, ...]] = {
    "refund": tuple(str(amount) for amount in AMOUNTS),
    "gateway_update": ("succeeded", "failed", "pending", "other"),
    "refund_resolved": ("moved", "not_moved", "by the seller"),
    "refund_confirmed": ("by another", "by who asked"),
    "refund_rejected": ("",),
}
LIMIT = 5_000
"""The seller's limit, where it has one: more than that needs a second person (REF-12)."""
CLOCK = (1, 8)
LIES = ("lie succeeded", "lie failed")
"""More variants of `gateway_update`: the gateway itself does not say so."""
STRAY = tuple(f"{status} {amount}" for status in ("succeeded", "failed") for amount in (3_000, 0))
"""Variants of `stray`: a word about the next refund comes, with a start, before anybody has asked for that."""
LATE = ("failed", "lie failed", "succeeded")
"""Variants of `late_word`: it comes when the refund has ended, and starts it again (REF-7)."""
FATES = ("succeeds", "pending", "fails", "refused", "no answer", "unheard", "lost")
"""What the gateway makes of a refund. `unheard`: it is made, and no answer arrives; `lost`: it says pending, and
later that it does not have it."""
GUIDE: dict[str, tuple[tuple[str, str], ...]] = {
    "": (("refund", "3000"), ("refund", "0"), ("refund", "6000"), ("stray", "failed 3000")),
    "awaiting_confirmation": (
        ("refund_confirmed", "by another"),
        ("refund_confirmed", "by another"),
        ("refund_confirmed", "by who asked"),
        ("refund_rejected", ""),
        ("clock", "8"),
    ),
    "sending": (("refund_resolved", "moved"), ("refund_resolved", "not_moved"), ("gateway_update", "failed")),
    "pending": (
        ("gateway_update", "succeeded"),
        ("gateway_update", "failed"),
        ("gateway_update", "lie failed"),
        ("refund_resolved", "moved"),
        ("refund_resolved", "not_moved"),
        ("clock", "8"),
        ("clock", "8"),
    ),
    "succeeded": (("late_word", "failed"), ("late_word", "lie failed"), ("refund", "0")),
    "failed": (("refund", "0"), ("late_word", "failed")),
    "refused": (("refund", "3000"), ("late_word", "failed")),
}


@dataclass(frozen=True)
class RefundSetup:
    """`slow`: the gateway says *pending*, and more only days later (REF-7). `fates`: of the first refunds; those
    beyond have the usual one."""

    slow: bool = False
    allow_over_refund: bool = False
    fates: tuple[str, ...] = ()
    has_limit: bool = False

    def fate(self, number: int) -> str:
        if number < len(self.fates):
            return self.fates[number]
        return "pending" if self.slow else "succeeds"


@dataclass(frozen=True)
class One:
    """One refund: what was asked for, what was reserved, how it stands.

    `state`: asked, reserving, awaiting_confirmation, reserved, sending (the gateway gives no answer), pending,
    closing, or how it ended; `final`: as what a closing one ends; `truth`: how it stands at the gateway itself.
    """

    asked: int
    amount: int = 0
    state: str = "asked"
    final: str = ""
    truth: str = "none"
    has_number: bool = False
    """The gateway's number of it is known here."""
    claims: tuple[str, ...] = ()
    """What was said of it, and is not checked yet."""
    heard_at: int = 0
    looks_in_vain: int = 0
    absent: bool = False
    """The gateway's last word was that it does not have it."""
    resolution: str = ""
    second: str = ""
    """What a second person said: yes or no (REF-12)."""

    @property
    def counts(self) -> bool:
        """Against what was paid (REF-3). One that closes as failed may have been given back, or not yet."""
        return self.state in ("awaiting_confirmation", "reserved", "sending", "pending", "closing", "succeeded")

    @property
    def may_be_resolved(self) -> bool:
        """REF-11: nobody knows whether the money moved, so a person who can show it may say what became of it. One
        that is plainly pending is the gateway's to decide."""
        silent = self.absent or self.looks_in_vain >= LOOKS_IN_VAIN
        return self.state == "sending" or (self.state == "pending" and silent)


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
        return sum(one.amount for one in self.refunds if one.counts)


def refund_of(event: Happening, refunds: int) -> int | None:
    """Which of so many refunds, counted from 0, an event speaks of; None: it is not there yet."""
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
        return changed(state, now=moment)

    def reaches(self, state: RefundsState, event: Happening) -> bool:
        return event.name in ("refund", "stray") or refund_of(event, len(state.refunds)) is not None

    def seen(self, state: RefundsState, ident: int) -> bool:
        return False  # each refund counts its own events: see `_sent`

    def reject(self, state: RefundsState) -> RefundsState:
        return changed(state, rejected=state.rejected + 1)

    def outside(self, state: RefundsState, happening: Happening) -> Iterable[RefundsState]:
        return [state]  # a refund can't be stopped

    def next_deadline(self, state: RefundsState, until: int) -> int | None:
        looks = [one.heard_at + LOOK_AGAIN for one in state.refunds if one.state == "pending"]
        return min((at for at in looks if state.now < at <= until), default=None)

    # ---- its own steps ----

    def steps(self, state: RefundsState) -> Iterable[RefundsState]:
        return [after for number, one in enumerate(state.refunds) for after in self._next(state, number, one)]

    def _next(self, state: RefundsState, number: int, one: One) -> list[RefundsState]:
        match one.state:
            case "asked":
                # Somebody asked for it, whatever words came before it began.
                return [self._with(state, number, changed(one, state="reserving"))]
            case "reserving":
                return [self._reserving(state, number, one)]
            case "awaiting_confirmation":
                return [self._with(state, number, _decided(one))] if one.second else []
            case "reserved":
                return [self._sent(state, number, one)]
            case "sending":
                return [self._with(state, number, self._resolved(one))] if one.resolution else []
            case "pending":
                return self._pending(state, number, one)
            case "closing":
                return self._closing(state, number, one)
        return []

    def _reserving(self, state: RefundsState, number: int, one: One) -> RefundsState:
        """REF-12: an early word of a second person where nobody needs one is answered."""
        after = self._reserved(state, one)
        if self.setup.has_limit and after.amount > LIMIT:
            return self._with(state, number, changed(after, state="awaiting_confirmation"))
        heard = changed(state, rejected=state.rejected + 1) if one.second else state
        return self._with(heard, number, changed(after, second=""))

    def _reserved(self, state: RefundsState, one: One) -> One:
        amount = one.asked or PAID - state.taken
        left = max(PAID - state.taken, 0)
        if amount <= 0 or (amount > left and not self.setup.allow_over_refund):
            return changed(one, state="closing", final="refused")
        return changed(one, state="reserved", amount=amount)

    def _sent(self, state: RefundsState, number: int, one: One) -> RefundsState:
        """The database lets an over-refund pass if the seller allows it; this gateway never does."""
        at_gateway = sum(other.amount for other in state.refunds if other.truth in ("pending", "succeeded"))
        fate = self.setup.fate(number)
        if fate == "no answer":
            return self._with(state, number, changed(one, state="sending"))
        if fate == "refused" or at_gateway + one.amount > PAID:
            return self._with(state, number, changed(one, state="closing", final="refused"))
        if fate == "unheard":
            return self._with(state, number, changed(one, state="sending", truth="succeeded"))
        truth = {"succeeds": "succeeded", "fails": "failed", "pending": "pending", "lost": "none"}[fate]
        foreign = one.claims.count("other")
        known = changed(
            one,
            truth=truth,
            has_number=True,
            heard_at=state.now,
            claims=tuple(claim for claim in one.claims if claim != "other"),
        )
        final = truth in ("succeeded", "failed")
        after = changed(known, state="closing" if final else "pending", final=truth if final else "")
        return self._with(changed(state, rejected=state.rejected + foreign), number, after)

    def _pending(self, state: RefundsState, number: int, one: One) -> list[RefundsState]:
        if one.claims:
            return self._looks(state, number, one)
        if state.now >= one.heard_at + LOOK_AGAIN:
            return [self._looked(state, number, one, 0)]
        return [self._with(state, number, self._resolved(one))] if one.resolution else []

    def _closing(self, state: RefundsState, number: int, one: One) -> list[RefundsState]:
        """A failure that is claimed of a success is checked before it ends (REF-7)."""
        if one.final == "succeeded" and "failed" in one.claims:
            return self._looks(state, number, one)
        wrong = [claim for claim in one.claims if not one.has_number or _contradicts(claim, one.final)]
        ended = changed(one, state=one.final, claims=())
        return [self._with(changed(state, rejected=state.rejected + len(wrong)), number, ended)]

    def _looks(self, state: RefundsState, number: int, one: One) -> list[RefundsState]:
        """A look decides about all that was claimed before it began."""
        return [self._looked(state, number, one, count + 1) for count in range(len(one.claims))]

    def _looked(self, state: RefundsState, number: int, one: One, checked: int) -> RefundsState:
        wrong = [claim for claim in one.claims[:checked] if _contradicts(claim, one.truth)]
        in_vain = one.looks_in_vain + (0 if checked else 1)
        absent = one.truth == "none"
        after = changed(one, claims=one.claims[checked:], heard_at=state.now, looks_in_vain=in_vain, absent=absent)
        if one.truth in ("succeeded", "failed"):
            after = changed(after, state="closing", final=one.truth)
        return self._with(changed(state, rejected=state.rejected + len(wrong)), number, after)

    def _resolved(self, one: One) -> One:
        """The gateway is asked once more: its own word comes before a person's."""
        if one.truth in ("succeeded", "failed"):
            return changed(one, state="closing", final=one.truth, has_number=True)
        return changed(one, state="closing", final="succeeded" if one.resolution == "moved" else "failed")

    # ---- events ----

    def hear(self, state: RefundsState, event: Happening) -> Iterable[RefundsState]:
        if event.name == "refund":
            if len(state.refunds) == MOST_REFUNDS:
                return [state]
            return [changed(state, refunds=(*state.refunds, One(int(event.variant))))]
        if event.name == "stray":  # it moves nothing, and takes no id (REF-7)
            return [state if len(state.refunds) == MOST_REFUNDS else self.reject(state)]
        number = refund_of(event, len(state.refunds))
        assert number is not None, "it reaches one"
        one = self._at_gateway(state.refunds[number], event)
        state = self._with(state, number, one)
        over = one.state in ("succeeded", "failed", "refused")
        if over and event.name == "late_word":
            return [self._opened_again(state, number, one, event)]
        if event.ident in state.heard:
            return [state, self.reject(state)] if over or one.state == "closing" else [state]
        if over:
            return [self.reject(state)]
        known = changed(state, heard=state.heard | {event.ident})
        if event.name in ("refund_confirmed", "refund_rejected"):
            may = one.state in ("asked", "reserving", "awaiting_confirmation") and not one.second
            said = "no" if event.name == "refund_rejected" else "yes"
            after = self._with(known, number, changed(one, second=said))
            return [after if may and event.variant != "by who asked" else self.reject(state)]
        if event.name == "refund_resolved":
            may = one.may_be_resolved and not one.resolution and event.variant != "by the seller"
            resolved = self._with(known, number, changed(one, resolution=event.variant))
            return [resolved if may else self.reject(state)]
        return self._claimed(state, known, number, event)

    def _claimed(
        self, state: RefundsState, known: RefundsState, number: int, event: Happening
    ) -> list[RefundsState]:
        one = state.refunds[number]
        # Whoever speaks before the gateway has given its number can't know it.
        claim = event.variant.removeprefix("lie ") if one.has_number else "other"
        if claim == "other" and one.has_number:
            return [self.reject(state)]
        after = self._with(known, number, changed(one, claims=(*one.claims, claim)))
        # While it comes to its end, it may have ended for the sender.
        return [after, self.reject(state)] if one.state == "closing" else [after]

    def _at_gateway(self, one: One, event: Happening) -> One:
        """The gateway itself has made it so, before it says so; what has ended there can only fail afterwards."""
        pending = one.truth == "pending" and one.state == "pending"
        if event.name == "gateway_update" and event.variant in ("succeeded", "failed") and pending:
            return changed(one, truth=event.variant)
        if event.name == "late_word" and event.variant == "failed" and one.truth in ("pending", "succeeded"):
            return changed(one, truth="failed")
        return one

    def _opened_again(self, state: RefundsState, number: int, one: One, event: Happening) -> RefundsState:
        """The word comes with a start of the refund, which is looked up: nothing new is made of it (REF-7)."""
        known = changed(state, heard=state.heard | {event.ident})
        claim = event.variant.removeprefix("lie ")
        return self._with(known, number, changed(one, state="closing", final=one.state, claims=(claim,)))

    def _with(self, state: RefundsState, number: int, one: One) -> RefundsState:
        return changed(state, refunds=(*state.refunds[:number], one, *state.refunds[number + 1 :]))

    # ---- shown ----

    def stage(self, state: RefundsState, number: int) -> str:
        return state.refunds[number].state


def _decided(one: One) -> One:
    """REF-12: confirmed it is sent; rejected it is not."""
    return (
        changed(one, state="reserved") if one.second == "yes" else changed(one, state="closing", final="refused")
    )


def _contradicts(claim: str, truth: str) -> bool:
    """Whether the gateway's word speaks against what was claimed; "pending" may be older news."""
    return truth == "none" if claim == "pending" else claim != truth


def check(state: RefundsState, setup: RefundSetup) -> None:
    """What must hold in every state: never over the cap, unless the seller allows it (REF-3, REF-5)."""
    assert setup.allow_over_refund or state.taken <= PAID, "more refunded than paid (REF-3)"
    assert sum(one.amount for one in state.refunds if one.truth in ("pending", "succeeded")) <= PAID
    assert all(
        one.second == "yes" or one.amount <= LIMIT or one.truth == "none" or not setup.has_limit
        for one in state.refunds
    ), "sent over the limit without a second person (REF-12)"
    unknown = ("asked", "reserving", "refused", "closing")
    assert all(one.amount or one.state in unknown for one in state.refunds), "nothing was moved"
