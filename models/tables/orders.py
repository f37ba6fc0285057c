"""The tables of orders: what was ordered, paid and charged (ORD-1, ORD-3)."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.buyers import Address
from models.orders import Channel, OrderRequest
from models.parties import Seller
from models.partners import ChargeState
from models.payments import BY_GATEWAY, PaidBy
from models.tables.checks import (
    among,
    currency_code,
    no_negative_amount,
    one_of,
    plain_numbers,
    positive,
    positive_amount,
    together,
    whole_numbers,
)
from models.tables.columns import Document, Money, UtcTime, Word

BY_A_GATEWAY = among("paid_by", BY_GATEWAY)
"""The payments that can be refunded by their reference."""
WHOLE_BY_A_GATEWAY = f"{BY_A_GATEWAY} AND of_order_id IS NULL"
"""Those of them that are no part of another one."""


class OrderRow(SQLModel, table=True):
    """An order: its request with the buyer, what was paid, the seller's settings when it came.

    The channel's order is taken once, whatever id it comes under (ORD-17)."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("seller_id", "channel", "channel_order_key", name="uq_orders_channel_order"),
        # What belongs to an order says whose the order is, too.
        UniqueConstraint("order_id", "seller_id", name="uq_orders_of_seller"),
        one_of("channel", Channel),
        no_negative_amount("payment_amount"),
        plain_numbers("payment_amount", "payment_moved"),
        currency_code("payment_currency"),
        currency_code("charge_currency"),
        together("channel_order_id", "channel_order_key"),
        CheckConstraint(
            "CAST(payment_moved AS NUMERIC) BETWEEN 0 AND CAST(payment_amount AS NUMERIC)",
            name="no_more_moves_than_was_paid",
        ),
        CheckConstraint("split_from <> order_id", name="split_from_is_another"),
        CheckConstraint("run_id IS NOT NULL OR split_from IS NOT NULL", name="only_what_is_split_off_opens_later"),
    )

    order_id: str = Field(primary_key=True)
    seller_id: str = Field(foreign_key="seller.seller_id", index=True)
    channel: Channel = Field(sa_type=Word(Channel))
    channel_order_id: str | None = Field(default=None, index=True)
    channel_order_key: str | None = None
    """The same without case, blanks and punctuation (ORD-21)."""
    workflow_id: str = Field(unique=True)
    run_id: str | None = None
    """None: it was split off `split_from`, and is not open yet (CAN-10)."""
    received_at: datetime = Field(sa_type=UtcTime, index=True)
    replaces: str | None = Field(default=None, unique=True)
    """The return whose goods it replaces (RET-24): no return has two."""
    split_from: str | None = Field(default=None, foreign_key="orders.order_id", index=True)
    """The order that its lines were split off (CAN-10)."""
    payment_amount: Decimal = Field(sa_type=Money)
    """All that the buyer paid; by what, the payments say."""
    payment_moved: Decimal = Field(default=Decimal(0), sa_type=Money)
    """What of it went with lines to orders of their own (CAN-10)."""
    payment_currency: str
    charge_currency: str
    charge_connection_id: str | None = Field(default=None, foreign_key="connection.connection_id")
    """By which the broker charges the seller for it."""
    cancel_until: datetime | None = Field(default=None, sa_type=UtcTime)
    handoff_due: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    handed_off_at: datetime | None = Field(default=None, sa_type=UtcTime)
    # Last, so that lists read nothing of them.
    corrected_address: Address | None = Field(default=None, sa_type=Document(Address))
    """The buyer's, if it was corrected (ORD-18)."""
    request: OrderRequest = Field(sa_type=Document(OrderRequest))
    seller: Seller = Field(sa_type=Document(Seller))

    @property
    def paid(self) -> Decimal:
        """What the buyer paid for what is still of this order: no more goes back."""
        return self.payment_amount - self.payment_moved


