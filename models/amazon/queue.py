"""The queue of what is to be told to Amazon: refunds and cancellations of its orders (AMZ-5, AMZ-7)."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Final

from models.amazon.feeds import FeedType
from models.ids import CaseId, DerivedId
from models.message import Message
from models.refunds import GatewayUpdate


class QueueKind(StrEnum):
    """What is asked of Amazon; each kind has documents of its own."""

    REFUND = "refund"
    CANCELLATION = "cancellation"

    @property
    def feed_type(self) -> FeedType:
        return FeedType.REFUNDS if self is QueueKind.REFUND else FeedType.CANCELLATIONS


class QueueState(StrEnum):
    """Where an entry of the queue stands."""

    QUEUED = "queued"
    BATCHED = "batched"
    """In a document that Amazon does not have yet."""
    SENT = "sent"
    DONE = "done"
    REFUSED = "refused"
    """Back in the queue, with the reason: a person sends it again or rejects it (AMZ-7)."""
    REJECTED = "rejected"
    """A person took it out: nothing was sent."""
    IN_DOUBT = "in_doubt"
    """Amazon has it, and does not say what became of it: a person looks there (REF-11)."""


WAITING = (QueueState.QUEUED, QueueState.REFUSED)
"""A person may process or reject these."""


_WORDS: Final = {QueueState.DONE: "succeeded", QueueState.REJECTED: "failed"}


def word_of(entry_id: str, state: QueueState, reason: str | None, cause: str) -> GatewayUpdate:
    """What a refund is told of its entry, as a gateway's word: it looks by itself how it stands. `cause`: what
    happened to it, such as a batch; of the same it is told once."""
    return GatewayUpdate.model_validate(
        {
            "event_id": f"queue-{sha256(f'{cause} {entry_id}'.encode()).hexdigest()[:16]}",
            "actor": "gateway:amazon",
            "status": _WORDS.get(state, "pending"),
            "gateway_refund_id": entry_id,
            "reason": reason,
        }
    )


class QueueRefund(Message):
    """Put a reserved refund into the queue, once, or look how it stands there (`only_look`)."""

    refund_id: DerivedId
    connection_id: CaseId
    at: datetime
    only_look: bool = False


class QueueListed(Message):
    """An entry as lists show it. `amount` none: a cancellation. `document`: the running number of its document."""

    entry_id: DerivedId
    kind: QueueKind
    state: QueueState
    seller_id: str
    connection_id: str
    order_id: str
    channel_order_id: str | None
    amount: Decimal | None
    currency: str | None
    reason: str | None
    document: int | None
    batch_id: str | None
    queued_at: datetime


class BatchListed(Message):
    """A document to an account at Amazon, as the database has it."""

    batch_id: CaseId
    connection_id: CaseId
    kind: QueueKind
    document: int
    state: str
    messages: int
    document_id: str | None
    feed_id: str | None
    words: str | None
