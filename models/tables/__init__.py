"""The tables of the database. Workflows never import this: SQLModel is slow to load in their sandbox.

Amounts are exact (`Money`), times are in UTC (`UtcTime`), states are words, snapshots are JSON documents
read through their models. Nothing is deleted by a cascade. Written once and never changed: an order's
request and shares, shipments, cessations, credit memos, steps.
"""

from datetime import date as Date
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.buyers import Address
from models.case import Custody, MoneyState, SlaState
from models.orders import Channel, Fault, OrderRequest
from models.parties import Seller, Supplier
from models.partners import ChargeState
from models.payments import BY_GATEWAY, PaidBy
from models.refunds import Direction, RefundState, Way
from models.returns import Acceptance, DeclineKind, OpenedReturn, Reception, ReturnRequest, Source
from models.tables.columns import Document, LastFacts, Money, UtcTime, Word
from models.worklists import Work

METADATA = SQLModel.metadata
METADATA.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""Constraints have names, so that a later migration can change them on SQLite too."""


class SellerRow(SQLModel, table=True):
    """A seller with its present settings."""

    __tablename__ = "seller"

    seller_id: str = Field(primary_key=True)
    name: str
    settings: Seller = Field(sa_type=Document(Seller))
    updated_at: datetime = Field(sa_type=UtcTime)


class SupplierRow(SQLModel, table=True):
    """A supplier with its present settings."""

    __tablename__ = "supplier"

    supplier_id: str = Field(primary_key=True)
    name: str
    settings: Supplier = Field(sa_type=Document(Supplier))
    updated_at: datetime = Field(sa_type=UtcTime)


def stands_in(work: Work) -> str:
    """The condition of a worklist's own small index, and of every question about it: word for word the same."""
    return f"work LIKE '%,{work.value},%'"


class CaseRow(SQLModel, table=True):
    """Where a case stands: an order, a return or a refund. One row per workflow id, from the case's opening on.

    Lists are read by `urgency`, then `newness`, then id: a page is a range of one index, however many there are.
    """

    __tablename__ = "case_file"
    __table_args__ = (
        Index("ix_case_file_listed", "kind", "urgency", "newness", "workflow_id"),
        Index("ix_case_file_stage", "kind", "stage", "urgency", "newness", "workflow_id"),
        Index("ix_case_file_seller", "kind", "seller_id", "urgency", "newness", "workflow_id"),
        Index("ix_case_file_seller_stage", "kind", "seller_id", "stage", "urgency", "newness", "workflow_id"),
        *(
            Index(
                f"ix_case_file_work_{work.value}",
                "urgency",
                "newness",
                "workflow_id",
                sqlite_where=text(stands_in(work)),
                postgresql_where=text(stands_in(work)),
            )
            for work in Work
        ),
    )

    workflow_id: str = Field(primary_key=True)
    run_id: str
    """Empty for a return that was split off and has not opened yet."""
    kind: str
    stage: str
    seller_id: str
    order_id: str
    waiting_on: str | None = None
    waiting_for: str | None = None
    waiting_since: datetime | None = Field(default=None, sa_type=UtcTime)
    due_by: datetime | None = Field(default=None, sa_type=UtcTime)
    sla_state: SlaState = Field(sa_type=Word(SlaState))
    custody: Custody | None = Field(default=None, sa_type=Word(Custody))
    money: MoneyState = Field(default=MoneyState.NONE, sa_type=Word(MoneyState))
    work: str = ""
    """The worklists that it stands in, between commas: `,to_approve,money_in_doubt,`; empty for none (NTF-6)."""
    held_up_by: str = ""
    """What holds it up, between commas: `,outage:payment gateway,`; empty for nothing that staff were told of."""
    ended: bool
    last_step: int
    asked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When the case asked for this to be written, by the server's clock."""
    urgency: str
    """What is open comes before what has ended, and what is due first before the rest; sorts as text."""
    newness: str
    """Of two that are equally urgent the newer one comes first; sorts as text."""


class StepRow(SQLModel, table=True):
    """One line of a case's timeline. A case that was refused and then started anew has steps of two runs, and so
    has one that was reset (`run@new run`)."""

    __tablename__ = "case_step"

    workflow_id: str = Field(primary_key=True)
    run_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime)
    what: str
    who: str


BY_A_GATEWAY = f"paid_by IN ({', '.join(repr(one.value) for one in BY_GATEWAY)})"
"""The payments that can be refunded by their reference."""


