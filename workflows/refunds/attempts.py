"""The refunds that an order or a return asks for: each is a workflow of its own, and a fact of the one who asked.

Pure. A refund that was asked for is never forgotten: it succeeds, fails, is refused, or is in doubt until it is
known (REF-6, REF-11).
"""

from collections.abc import Sequence, Set
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal, NamedTuple

from models.case import Who
from models.ids import DerivedId
from models.message import Message, Quantity
from models.money import Currency, NonNegativeAmount, PositiveAmount
from models.refunds import Direction, HeldUp, RefundResult, RefundState, Way
from models.worklists import Work
from workflows.engine.case import CaseFacts, Effect

SELLER, BUYER = Direction.BROKER_TO_SELLER, Direction.SELLER_TO_BUYER


class MakeRefund(Effect):
    """A refund of its own workflow (REF-6); of way `marketplace` it only records what was done (RET-18)."""

    kind: Literal["make_refund"] = "make_refund"
    who: ClassVar[Who] = Who.GATEWAY
    refund_id: DerivedId
    direction: Direction
    way: Way = Way.GATEWAY
    amount: PositiveAmount | None
    """None: all that is still refundable (REF-8)."""
    currency: Currency
    reason: str
    requested_by: str
    lines: tuple[Quantity, ...] = ()
    less_moved: bool = False
    """The amount is what the lines are worth, as far as the case knows: what moved for them otherwise, by a direct
    refund of which a part failed, is taken off (REF-13)."""
    asked_by: str | None = None
    """The event that asks for it: a click, or the marketplace's word."""
    part_of: DerivedId | None = None
    """The refund that was divided, where this is one part of it (REF-3)."""
    again: bool = False
    """It is in doubt: asked for again under its own id, it looks before it sends."""

    @property
    def summary(self) -> str:
        whom = "buyer" if self.direction is BUYER else "seller"
        return f"refund the {whom} ({self.refund_id})"


AttemptState = Literal[
    "asked", "to_confirm", "pending", "succeeded", "failed", "refused", "in_doubt", "failed_afterwards"
]


class RefundAttempt(Message):
    """One refund that this case asked for (REF-11). Those whose state changed last stand last.

    `to_confirm`: it is over the seller's limit, and waits for a second person (REF-12).
    `in_doubt`: nobody knows whether money moved. `failed_afterwards`: it had succeeded, and the gateway took it
    back (REF-7).
    """

    refund_id: str
    direction: Direction
    way: Way
    amount: NonNegativeAmount
    """Zero while all that is left was asked for, and it is not known how much that is."""
    currency: Currency
    state: AttemptState
    at: datetime
    asked_by: str | None = None
    requested_by: str = ""
    confirmed_by: str | None = None
    """The second person (REF-12)."""
    lines: tuple[Quantity, ...] = ()
    """The units that it is for (REF-13)."""
    computed: NonNegativeAmount | None = None
    """What the case asked for its units, of which what moved for them otherwise is taken off (REF-13). None:
    somebody named the amount."""
    automatic: bool = False
    over_refund: bool = False
    tries: int = 1
    reason: str = ""
    made_again: bool = False
    """It failed afterwards, and a later one succeeded."""
    asked_anew: bool = False
    """It moved nothing, and was asked for anew: under the next id, as its own belongs to another request; or in
    parts (REF-3)."""
    part_of: str | None = None
    """The refund that was divided, where this is one part of it."""
    held_up: HeldUp | None = None
    """What must happen before it goes on, and who does it (BAL-1, AMZ-5)."""
    awaited: bool = False
    """In doubt, while its own workflow goes on asking the gateway, and will say what became of it."""

    @property
    def is_under_way(self) -> bool:
        """Its own workflow goes on, and says what becomes of it."""
        return self.state in ("asked", "to_confirm", "pending") or self.awaited

    @property
    def may_have_moved_money(self) -> bool:
        """Money is on its way, arrived, or may have."""
        return self.state in ("asked", "to_confirm", "pending", "succeeded", "in_doubt")

    @property
    def moved_otherwise(self) -> Decimal:
        """For its units, by refunds that the case did not ask for (REF-13)."""
        return self.computed - self.amount if self.computed is not None else Decimal(0)

    @property
    def is_decided(self) -> bool:
        """It is known what became of it."""
        return not self.is_under_way and self.state != "in_doubt"

    @property
    def told_as(self) -> str:
        """By which id people are told of it: that of the refund of which it is a part."""
        return self.part_of or self.refund_id


Attempts = tuple[RefundAttempt, ...]


class RefundReported(Message):
    """What a refund's workflow says of itself, other than by its end: it is pending, in doubt, known after all, or
    it failed after it had succeeded (REF-7, REF-11)."""

    result: RefundResult


def attempt_of(attempts: Attempts, refund_id: str) -> RefundAttempt | None:
    return next((one for one in attempts if one.refund_id == refund_id), None)