class PaymentRow(SQLModel, table=True):
    """One payment of the buyer to the seller (ORD-1); an order that cost nothing has none (ORD-15). Of an order
    that was split off, a part of a payment of the other one (CAN-10): no money moved."""

    __tablename__ = "payment"
    __table_args__ = (
        whole_numbers("position", "of_position"),
        one_of("paid_by", PaidBy),
        positive("position"),
        positive_amount("amount"),
        plain_numbers("amount"),
        currency_code(),
        CheckConstraint(f"reference IS NOT NULL OR NOT {BY_A_GATEWAY}", name="a_gateway_has_a_number"),
        # What a gateway can refund belongs to one order: else it would be refunded by each (REF-3, ORD-17).
        Index(
            "uq_payment_by_gateway",
            "paid_by",
            "reference",
            unique=True,
            sqlite_where=text(WHOLE_BY_A_GATEWAY),
            postgresql_where=text(WHOLE_BY_A_GATEWAY),
        ),
        together("of_order_id", "of_position"),
        ForeignKeyConstraint(["of_order_id", "of_position"], ["payment.order_id", "payment.position"]),
    )

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    position: int = Field(primary_key=True)
    paid_by: PaidBy = Field(sa_type=Word(PaidBy))
    reference: str | None = Field(default=None, index=True)
    amount: Decimal = Field(sa_type=Money)
    currency: str
    connection_id: str | None = Field(default=None, foreign_key="connection.connection_id")
    """Through which the seller took it, and gives it back; none: not known, or not by a gateway."""
    of_order_id: str | None = Field(default=None, index=True)
    of_position: int | None = None
    """Of which payment it is a part."""


class OrderLineRow(SQLModel, table=True):
    """A line of an order: its shares of what was paid and charged, and what became of its units. A kit is there as
    its components (ORD-14)."""

    __tablename__ = "order_line"
    __table_args__ = (
        whole_numbers("position", "quantity", "kit_each", "shipped", "cancelled", "voided", "moved"),
        positive("quantity"),
        positive("position"),
        positive("kit_each"),
        together("kit_line_id", "kit_sku", "kit_each"),
        no_negative_amount("paid_goods", "paid_shipping", "cost_goods", "cost_shipping"),
        plain_numbers("paid_goods", "paid_shipping", "cost_goods", "cost_shipping"),
        UniqueConstraint("order_id", "position", name="uq_order_line_position"),
        CheckConstraint(
            "shipped >= 0 AND cancelled >= 0 AND voided >= 0 AND moved >= 0", name="units_are_positive"
        ),
        CheckConstraint("shipped + cancelled + voided + moved <= quantity", name="each_unit_has_one_fate"),
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
    moved: int = 0
    """To orders that were split off this one (CAN-10)."""


class ChargeRow(SQLModel, table=True):
    """One attempt to charge the seller (ORD-3)."""

    __tablename__ = "charge"
    __table_args__ = (
        whole_numbers("position"),
        one_of("state", ChargeState),
        positive("position"),
        CheckConstraint(
            "CAST(amount AS NUMERIC) > 0 AND CAST(captured AS NUMERIC) >= 0", name="amounts_are_positive"
        ),
        plain_numbers("amount", "captured"),
        currency_code(),
        CheckConstraint(
            "CAST(captured AS NUMERIC) <= CAST(amount AS NUMERIC)", name="no_more_is_captured_than_asked"
        ),
        CheckConstraint(
            "CAST(captured AS NUMERIC) = 0 OR state = 'captured'", name="only_what_is_captured_is_counted"
        ),
        UniqueConstraint("order_id", "position", name="uq_charge_position"),
    )

    charge_id: str = Field(primary_key=True)
    order_id: str = Field(foreign_key="orders.order_id", index=True)
    position: int
    state: ChargeState = Field(sa_type=Word(ChargeState))
    amount: Decimal = Field(sa_type=Money)
    captured: Decimal = Field(sa_type=Money)
    currency: str
    gateway_reference: str | None = Field(default=None, unique=True)
    """The gateway's own number: of one charge, never of two."""
    reason: str | None = None
    connection_id: str = Field(foreign_key="connection.connection_id")
    """Through which the broker made it, and gives it back."""
