"""The table of supplier-cost reviews (BAL-2)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint
from sqlmodel import Field, SQLModel

from models.cost_reviews import ReviewState
from models.tables.checks import currency_code, one_of, plain_numbers, positive_amount
from models.tables.columns import Money, UtcTime, Word


class CostReviewRow(SQLModel, table=True):
    """What a seller asks for, after its buyer was refunded, and what a person decided."""

    __tablename__ = "cost_review"
    __table_args__ = (
        one_of("state", ReviewState),
        positive_amount("amount"),
        positive_amount("approved"),
        plain_numbers("amount", "approved"),
        currency_code(),
        CheckConstraint("(approved IS NOT NULL) = (state = 'approved')", name="approved_is_whole"),
        CheckConstraint("CAST(approved AS NUMERIC) <= CAST(amount AS NUMERIC)", name="approved_is_within_amount"),
        CheckConstraint("(settled_at IS NULL) = (state = 'open')", name="settled_is_dated"),
        ForeignKeyConstraint(["order_id", "seller_id"], ["orders.order_id", "orders.seller_id"]),
        ForeignKeyConstraint(["return_id", "order_id"], ["returns.return_id", "returns.order_id"]),
    )

    review_id: str = Field(primary_key=True)
    workflow_id: str = Field(unique=True)
    run_id: str
    order_id: str = Field(index=True)
    return_id: str | None = Field(default=None, index=True)
    seller_id: str = Field(index=True)
    amount: Decimal = Field(sa_type=Money)
    currency: str
    state: ReviewState = Field(sa_type=Word(ReviewState))
    approved: Decimal | None = Field(default=None, sa_type=Money)
    notes: str
    requested_by: str
    evidence: list[dict[str, Any]] = Field(sa_type=JSON)
    decided_by: str | None = None
    reason: str | None = None
    requested_at: datetime = Field(sa_type=UtcTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcTime)
