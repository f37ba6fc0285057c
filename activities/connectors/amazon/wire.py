"""What Amazon answers, as far as Backhaul reads it. Words that Amazon adds later pass as they are."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from activities.connectors.http import WireModel


class Processing(StrEnum):
    """Where a feed or a report stands. `CANCELLED`: of a report, that there is no data."""

    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    FATAL = "FATAL"

    @property
    def is_over(self) -> bool:
        return self in (Processing.DONE, Processing.CANCELLED, Processing.FATAL)


class Page(WireModel):
    """A part of a list."""

    next_token: str | None = Field(default=None, alias="nextToken")

    @property
    def next_page(self) -> str | None:
        return self.next_token


class NewDocument(WireModel):
    """Where a document is to be put; for five minutes."""

    feed_document_id: str = Field(alias="feedDocumentId", min_length=1)
    url: str


class Document(WireModel):
    """Where a document can be read; for five minutes. `compression`: `GZIP`, or it is as it is."""

    url: str
    compression: str | None = Field(default=None, alias="compressionAlgorithm")


class CreatedFeed(WireModel):
    feed_id: str = Field(alias="feedId", min_length=1)


class Feed(WireModel):
    feed_id: str = Field(alias="feedId")
    feed_type: str = Field(alias="feedType")
    created: datetime = Field(alias="createdTime")
    status: Processing = Field(alias="processingStatus")
    result_document_id: str | None = Field(default=None, alias="resultFeedDocumentId")
    input_document_id: str | None = Field(default=None, alias="inputFeedDocumentId")
    """Amazon's description does not promise it."""


class Feeds(Page):
    feeds: tuple[Feed, ...] = ()


class CreatedReport(WireModel):
    report_id: str = Field(alias="reportId", min_length=1)


class Report(WireModel):
    report_id: str = Field(alias="reportId")
    report_type: str = Field(alias="reportType")
    created: datetime = Field(alias="createdTime")
    status: Processing = Field(alias="processingStatus")
    document_id: str | None = Field(default=None, alias="reportDocumentId")
    start: datetime | None = Field(default=None, alias="dataStartTime")
    end: datetime | None = Field(default=None, alias="dataEndTime")


class Reports(Page):
    reports: tuple[Report, ...] = ()


class CancellationRequest(WireModel):
    """The buyer asks for it (CAN-7)."""

    requester: str | None = None
    reason: str | None = Field(default=None, alias="cancelReason")


class CancellationExecution(WireModel):
    """Amazon or the seller cancelled it (CAN-8)."""

    by: str | None = Field(default=None, alias="cancelledBy")
    reason: str | None = Field(default=None, alias="cancelReason")


class Cancellation(WireModel):
    request: CancellationRequest | None = Field(default=None, alias="cancellationRequest")
    execution: CancellationExecution | None = Field(default=None, alias="cancellationExecution")


class ItemFulfillment(WireModel):
    fulfilled: int = Field(default=0, alias="quantityFulfilled")
    unfulfilled: int = Field(default=0, alias="quantityUnfulfilled")


class ItemProduct(WireModel):
    sku: str | None = Field(default=None, alias="sellerSku")


class OrderItem(WireModel):
    """Its id is the identity of a line, never the SKU."""

    order_item_id: str = Field(alias="orderItemId")
    quantity: int = Field(alias="quantityOrdered")
    product: ItemProduct | None = None
    cancellation: Cancellation | None = None
    fulfillment: ItemFulfillment | None = None


class Fulfillment(WireModel):
    status: str = Field(alias="fulfillmentStatus")


class Order(WireModel):
    """Without buyer and recipient: they are not asked for."""

    order_id: str = Field(alias="orderId")
    fulfillment: Fulfillment | None = None
    items: tuple[OrderItem, ...] = Field(default=(), alias="orderItems")


class FoundOrder(WireModel):
    order: Order


class Amount(WireModel):
    currency: str | None = Field(default=None, alias="currencyCode")
    amount: Decimal | None = Field(default=None, alias="currencyAmount")


class RelatedIdentifier(WireModel):
    name: str | None = Field(default=None, alias="relatedIdentifierName")
    value: str | None = Field(default=None, alias="relatedIdentifierValue")


class ItemIdentifier(WireModel):
    name: str | None = Field(default=None, alias="itemRelatedIdentifierName")
    value: str | None = Field(default=None, alias="itemRelatedIdentifierValue")


class TransactionItem(WireModel):
    identifiers: tuple[ItemIdentifier, ...] = Field(default=(), alias="relatedIdentifiers")
    total: Amount | None = Field(default=None, alias="totalAmount")


class Transaction(WireModel):
    """A movement of money as Amazon has it; up to 48 hours late. A DEFERRED one has moved nothing yet."""

    transaction_id: str | None = Field(default=None, alias="transactionId")
    kind: str | None = Field(default=None, alias="transactionType")
    status: str | None = Field(default=None, alias="transactionStatus")
    posted: datetime | None = Field(default=None, alias="postedDate")
    total: Amount | None = Field(default=None, alias="totalAmount")
    identifiers: tuple[RelatedIdentifier, ...] = Field(default=(), alias="relatedIdentifiers")
    items: tuple[TransactionItem, ...] = ()


class TransactionPage(Page):
    transactions: tuple[Transaction, ...] = ()


class Transactions(Page):
    """Its token stands one level further in."""

    payload: TransactionPage = TransactionPage()

    @property
    def next_page(self) -> str | None:
        return self.payload.next_token