class OrderRow(SQLModel, table=True):
    """An order: its request with the buyer, what was paid, the seller's settings when it came.

    The channel's order is taken once, whatever id it comes under (ORD-17)."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("seller_id", "channel", "channel_order_key", name="uq_orders_channel_order"),
    )

    order_id: str = Field(primary_key=True)
    seller_id: str = Field(foreign_key="seller.seller_id", index=True)
    channel: Channel = Field(sa_type=Word(Channel))
    channel_order_id: str | None = Field(default=None, index=True)
    channel_order_key: str | None = None
    """The same without case, blanks and punctuation (ORD-21)."""
    workflow_id: str = Field(unique=True)
    run_id: str
    received_at: datetime = Field(sa_type=UtcTime, index=True)
    payment_amount: Decimal = Field(sa_type=Money)
    """All that the buyer paid; by what, the payments say."""
    payment_currency: str
    charge_currency: str
    cancel_until: datetime | None = Field(default=None, sa_type=UtcTime)
    handoff_due: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    handed_off_at: datetime | None = Field(default=None, sa_type=UtcTime)
    # Last, so that lists read nothing of them.
    corrected_address: Address | None = Field(default=None, sa_type=Document(Address))
    """The buyer's, if it was corrected (ORD-18)."""
    request: OrderRequest = Field(sa_type=Document(OrderRequest))
    seller: Seller = Field(sa_type=Document(Seller))


class PaymentRow(SQLModel, table=True):
    """One payment of the buyer to the seller (ORD-1); an order that cost nothing has none (ORD-15)."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("CAST(amount AS REAL) > 0", name="amount_is_positive"),
        # What a gateway can refund belongs to one order: else it would be refunded by each (REF-3, ORD-17).
        Index(
            "uq_payment_by_gateway",
            "paid_by",
            "reference",
            unique=True,
            sqlite_where=text(BY_A_GATEWAY),
            postgresql_where=text(BY_A_GATEWAY),
        ),
    )

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    position: int = Field(primary_key=True)
    paid_by: PaidBy = Field(sa_type=Word(PaidBy))
    reference: str | None = Field(default=None, index=True)
    amount: Decimal = Field(sa_type=Money)
    currency: str


class OrderLineRow(SQLModel, table=True):
    """A line of an order: its shares of what was paid and charged, and what became of its units. A kit is there as
    its components (ORD-14)."""

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("shipped >= 0 AND cancelled >= 0 AND voided >= 0", name="units_are_positive"),
        CheckConstraint("shipped + cancelled + voided <= quantity", name="each_unit_has_one_fate"),
    )

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    line_id: str = Field(primary_key=True)
    sku: str
    position: int
    title: str
    quantity: int
    kit_line_id: str | None = None
    kit_sku: str | None = None
    kit_each: int | None = None
    """Units of it per kit."""
    paid_goods: Decimal = Field(sa_type=Money)
    paid_shipping: Decimal = Field(sa_type=Money)
    cost_goods: Decimal = Field(sa_type=Money)
    cost_shipping: Decimal = Field(sa_type=Money)
    shipped: int = 0
    cancelled: int = 0
    voided: int = 0


class ChargeRow(SQLModel, table=True):
    """One attempt to charge the seller (ORD-3)."""

    __tablename__ = "charge"
    __table_args__ = (
        CheckConstraint("CAST(amount AS REAL) > 0 AND CAST(captured AS REAL) >= 0", name="amounts_are_positive"),
    )

    charge_id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="orders.order_id", index=True)
    position: int
    state: ChargeState = Field(sa_type=Word(ChargeState))
    amount: Decimal = Field(sa_type=Money)
    captured: Decimal = Field(sa_type=Money)
    currency: str
    gateway_reference: str | None = Field(default=None, index=True)
    reason: str | None = None


class SupplierOrderRow(SQLModel, table=True):
    """One order of the broker to one warehouse (ORD-5, ORD-6)."""

    __tablename__ = "supplier_order"

    number: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="orders.order_id", index=True)
    position: int
    supplier_id: str = Field(index=True)
    warehouse_id: str
    second_source: bool
    state: str
    supplier_reference: str | None = None
    reason: str | None = None
    at: datetime = Field(sa_type=UtcTime)
    short: dict[str, int] | None = Field(default=None, sa_type=LastFacts)
    """Units that it could not deliver after all, by `line_id` (ORD-19)."""
    short_reason: str | None = None


class SupplierOrderLineRow(SQLModel, table=True):
    """Some units bought at that warehouse; `unit_cost` is what the broker pays."""

    __tablename__ = "supplier_order_line"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_is_positive"),)

    number: str = Field(primary_key=True, foreign_key="supplier_order.number")
    line_id: str = Field(primary_key=True)
    sku: str
    quantity: int
    unit_cost: Decimal = Field(sa_type=Money)


class ShipmentRow(SQLModel, table=True):
    """A parcel to the buyer (ORD-9)."""

    __tablename__ = "shipment"

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    shipment_id: str = Field(primary_key=True)
    position: int
    carrier: str
    tracking_number: str = Field(index=True)
    at: datetime = Field(sa_type=UtcTime)
    substitutes: dict[str, str] | None = Field(default=None, sa_type=LastFacts)
    """Successor parts that stand for ordered ones, by `line_id` (ORD-20)."""
    delivered_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When it arrived, if anybody said so (RET-22)."""


