"""What people read in the database: rows of lists, whole cases, and an order's refunds with their totals."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from models.cancellations import Fault
from models.case import Custody, MoneyState, SlaState, Step
from models.message import Message
from models.money import Amount
from models.orders import Channel, OrderRequest
from models.partners import ChargeState
from models.refunds import Direction, RefundState, Way
from models.returns import Acceptance, DeclineKind, Evidence, Loss, Reception, Resolution, Source
from models.worklists import Work


class Standing(Message):
    """Where a case stands, as it last wrote itself down."""

    workflow_id: str
    stage: str
    also_at: tuple[str, ...] = ()
    """The stages of what else it waits for."""
    waiting_on: str | None
    waiting_for: str | None
    waiting_since: datetime | None
    due_by: datetime | None
    sla_state: SlaState
    custody: Custody | None
    money: MoneyState
    work: tuple[Work, ...]
    """The worklists that it stands in (NTF-6)."""
    ended: bool
    cursor: str
    """Its place in lists: the next page begins behind it."""


class OpenCase(Message):
    """A case that has not written down its end. `run_id`: none for a return that was split off and never opened.

    `split_from`: the workflow that was to open it. `holds`: money and goods that hang on it, in words.
    """

    workflow_id: str
    run_id: str | None
    stage: str
    seller_id: str
    order_id: str
    last_step: int
    split_from: str | None = None
    holds: tuple[str, ...] = ()


class UntoldEnd(Message):
    """A case whose end by the server is in the database, while staff have no mail about it. `key`: the mail's."""

    key: str
    workflow_id: str
    seller_id: str
    order_id: str
    at: datetime
    what: str


class WorkListed(Message):
    """One row of a worklist: a case of any kind, and the order that it is about (NTF-6)."""

    order_id: str
    seller_id: str
    standing: Standing


class OrderListed(Message):
    """One row of the list of orders. `standing`: none until the order first wrote itself down."""

    order_id: str
    seller_id: str
    channel: Channel
    received_at: datetime
    paid: Amount
    currency: str
    standing: Standing | None


class ReturnListed(Message):
    """One row of the list of returns. `paid`: what the buyer paid for the goods, in `currency`."""

    return_id: str
    order_id: str
    seller_id: str
    supplier_id: str
    source: Source
    created_at: datetime
    rma_number: str | None
    tracking_number: str | None
    refund_due: datetime | None
    paid: Amount
    currency: str
    standing: Standing | None


class OrphanListed(Message):
    """One orphan: what was said, by which numbers its case is looked for, and what became of it (RET-20)."""

    orphan_id: str
    source: str
    about: str
    event: str
    seller_id: str | None
    supplier_id: str | None
    numbers: tuple[str, ...]
    said: dict[str, Any]
    """The event, as it was said."""
    reported_at: datetime
    expires_at: datetime
    candidates: tuple[str, ...]
    matched_to: str | None
    decided_by: str | None
    reason: str | None
    standing: Standing | None


class RefundListed(Message):
    """One refund: how much, why, who and when (REF-10)."""

    refund_id: str
    order_id: str
    return_id: str | None
    seller_id: str
    direction: Direction
    way: Way
    amount: Amount
    currency: str
    state: RefundState
    reason: str
    requested_by: str
    reference: str | None
    over_refund: bool
    over_limit: Amount | None
    """The seller's limit, which it is over: a second person confirms it (REF-12)."""
    confirmed_by: str | None
    confirmed_at: datetime | None
    gateway_refund_id: str | None
    failure_reason: str | None
    reserved_at: datetime
    settled_at: datetime | None
    standing: Standing | None


class RefundTotals(Message):
    """One direction of an order's refunds. `left` = `paid` - `refunded` - `pending`, and never below zero.

    `paid` is what the buyer paid, or what was captured from the seller. `pending` counts reserved ones.
    """

    direction: Direction
    currency: str
    paid: Amount
    refunded: Amount
    pending: Amount
    left: Amount


class OrderRefunds(Message):
    """All refunds of an order, oldest first, and what they add up to (REF-10)."""

    order_id: str
    refunds: tuple[RefundListed, ...]
    buyer: RefundTotals
    seller: RefundTotals


class LineView(Message):
    """One line of an order: what became of its units, and its shares. `kit`: the line whose component it is."""

    line_id: str
    sku: str
    kit: str | None = None
    title: str
    quantity: int
    shipped: int
    cancelled: int
    voided: int
    moved: int = 0
    """To orders that were split off (CAN-10)."""
    paid: Amount
    cost: Amount

    @property
    def open(self) -> int:
        return self.quantity - self.shipped - self.cancelled - self.voided - self.moved


