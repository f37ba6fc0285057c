"""The tables of the queue to Amazon and of its batches (AMZ-5, AMZ-7, AMZ-10)."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.amazon.batches import BatchState
from models.amazon.queue import QueueKind, QueueState
from models.tables.checks import not_negative, one_of, positive, together, whole_numbers, yes_or_no
from models.tables.columns import UtcTime, Word

NOT_ENDED = "state <> 'ended'"


class AmazonBatchRow(SQLModel, table=True):
    """A document for one account: of those of one kind that have not ended there is one (AMZ-10)."""

    __tablename__ = "amazon_batch"
    __table_args__ = (
        whole_numbers("number", "messages", "tries"),
        one_of("kind", QueueKind),
        one_of("state", BatchState),
        positive("number"),
        positive("messages"),
        not_negative("tries"),
        CheckConstraint("(ended_at IS NULL) = (state <> 'ended')", name="ended_is_dated"),
        CheckConstraint("state <> 'handing_in' OR handed_in_at IS NOT NULL", name="handed_in_is_dated"),
        CheckConstraint("state <> 'sent' OR feed_id IS NOT NULL", name="sent_has_its_feed"),
        CheckConstraint("feed_id IS NULL OR document_id IS NOT NULL", name="feed_has_its_document"),
        UniqueConstraint("connection_id", "kind", "number", name="uq_amazon_batch_number"),
        UniqueConstraint("connection_id", "feed_id", name="uq_amazon_batch_feed"),
        Index(
            "uq_amazon_batch_under_way",
            "connection_id",
            "kind",
            unique=True,
            sqlite_where=text(NOT_ENDED),
            postgresql_where=text(NOT_ENDED),
        ),
    )

    batch_id: str = Field(primary_key=True)
    workflow_id: str = Field(unique=True)
    connection_id: str = Field(foreign_key="connection.connection_id")
    kind: QueueKind = Field(sa_type=Word(QueueKind))
    number: int
    """The document's running number, for people."""
    state: BatchState = Field(sa_type=Word(BatchState))
    messages: int
    requested_by: str
    document_id: str | None = None
    tries: int = 0
    """How often it was handed in: a second time only by a person's word that the first did not arrive (AMZ-10)."""
    feed_id: str | None = None
    words: str | None = None
    """What Amazon said of it, or why it ended so."""
    opened_at: datetime = Field(sa_type=UtcTime)
    handed_in_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When Amazon was told, first: the feed of any try is not older."""
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)


class AmazonQueueRow(SQLModel, table=True):
    """A refund or a cancellation that goes to Amazon; each stands here once, whatever is tried (AMZ-7)."""

    __tablename__ = "amazon_queue"
    __table_args__ = (
        whole_numbers("message_id"),
        one_of("kind", QueueKind),
        one_of("state", QueueState),
        positive("message_id"),
        yes_or_no("chosen"),
        yes_or_no("told_before"),
        CheckConstraint("(kind = 'refund') = (refund_id IS NOT NULL)", name="refund_is_named"),
        CheckConstraint(
            "(kind = 'cancellation') = (cancelled_for IS NOT NULL)", name="cancellation_has_its_reason"
        ),
        CheckConstraint(
            "state NOT IN ('refused', 'rejected', 'in_doubt') OR reason IS NOT NULL", name="reason_is_told"
        ),
        CheckConstraint(
            "state NOT IN ('batched', 'sent', 'done', 'in_doubt') "
            "OR (batch_id IS NOT NULL AND content IS NOT NULL)",
            name="what_is_sent_has_its_batch",
        ),
        together("batch_id", "message_id"),
        UniqueConstraint("batch_id", "message_id", name="uq_amazon_queue_message"),
        ForeignKeyConstraint(["order_id", "seller_id"], ["orders.order_id", "orders.seller_id"]),
        Index("ix_amazon_queue_waiting", "connection_id", "kind", "state", "queued_at"),
    )

    entry_id: str = Field(primary_key=True)
    """The refund's id, or that of the cancellation."""
    kind: QueueKind = Field(sa_type=Word(QueueKind))
    connection_id: str = Field(foreign_key="connection.connection_id")
    seller_id: str = Field(index=True)
    order_id: str = Field(index=True)
    refund_id: str | None = Field(default=None, foreign_key="refund.refund_id", unique=True)
    cancelled_for: str | None = None
    """Why an order was cancelled or voided (CAN-9)."""
    state: QueueState = Field(sa_type=Word(QueueState))
    reason: str | None = None
    chosen: bool = False
    """Somebody wants it sent, and it did not fit into the document: it goes in the next."""
    batch_id: str | None = Field(default=None, foreign_key="amazon_batch.batch_id")
    """The last document that it went in; or was in, when staff stopped it and it waits for a person."""
    message_id: int | None = None
    content: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    """What was composed for that document."""
    told_before: bool = False
    """It went in a document that Amazon had: it is sent again only when it is named, and after a look at Amazon's
    transactions (AMZ-11)."""
    told_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When Amazon was told it last, or may have been: it may show it 48 hours later (AMZ-11)."""
    examined_by: str | None = None
    """The batch that looked last whether it can be sent: whether Amazon shows it already (AMZ-11)."""
    queued_at: datetime = Field(sa_type=UtcTime)
    changed_at: datetime = Field(sa_type=UtcTime)
