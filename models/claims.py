"""A claim: nobody had the part, the seller bought it from a local dealer, and claims what it paid (CLM-1, CLM-2).

What is approved is credited to the seller's balance (BAL-1). Paying that out, by a refund of the balance through
the seller's card, is the business of the balance, not of the claim.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from models.case import CaseRecord
from models.forms import written_as
from models.ids import CaseId
from models.message import (
    Asker,
    Event,
    LineUnits,
    LongText,
    Message,
    Quantity,
    Request,
    Text,
    require_distinct_names,
)
from models.money import Currency, NonNegativeAmount, PositiveAmount, require_whole
from models.parties import Days
from models.returns import Evidence

CURRENCY_WITHOUT_APPROVAL: Final = "USD"
"""A claim in another currency always waits for a person (CLM-1)."""
MOST_RECEIPTS: Final = 20
Receipts = Annotated[tuple[Evidence, ...], Field(max_length=MOST_RECEIPTS)]


class ClaimRequest(Request):
    """Starts a `Claim`: what the seller paid a local dealer for units that were voided (ORD-7)."""

    claim_id: CaseId
    order_id: CaseId
    seller_id: CaseId
    lines: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=500)]
    """Each unit is claimed once, over all claims of its order."""
    amount: PositiveAmount
    currency: Currency
    """The one in which the seller is charged."""
    receipt: Evidence | None = None
    """Of the dealer, by reference and hash; it may come later."""
    dealer: Text
    notes: LongText | None = None
    requested_by: Asker
    continued: dict[str, Any] | None = None
    """The facts of the run that this one continues; from nobody else are they believed."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        require_whole(self.amount, self.currency, "amount")
        require_distinct_names(self.lines)
        return self


class ClaimDecision(Event):
    """A person's word: so much is credited to the seller's balance, or nothing, and why."""

    decision: Literal["approved", "rejected"]
    amount: PositiveAmount | None = None
    """Of an approval; none: all that was claimed."""
    reason: Text | None = None

    @model_validator(mode="after")
    def _said(self) -> Self:
        if self.decision == "rejected" and self.reason is None:
            raise ValueError("reason: is needed to reject, the seller is told it")
        if self.decision == "rejected" and self.amount is not None:
            raise ValueError("amount: nothing is credited when it is rejected")
        return self


class ClaimWithdrawn(Event):
    """The seller claims no more, while it is open."""

    reason: Text


class ReceiptAdded(Event):
    """A receipt of the dealer, by reference and hash."""

    kind: Literal["photo", "document"] = "document"
    reference: Annotated[str, Field(min_length=1, max_length=500)]
    sha256: Annotated[str, written_as("[0-9a-f]{64}", "is 64 digits from 0 to f, in small letters")]

    @property
    def receipt(self) -> Evidence:
        return Evidence(kind=self.kind, reference=self.reference, sha256=self.sha256)


class ClaimState(StrEnum):
    """What became of it. Units of open and approved ones are not claimed again."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"


class OpenClaim(Message):
    """Write it down, if its units were voided and no other claim has them."""

    request: ClaimRequest
    workflow_id: str
    run_id: str
    at: datetime


class OpenedClaim(Message):
    """`reason`: why it is refused; nothing was written. The rest are the seller's settings as they are now."""

    reason: str | None = None
    seller_id: str = ""
    units: tuple[LineUnits, ...] = ()
    minimum_stock: int = 0
    card_on_file: bool = False
    without_approval: NonNegativeAmount = Decimal(0)
    """In USD, for all claims of the order together."""
    claimed_before: NonNegativeAmount = Decimal(0)
    """By other claims of the order that are open or approved."""
    least_stock: int = 0
    """The `minimum_stock` from which on a claim needs no person."""
    claim_days: Days = 30
    claim_reminder_days: tuple[Days, ...] = ()


class SaveClaim(Message):
    """Where it stands and what became of it; an approval is credited in the same transaction (BAL-1)."""

    sections: ClassVar[tuple[str, ...]] = ()

    record: CaseRecord
    claim_id: CaseId
    state: ClaimState
    approved: PositiveAmount | None = None
    receipts: Receipts = ()
    decided_by: str | None = None
    reason: str | None = None
    at: datetime
    """When it came to that state."""
