"""The tables of what is bought and shipped for an order, and of what came to nothing (ORD-5, ORD-9, CAN-12)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.cancellations import Fault
from models.tables.checks import no_negative_amount, one_of, plain_numbers, positive, whole_numbers, yes_or_no
from models.tables.columns import LastFacts, Money, UtcTime, Word


class SupplierOrderRow(SQLModel, table=True):
    """One order of the broker to one warehouse (ORD-5, ORD-6)."""

    __tablename__ = "supplier_order"
    __table_args__ = (
        whole_numbers("position"),
        one_of("state", ("accepted", "refused", "unknown")),
        positive("position"),
        yes_or_no("second_source"),
        UniqueConstraint("order_id", "position", name="uq_supplier_order_position"),
        # What belongs to it says of which order, too.
        UniqueConstraint("number", "order_id", name="uq_supplier_order_of_order"),
    )

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
    connection_id: str | None = Field(default=None, foreign_key="connection.connection_id")
    """Through which it was offered and ordered."""


class SupplierOrderLineRow(SQLModel, table=True):
    """Some units bought at that warehouse; `unit_cost` is what the broker pays."""

    __tablename__ = "supplier_order_line"
    __table_args__ = (
        whole_numbers("quantity"),
        positive("quantity"),
        no_negative_amount("unit_cost"),
        plain_numbers("unit_cost"),
    )

    number: str = Field(primary_key=True, foreign_key="supplier_order.number")
    line_id: str = Field(primary_key=True)
    sku: str
    quantity: int
    unit_cost: Decimal = Field(sa_type=Money)


class ShipmentRow(SQLModel, table=True):
    """A parcel to the buyer (ORD-9)."""

    __tablename__ = "shipment"
    __table_args__ = (
        whole_numbers("position"),
        positive("position"),
    )

    order_id: str = Field(primary_key=True, foreign_key="orders.order_id")
    shipment_id: str = Field(primary_key=True)
    position: int
    carrier: str
    tracking_number: str = Field(index=True)
    at: datetime = Field(sa_type=UtcTime)
    substitutes: dict[str, str] | None = Field(default=None, sa_type=LastFacts)
    """Successor parts that stand for ordered ones, by `line_id` (ORD-20)."""
    corrected_by: list[str] = Field(sa_type=JSON)
    """The events that replaced its number, one after the other (ORD-20)."""
    delivered_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When it arrived, if anybody said so (RET-22)."""


class ShipmentParcelRow(SQLModel, table=True):
    """A parcel of a shipment beside its first one (ORD-20)."""

    __tablename__ = "shipment_parcel"
    __table_args__ = (
        whole_numbers("position"),
        ForeignKeyConstraint(["order_id", "shipment_id"], ["shipment.order_id", "shipment.shipment_id"]),
        positive("position"),
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
        whole_numbers("position", "quantity"),
        ForeignKeyConstraint(["order_id", "shipment_id"], ["shipment.order_id", "shipment.shipment_id"]),
        ForeignKeyConstraint(["order_id", "line_id"], ["order_line.order_id", "order_line.line_id"]),
        ForeignKeyConstraint(
            ["supplier_order_number", "order_id"], ["supplier_order.number", "supplier_order.order_id"]
        ),
        positive("position"),
        positive("quantity"),
    )

    order_id: str = Field(primary_key=True)
    shipment_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    line_id: str
    sku: str
    quantity: int
    supplier_order_number: str | None = None


class CessationRow(SQLModel, table=True):
    """Why units were voided or cancelled, by whose fault, with the evidence (CAN-12)."""

    __tablename__ = "cessation"
    __table_args__ = (
        whole_numbers("position"),
        one_of("kind", ("cancelled", "voided")),
        one_of("fault", Fault),
        positive("position"),
    )

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
