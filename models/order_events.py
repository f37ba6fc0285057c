"""What may change of an order under way: its address, a supplier's shortage, a parcel's number (ORD-18..20)."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from models.buyers import Address
from models.message import Event, Number, Quantity, Text, Time, require_distinct_names


class AddressChanged(Event):
    """The order goes to another address (ORD-18): inside the cancel window, and as long as no warehouse is chosen.
    Later it is refused aloud, and the seller is told what can still be done."""

    address: Address


class SupplierShortage(Event):
    """A supplier that had accepted can't deliver after all (ORD-19): these units are sourced again, or voided."""

    supplier_order_number: Number
    lines: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=500)] | None = None
    """None: all of that order that has not shipped."""
    reason: Text

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct_names(self.lines or ())
        return self


class Delivered(Event):
    """A parcel arrived at the buyer: from then on the buyer's days for a return are counted (RET-22).

    The first word about a shipment counts; it can also be said after the order's end. A carrier knows it by its
    tracking number.
    """

    shipment_id: Number | None = None
    tracking_number: Number | None = None
    at: Time

    @model_validator(mode="after")
    def _names_a_shipment(self) -> Self:
        if (self.shipment_id is None) == (self.tracking_number is None):
            raise ValueError("give shipment_id or tracking_number, one of them (RET-22)")
        return self

    @property
    def number(self) -> str:
        """By which it is known."""
        return self.shipment_id or self.tracking_number or ""


class ShipmentCorrected(Event):
    """A parcel goes under another number than was said: its label was replaced (ORD-20)."""

    shipment_id: Number
    carrier: Text
    tracking_number: Number
