"""All that an orphan knows (RET-20). What follows from it is a property."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import Field

from models.contract import ORPHAN_KIND
from models.message import Message
from models.orphans import Dismiss, FoundCases, Match, OrphanRequest
from workflows.engine.case import CaseFacts
from workflows.orphans.effects import OrphanEffect

LATER_PAUSE: Final = timedelta(days=1)


class NotTaken(Message):
    """A case that did not take the event, and why. `decision`: the event by which a person matched it."""

    workflow_id: str
    why: str
    decision: str | None = None


class OrphanFacts(CaseFacts):
    """An orphan: what was said, what fits, what a person decided, and which case took it."""

    in_flight: dict[str, OrphanEffect] = Field(default_factory=dict)
    request: OrphanRequest
    looks: int = 0
    """How often its case was looked for."""
    looked_at: datetime | None = None
    called_after: int | None = None
    """How many looks had begun when a case last said that it can be found by one of its numbers."""
    found: FoundCases = FoundCases()
    """By the last look."""
    match: Match | None = None
    """The last word of a person about which case it is."""
    dismissal: Dismiss | None = None
    early_look: int | None = None
    """The last look whose case could not take it yet."""
    not_taken: tuple[NotTaken, ...] = ()
    taken_by: str | None = None
    """The case that has the event."""
    answer: str = ""
    """What that case said to it."""

    # ---- what a case is about ----

    @property
    def case_id(self) -> str:
        return ORPHAN_KIND.workflow_id(self.request.orphan_id)

    @property
    def order_id(self) -> str:
        """Nobody knows its order; mails to staff name the orphan."""
        return self.request.orphan_id

    @property
    def seller_id(self) -> str:
        return self.request.seller_id or ""

    @property
    def supplier_id(self) -> str | None:
        return self.request.supplier_id

    # ---- what follows ----

    @property
    def expires_at(self) -> datetime:
        return self.created_at + timedelta(days=self.request.look_days)

    @property
    def next_look(self) -> datetime:
        """When it looks next, if no case calls it: at once, then with the pauses of its request, then daily."""
        if self.looked_at is None:
            return self.created_at
        first = self.request.look_pauses_minutes
        return self.looked_at + (
            timedelta(minutes=first[self.looks - 1]) if self.looks <= len(first) else LATER_PAUSE
        )

    @property
    def is_called(self) -> bool:
        """A case has one of its numbers since its last look began."""
        return self.called_after == self.looks

    @property
    def target(self) -> str | None:
        """The case that it goes to: what a person says, else the only one that fits; none that said no before."""
        if self.match is not None:
            tried = any(one.decision == self.match.event_id for one in self.not_taken)
            return None if tried or self.is_early else self.match.case_id
        if len(self.found.fitting) != 1 or self.is_early:
            return None
        (only,) = self.found.fitting
        return None if any(one.workflow_id == only for one in self.not_taken) else only

    @property
    def is_early(self) -> bool:
        """Its case is known, and can't take it before the next look."""
        return self.early_look == self.looks

    @property
    def possible(self) -> tuple[str, ...]:
        """The cases among which a person decides."""
        return self.found.fitting or self.found.candidates

    @property
    def what(self) -> str:
        """In words: `credit memo of reno`."""
        return f"{self.request.event.replace('_', ' ')} of {self.request.source}"
