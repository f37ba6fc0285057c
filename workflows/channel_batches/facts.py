"""All that a batch knows (AMZ-5, AMZ-7, AMZ-10). What follows from it is a property."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import Field

from models.amazon.batches import (
    BatchSettled,
    BatchState,
    ChannelBatchRequest,
    FeedResolved,
    FeedStatus,
    FoundFeed,
    OpenedBatch,
)
from models.amazon.resends import SHOWN_WITHIN
from models.contract import CHANNEL_BATCH_KIND
from models.ids import DerivedId
from models.text import counted
from workflows.channel_batches.effects import BatchEffect
from workflows.engine.case import CaseFacts

FIRST_LOOK: Final = timedelta(seconds=15)
LONGEST_PAUSE: Final = timedelta(minutes=15)
"""Between two questions how far Amazon is: doubled from the first one on."""
SEARCHES: Final = (timedelta(minutes=2), timedelta(minutes=15), timedelta(hours=1))
LATER_SEARCHES: Final = timedelta(hours=6)
"""When it is looked for a document whose answer was lost, counted from the look before."""
OLD: Final = timedelta(hours=6)
"""A feed that is still open then is told staff: some hang for days."""


class BatchFacts(CaseFacts):
    """What was taken out of the queue, how far the document is, what Amazon said."""

    in_flight: dict[str, BatchEffect] = Field(default_factory=dict)
    request: ChannelBatchRequest
    opened: OpenedBatch | None = None
    """None: nothing was taken out of the queue yet."""
    examinations: int = 0
    """How often Amazon's transactions were looked at (AMZ-11)."""
    moved: tuple[DerivedId, ...] = ()
    """Amazon shows that these moved: they are done."""
    held: tuple[DerivedId, ...] = ()
    """Amazon may have done these: a person has to look."""
    early: tuple[DerivedId, ...] = ()
    """Amazon was told these less than 48 hours ago, and may show late that it did them."""
    examined_up_to: int | None = None
    """The last message of a document that a person said had not arrived of which that is known; none: of all."""
    contradicted: bool = False
    """Amazon showed refunds of the document that a person said had not arrived."""
    contradiction: str | None = None
    """The same once more, in words: nothing of the document is sent again, and people look of each refund."""
    document_id: str | None = None
    outdated: int = 0
    """How often it was composed anew, for refunds of it stood in a settlement (AMZ-8)."""
    tries: int = 0
    """How often it was handed in; more than once only by a person's word."""
    doubt: str | None = None
    """Why nobody knows whether Amazon has it; none: it is known."""
    doubt_since: datetime | None = None
    told_at: datetime | None = None
    """When the last try reached Amazon at the latest, if it did."""
    searches: int = 0
    searched_at: datetime | None = None
    found: FoundFeed = FoundFeed()
    """By the last search."""
    resolution: FeedResolved | None = None
    """A person's last word."""
    feed_id: str | None = None
    sent_at: datetime | None = None
    looks: int = 0
    looked_at: datetime | None = None
    status: FeedStatus | None = None
    settled: BatchSettled | None = None

    # ---- what a case is about ----

    @property
    def case_id(self) -> str:
        return CHANNEL_BATCH_KIND.workflow_id(self.request.batch_id)

    @property
    def order_id(self) -> str:
        """It is about many; mails to staff name the batch."""
        return self.request.batch_id

    @property
    def seller_id(self) -> str:
        return self.opened.seller_id if self.opened is not None else ""

    # ---- what follows ----

    @property
    def is_kept(self) -> bool:
        """The database has it as this case."""
        return self.opened is not None and self.opened.reason is None and not self.opened.unexamined

    @property
    def opening_key(self) -> str:
        """Of the step that takes entries: after each look at Amazon's transactions another one."""
        return f"open:{self.examinations + 1}" if self.examinations else "open"

    def step_of(self, key: str) -> str:
        """The key of a step with the document: of one that was composed anew another one."""
        return f"{key}.{self.outdated + 1}" if self.outdated else key

    @property
    def what(self) -> str:
        """In words: `document 12 (5 refunds)`."""
        assert self.opened is not None, "it is open"
        messages = counted(self.opened.messages, self.request.kind.value)
        return f"document {self.opened.number} ({messages})"

    @property
    def is_stopped(self) -> bool:
        """Staff stopped it before Amazon was told: afterwards it goes on."""
        return self.stopped_at is not None and self.tries == 0 and self.doubt is None and self.feed_id is None

    @property
    def next_search(self) -> datetime:
        assert self.doubt_since is not None, "it is in doubt"
        if self.searched_at is None:
            return self.doubt_since
        pause = SEARCHES[self.searches - 1] if self.searches <= len(SEARCHES) else LATER_SEARCHES
        return self.searched_at + pause

    @property
    def evident_at(self) -> datetime | None:
        """A person said that the document did not arrive: from then on Amazon's transactions can show it."""
        if self.doubt is None or self.examined_up_to is None:
            return None
        return (self.told_at or self.now) + SHOWN_WITHIN

    @property
    def next_look(self) -> datetime:
        assert self.sent_at is not None, "Amazon has it"
        if self.looked_at is None:
            return self.sent_at + FIRST_LOOK
        return self.looked_at + min(FIRST_LOOK * (1 << min(self.looks, 10)), LONGEST_PAUSE)

    @property
    def may_have_been_handed_in(self) -> bool:
        """An earlier run was cut off while it was told Amazon."""
        return self.opened is not None and self.opened.state is BatchState.HANDING_IN
