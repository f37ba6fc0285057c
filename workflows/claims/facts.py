"""All that a claim knows (CLM-1, CLM-2). What follows from it is a property."""

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import Field

from models.case import SlaState
from models.claims import (
    CURRENCY_WITHOUT_APPROVAL,
    ClaimDecision,
    ClaimRequest,
    ClaimState,
    ClaimWithdrawn,
    OpenedClaim,
)
from models.contract import CLAIM_KIND
from models.returns import Evidence
from workflows.claims.effects import ClaimEffect
from workflows.engine.case import CaseFacts


class ClaimFacts(CaseFacts):
    """What the seller claims, what its settings were when it was opened, what was decided."""

    request: ClaimRequest
    in_flight: dict[str, ClaimEffect] = Field(default_factory=dict)
    opened: OpenedClaim | None = None
    opened_at: datetime | None = None
    receipts: tuple[Evidence, ...] = ()
    """What came after the request."""
    ruled_at: datetime | None = None
    """When it was approved by rule, without a person (CLM-1)."""
    decision: ClaimDecision | None = None
    withdrawal: ClaimWithdrawn | None = None
    settled_at: datetime | None = None
    """When it was decided or withdrawn; the first word counts."""

    # ---- what it is about ----

    @property
    def case_id(self) -> str:
        return CLAIM_KIND.workflow_id(self.request.claim_id)

    @property
    def order_id(self) -> str:
        return self.request.order_id

    @property
    def return_id(self) -> str | None:
        return None

    @property
    def seller_id(self) -> str:
        return self.opened.seller_id if self.opened is not None else ""

    # ---- what follows ----

    @property
    def is_kept(self) -> bool:
        """The database has it as this case."""
        return self.opened is not None and self.opened.reason is None

    @property
    def waited(self) -> bool:
        """It was not approved by rule when it was opened: a person was asked."""
        return self.is_kept and self.ruled_at != self.opened_at

    @property
    def all_receipts(self) -> tuple[Evidence, ...]:
        return (*([self.request.receipt] if self.request.receipt is not None else []), *self.receipts)

    @property
    def why_a_person(self) -> tuple[str, ...]:
        """Why a person decides, in words; nothing: it is approved by rule (CLM-1)."""
        opened, request = self.opened, self.request
        if opened is None:
            return ("it is not opened yet",)
        why = []
        if request.currency != CURRENCY_WITHOUT_APPROVAL:
            why.append(f"it is in {request.currency}, not in {CURRENCY_WITHOUT_APPROVAL}")
        elif request.amount + opened.claimed_before > opened.without_approval:
            beside = f", with {opened.claimed_before} claimed before" if opened.claimed_before else ""
            why.append(f"it is over {opened.without_approval} {request.currency}{beside}")
        if opened.minimum_stock < opened.least_stock:
            why.append(f"the seller's minimum stock is {opened.minimum_stock}, not {opened.least_stock}")
        if not self.all_receipts:
            why.append("no receipt is attached")
        if not opened.card_on_file:
            why.append("no card is on file")
        return tuple(why)

    @property
    def approved(self) -> Decimal | None:
        """What the seller's balance is credited with; none: it is not approved."""
        if self.ruled_at is not None:
            return self.request.amount
        if self.decision is None or self.decision.decision != "approved":
            return None
        return self.decision.amount if self.decision.amount is not None else self.request.amount

    @property
    def due(self) -> datetime:
        """By then it is to be decided (CLM-2)."""
        assert self.opened is not None, "it is open"
        return (self.opened_at or self.created_at) + timedelta(days=self.opened.claim_days)

    @property
    def state(self) -> ClaimState:
        if self.approved is not None:
            return ClaimState.APPROVED
        if self.decision is not None:
            return ClaimState.REJECTED
        if self.withdrawal is not None:
            return ClaimState.WITHDRAWN
        return ClaimState.STOPPED if self.stopped_at is not None else ClaimState.OPEN

    @property
    def sla_state(self) -> SlaState:
        if self.state is not ClaimState.OPEN or not self.is_kept or self.now < self.due:
            return SlaState.ON_TIME
        return SlaState.BREACHED
