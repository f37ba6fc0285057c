"""A request to cancel an order, or part of it; and the order that such a part moves to (CAN)."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from models.ids import CaseId, split_order_id
from models.message import Event, Message, Number, Quantity, Text, Time, require_distinct_names


class Fault(StrEnum):
    """By whose fault an order was voided or cancelled (CAN-12)."""

    STOCK_FEED = "stock_feed"
    SUPPLIER = "supplier"
    SELLER = "seller"
    BUYER = "buyer"
    MARKETPLACE = "marketplace"


class CancelRequest(Event):
    """Cancel the order (CAN). An eBay order needs the buyer's official request there (CAN-5)."""

    reason: Text
    """CAN-9."""
    channel_reference: Number | None = None
    """The buyer's cancellation request at eBay (CAN-5)."""
    lines: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=500)] | None = None
    """None: the whole order; some of them are split off first (CAN-10)."""
    fault: Fault | None = None
    """By whose fault; unless said, it follows from the actor (CAN-12)."""
    cancelled_there: bool = False
    """The marketplace has cancelled it already: it is not told (CAN-8)."""
    without_sending: bool = False
    """The marketplace is not told, where the seller's settings allow that (CAN-9)."""
    zero_out_inventory: bool = False
    """There is no stock, and the items shall be offered no more at Amazon, where the seller's settings allow that
    (CAN-9)."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct_names(self.lines or ())
        return self


def fault_of(request: CancelRequest) -> Fault:
    """CAN-12: what the request says, else the side of the one who asks."""
    if request.fault is not None:
        return request.fault
    role = request.actor.partition(":")[0]
    return {"buyer": Fault.BUYER, "channel": Fault.MARKETPLACE, "supplier": Fault.SUPPLIER}.get(role, Fault.SELLER)


class SplitFrom(Message):
    """From which order these lines were split off, and why: to be cancelled (CAN-10)."""

    order_id: CaseId
    ordinal: Annotated[int, Field(ge=1)]
    """Of the orders that are split off it."""
    event: CancelRequest
    """That asked for it."""
    arrived_at: Time
    """When it reached the server."""

    @property
    def own_id(self) -> str:
        """Of the order that the lines move to."""
        return split_order_id(self.order_id, self.ordinal)
