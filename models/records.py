"""What the procedures write into the database, and what it answers. Each message is an upsert keyed by case (and
step): writing it twice changes nothing."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from models.buyers import Address
from models.cancellations import Fault
from models.case import CaseRecord
from models.charges import ChargeConnection, ChargeRecord
from models.ids import CaseId, DerivedId, LineId, ReturnId
from models.message import LineUnits, Message, Number, Sku, Time
from models.money import Amount, Currency, NonNegativeAmount, PositiveAmount
from models.naming import KitPart
from models.order_events import ShipmentCorrected
from models.orders import OrderRequest, ShipmentFact, SupplierOrder
from models.parties import Days, Seller
from models.partners import AnnounceTracking
from models.refunds import RefundPart, RefundRequest, RefundResult, RefundState, Way
from models.returns import Acceptance, DeclineKind, Loss, OpenedReturn, Reception, Resolution, ReturnRequest
from models.shares import LineShare


class Opening(StrEnum):
    """What the database says when a case wants to open."""

    OPENED = "opened"
    DUPLICATE = "duplicate"
    """This id is, or was, another run's case: this one ends without doing anything."""
    CONFLICT = "conflict"
    """This id is another request's: nothing is taken over from it."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """A return's order is not known here."""


# ---- orders ----


class OpenOrder(Message):
    """Write an order down for the first time. `run_id` is the first run's: a retry of it is no duplicate."""

    request: OrderRequest
    workflow_id: str
    run_id: str
    received_at: datetime


class OpenedOrder(Message):
    """`seller`: its settings at this moment. Refused: the seller is unknown."""

    opening: Opening
    seller: Seller | None = None
    shares: tuple[LineShare, ...] = ()
    charge_connection: ChargeConnection | None = None
    """By which the broker charges the seller for this order; none: there was none yet."""
    reason: str | None = None


class LineQuantities(Message):
    """What became of the units of one line; `quantity` = open + the other four."""

    line_id: LineId
    sku: Sku
    kit: KitPart | None = None
    """The kit that it is a component of (ORD-14)."""
    quantity: Annotated[int, Field(ge=1)]
    shipped: Annotated[int, Field(ge=0)] = 0
    cancelled: Annotated[int, Field(ge=0)] = 0
    voided: Annotated[int, Field(ge=0)] = 0
    moved: Annotated[int, Field(ge=0)] = 0
    """To an order of their own, which is cancelled (CAN-10)."""

    @property
    def open(self) -> int:
        return self.quantity - self.shipped - self.cancelled - self.voided - self.moved


class SupplierOrderRecord(Message):
    """One order to a supplier: `accepted`, `refused`, or `unknown`: staff stopped the case before its answer."""

    order: SupplierOrder
    state: Literal["accepted", "refused", "unknown"]
    supplier_reference: str | None = None
    reason: str | None = None
    at: datetime
    short: dict[str, int] = Field(default_factory=dict)
    """Units that it can't deliver after all, by `line_id` (ORD-19)."""
    short_reason: str | None = None


class Cessation(Message):
    """Why an order, or some of it, was voided or cancelled, and by whose fault (CAN-12).

    `evidence`: the times and numbers that show it, so that a seller can ask for a penalty back.
    """

    kind: Literal["cancelled", "voided"]
    at: datetime
    reason: str
    fault: Fault
    by: str
    channel_reference: str | None = None
    quantities: dict[str, int]
    """Units by SKU, as people know them."""
    lines: tuple[LineUnits, ...] = ()
    """The same units, line by line."""
    evidence: dict[str, str]


class SaveOrder(Message):
    """All that the database keeps of an order beside its request. A section that is none is not changed."""

    sections: ClassVar[tuple[str, ...]] = (
        "lines",
        "charges",
        "supplier_orders",
        "shipments",
        "cessations",
        "corrected_address",
    )

    order_id: CaseId
    record: CaseRecord
    lines: tuple[LineQuantities, ...] | None = None
    charges: tuple[ChargeRecord, ...] | None = None
    supplier_orders: tuple[SupplierOrderRecord, ...] | None = None
    shipments: tuple[ShipmentFact, ...] | None = None
    cessations: tuple[Cessation, ...] | None = None
    corrected_address: Address | None = None
    """The buyer's, if it was corrected (ORD-18)."""
    cancel_until: datetime | None
    handoff_due: datetime | None
    handed_off_at: datetime | None

    @property
    def as_opened(self) -> tuple[str, ...]:
        """The sections that say what the database has from the opening on."""
        return () if any(line.open < line.quantity for line in self.lines or ()) else ("lines",)


