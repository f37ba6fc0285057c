"""A return: what starts it, the events it hears, and what it knows (RET)."""

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, model_validator

from models.forms import written_as
from models.ids import CaseId, DerivedId, LineId, ReturnId
from models.message import (
    Asker,
    Event,
    LongText,
    Message,
    NamesLine,
    Number,
    Quantity,
    Request,
    Sku,
    Text,
    Time,
    WholeQuantity,
    require_distinct_names,
)
from models.money import Currency, NonNegativeAmount, PositiveAmount, require_whole, rounded
from models.naming import KitPart
from models.parties import Seller, Supplier
from models.payments import PaidBy
from models.return_windows import ReturnWindow


class Source(StrEnum):
    """Where a return request came from (RET-1)."""

    SELLER = "seller"
    BUYER = "buyer"
    EBAY_RETURN = "ebay_return"
    EBAY_CASE = "ebay_case"
    AMAZON_REPORT = "amazon_report"
    MANUAL = "manual"
    LATE_CANCEL = "late_cancel"


ASKED_HERE: Final = (Source.SELLER, Source.BUYER, Source.MANUAL)
"""Who asks here, and can be answered. What marketplaces opened exists already, whatever our rules say."""


MediaType = Annotated[str, written_as("[a-z]+/[A-Za-z0-9.+-]{1,100}", "is a kind of file such as image/jpeg")]


class Evidence(Message):
    """A photo or video, by reference and hash; never the file itself (RET-19)."""

    kind: Literal["photo", "video", "document"]
    reference: Annotated[str, Field(min_length=1, max_length=500)]
    sha256: Annotated[str, written_as("[0-9a-f]{64}", "is 64 digits from 0 to f, in small letters")]
    media_type: MediaType | None = None
    """Of the file, such as `image/jpeg`."""
    note: Text | None = None
    """What it shows."""


class ReturnLine(NamesLine):
    """Some units that come back, and why; of a kit: so many kits (ORD-14)."""

    quantity: WholeQuantity
    reason: Text
    buyer_words: LongText | None = None
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=20)] = ()


class ReturnRequest(Request):
    """Starts a `Return` (RET-1, RET-2)."""

    return_id: ReturnId
    order_id: CaseId
    source: Source = Source.MANUAL
    requested_by: Asker = "script:manual"
    """`role:name` of the one who asks."""
    lines: Annotated[tuple[ReturnLine, ...], Field(min_length=1, max_length=500)]
    amazon_rma_id: Number | None = None
    ebay_return_id: Number | None = None
    note: LongText | None = None
    reopened_by: DerivedId | None = None
    """The refund that failed after the return was completed (REF-7). What became of it says the database."""
    continued: dict[str, Any] | None = None
    """The facts of the run that this one continues; from nobody else are they believed."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct_names(self.lines)
        return self


class Resolution(StrEnum):
    """What the buyer gets (RET-24)."""

    REFUND = "refund"
    REPLACEMENT = "replacement"
    """Another one of the same, by an order that costs the buyer nothing."""


class SellerApproval(Event):
    """The seller approves or rejects, and says what the buyer gets, what it costs and how it travels (RET-4,
    RET-5, RET-24)."""

    decision: Literal["approved", "rejected"]
    reason: LongText | None = None
    resolution: Resolution = Resolution.REFUND
    return_fee: NonNegativeAmount = Decimal(0)
    restocking_fee: NonNegativeAmount | None = None
    restocking_percent: Annotated[NonNegativeAmount, Field(le=100)] | None = None
    """Of what the buyer paid for the returned goods."""
    returnless: bool = False
    label_url: HttpUrl | None = None
    carrier: Text | None = None
    label_paid_by: Literal["buyer", "seller"] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.decision == "rejected" and not self.reason:
            raise ValueError("a rejection needs a reason: the buyer is told (RET-4)")
        if self.restocking_fee is not None and self.restocking_percent is not None:
            raise ValueError("give restocking_fee or restocking_percent, not both (RET-5)")
        if self.resolution is Resolution.REPLACEMENT:
            if self.decision == "rejected":
                raise ValueError("nothing is replaced of what is rejected (RET-24)")
            if self.return_fee or self.restocking_fee or self.restocking_percent:
                raise ValueError("fees are deducted from a refund, and a replacement has none (RET-24)")
        return self


class SupplierRma(Event):
    """The supplier issues an RMA number, or refuses (RET-8)."""

    outcome: Literal["issued", "refused"]
    rma_number: Number | None = None
    return_address: LongText | None = None
    """Unless said, the one of the supplier's settings."""
    reason: LongText | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.outcome == "issued" and not self.rma_number:
            raise ValueError("an issued RMA needs its rma_number (RET-8)")
        if self.outcome == "refused" and not self.reason:
            raise ValueError("a refusal needs a reason (RET-8)")
        return self


