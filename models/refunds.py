"""A refund: one movement of money back, exactly once (REF)."""

from collections.abc import Collection
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from models.case import Who
from models.ids import CaseId, DerivedId, ReturnId
from models.message import Asker, Event, LongText, Message, Number, Quantity, Request, Text
from models.money import Currency, NonNegativeAmount, PositiveAmount, require_whole


class Direction(StrEnum):
    """Who gives money back to whom; never mixed."""

    SELLER_TO_BUYER = "seller_to_buyer"
    BROKER_TO_SELLER = "broker_to_seller"


class Way(StrEnum):
    """How the money goes back. All ways count under the same cap (REF-3)."""

    GATEWAY = "gateway"
    MARKETPLACE = "marketplace"
    """The marketplace did it by itself; recorded (RET-18). What goes back through the seller's account there is
    asked for as by a gateway, and kept with its connection (AMZ-5)."""
    MANUAL = "manual"
    """Made elsewhere; recorded (REF-9)."""


class RefundPart(Message):
    """One part of a refund that no single payment, or charge, could carry: all are reserved before the first is
    made (REF-3). Its amount is in the refund's currency."""

    refund_id: DerivedId
    amount: PositiveAmount
    lines: Annotated[tuple[Quantity, ...], Field(max_length=500)] = ()
    """The first part names the units, so that they are counted once (REF-13)."""


class RefundRequest(Request):
    """Starts a `Refund`. Its id was made before, from the case: never random, never of amount and charge."""

    refund_id: DerivedId
    order_id: CaseId
    return_id: ReturnId | None = None
    direction: Direction = Direction.SELLER_TO_BUYER
    way: Way = Way.GATEWAY
    amount: PositiveAmount | None = None
    """None: all that is still refundable (REF-8)."""
    currency: Currency
    reason: Text
    requested_by: Asker
    lines: Annotated[tuple[Quantity, ...], Field(max_length=500)] = ()
    reference: Number | None = None
    """Of a refund made elsewhere."""
    part_of: DerivedId | None = None
    """The refund that was divided, where this is one part of it: that is reserved already."""
    less_moved: bool = False
    """The amount is what its lines are worth, as its return knows: what moved for them otherwise is taken off when
    it is reserved (REF-13)."""
    asked_for: bool = False
    """Whoever starts it wants it made, whatever word about it comes before it begins; without this, a word that
    comes first moves nothing (REF-7)."""
    continued: dict[str, Any] | None = None
    """The facts of the run that this one continues; from nobody else are they believed."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.amount is not None:
            require_whole(self.amount, self.currency, "amount")
        return self

    def of_part(self, part: RefundPart) -> Self:
        """One part of it, under the id by which it is reserved: the same one whenever it is asked for (REF-6)."""
        changes = {
            "refund_id": part.refund_id,
            "amount": part.amount,
            "lines": part.lines,
            "part_of": self.refund_id,
            "less_moved": False,
            "asked_for": True,
            "continued": None,
        }
        return self.model_copy(update=changes)


class GatewayUpdate(Event):
    """What the gateway says of a refund (REF-7)."""

    status: Literal["succeeded", "failed", "pending"]
    gateway_refund_id: Number
    reason: LongText | None = None


class RefundResolved(Event):
    """A person's last word on a refund of which nobody knows whether the money moved (REF-11)."""

    outcome: Literal["moved", "not_moved"]
    evidence: LongText
    """Where it can be seen: a statement, the gateway's own page, a letter."""
    reason: Text


class RefundConfirmed(Event):
    """A second person's yes to a refund over the seller's limit (REF-12)."""


class RefundRejected(Event):
    """A second person's no to it: it is not made, and its amount is refundable again (REF-12)."""

    reason: Text


class RefundState(StrEnum):
    """Where a refund stands. Reserved, pending and succeeded ones count against the cap (REF-3)."""

    RESERVED = "reserved"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"


BY_SETTING: Final = "seller:settings"
"""Who asks for a refund that the seller's setting makes by itself (REF-1)."""

UNSETTLED: Final = (RefundState.RESERVED, RefundState.PENDING)
"""Nobody knows yet what becomes of the money."""
COUNTS_AGAINST_CAP = (*UNSETTLED, RefundState.SUCCEEDED)


class HeldUp(Message):
    """What must happen before a refund goes on, and who does it: the seller's balance comes up, a connection is
    mended (BAL-1), or what stands in a marketplace's queue is dealt with (AMZ-5)."""

    by: Literal["balance", "connection", "queue"]
    who: Who
    what: str


class RefundResult(Message):
    """What became of a refund. `amount` is what was reserved; zero if refused before."""

    refund_id: DerivedId
    state: RefundState
    amount: NonNegativeAmount
    currency: Currency
    gateway_refund_id: Number | None = None
    over_refund: bool = False
    reason: str | None = None
    direction: Direction = Direction.SELLER_TO_BUYER
    unknown: bool = False
    """It is in doubt: whether money moved is not known (REF-11)."""
    taken_back: bool = False
    """It failed after it had succeeded (REF-7)."""
    conflict: bool = False
    """The id is another request's: nothing is taken over from it."""
    to_confirm: bool = False
    """It waits for a second person (REF-12)."""
    confirmed_by: str | None = None
    """The second person (REF-12)."""
    held_up: HeldUp | None = None
    """It goes on when that has happened; none: nobody need act."""
    parts: tuple[RefundPart, ...] = ()
    """Refused, because no single payment can carry it: it is made in these parts, which are reserved (REF-3)."""


def check_cap(amount: Decimal, paid: Decimal, taken: Decimal, currency: str, *, allow_over_refund: bool) -> bool:
    """REF-3 and REF-5: may `amount` be refunded when `taken` of `paid` is refunded or pending?

    All in `currency`. Gives whether it is an over-refund (done and marked, if the seller allows it).
    Raises ValueError with a clear message otherwise.
    """
    left = max(paid - taken, Decimal(0))
    if amount <= left:
        return False
    if allow_over_refund:
        return True
    raise ValueError(
        f"{amount} {currency} is more than the {left} {currency} still refundable "
        f"(paid {paid}, refunded or pending {taken}); ask for less, or let the seller allow over-refunds"
    )


def person_of(actor: str) -> str:
    """Who it is, whatever hat he wears: `seller:Jane` and `staff:jane` are one person (REF-12)."""
    return actor.partition(":")[2].strip().casefold()


def require_right_to_over_refund(requested_by: str, named: Collection[str]) -> None:
    """REF-5, REF-12: a person of the seller or of staff, one of those whom the seller named if it named any.

    Raises ValueError that says who may.
    """
    role = requested_by.partition(":")[0]
    if requested_by == BY_SETTING or role not in ("seller", "staff"):
        raise ValueError(
            f"an over-refund needs a person of the seller or of staff, and {requested_by} asks (REF-12)"
        )
    if named and requested_by not in named:
        raise ValueError(f"{requested_by} may not make an over-refund; {', '.join(named)} may (REF-12)")