class ShipmentParcelRow(SQLModel, table=True):
    """A parcel of a shipment beside its first one (ORD-20)."""

    __tablename__ = "shipment_parcel"
    __table_args__ = (
        ForeignKeyConstraint(["order_id", "shipment_id"], ["shipment.order_id", "shipment.shipment_id"]),
    )

    order_id: str = Field(primary_key=True)
    shipment_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    carrier: str
    tracking_number: str = Field(index=True)


class ShipmentLineRow(SQLModel, table=True):
    """Some units in that parcel, and the supplier order that they came from; none: not known."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        ForeignKeyConstraint(["order_id", "shipment_id"], ["shipment.order_id", "shipment.shipment_id"]),
        CheckConstraint("quantity > 0", name="quantity_is_positive"),
    )

    order_id: str = Field(primary_key=True)
    shipment_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    line_id: str
    sku: str
    quantity: int
    supplier_order_number: str | None = Field(default=None, foreign_key="supplier_order.number")


class CessationRow(SQLModel, table=True):
    """Why units were voided or cancelled, by whose fault, with the evidence (CAN-12)."""

    __tablename__ = "cessation"

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    position: int = Field(primary_key=True)
    kind: str
    at: datetime = Field(sa_type=UtcTime)
    reason: str
    fault: Fault = Field(sa_type=Word(Fault))
    by: str
    channel_reference: str | None = None
    quantities: dict[str, int] = Field(sa_type=JSON)
    """By SKU, as people know them."""
    lines: list[dict[str, Any]] = Field(sa_type=JSON)
    """The same units, line by line."""
    evidence: dict[str, str] = Field(sa_type=JSON)


class ReturnRow(SQLModel, table=True):
    """A return of units of one supplier. Without `run_id` it was split off `split_from` and is not open yet."""

    __tablename__ = "returns"

    return_id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="orders.order_id", index=True)
    seller_id: str = Field(foreign_key="seller.seller_id", index=True)
    supplier_id: str = Field(foreign_key="supplier.supplier_id", index=True)
    supplier_order_number: str = Field(foreign_key="supplier_order.number")
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
    label_url: str | None = None
    label_paid_by: str | None = None
    broker_return_number: str | None = Field(default=None, index=True)
    rma_number: str | None = Field(default=None, index=True)
    return_address: str | None = None
    carrier: str | None = None
    tracking_number: str | None = Field(default=None, index=True)
    refund_due: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
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
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_is_positive"),)

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
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_is_positive"),)

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
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_is_positive"),)

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
        CheckConstraint("CAST(amount AS REAL) > 0", name="amount_is_positive"),
        CheckConstraint(
            "total IS NULL OR CAST(total AS REAL) >= CAST(amount AS REAL)", name="part_is_within_its_paper"
        ),
    )

    supplier_id: str = Field(primary_key=True)
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


class RefundRow(SQLModel, table=True):
    """A refund with its reservation (REF-3): reserved, pending and succeeded ones count against the cap."""

    __tablename__ = "refund"
    __table_args__ = (CheckConstraint("CAST(amount AS REAL) > 0", name="amount_is_positive"),)

    refund_id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="orders.order_id", index=True)
    return_id: str | None = Field(default=None, foreign_key="returns.return_id", index=True)
    seller_id: str = Field(foreign_key="seller.seller_id", index=True)
    workflow_id: str = Field(unique=True)
    run_id: str
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
    payment_reference: str | None = None
    gateway_account: str | None = None
    gateway_refund_id: str | None = Field(default=None, index=True)
    failure_reason: str | None = None
    reserved_at: datetime = Field(sa_type=UtcTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcTime)


class RefundUnitsRow(SQLModel, table=True):
    """Units that a refund of the buyer names: none of them is refunded twice while it counts (REF-13)."""

    __tablename__ = "refund_units"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_is_positive"),)

    refund_id: str = Field(primary_key=True, foreign_key="refund.refund_id")
    line_id: str = Field(primary_key=True)
    quantity: int


class MailRow(SQLModel, table=True):
    """A mail that was sent: one per key (NTF-1)."""

    __tablename__ = "mail_sent"

    key: str = Field(primary_key=True)
    message_id: str
    at: datetime = Field(sa_type=UtcTime)


class AlertRow(SQLModel, table=True):
    """The right of one case to tell staff about what many cases may have in common: in each hour as many of a topic
    as there are numbers (NTF-9). Its mail has the key `<topic>:<hour>:<number>`."""

    __tablename__ = "alert"
    __table_args__ = (CheckConstraint("number > 0", name="number_is_positive"),)

    topic: str = Field(primary_key=True)
    hour: datetime = Field(primary_key=True, sa_type=UtcTime)
    number: int = Field(primary_key=True)
    holder: str
    """The key of the mail by which the case asks."""
    claimed_at: datetime = Field(sa_type=UtcTime)