class ReturnTracking(Event):
    """A parcel back is on its way (RET-10). Several add up; the same number again counts once (RET-29)."""

    carrier: Text
    tracking_number: Number
    lines: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=500)] | None = None
    """What is in it, when that is known."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct_names(self.lines or ())
        return self


class Reception(StrEnum):
    """What arrived (RET-11)."""

    RECEIVED = "received"
    SHORT = "short"
    """Fewer than were sent, and no more are awaited of this line: its other units did not arrive."""
    WRONG_ITEM = "wrong_item"
    LOST = "lost"
    REFUSED = "refused"


class Acceptance(StrEnum):
    """What the supplier makes of it (RET-11). `manual`: a person must decide."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MANUAL = "manual"


class ReceivedLine(NamesLine):
    """Reception and acceptance of some units: two facts, per line."""

    quantity: WholeQuantity
    reception: Reception
    acceptance: Acceptance


class GoodsReceived(Event):
    """What arrived this time, and what the supplier makes of it (RET-11). Receipts add up (RET-26); units of one
    line that came back in different condition are entries of their own (RET-25)."""

    lines: Annotated[tuple[ReceivedLine, ...], Field(max_length=500)] = ()
    corrects: Number | None = None
    """The `event_id` of the receipt that this one replaces; without lines: that one is taken back."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.lines and self.corrects is None:
            raise ValueError("say what arrived: a receipt needs lines (RET-26)")
        return self


def _written_day(value: Any) -> Any:
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\s*\d{4}-\d{2}-\d{2}\s*", value)):
        return value
    raise ValueError("a date is written like 2026-03-01")


def _in_living_memory(value: date) -> date:
    if not 2000 <= value.year < 2200:
        raise ValueError("a date lies between the years 2000 and 2200")
    return value


Day = Annotated[date, BeforeValidator(_written_day), AfterValidator(_in_living_memory)]
"""A calendar day, between the years 2000 and 2200; never a number of seconds."""


class CreditMemo(Event):
    """The supplier's paper that gives money back (RET-12). The same number counts once for a return; one paper may
    credit several returns, each with its part (RET-28)."""

    number: Number
    date: Day
    amount: PositiveAmount
    """What it credits for this return."""
    currency: Currency
    final: bool = False
    """No more will be credited, be it less than the cost (RET-28)."""
    total: PositiveAmount | None = None
    """Of the whole paper, when it credits several returns."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        require_whole(self.amount, self.currency, "amount")
        if self.total is not None:
            require_whole(self.total, self.currency, "total")
            if self.amount > self.total:
                raise ValueError("amount, the part of this return, is more than the total of the paper (RET-28)")
        return self


class BuyerRefund(Event):
    """The click: refund the buyer (RET-14, REF-1). Without `amount` and `lines`: all that comes back."""

    reason: Text
    amount: PositiveAmount | None = None
    lines: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct_names(self.lines or ())
        return self


class DeclineKind(StrEnum):
    """Why a return ends without a refund of the buyer (RET-27)."""

    DECLINED = "declined"
    """After the inspection."""
    REPLACED = "replaced"
    REPAIRED = "repaired"
    REFUNDED_ELSEWHERE = "refunded_elsewhere"
    """The buyer has the money already: by a dispute, in cash, by another way."""


class RefundDeclined(Event):
    """The seller does not refund the buyer, and the buyer is told why (RET-27)."""

    kind: DeclineKind
    reason: LongText


