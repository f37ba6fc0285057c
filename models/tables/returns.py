"""The tables of returns, with what arrived and what was credited (RET)."""

from datetime import date as Date
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.case import ReturnStage
from models.returns import (
    Acceptance,
    DeclineKind,
    Loss,
    OpenedReturn,
    Reception,
    Resolution,
    ReturnRequest,
    Source,
)
from models.tables.checks import (
    currency_code,
    no_negative_amount,
    not_negative,
    one_of,
    plain_numbers,
    positive,
    positive_amount,
    together,
    whole_numbers,
    yes_or_no,
)
from models.tables.columns import Document, LastFacts, Money, UtcTime, Word


class ReturnRow(SQLModel, table=True):
    """A return of units of one supplier. Without `run_id` it was split off `split_from` and is not open yet."""

    __tablename__ = "returns"
    __table_args__ = (
        one_of("source", Source),
        one_of("decision", ("approved", "rejected")),
        one_of("label_paid_by", ("buyer", "seller")),
        one_of("refund_declined", DeclineKind),
        one_of("loss", Loss),
        one_of("resolution", Resolution),
        one_of("outcome", ReturnStage),
        no_negative_amount("fees"),
        plain_numbers("fees"),
        yes_or_no("returnless"),
        yes_or_no("refunded_by_channel"),
        together("decision", "decided_by"),
        together("refund_declined", "refund_declined_reason", "refund_declined_by"),
        CheckConstraint("split_from <> return_id", name="split_from_is_another"),
        CheckConstraint("run_id IS NOT NULL OR split_from IS NOT NULL", name="only_a_sibling_opens_later"),
        # What belongs to a return says of which order, too.
        UniqueConstraint("return_id", "order_id", name="uq_returns_of_order"),
        ForeignKeyConstraint(["order_id", "seller_id"], ["orders.order_id", "orders.seller_id"]),
        ForeignKeyConstraint(
            ["supplier_order_number", "order_id"], ["supplier_order.number", "supplier_order.order_id"]
        ),
    )

    return_id: str = Field(primary_key=True)
    order_id: str = Field(index=True)
    seller_id: str = Field(index=True)
    supplier_id: str = Field(foreign_key="supplier.supplier_id", index=True)
    supplier_order_number: str
    workflow_id: str = Field(unique=True)
    run_id: str | None = None
    split_from: str | None = Field(default=None, foreign_key="returns.return_id", index=True)
    source: Source = Field(sa_type=Word(Source))
    requested_by: str
    created_at: datetime = Field(sa_type=UtcTime, index=True)
    amazon_rma_id: str | None = Field(default=None, index=True)
    ebay_return_id: str | None = Field(default=None, index=True)
    decision: str | None = None
    decision_reason: str | None = None
    decided_by: str | None = None
    fees: Decimal | None = Field(default=None, sa_type=Money)
    returnless: bool = False
    loss: Loss | None = Field(default=None, sa_type=Word(Loss))
    """What went wrong on the way to the buyer, where nothing comes back (RET-23)."""
    label_url: str | None = None
    label_paid_by: str | None = None
    broker_return_number: str | None = Field(default=None, index=True)
    rma_number: str | None = Field(default=None, index=True)
    return_address: str | None = None
    carrier: str | None = None
    tracking_number: str | None = Field(default=None, index=True)
    refund_due: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    resolution: Resolution | None = Field(default=None, sa_type=Word(Resolution))
    """What the buyer gets, by the seller's approval (RET-24)."""
    replacement_order: str | None = None
    """The order that replaces it, which names this return too."""
    refunded_by_channel: bool = False
    refund_declined: DeclineKind | None = Field(default=None, sa_type=Word(DeclineKind))
    """The seller does not refund the buyer, and why (RET-27)."""
    refund_declined_reason: str | None = None
    refund_declined_by: str | None = None
    outcome: str | None = None
    # Last, so that lists read nothing of them.
    request: ReturnRequest = Field(sa_type=Document(ReturnRequest))
    opened: OpenedReturn | None = Field(default=None, sa_type=Document(OpenedReturn))
    facts: dict[str, Any] | None = Field(default=None, sa_type=LastFacts)
    """Its last facts once it is completed: from them it opens again (REF-7)."""


