"""All that a supplier-cost review knows (BAL-2). What follows from it is a property."""

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import Field

from models.case import SlaState
from models.contract import COST_REVIEW_KIND
from models.cost_reviews import (
    CostDecision,
    CostReviewRequest,
    OpenedCostReview,
    ReviewState,
    ReviewWithdrawn,
)
from models.returns import Evidence
from workflows.cost_reviews.effects import CostReviewEffect
from workflows.engine.case import CaseFacts


class CostReviewFacts(CaseFacts):
    """What the seller asked for, what the buyer was refunded, what a person decided."""

    request: CostReviewRequest
    in_flight: dict[str, CostReviewEffect] = Field(default_factory=dict)
    opened: OpenedCostReview | None = None
    opened_at: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    """What came after the request."""
    decision: CostDecision | None = None
    withdrawal: ReviewWithdrawn | None = None
    settled_at: datetime | None = None
    """When it was decided or withdrawn; the first word counts."""

    # ---- what it is about ----

    @property
    def case_id(self) -> str:
        return COST_REVIEW_KIND.workflow_id(self.request.review_id)

    @property
    def order_id(self) -> str:
        return self.request.order_id

    @property
    def return_id(self) -> str | None:
        return self.request.return_id

    @property
    def seller_id(self) -> str:
        return self.opened.seller_id if self.opened is not None else ""

    # ---- what follows ----

    @property
    def is_kept(self) -> bool:
        """The database has it as this case."""
        return self.opened is not None and self.opened.reason is None

    @property
    def all_evidence(self) -> tuple[Evidence, ...]:
        return (*self.request.evidence, *self.evidence)

    @property
    def approved(self) -> Decimal | None:
        """What the seller's balance is credited with; none: it is not approved."""
        if self.decision is None or self.decision.decision != "approved":
            return None
        return self.decision.amount if self.decision.amount is not None else self.request.amount

    @property
    def due(self) -> datetime:
        """By then it is to be decided."""
        assert self.opened is not None, "it is open"
        return (self.opened_at or self.created_at) + timedelta(days=self.opened.review_days)

    @property
    def state(self) -> ReviewState:
        if self.decision is not None:
            return ReviewState.APPROVED if self.approved is not None else ReviewState.REJECTED
        if self.withdrawal is not None:
            return ReviewState.WITHDRAWN
        return ReviewState.STOPPED if self.stopped_at is not None else ReviewState.OPEN

    @property
    def sla_state(self) -> SlaState:
        if self.state is not ReviewState.OPEN or not self.is_kept or self.now < self.due:
            return SlaState.ON_TIME
        return SlaState.BREACHED