class Withdrawal(Event):
    """Buyer or seller withdraw a return that has not been received (RET-15)."""

    reason: Text


class ChannelUpdate(Event):
    """The marketplace did something by itself (RET-18)."""

    status: Literal["refunded_by_channel", "escalated", "closed"]
    amount: PositiveAmount | None = None


class Waivable(StrEnum):
    """What staff may do without."""

    TRACKING = "tracking"
    RMA = "rma"
    INSPECTION = "inspection"
    CREDIT_MEMO = "credit_memo"
    """The broker refunds the seller in full although the supplier has not credited it all. What nobody has
    inspected yet need not be; what is rejected stays rejected."""
    REPLACEMENT = "replacement"
    """The buyer can be refunded after all: what has not been sent of the replacement is given up (RET-24)."""
    EVIDENCE = "evidence"
    """Of a loss whose reason needs it, and that a marketplace opened without it (RET-23)."""


class StaffOverride(Event):
    """Staff waive a step, or move a deadline (RET-10, RET-13)."""

    waive: Waivable | None = None
    extend: Literal["refund_due", "tracking_due"] | None = None
    until: Time | None = None
    reason: LongText

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.waive is None) == (self.extend is None):
            raise ValueError("give either waive or extend")
        if (self.extend is None) != (self.until is None):
            raise ValueError("extend needs until, and until needs extend")
        return self


class Loss(StrEnum):
    """What went wrong on the way to the buyer, where nothing comes back that could be inspected: the supplier's
    side answers for it (RET-23, BAL-2)."""

    NEVER_ARRIVED = "never_arrived"
    ARRIVED_DAMAGED = "arrived_damaged"


class OpenedLine(Message):
    """A line of an opened return, and what it is worth, from the order's stored allocation."""

    line_id: LineId
    sku: Sku
    title: Text | None = None
    """What the order calls it, for the supplier's page (NTF-2)."""
    kit: KitPart | None = None
    """The kit that it is a component of (ORD-14)."""
    quantity: WholeQuantity
    reason: Text
    paid: NonNegativeAmount
    """What the buyer paid for these units: product + tax - discount."""
    cost: NonNegativeAmount
    """What the seller paid the broker for these units: parts + tax."""


class OpenedReturn(Message):
    """What the books say when a return opens: snapshots that decide, and what the units are worth."""

    order_id: CaseId
    seller: Seller
    supplier: Supplier
    channel: str
    supplier_order_number: Number
    lines: tuple[OpenedLine, ...]
    currency: Currency
    """Of what the buyer paid."""
    charge_currency: Currency
    """Of what the broker charged the seller."""
    gateway: PaidBy | None = None
    """By which the buyer's money goes back, where it can't move every amount of `currency` (REF-14)."""
    charge_gateway: PaidBy | None = None
    """By which the seller's charge goes back, where it can't move every amount of `charge_currency` (REF-14)."""
    siblings: tuple[ReturnRequest, ...] = ()
    """The returns of the other suppliers (RET-2)."""
    window: ReturnWindow | None = None
    """Until when it may be asked for (RET-22); none: whenever."""
    ordered_through: CaseId | None = None
    """The connection by which the order went to the supplier, which is asked for the RMA number (RET-8)."""

    @property
    def paid(self) -> Decimal:
        return sum((line.paid for line in self.lines), Decimal(0))

    @property
    def cost(self) -> Decimal:
        return sum((line.cost for line in self.lines), Decimal(0))


def fees_of(approval: SellerApproval, paid: Decimal, currency: str) -> Decimal:
    """Return fee + restocking fee that the seller deducts (RET-5), in `currency`.

    Raises ValueError when they are finer than the currency or exceed what is refundable (REF-4).
    """
    require_whole(approval.return_fee, currency, "return_fee")
    restocking = approval.restocking_fee or Decimal(0)
    require_whole(restocking, currency, "restocking_fee")
    if approval.restocking_percent is not None:
        restocking = rounded(paid * approval.restocking_percent / 100, currency)
    fees = approval.return_fee + restocking
    if fees > paid:
        raise ValueError(f"the fees, {fees} {currency}, are higher than the refundable {paid} {currency}")
    return fees
