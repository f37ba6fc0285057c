"""The tables of refunds and of the units that they are for (REF-3, REF-13)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel

from models.refunds import Direction, RefundState, Way
from models.tables.checks import (
    currency_code,
    one_of,
    plain_numbers,
    positive,
    positive_amount,
    together,
    whole_numbers,
    yes_or_no,
)
from models.tables.columns import Money, UtcTime, Word


class RefundRow(SQLModel, table=True):
    """A refund with its reservation (REF-3): reserved, pending and succeeded ones count against the cap.

    What the gateway made through a connection is one refund, never two."""

    __tablename__ = "refund"
    __table_args__ = (
        one_of("direction", Direction),
        one_of("way", Way),
        one_of("state", RefundState),
        positive_amount("amount"),
        plain_numbers("amount", "over_limit"),
        currency_code(),
        yes_or_no("over_refund"),
        positive_amount("over_limit"),
        together("confirmed_by", "confirmed_at"),
        CheckConstraint("confirmed_by <> requested_by", name="another_person_confirms"),
        CheckConstraint(
            "over_limit IS NULL OR confirmed_by IS NOT NULL OR state IN ('reserved', 'failed', 'refused')",
            name="over_limit_is_confirmed",
        ),
        CheckConstraint("(settled_at IS NULL) = (state IN ('reserved', 'pending'))", name="settled_is_dated"),
        ForeignKeyConstraint(["order_id", "seller_id"], ["orders.order_id", "orders.seller_id"]),
        ForeignKeyConstraint(["return_id", "order_id"], ["returns.return_id", "returns.order_id"]),
        Index("uq_refund_by_gateway", "connection_id", "gateway_refund_id", unique=True),
    )

    refund_id: str = Field(primary_key=True)
    order_id: str = Field(index=True)
    return_id: str | None = Field(default=None, index=True)
    seller_id: str = Field(index=True)
    part_of: str | None = None
    """The refund that was divided, where this is one part of it (REF-3): of that itself there is no row."""
    workflow_id: str = Field(unique=True)
    run_id: str
    """Of a part that nobody has begun it is empty."""
    direction: Direction = Field(sa_type=Word(Direction))
    way: Way = Field(sa_type=Word(Way))
    amount: Decimal = Field(sa_type=Money)
    currency: str
    state: RefundState = Field(sa_type=Word(RefundState), index=True)
    reason: str
    requested_by: str
    lines: list[dict[str, Any]] = Field(sa_type=JSON)
    reference: str | None = None
    over_refund: bool
    over_limit: Decimal | None = Field(default=None, sa_type=Money)
    """The seller's limit, which it is over: it needs a second person (REF-12)."""
    confirmed_by: str | None = None
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    payment_reference: str | None = None
    connection_id: str | None = Field(default=None, foreign_key="connection.connection_id")
    """Through which the payment came: the refund goes there."""
    gateway_refund_id: str | None = Field(default=None, index=True)
    failure_reason: str | None = None
    reserved_at: datetime = Field(sa_type=UtcTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcTime)

    @property
    def way_asked(self) -> Way:
        """What goes through an account at a marketplace was asked for as what goes back the way it came."""
        through_account = self.way is Way.MARKETPLACE and self.connection_id is not None
        return Way.GATEWAY if through_account else self.way


class RefundUnitsRow(SQLModel, table=True):
    """Units that a refund of the buyer names: none of them is refunded twice while it counts (REF-13)."""

    __tablename__ = "refund_units"
    __table_args__ = (
        whole_numbers("quantity"),
        positive("quantity"),
    )

    refund_id: str = Field(primary_key=True, foreign_key="refund.refund_id")
    line_id: str = Field(primary_key=True)
    quantity: int
