"""What is said to the sandbox's Amazon, and what it tells."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator

from models.message import LongText, Message, Number, Text
from models.money import Currency, NonNegativeAmount

Status = Literal["DONE", "CANCELLED", "FATAL"]
Seconds = Annotated[float, Field(ge=0, le=30 * 86_400)]


class MessageFault(Message):
    """What the processing report says of messages: `match`, a regular expression, is searched in the order's
    number and in the adjustment's id."""

    match: str
    result: Literal["Error", "Warning"] = "Error"
    code: int = 18021
    moved: bool = False
    """It is done all the same, though it is told to be in error."""
    description: LongText = "The quantity is more than can be adjusted."

    @field_validator("match")
    @classmethod
    def _is_a_regular_expression(cls, match: str) -> str:
        try:
            re.compile(match)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return match


class AmazonSeed(Message):
    """How Amazon behaves from now on; what is not said is as at first."""

    speed: Annotated[float, Field(gt=0, le=1_000_000)] = 1.0
    """How many times faster it is: rates, and how long feeds and reports take."""
    queue_seconds: Seconds = 2.0
    """How long a feed or a report is IN_QUEUE."""
    progress_seconds: Seconds = 5.0
    """How long it is IN_PROGRESS."""
    hangs: bool = False
    """Feeds that are created stay IN_PROGRESS until this is false again."""
    feeds_end: Status = "DONE"
    feeds_name_documents: bool = False
    """A feed tells the document that came in; Amazon's description does not promise it."""
    gzip: bool = True
    """Processing reports are packed."""
    message_faults: tuple[MessageFault, ...] = ()
    transactions_after_seconds: Seconds = 0.0
    """So long after a refund its transaction is there; 48 hours happen."""
    transactions_deferred: bool = False
    """They are DEFERRED: nothing has moved yet."""


class AmazonReportSeed(Message):
    """What a report of this type says from now on. `ready`: it is there already and found by getReports, as
    settlements are; otherwise it is made when it is asked for."""

    report_type: Text
    content: str = ""
    """The document as it is; one of another type plays the mix-up."""
    status: Status = "DONE"
    gzip: bool = True
    ready: bool = False
    account: Text | None = None
    """Of one that is ready: for this refresh token alone; none: for each account that looks."""
    days_ago: Annotated[float, Field(ge=0, le=90)] = 0.0
    """Likewise: so long ago it was made."""


class AmazonItemSeed(Message):
    """An order item. `cancel_requested`: the buyer asks for it, in these words."""

    order_item_id: Number
    quantity: Annotated[int, Field(ge=1, le=100_000)] = 1
    shipped: Annotated[int, Field(ge=0, le=100_000)] = 0
    seller_sku: Text = "SKU"
    price: NonNegativeAmount = Decimal("10.00")
    cancel_requested: Text | None = None
    cancelled_by: Text | None = None


class AmazonOrderSeed(Message):
    """An order. Once there is one, feeds about orders that are not there are refused (18028)."""

    order_id: Number
    currency: Currency = "USD"
    status: Text = "UNSHIPPED"
    items: Annotated[tuple[AmazonItemSeed, ...], Field(min_length=1)]


class AmazonRefundFact(Message):
    """A refund that a feed brought about; two of one adjustment id are two refunds. Amounts by component."""

    feed_id: str
    message_id: int
    order_id: str
    order_item_id: str
    adjustment_id: str | None
    reason: str
    amount: Decimal
    currency: str
    components: dict[str, Decimal]
    at: datetime


class AmazonCancelFact(Message):
    """A cancellation that a feed brought about. `quantity`: part of the item; none: all of it."""

    feed_id: str
    message_id: int
    order_id: str
    order_item_id: str
    quantity: int | None
    reason: str
    at: datetime


class AmazonFeedFact(Message):
    """A feed as it stands."""

    feed_id: str
    feed_type: str
    account: str
    document_id: str
    status: str
    messages: int
    created: datetime


class AmazonFacts(Message):
    """What happened at Amazon."""

    feeds: tuple[AmazonFeedFact, ...]
    refunds: tuple[AmazonRefundFact, ...]
    cancels: tuple[AmazonCancelFact, ...]
