"""What lists show of a supplier-cost review (BAL-2)."""

from datetime import datetime

from activities.database.views import Standing
from models.cost_reviews import ReviewState
from models.message import Message
from models.money import Amount
from models.returns import Evidence


class CostReviewListed(Message):
    """One supplier-cost review: what was asked for, what was decided, by whom (BAL-2)."""

    review_id: str
    order_id: str
    return_id: str | None
    seller_id: str
    amount: Amount
    currency: str
    state: ReviewState
    approved: Amount | None
    notes: str
    requested_by: str
    evidence: tuple[Evidence, ...]
    decided_by: str | None
    reason: str | None
    requested_at: datetime
    settled_at: datetime | None
    standing: Standing | None