def those_of(attempts: Attempts, direction: Direction, way: Way = Way.GATEWAY) -> list[RefundAttempt]:
    return [one for one in attempts if one.direction is direction and one.way is way]


def next_ordinal(attempts: Attempts, direction: Direction) -> int:
    """Of the next refund's id: ids are never used again. Parts have the number of their whole."""
    return sum(one.direction is direction and one.part_of is None for one in attempts) + 1


def asked(attempts: Attempts, effect: MakeRefund, now: datetime) -> Attempts:
    """The refund is asked for now; or again, if it was in doubt."""
    before = attempt_of(attempts, effect.refund_id)
    attempt = RefundAttempt(
        refund_id=effect.refund_id,
        direction=effect.direction,
        way=effect.way,
        amount=effect.amount if effect.amount is not None else before.amount if before else Decimal(0),
        currency=effect.currency,
        state="asked",
        at=now,
        asked_by=effect.asked_by,
        requested_by=effect.requested_by,
        lines=effect.lines,
        computed=effect.amount if effect.less_moved else before.computed if before else None,
        automatic=before.automatic if before else effect.direction is BUYER and effect.asked_by is None,
        tries=before.tries + 1 if before and effect.again else 1,
        part_of=effect.part_of,
    )
    return _with(attempts, attempt)


_STATES: Final[dict[RefundState, AttemptState]] = {
    RefundState.RESERVED: "asked",
    RefundState.PENDING: "pending",
    RefundState.SUCCEEDED: "succeeded",
    RefundState.FAILED: "failed",
    RefundState.REFUSED: "refused",
}


def state_of(result: RefundResult) -> AttemptState:
    """How a result is written as the state of an attempt."""
    if result.to_confirm:
        return "to_confirm"
    if result.unknown:
        return "in_doubt"
    return _STATES[result.state]


def settled(attempts: Attempts, result: RefundResult, now: datetime, *, awaited: bool = False) -> Attempts:
    """What became of a refund; one that succeeded makes those good again that failed afterwards (REF-7).

    `awaited`: it says so while it goes on.
    """
    attempt = attempt_of(attempts, result.refund_id)
    if attempt is None:
        return attempts
    state = state_of(result)
    changes: dict[str, Any] = {
        "state": state,
        "at": now,
        "reason": result.reason or "",
        "over_refund": result.over_refund,
        "confirmed_by": result.confirmed_by,
        "awaited": awaited and state == "in_doubt",
        "held_up": result.held_up,
    }
    if state in ("succeeded", "pending", "to_confirm") or (state == "in_doubt" and result.amount):
        changes["amount"] = result.amount
    after = _with(attempts, attempt.model_copy(update=changes))
    return _made_again(after, attempt) if state == "succeeded" else after


def held_up(attempts: Attempts, result: RefundResult) -> tuple[Attempts, str | None]:
    """One that goes on says what holds it up, or that nothing does any more; and the same in words, if it is
    new."""
    attempt = attempt_of(attempts, result.refund_id)
    if attempt is None or not attempt.is_under_way or attempt.held_up == result.held_up:
        return attempts, None
    after = tuple(
        one.model_copy(update={"held_up": result.held_up}) if one is attempt else one for one in attempts
    )
    refund = f"refund {attempt.refund_id}"
    why = result.held_up.what if result.held_up is not None else None
    return after, f"{refund} waits: {why}" if why is not None else f"{refund} goes on"


_WORK_OF_SELLER: Final = {"queue": Work.BUYER_TO_REFUND, "balance": Work.BALANCE_SHORT}


def works_held_up(attempts: Attempts) -> tuple[Work, ...]:
    """The worklists of what their seller must do before they go on."""
    held = [one.held_up for one in attempts if one.is_under_way and one.held_up is not None]
    of_seller = {one.by for one in held if one.who is Who.SELLER}
    return tuple(work for by, work in _WORK_OF_SELLER.items() if by in of_seller)


def awaiting_second_person(attempt: RefundAttempt) -> str:
    """What people wait for (REF-12)."""
    refund = f"refund {attempt.refund_id} of {attempt.amount} {attempt.currency}"
    return f"a second person to confirm {refund} ({attempt.requested_by} asked)"


def failed_afterwards(attempts: Attempts, result: RefundResult, now: datetime) -> Attempts:
    """The gateway took a success back: the amount, as this case knows it, is refundable again (REF-7)."""
    attempt = attempt_of(attempts, result.refund_id)
    if attempt is None:
        return attempts
    changes = {"state": "failed_afterwards", "at": now, "reason": result.reason or "", "awaited": False}
    return _with(attempts, attempt.model_copy(update=changes))


MOST_IDS_IN_A_ROW: Final = 3
"""So many ids of one refund may belong to other requests; then it is left to staff."""