class NoteDelivery(Message):
    """A parcel of an order that has ended arrived (RET-22)."""

    order_id: CaseId
    number: Number
    """Its `shipment_id`, or its tracking number."""
    at: Time


class NoteCorrection(Message):
    """The label of a parcel was replaced after the end of its order (ORD-20)."""

    order_id: CaseId
    event: ShipmentCorrected


class NotedCorrection(Message):
    """`noted`: the database has the new number, and `announcement` tells it to the shop. `known`: it had it
    before, and whoever said so told the shop. `refused`: nothing is changed, and `message` says why."""

    state: Literal["noted", "known", "refused"]
    message: str
    announcement: AnnounceTracking | None = None


class Saved(Message):
    """The database has it; only its steps, unless `is_newest`. `orphans`: workflow ids of open ones that have a
    number of a case that can be found by more numbers now; they look for their case at once (RET-20)."""

    orphans: tuple[str, ...] = ()
    is_newest: bool = True


# ---- returns ----


class OpenReturn(Message):
    """Write a return down for the first time, if RET-2 allows it."""

    request: ReturnRequest
    workflow_id: str
    run_id: str
    created_at: datetime


class ReturnOpening(Message):
    """`opened` holds the snapshots and amounts; `reason` says why it was refused."""

    opening: Opening
    opened: OpenedReturn | None = None
    reason: str | None = None


class ReceptionRecord(Message):
    """Reception and acceptance of some units of one line: two facts (RET-11, RET-25).

    `event_id`: the receipt that said it, by which it can be corrected (RET-26).
    """

    event_id: str = ""
    line_id: LineId
    sku: Sku
    quantity: int
    reception: Reception
    acceptance: Acceptance


class ReturnParcel(Message):
    """A parcel back (RET-29). `lines`: what is in it, where that is known."""

    carrier: str
    tracking_number: str
    lines: tuple[LineUnits, ...] = ()
    at: datetime


class KeptReturn(Message):
    """What the database keeps of a return in its own row, beside its request."""

    decision: Literal["approved", "rejected"] | None = None
    decision_reason: str | None = None
    decided_by: str | None = None
    fees: NonNegativeAmount | None = None
    returnless: bool = False
    loss: Loss | None = None
    """What went wrong on the way, where nothing comes back: for the supplier's side (RET-23, BAL-2)."""
    label_url: str | None = None
    label_paid_by: str | None = None
    broker_return_number: str | None = None
    """The matching return in the seller's account at the broker (RET-6)."""
    rma_number: str | None = None
    return_address: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    """Of the last parcel."""
    refund_due: datetime | None = None
    resolution: Resolution | None = None
    replacement_order: CaseId | None = None
    """The order that replaces it (RET-24)."""
    refunded_by_channel: bool = False
    refund_declined: DeclineKind | None = None
    """The seller does not refund the buyer (RET-27)."""
    refund_declined_reason: str | None = None
    refund_declined_by: str | None = None
    outcome: str | None = None


class SaveReturn(Message):
    """Keep a return up to date. A section that is none is not changed."""

    sections: ClassVar[tuple[str, ...]] = ("kept", "parcels", "receptions", "facts")

    return_id: ReturnId
    record: CaseRecord
    kept: KeptReturn | None = None
    parcels: tuple[ReturnParcel, ...] | None = None
    receptions: tuple[ReceptionRecord, ...] | None = None
    facts: dict[str, Any] | None = None
    """The last facts of a return that is completed: from them it opens again (REF-7)."""


