"""The table of claims (CLM-1, CLM-2)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint
from sqlmodel import Field, SQLModel

from models.claims import ClaimState
from models.tables.checks import currency_code, one_of, plain_numbers, positive_amount
from models.tables.columns import Money, UtcTime, Word


class ClaimRow(SQLModel, table=True):
    """What a seller paid a local dealer for units that were voided, and what became of its claim."""

    __tablename__ = "claim"
    __table_args__ = (
        one_of("state", ClaimState),
        positive_amount("amount"),
        positive_amount("approved"),
        plain_numbers("amount", "approved"),
        currency_code(),
        CheckConstraint("(approved IS NOT NULL) = (state = 'approved')", name="approved_is_whole"),
        CheckConstraint("CAST(approved AS NUMERIC) <= CAST(amount AS NUMERIC)", name="approved_is_within_amount"),
        CheckConstraint("(settled_at IS NULL) = (state = 'open')", name="settled_is_dated"),
        ForeignKeyConstraint(["order_id", "seller_id"], ["orders.order_id", "orders.seller_id"]),
    )

    claim_id: str = Field(primary_key=True)
    workflow_id: str = Field(unique=True)
    run_id: str
    order_id: str = Field(index=True)
    seller_id: str = Field(index=True)
    units: list[dict[str, Any]] = Field(sa_type=JSON)
    """Of which lines: `line_id`, `sku`, `quantity`."""
    amount: Decimal = Field(sa_type=Money)
    currency: str
    state: ClaimState = Field(sa_type=Word(ClaimState))
    approved: Decimal | None = Field(default=None, sa_type=Money)
    dealer: str
    notes: str | None = None
    requested_by: str
    receipts: list[dict[str, Any]] = Field(sa_type=JSON)
    decided_by: str | None = None
    reason: str | None = None
    requested_at: datetime = Field(sa_type=UtcTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcTime)