def may_take_next_id(attempts: Attempts, refund_id: str) -> bool:
    """Whether a refund that was refused, because its id is another request's, is asked for under the next id."""
    attempt = attempt_of(attempts, refund_id)
    if attempt is None:
        return False
    before = [one for one in attempts if one.direction is attempt.direction and one is not attempt]
    in_a_row = 1
    while before and before.pop().asked_anew:
        in_a_row += 1
    return in_a_row < MOST_IDS_IN_A_ROW


def asked_anew(attempts: Attempts, refund_id: str) -> Attempts:
    """This refund is asked for anew: under the next id, or in parts."""
    return tuple(
        one.model_copy(update={"asked_anew": True}) if one.refund_id == refund_id else one for one in attempts
    )


def in_parts(
    attempts: Attempts, effect: MakeRefund, result: RefundResult, now: datetime
) -> tuple[Attempts, tuple[MakeRefund, ...]]:
    """No single payment can carry this refund: each part is asked for under the id by which it is reserved, the
    same one however often the whole is asked for (REF-3, REF-6). Gives what to begin."""
    attempts = asked_anew(settled(attempts, result, now), effect.refund_id)
    together = sum((part.amount for part in result.parts), Decimal(0))
    moved_otherwise = (effect.amount or together) - together if effect.less_moved else None
    parts: list[MakeRefund] = []
    for part in result.parts:
        changes = {
            "key": f"refund:{part.refund_id}",
            "refund_id": part.refund_id,
            "amount": part.amount,
            "lines": part.lines,
            "part_of": effect.refund_id,
            "less_moved": False,
            "again": False,
        }
        parts.append(effect.model_copy(update=changes))
        attempts = asked(attempts, parts[-1], now)
        if part.lines and moved_otherwise is not None:
            computed = part.amount + moved_otherwise
            attempts = (*attempts[:-1], attempts[-1].model_copy(update={"computed": computed}))
    return attempts, tuple(parts)


def has_parts(attempts: Attempts, refund_id: str) -> bool:
    """Its parts are asked for."""
    return any(one.part_of == refund_id for one in attempts)


def in_flight_refund(f: CaseFacts, refund_id: str) -> MakeRefund | None:
    """The effect whose end is awaited."""
    refunds = (one for one in f.in_flight.values() if isinstance(one, MakeRefund))
    return next((one for one in refunds if one.refund_id == refund_id), None)


def parts_in_words(parts: Sequence[MakeRefund]) -> str:
    """As a timeline says it."""
    told = " and ".join(f"{one.refund_id} of {one.amount} {one.currency}" for one in parts)
    return f"no single payment can carry {parts[0].part_of}: asked for in parts, {told}"


class ToldRefund(NamedTuple):
    """A refund that succeeded, as people are told of it: all its parts as one."""

    told_as: str
    refund_ids: str
    """Of all its parts that succeeded, in words."""
    amount: Decimal
    currency: str
    is_whole: bool
    """None of its parts failed."""


def told(attempts: Sequence[RefundAttempt]) -> list[ToldRefund]:
    """Those that succeeded; of one that was divided when it is known what became of all its parts."""
    found: list[ToldRefund] = []
    live = [one for one in attempts if not one.asked_anew]
    for told_as in dict.fromkeys(one.told_as for one in live):
        parts = [one for one in live if one.told_as == told_as]
        made = [one for one in parts if one.state == "succeeded"]
        if made and all(one.is_decided for one in parts):
            amount = sum((one.amount for one in made), Decimal(0))
            ids = ", ".join(one.refund_id for one in made)
            found.append(ToldRefund(told_as, ids, amount, made[0].currency, len(made) == len(parts)))
    return found


def owed(attempts: Sequence[RefundAttempt]) -> list[RefundAttempt]:
    """Refunds that failed afterwards, and parts that did not succeed while others of the same refund moved money:
    those that were not made again since (REF-7)."""
    moved = {one.told_as for one in attempts if one.may_have_moved_money or one.state == "failed_afterwards"}
    return [one for one in attempts if not one.made_again and _is_owed(one, moved)]


def _is_owed(one: RefundAttempt, moved: Set[str]) -> bool:
    if one.state == "failed_afterwards":
        return True
    failed = one.state in ("failed", "refused") and not one.asked_anew
    return failed and one.part_of is not None and one.told_as in moved


def _with(attempts: Attempts, attempt: RefundAttempt) -> Attempts:
    return (*(one for one in attempts if one.refund_id != attempt.refund_id), attempt)


def _made_again(attempts: Attempts, by: RefundAttempt) -> Attempts:
    """All that was owed in this direction; a part makes no other part of the same refund good."""
    owing = {
        one.refund_id
        for one in owed([one for one in attempts if one.direction is by.direction])
        if one.part_of is None or one.told_as != by.told_as
    }
    return tuple(
        one.model_copy(update={"made_again": True}) if one.refund_id in owing else one for one in attempts
    )