class ReopenReturn(Message):
    """A refund of a return that has ended failed after it had succeeded: open the return again (REF-7)."""

    return_id: ReturnId
    refund_id: DerivedId
    run_id: str


class ReturnReopened(Message):
    """What the return knew when it ended. `times`: how often it was opened by now. Refused: `reason` says why."""

    opening: Opening
    opened: OpenedReturn | None = None
    times: int = 1
    reason: str | None = None
    facts: dict[str, Any] | None = None
    """Its last facts, as it saved them."""
    failed: tuple[RefundResult, ...] = ()
    """Every refund of the return that the database has as failed, with the amounts that it has of them."""


class BookCreditMemo(Message):
    """What a supplier's credit memo credits for one return: the same supplier, number and return count once
    (RET-12). One paper may have parts for several returns, together no more than its `total` (RET-28)."""

    supplier_id: CaseId
    number: Number
    return_id: ReturnId
    date: date
    amount: PositiveAmount
    currency: Currency
    final: bool = False
    total: PositiveAmount | None = None
    actor: str
    at: datetime


class CreditMemoBooked(Message):
    """`duplicate`: the number was booked for this return before. `over_total`: the parts of the paper are more
    than the paper, and `reason` says of which returns."""

    state: Literal["booked", "duplicate", "over_total"]
    return_id: str
    reason: str | None = None


# ---- refunds ----


class Confirmation(Message):
    """A second person's yes to a refund over the seller's limit (REF-12)."""

    by: str
    at: datetime


class ReserveRefund(Message):
    """Check the cap and reserve the amount, in one transaction, pending ones counted (REF-3)."""

    request: RefundRequest
    workflow_id: str
    run_id: str
    at: datetime
    known_only: bool = False
    """A word about it came first: only what is reserved already goes on, nothing new is reserved."""
    confirmation: Confirmation | None = None
    """Written to what is reserved already, before it is sent (REF-12)."""


class ReservedRefund(Message):
    """Refused: `reason` says why; nothing was changed. `state` other than reserved: it is settled already.
    `resumed`: an earlier run reserved it, was stopped, and may have sent it."""

    opening: Opening
    state: RefundState = RefundState.RESERVED
    way: Way = Way.GATEWAY
    amount: Amount | None = None
    payment_reference: Number | None = None
    connection_id: CaseId | None = None
    """By which the payment came: the refund goes there."""
    gateway_refund_id: Number | None = None
    over_refund: bool = False
    resumed: bool = False
    seller_id: str | None = None
    reason: str | None = None
    over_limit: PositiveAmount | None = None
    """The seller's limit, which it is over: it needs a second person (REF-12)."""
    confirmed_by: str | None = None
    confirm_reminder_days: tuple[Days, ...] = ()
    look_again_days: Days = 1
    looks_before_alert: Days = 7
    """The seller's settings of these names, as they were when the order came."""
    parts: tuple[RefundPart, ...] = ()
    """Refused, because no single payment can carry it: it is made in these parts, which are reserved (REF-3)."""


class SettleRefund(Message):
    """What became of a reserved refund. A failed or refused one gives its amount back to the cap (REF-7)."""

    refund_id: DerivedId
    state: RefundState
    gateway_refund_id: Number | None = None
    reason: str | None = None
    at: datetime


class SaveRefund(Message):
    """Where a refund stands and what became of its money, in one transaction (REF-6, REF-7).

    `state` none: nothing is reserved for it, only the case is kept. A failed or refused one gives its amount back
    to the cap; what has ended stays so, but for a success that the gateway takes back.
    """

    record: CaseRecord
    refund_id: DerivedId
    state: RefundState | None = None
    gateway_refund_id: Number | None = None
    reason: str | None = None
    at: datetime | None = None
    """When it came to that state."""


class RefundTakenBack(Message):
    """The amount is refundable again. `reopen`: the return that it was made for, if that can open again."""

    reopen: ReturnRequest | None = None


class SaveCase(Message):
    """Stage, waits and timeline of a case that has no more to write."""

    record: CaseRecord
    is_opened: bool = True
    """Else the case that an earlier run opened under its id stays as it is: this one may be no case at all."""
