"""What an order remembers of its cancel requests, searches for stock and purchase orders."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from models.cancellations import CancelRequest, SplitFrom
from models.message import LineUnits, Message, Number, Sku, Text, Time
from models.order_events import AddressChanged
from models.orders import Box, Hold, SupplierOrder
from models.special_orders import ChoiceAfterVoid

Decision = Literal["accepted", "split", "not_split", "cancelled_already", "too_late", "nothing_left", "not_known"]


class CancelAsked(Message):
    """A cancel request as it was handled, and what was decided; none: its arrival is looked up (CAN-3)."""

    event: CancelRequest
    handled_at: datetime
    arrived_at: datetime | None = None
    """When it reached the server, as far as that was asked."""
    decision: Decision | None = None
    message: str = ""
    """What its sender is told."""
    units: dict[str, int] = Field(default_factory=dict)
    """That it is about, by `line_id`; none: the whole order."""
    came_in_time: bool = False
    """A person was waited for, or the order was on hold, when it came: so it is, whenever its turn comes."""
    is_wish: bool = False
    """It is all that a buyer wishes of its marketplace by then: what it wished before is part of it (CAN-7)."""
    split: SplitFrom | None = None
    """It came in time, and its units move to an order of their own (CAN-10); `decision` says whether they did."""


class BuyerAsked(Message):
    """A buyer asks the marketplace to cancel; the order is on hold until the seller answers (CAN-7, CAN-8)."""

    event: Hold
    """The last one that says so."""
    answer_days: int
    at: datetime
    """When it came first: the seller's days are counted from here."""
    units: dict[str, int] = Field(default_factory=dict)
    """That it is about, by `line_id`, without what was cancelled of it since; none: the whole order."""
    granted: dict[str, int] = Field(default_factory=dict)
    """What was cancelled, by `line_id`, of all that the buyer asked for until now."""
    named_before: tuple[str, ...] = ()
    """The items that the requests before the last one named, as the marketplace does."""
    looks: int = 0
    """How often the marketplace was asked meanwhile whether it has cancelled the order."""
    looked_at: datetime | None = None
    declined_at: datetime | None = None
    """The seller does not cancel, or has cancelled what was asked for: what is left goes on, unless the
    marketplace has cancelled it."""
    released: Number | None = None
    """The event of the hold that ends by it."""
    held_before: Number | None = None
    """The event of the hold that was there before: it stays, whatever the buyer is answered."""
    cancelled_there: bool | None = None
    """What it said of that last; none: it has said nothing yet."""
    not_known_there: tuple[str, ...] = ()
    """Items that it has cancelled, in its words, which nobody knows here."""


class StockSearch(Message):
    """What came of one search for stock; what it found became purchase orders."""

    second_source: bool
    missing: dict[str, int] = Field(default_factory=dict)
    """Units that nobody ships, by `line_id`."""
    in_stock: dict[str, int] = Field(default_factory=dict)
    """How many the stock feed offered of those items, by SKU, for CAN-12."""
    passed_over: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Of those, units that can't be taken, by SKU and why."""
    not_known: tuple[str, ...] = ()
    """Connections whose stock is not known: they did not answer."""
    look_again_at: datetime | None = None
    """What is missing may be there, where nobody answered: it is looked for again then, before anything else."""
    at: datetime


class Parcel(Message):
    """A shipment that came and waits for its turn, with the lines that it means."""

    event_id: Number
    shipment_id: Number
    carrier: Text
    tracking_number: Number
    lines: tuple[LineUnits, ...]
    supplier_order_number: Number | None = None
    more_parcels: tuple[Box, ...] = ()
    substitutes: dict[str, Sku] = Field(default_factory=dict)
    """By `line_id`."""
    corrected_by: tuple[Number, ...] = ()
    """The events that said its number anew (ORD-20)."""
    delivered_at: Time | None = None
    """It arrived already (RET-22)."""

    @property
    def boxes(self) -> tuple[Box, ...]:
        return (Box(carrier=self.carrier, tracking_number=self.tracking_number), *self.more_parcels)


class AddressAsked(Message):
    """A correction of the address as it was handled (ORD-18). `message`: what its sender is told."""

    event: AddressChanged
    accepted: bool
    message: str


class ChoiceMade(Message):
    """A choice of the seller for these units, by `line_id` (ORD-8). `is_taken` none: the database is asked whether
    they may wait. `message`: what its sender is told."""

    event: ChoiceAfterVoid
    units: dict[str, int]
    is_taken: bool | None = None
    message: str = ""


class SpecialOrder(Message):
    """Units that wait for stock, by `line_id`, and the rounds in which they are bought (ORD-8)."""

    waiting: dict[str, int] = Field(default_factory=dict)
    arrived: dict[str, int] = Field(default_factory=dict)
    """Of those, what is said to be in stock: it is bought as soon as all else has shipped."""
    since: datetime
    """When the first of them began to wait, or began anew."""
    looks: int = 0
    """How often it was looked for them."""
    looked_at: datetime | None = None
    round: int = 0
    """How often their stock arrived."""
    round_began_at: datetime | None = None
    purchases_before: int = 0
    """How many purchases there were when the round began: all that is of them is shipped, or came to nothing."""
    refusals_before: int = 0
    """How many there were when somebody said last that stock is there: what they refused may be chosen again."""


PurchaseState = Literal["found", "sent", "accepted", "refused", "unknown"]


class Purchase(Message):
    """One purchase order of the broker. `found`: not sent yet; `sent`: its supplier has not answered; `unknown`:
    staff stopped the order before its answer."""

    order: SupplierOrder
    state: PurchaseState = "found"
    supplier_reference: str | None = None
    reason: str | None = None
    at: datetime
    short: dict[str, int] = Field(default_factory=dict)
    """Units that its supplier can't deliver after all, by `line_id` (ORD-19)."""
    short_reason: str | None = None
    short_at: datetime | None = None

    @property
    def deliverable(self) -> dict[str, int]:
        """Units that its supplier has not said it can't deliver, by `line_id`."""
        found: dict[str, int] = {}
        for line in self.order.lines:
            found[line.line_id] = found.get(line.line_id, 0) + line.quantity
        return {line_id: count - self.short.get(line_id, 0) for line_id, count in found.items()}

    @property
    def source(self) -> str:
        return f"{self.order.supplier_id}, warehouse {self.order.warehouse_id}"

    @property
    def is_open(self) -> bool:
        """Its supplier has still to answer."""
        return self.state in ("found", "sent")
