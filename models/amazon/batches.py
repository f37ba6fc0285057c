"""A batch: one document of refunds, or of cancellations, that goes to one account at Amazon (AMZ-5, AMZ-10)."""

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from models.amazon.queue import QueueKind
from models.ids import MOST_CHARACTERS, CaseId, DerivedId
from models.message import Asker, Event, Message, Number, Request, Text

MOST_CHOSEN: Final = 1000
"""Entries that a person names; all that wait need not be named."""
MOST_MESSAGES: Final = 2000
"""In one document: what became of them is written and told within one try. The rest goes in the next."""


class ChannelBatchRequest(Request):
    """Starts a `ChannelBatch`. `entries` none: all that wait, without those that were refused before."""

    batch_id: CaseId
    connection_id: CaseId
    kind: QueueKind
    entries: Annotated[tuple[DerivedId, ...], Field(max_length=MOST_CHOSEN)] = ()
    requested_by: Asker
    continued: dict[str, Any] | None = None
    """The facts of the run that this one continues; from nobody else are they believed."""


class FeedResolved(Event):
    """A person's word on a document of which nobody knows whether it reached Amazon (AMZ-10)."""

    outcome: Literal["handed_in", "not_handed_in"]
    feed_id: Number | None = None
    """Amazon's number of the feed, where it is there."""
    reason: Text

    @model_validator(mode="after")
    def _names_the_feed(self) -> Self:
        if (self.feed_id is not None) is not (self.outcome == "handed_in"):
            raise ValueError("feed_id: is told where the document was handed in, and only there")
        return self


class BatchState(StrEnum):
    """Where a batch stands in the database. One that has not ended keeps others of its kind and account back."""

    COMPOSED = "composed"
    HANDING_IN = "handing_in"
    """Amazon is being told, or was, and nobody knows yet: nothing is handed in a second time."""
    SENT = "sent"
    ENDED = "ended"


class OpenBatch(Message):
    """Take entries out of the queue and compose one document of them."""

    request: ChannelBatchRequest
    workflow_id: str
    run_id: str
    at: datetime
    held: tuple[DerivedId, ...] = ()
    """Amazon may have done these already, or may show them late: they are not sent (AMZ-11)."""


class OpenedBatch(Message):
    """`reason`: why there is none; `no_account`: no active account; `nothing_queued`: nothing was to be sent.
    Otherwise where it stands: a batch that was cut off goes on. `unexamined`: nothing is composed yet, for these
    were sent before: what Amazon shows of their orders is looked at first (AMZ-11).

    `kept_back`: entries that could not be composed, and wait for a person; `left`: those that are too many for one
    document, and go in the next.
    """

    reason: str | None = None
    no_account: bool = False
    nothing_queued: bool = False
    unexamined: tuple[DerivedId, ...] = ()
    seller_id: str = ""
    state: BatchState = BatchState.COMPOSED
    number: int = 0
    messages: int = 0
    kept_back: int = 0
    left: int = 0
    tries: int = 0
    document_id: str | None = None
    feed_id: str | None = None


class BatchStep(Message):
    """What the next step of a batch needs to know."""

    batch_id: CaseId
    connection_id: CaseId
    kind: QueueKind


class LookAtTransactions(BatchStep):
    """Look what Amazon shows of the orders of refunds that are to be sent again (AMZ-11): of `entries`, which wait
    in the queue; or, with none, of those of the batch whose messages come after `after`, some at a time."""

    entries: tuple[DerivedId, ...] = ()
    after: int = 0


class TransactionsSeen(Message):
    """`moved`: these are settled as done; `held`: Amazon may have done these, and a person has to look; `early`:
    it was told these less than 48 hours ago, and may show them late. `after`: of a batch, the last message that
    was looked at; none: that was all."""

    moved: tuple[DerivedId, ...] = ()
    held: tuple[DerivedId, ...] = ()
    early: tuple[DerivedId, ...] = ()
    after: int | None = None


class UploadedFeed(Message):
    """Amazon has the document, and does nothing with it yet."""

    document_id: str


class CreateFeed(BatchStep):
    """Have the document processed. `ordinal`: of the try; each is made once, whatever breaks, and a second one
    only after a person said that the first did not arrive."""

    document_id: str
    ordinal: int


class CreatedFeed(Message):
    """`feed_id` none: it may be there, `doubt` says why nobody knows. `outdated`: it was not handed in, for
    refunds of it stand in a settlement; without them so many messages are `left`, to be composed anew (AMZ-8)."""

    feed_id: str | None = None
    doubt: str | None = None
    outdated: bool = False
    left: int = 0


class FindFeed(BatchStep):
    """Look for the feed of a document whose answer was lost; nothing is sent."""

    document_id: str


class FoundFeed(Message):
    """`feed_id`: the one that names the document; none: some may be it (`candidates`), or none is there."""

    feed_id: str | None = None
    candidates: tuple[str, ...] = ()


class LookAtFeed(BatchStep):
    """Ask how far the feed is."""

    feed_id: str


class FeedStatus(Message):
    """`unknown`: Amazon does not know the feed. `has_report`: it says what became of the messages."""

    status: Literal["in_queue", "in_progress", "done", "cancelled", "fatal", "unknown"]
    has_report: bool = False

    @property
    def is_over(self) -> bool:
        return self.status in ("done", "cancelled", "fatal")


class ReturnEntries(BatchStep):
    """Amazon says nothing of each message: they wait as before (`queued`), or for a person who sends them again
    (`refused`) or finds out what was done (`in_doubt`)."""

    why: Text
    end: Literal["queued", "refused", "in_doubt"]


class BatchSettled(Message):
    """What became of the messages. `next_batch`: what began now, since more was waiting."""

    done: int = 0
    refused: int = 0
    in_doubt: int = 0
    returned: int = 0
    words: str | None = None
    next_batch: str | None = None


BY_SCHEDULE: Final = "system:auto-submit"
"""Who asks for a batch that nobody asked for."""


class SubmitQueue(Message):
    """The schedule says: send what waits in this account's queue (AMZ-6)."""

    connection_id: CaseId
    kind: QueueKind


def next_batch_id(batch_id: str) -> str:
    """Of what did not fit: `B-1` -> `B-1.2` -> `B-1.3`."""
    first, dot, ordinal = batch_id.rpartition(".")
    if not dot or not ordinal.isdecimal():
        first, ordinal = batch_id, "1"
    end = f".{int(ordinal) + 1}"
    return f"{first[: MOST_CHARACTERS - len(end)]}{end}"


def batch_id_of(refund_id: str) -> str:
    """Of the batch that a refund begins which goes at once (AMZ-5)."""
    plain = f"B-{refund_id}"
    return plain if len(plain) <= MOST_CHARACTERS else f"B-{sha256(refund_id.encode()).hexdigest()[:40]}"


def batch_id_at(connection_id: str, kind: QueueKind, moment: datetime) -> str:
    """Of a batch that somebody begins at this moment; the same second is the same batch."""
    end = f"-{kind.value[0].upper()}-{moment:%Y%m%dT%H%M%S}"
    return f"B-{connection_id}"[: MOST_CHARACTERS - len(end)] + end