class ReturnLineRow(SQLModel, table=True):
    """Some units that come back, why, and what they are worth (RET-2, RET-19)."""

    __tablename__ = "return_line"
    __table_args__ = (
        whole_numbers("position", "quantity"),
        positive("position"),
        positive("quantity"),
        no_negative_amount("paid", "cost"),
        plain_numbers("paid", "cost"),
        UniqueConstraint("return_id", "position", name="uq_return_line_position"),
    )

    return_id: str = Field(primary_key=True, foreign_key="returns.return_id")
    line_id: str = Field(primary_key=True)
    sku: str
    position: int
    quantity: int
    reason: str
    buyer_words: str | None = None
    evidence: list[dict[str, Any]] = Field(sa_type=JSON)
    paid: Decimal = Field(sa_type=Money)
    cost: Decimal = Field(sa_type=Money)


class ReturnUnitsRow(SQLModel, table=True):
    """How many units of a return line came from which supplier order."""

    __tablename__ = "return_units"
    __table_args__ = (
        whole_numbers("quantity"),
        ForeignKeyConstraint(["return_id", "line_id"], ["return_line.return_id", "return_line.line_id"]),
        positive("quantity"),
    )

    return_id: str = Field(primary_key=True, foreign_key="returns.return_id")
    line_id: str = Field(primary_key=True)
    supplier_order_number: str = Field(primary_key=True, foreign_key="supplier_order.number", index=True)
    quantity: int


class ReturnParcelRow(SQLModel, table=True):
    """A parcel back: one per number, spelled this way or that (RET-29, ORD-21)."""

    __tablename__ = "return_parcel"

    return_id: str = Field(primary_key=True, foreign_key="returns.return_id")
    number_folded: str = Field(primary_key=True)
    """Without case, blanks and punctuation."""
    carrier: str
    tracking_number: str
    """As typed."""
    lines: list[dict[str, Any]] = Field(sa_type=JSON)
    """What is in it, where that is known."""
    at: datetime = Field(sa_type=UtcTime)


class ReceptionRow(SQLModel, table=True):
    """What arrived of a line by one receipt, and what the supplier makes of it: two facts (RET-11). Units in
    different condition are rows of their own (RET-25), and receipts add up (RET-26)."""

    __tablename__ = "reception"
    __table_args__ = (
        whole_numbers("position", "quantity"),
        ForeignKeyConstraint(["return_id", "line_id"], ["return_line.return_id", "return_line.line_id"]),
        not_negative("position"),
        positive("quantity"),
        one_of("reception", Reception),
        one_of("acceptance", Acceptance),
    )

    return_id: str = Field(primary_key=True, foreign_key="returns.return_id")
    event_id: str = Field(primary_key=True)
    """The receipt that says it."""
    position: int = Field(primary_key=True)
    """In that receipt."""
    line_id: str
    sku: str
    quantity: int
    reception: Reception = Field(sa_type=Word(Reception))
    acceptance: Acceptance = Field(sa_type=Word(Acceptance))


class CreditMemoRow(SQLModel, table=True):
    """What a supplier's credit memo credits for a return: one per supplier, number and return (RET-12, RET-28)."""

    __tablename__ = "credit_memo"
    __table_args__ = (
        positive_amount("amount"),
        plain_numbers("amount", "total"),
        currency_code(),
        yes_or_no("final"),
        CheckConstraint(
            "total IS NULL OR CAST(total AS NUMERIC) >= CAST(amount AS NUMERIC)", name="part_is_within_its_paper"
        ),
    )

    supplier_id: str = Field(primary_key=True, foreign_key="supplier.supplier_id")
    number_folded: str = Field(primary_key=True)
    """Without case, blanks and punctuation: `CM-ab-77` and `cm ab 77` are one paper (ORD-21)."""
    return_id: str = Field(primary_key=True, foreign_key="returns.return_id", index=True)
    number: str
    """As typed."""
    date: Date
    amount: Decimal = Field(sa_type=Money)
    """For this return."""
    currency: str
    final: bool = False
    """No more comes (RET-28)."""
    total: Decimal | None = Field(default=None, sa_type=Money)
    """Of the whole paper, if it says so."""
    actor: str
    at: datetime = Field(sa_type=UtcTime)
