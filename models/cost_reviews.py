"""A supplier-cost review: the buyer was refunded, and a person decides who bears the cost (BAL-2)."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from models.case import CaseRecord
from models.forms import written_as
from models.ids import CaseId, ReturnId
from models.message import Asker, Event, LongText, Message, Request, Text
from models.money import Amount, Currency, PositiveAmount, require_whole
from models.parties import Days
from models.returns import Evidence

MOST_EVIDENCE: Final = 20
Evidences = Annotated[tuple[Evidence, ...], Field(max_length=MOST_EVIDENCE)]


class CostReviewRequest(Request):
    """Starts a `CostReview`: the seller asks to be credited for an order, or for one return of it."""

    review_id: CaseId
    order_id: CaseId
    return_id: ReturnId | None = None
    amount: PositiveAmount
    currency: Currency
    """The one in which the buyer was refunded."""
    notes: LongText
    evidence: Evidences = ()
    requested_by: Asker
    continued: dict[str, Any] | None = None
    """The facts of the run that this one continues; from nobody else are they believed."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        require_whole(self.amount, self.currency, "amount")
        return self


class CostDecision(Event):
    """A person's word: so much is credited to the seller's balance, or nothing, and why."""

    decision: Literal["approved", "rejected"]
    amount: PositiveAmount | None = None
    """Of an approval; none: all that was asked for."""
    reason: Text | None = None

    @model_validator(mode="after")
    def _said(self) -> Self:
        if self.decision == "rejected" and self.reason is None:
            raise ValueError("reason: is needed to reject, the seller is told it")
        if self.decision == "rejected" and self.amount is not None:
            raise ValueError("amount: nothing is credited when it is rejected")
        return self


class ReviewWithdrawn(Event):
    """The seller asks no more, while it is open."""

    reason: Text


class EvidenceAdded(Event):
    """One more photo, video or document, by reference and hash."""

    kind: Literal["photo", "video", "document"] = "document"
    reference: Annotated[str, Field(min_length=1, max_length=500)]
    sha256: Annotated[str, written_as("[0-9a-f]{64}", "is 64 digits from 0 to f, in small letters")]

    @property
    def evidence(self) -> Evidence:
        return Evidence(kind=self.kind, reference=self.reference, sha256=self.sha256)


class ReviewState(StrEnum):
    """What became of it. Open and approved ones count against what the buyer was refunded."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"


class OpenCostReview(Message):
    """Write it down, if the buyer was refunded at least so much, other reviews of the order counted."""

    request: CostReviewRequest
    workflow_id: str
    run_id: str
    at: datetime


class OpenedCostReview(Message):
    """`reason`: why it is refused; nothing was written. `refunded`: what the buyer got back so far. The days are
    the seller's settings as they are now."""

    reason: str | None = None
    seller_id: str = ""
    refunded: Amount
    review_days: Days = 30
    review_reminder_days: tuple[Days, ...] = ()


class SaveCostReview(Message):
    """Where it stands and what became of it; an approval is credited in the same transaction (BAL-1)."""

    sections: ClassVar[tuple[str, ...]] = ()

    record: CaseRecord
    review_id: CaseId
    state: ReviewState
    approved: PositiveAmount | None = None
    evidence: Evidences = ()
    decided_by: str | None = None
    reason: str | None = None
    at: datetime
    """When it came to that state."""