class ChargeView(Message):
    """One attempt to charge the seller."""

    charge_id: str
    state: ChargeState
    amount: Amount
    captured: Amount
    currency: str
    gateway_reference: str | None
    reason: str | None


class SupplierOrderView(Message):
    """One order to a supplier. `items`: units by SKU; `short`: those of them that it can't deliver after all
    (ORD-19)."""

    number: str
    supplier_id: str
    warehouse_id: str
    second_source: bool
    state: str
    reason: str | None
    at: datetime
    items: dict[str, int]
    short: dict[str, int]
    short_reason: str | None


class ShipmentView(Message):
    """One parcel to the buyer. `items`: units by SKU."""

    shipment_id: str
    carrier: str
    tracking_number: str
    at: datetime
    items: dict[str, int]
    delivered_at: datetime | None = None
    """When it arrived, if anybody said so (RET-22)."""


class CessationView(Message):
    """Why units were voided or cancelled, by whose fault, with the evidence (CAN-12)."""

    kind: str
    at: datetime
    reason: str
    fault: Fault
    by: str
    channel_reference: str | None
    quantities: dict[str, int]
    evidence: dict[str, str]


class OrderView(Message):
    """All that the database knows of an order."""

    listed: OrderListed
    request: OrderRequest
    split_from: str | None = None
    """The order that its lines were split off (CAN-10)."""
    split_orders: tuple[str, ...] = ()
    """What was split off it, each to be cancelled."""
    replaces: str | None
    """The return whose goods it replaces (RET-24)."""
    cancel_until: datetime | None
    handoff_due: datetime | None
    handed_off_at: datetime | None
    lines: tuple[LineView, ...]
    charges: tuple[ChargeView, ...]
    supplier_orders: tuple[SupplierOrderView, ...]
    shipments: tuple[ShipmentView, ...]
    cessations: tuple[CessationView, ...]
    return_ids: tuple[str, ...]
    refunds: OrderRefunds
    timeline: tuple[Step, ...]


class ReceivedView(Message):
    """Some units of a line that arrived in one receipt, in one condition (RET-25, RET-26)."""

    event_id: str
    quantity: int
    reception: Reception
    acceptance: Acceptance


class ParcelBackView(Message):
    """A parcel back (RET-29)."""

    carrier: str
    tracking_number: str
    at: datetime
    items: dict[str, int]
    """Units by SKU, where it is known what is in it."""


class ReturnLineView(Message):
    """One line of a return: why it comes back, what it is worth, what arrived."""

    line_id: str
    sku: str
    quantity: int
    reason: str
    buyer_words: str | None
    evidence: tuple[Evidence, ...]
    paid: Amount
    cost: Amount
    received: int | None
    """Of all receipts together."""
    reception: Reception | None
    acceptance: Acceptance | None
    """Of all units, or none where they differ: `receipts` says it of each group."""
    receipts: tuple[ReceivedView, ...] = ()


class CreditMemoView(Message):
    """One credit memo of the supplier (RET-12)."""

    number: str
    date: date
    amount: Amount
    currency: str
    final: bool
    total: Amount | None
    """Of the whole paper, when it credits several returns (RET-28)."""
    actor: str
    at: datetime


class ReturnView(Message):
    """All that the database knows of a return."""

    listed: ReturnListed
    requested_by: str
    split_from: str | None
    supplier_order_number: str
    amazon_rma_id: str | None
    ebay_return_id: str | None
    decision: str | None
    decision_reason: str | None
    decided_by: str | None
    fees: Amount | None
    returnless: bool
    loss: Loss | None
    label_url: str | None
    label_paid_by: str | None
    broker_return_number: str | None
    return_address: str | None
    carrier: str | None
    parcels: tuple[ParcelBackView, ...]
    resolution: Resolution | None
    replacement_order: str | None
    refunded_by_channel: bool
    refund_declined: DeclineKind | None
    refund_declined_reason: str | None
    refund_declined_by: str | None
    outcome: str | None
    lines: tuple[ReturnLineView, ...]
    credit_memos: tuple[CreditMemoView, ...]
    refunds: tuple[RefundListed, ...]
    timeline: tuple[Step, ...]

    @property
    def credited(self) -> Decimal:
        """What the supplier has credited, in the currency of the broker's charge."""
        return sum((memo.amount for memo in self.credit_memos), Decimal(0))


# ---- the ledger ----


class Balance(Message):
    """An account in one currency: what was debited and credited, and by how much it has grown."""

    account: str
    currency: str
    debit: Amount
    credit: Amount
    balance: Amount


class EntryListed(Message):
    """One line of an entry."""

    at: datetime
    movement: str
    kind: str
    position: int
    order_id: str | None
    debit: str
    credit: str
    amount: Amount
    currency: str


class LedgerFault(Message):
    """A movement that is not entered as it is booked."""

    movement: str
    what: str
