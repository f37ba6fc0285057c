"""What the procedures ask of partners, and what these answer. One model in, one out, per activity.

A partner's business "no" is a value here: the procedure handles it. An outage is a `PartnerUnavailable`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from models.alerts import AlertTopic
from models.buyers import Address
from models.ids import CaseId, DerivedId, ReturnId
from models.message import Message, Number, Sku, WholeQuantity
from models.money import Currency, NonNegativeAmount, PositiveAmount
from models.orders import Box, SupplierOrder
from models.refunds import Direction, HeldUp
from models.text import cleaned, one_line


def _keepable(value: object) -> object:
    return (cleaned(value).strip()[:2000].rstrip() or None) if isinstance(value, str) else value


Said = Annotated[str | None, BeforeValidator(_keepable)]
"""What a partner wrote, as it can be kept: at most 2000 characters, without control characters, and none if it is
empty."""


def _keepable_number(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


SaidNumber = Annotated[Number, BeforeValidator(_keepable_number)]
"""A number as a partner wrote it, on one line and without control characters."""

# ---- payment gateway: the seller's charge (ORD-3, CAN-1) ----


class AuthorizeCharge(Message):
    """Reserve the broker's charge on the seller's payment method."""

    charge_id: DerivedId
    order_id: CaseId
    amount: PositiveAmount
    currency: Currency
    payment_method: Number
    gateway_customer: Number | None = None
    connection_id: CaseId
    """By which connection: what was asked of one gateway is never asked of another (REF-6)."""
    again: bool = False
    """It may have been tried before, by a case that was reset, continued or taken over: look before doing it."""


TOO_SMALL: Final = "amount_too_small"
"""Why a charge was declined whose amount is under the gateway's minimum (REF-14)."""


class ChargeState(StrEnum):
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    DECLINED = "declined"
    EXPIRED = "expired"
    """The authorization is too old to be captured: authorize again."""
    NONE = "none"
    """The gateway has never seen it."""


class ChargeAnswer(Message):
    """Where the charge stands at the gateway."""

    charge_id: DerivedId
    state: ChargeState
    gateway_reference: SaidNumber | None = None
    """Stripe's payment intent, PayPal's authorization, later its capture, Authorize.Net's transaction."""
    captured: NonNegativeAmount | None = None
    reason: Said = None
    """Why it was declined, in the gateway's word (`insufficient_funds`)."""


class CaptureCharge(Message):
    """Take `amount` of an authorized charge; the rest is given free."""

    charge_id: DerivedId
    gateway_reference: Number
    amount: PositiveAmount
    currency: Currency
    connection_id: CaseId
    """By which connection: what was asked of one gateway is never asked of another (REF-6)."""


class VoidCharge(Message):
    """Give an authorization free. Looks for the charge first: it may never have got there, or be captured."""

    charge_id: DerivedId
    gateway_reference: Number | None = None
    gateway_customer: Number | None = None
    connection_id: CaseId
    """By which connection: what was asked of one gateway is never asked of another (REF-6)."""


# ---- payment gateway: refunds ----


class SendRefund(Message):
    """Refund a payment: Stripe's payment intent or charge, PayPal's capture, Authorize.Net's transaction."""

    refund_id: DerivedId
    order_id: CaseId
    direction: Direction
    payment_reference: Number
    amount: PositiveAmount
    currency: Currency
    since: datetime | None = None
    """When it was reserved: at the gateway nothing of it is older. None: not known."""
    connection_id: CaseId
    """By which the payment came."""
    again: bool = False
    """It may have been tried before, by a case that was reset, continued or taken over: look before doing it."""


AWAITS_SETTLEMENT: Final = "awaits_settlement"
"""Why a part of a payment can't be refunded yet: the gateway gives back parts of what it has settled only."""


class RefundAnswer(Message):
    """Where a refund stands at the gateway. `none`: the gateway has never seen it.

    Nothing was moved: `later`, it can be sent at `again_at`; `parked`, a person must decide, for the gateway takes
    none while a dispute is open.
    """

    state: Literal["succeeded", "pending", "failed", "refused", "none", "later", "parked"]
    gateway_refund_id: SaidNumber | None = None
    reason: Said = None
    again_at: datetime | None = None
    """When to send it (`later`), or when the gateway will know more (`pending`)."""
    held_up: HeldUp | None = None
    """What must happen before a `pending` one goes on; none: the gateway alone is waited for."""

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.state == "later" and self.again_at is None:
            raise ValueError("a refund that is to be sent later needs the moment")
        return self


# ---- suppliers ----


class StockOffer(Message):
    """One warehouse's stock of one item. `unit_cost` in `currency`; distance to the buyer, none: unknown."""

    supplier_id: CaseId
    warehouse_id: CaseId
    sku: Sku
    quantity: Annotated[int, Field(ge=0)]
    unit_cost: NonNegativeAmount
    currency: Currency
    distance_km: Annotated[float, Field(ge=0)] | None = None


class OrderQuantity(Message):
    """Some units of one line of an order, as sourcing sees them: by their SKU."""

    sku: Sku
    quantity: WholeQuantity
    unit_cost: NonNegativeAmount


class RefusedSource(Message):
    """A warehouse that refused this item for this order: it is not chosen again."""

    supplier_id: CaseId
    warehouse_id: CaseId
    sku: Sku


class ItemQuantity(Message):
    """Some units of an item, as partners know it: by its SKU."""

    sku: Sku
    quantity: WholeQuantity


class FindSources(Message):
    """Which warehouses ship these units? (ORD-5, ORD-6)

    `second_source`: ask the whole network, whatever the price. Offers in another currency than `currency`, with
    less than `minimum_stock`, or of `refused` are passed over.
    """

    wanted: Annotated[tuple[OrderQuantity, ...], Field(min_length=1, max_length=500)]
    ship_to: Address
    minimum_stock: Annotated[int, Field(ge=1)]
    currency: Currency
    refused: tuple[RefusedSource, ...] = ()
    second_source: bool = False


class Source(Message):
    """So many units of an item from this warehouse; `unit_cost` is what the broker pays."""

    supplier_id: CaseId
    warehouse_id: CaseId
    sku: Sku
    quantity: WholeQuantity
    unit_cost: NonNegativeAmount


class FoundSources(Message):
    """What was chosen, never the whole market: at most some sources per line, whatever the number of warehouses.

    `missing`: units that nobody has. `in_stock`: how many the feed offered of each item, for CAN-12.
    """

    sources: tuple[Source, ...] = ()
    missing: dict[str, int] = Field(default_factory=dict)
    passed_over: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Units of a missing item that are there and can't be taken, by why: `currency CAD`, `fewer than 5`,
    `refused` (CAN-12)."""
    in_stock: dict[str, int] = Field(default_factory=dict)
    through: dict[str, str] = Field(default_factory=dict)
    """By which connection each warehouse of the sources was offered, and is ordered from; see `warehouse_key`."""
    not_known: dict[str, str] = Field(default_factory=dict)
    """Connections whose stock is not known, and why: they did not answer."""


def warehouse_key(supplier_id: str, warehouse_id: str) -> str:
    """`keystone/reading`: one warehouse of all."""
    return f"{supplier_id}/{warehouse_id}"


class PlaceSupplierOrder(Message):
    """Send one order to one warehouse. The supplier never sees what the buyer paid."""

    order_id: CaseId
    order: SupplierOrder
    ship_to: Address


class PlacedOrder(Message):
    """`refused`: the supplier does not have it after all; `reason` is its word."""

    state: Literal["accepted", "refused"]
    supplier_reference: SaidNumber | None = None
    reason: Said = None


class RequestRma(Message):
    """Ask the supplier's web service for an RMA number (RET-8)."""

    return_id: ReturnId
    supplier_id: CaseId
    supplier_order_number: Number
    lines: tuple[ItemQuantity, ...]
    reasons: tuple[str, ...]
    ordered_through: CaseId | None = None
    """The connection by which the order went to the supplier; none: not known."""


class RmaAnswer(Message):
    state: Literal["issued", "refused", "pending"]
    """`pending`: the service took the request; the number comes as an event."""
    rma_number: SaidNumber | None = None
    return_address: Said = None
    reason: Said = None


# ---- the seller's shop or marketplace ----


class AnnounceTracking(Message):
    """The warehouse's tracking number, as if the seller had typed it (ORD-9)."""

    order_id: CaseId
    seller_id: CaseId
    channel: str
    channel_order_id: Number | None = None
    shipment_id: Number
    carrier: str
    tracking_number: Number
    lines: tuple[ItemQuantity, ...]
    correction: int = 0
    """How often its number was replaced (ORD-20)."""
    more_parcels: tuple[Box, ...] = ()


class StopShipping(Message):
    """A cancelled or voided order leaves the shop's shipping list (CAN-11)."""

    order_id: CaseId
    seller_id: CaseId
    channel: str
    channel_order_id: Number | None = None
    reason: str
    without_sending: bool = False
    """The marketplace is not told: it has cancelled it itself, or its seller wants it so (CAN-8, CAN-9)."""


# ---- mail ----


class Recipient(StrEnum):
    BUYER = "buyer"
    SELLER = "seller"
    SUPPLIER = "supplier"
    STAFF = "staff"


class MailLine(Message):
    """Some units that a mail speaks of; its reader sees the item's title beside its code."""

    sku: Sku
    quantity: WholeQuantity
    remark: str | None = None
    """Why it comes back, or what became of it."""


class QuotedMail(Message):
    """A mail that did not reach its reader, for the one who has to tell it otherwise (NTF-8)."""

    template: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    to: Recipient
    facts: dict[str, str] = Field(default_factory=dict)
    lines: tuple[MailLine, ...] = ()


class Mail(Message):
    """One e-mail. `key` is unique per event: a second one with the same key is not sent (NTF-1).

    It carries no address and no name: the mail activity reads those from the books.
    """

    key: Annotated[str, Field(min_length=1, max_length=500)]
    """`<workflow id>:<what>`, e.g. `return-RR-1001-1:rma-buyer`."""
    template: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    to: Recipient
    order_id: CaseId
    return_id: ReturnId | None = None
    seller_id: CaseId | None = None
    """None: it is not known yet; then only staff can be written to."""
    supplier_id: CaseId | None = None
    facts: dict[str, str] = Field(default_factory=dict)
    """What the template shows beside the order: amounts, numbers, reasons; moments in RFC 3339."""
    lines: tuple[MailLine, ...] = ()
    """Which units it speaks of; none: all of the order or return."""
    quotes: QuotedMail | None = None
    """The mail that did not reach its reader (NTF-8)."""
    topic: AlertTopic | None = None
    """Of an alert: what it has in common with those of other cases. In an hour only so many of a topic are sent,
    whichever cases ask; the number of cases is read from the database when one goes (NTF-9)."""


class MailSent(Message):
    """`already`: an earlier attempt sent it, or staff know it by another case's alert. `no_address`,
    `undeliverable`: it never goes, and `reason` says why in one line, without the address (NTF-8)."""

    state: Literal["sent", "already", "no_address", "undeliverable"]
    message_id: str
    reason: str | None = None


class Contact(Message):
    """Who gets a mail, read from the books when it is sent. Personal data: never in histories or logs."""

    email: str | None
    """As it was written down, be it impossible; none: nobody knows it."""
    name: str
    language: str = "en"
    time_zone: str = "UTC"
    """IANA name of the zone in which the reader is told dates; a buyer's is the seller's (NTF-10)."""
    seller_name: str
    """In whose name the buyer is written to (ORD-9)."""
    reply_to: str | None = None
    """Where answers go: a buyer's to the seller."""
    buyer_name: str | None = None
    titles: dict[str, str] = Field(default_factory=dict)
    """What the items of the order are called, by SKU."""
    reasons: dict[str, str] = Field(default_factory=dict)
    """The seller's reasons of returns in the reader's language (RET-21), by what may be said (`folded`)."""
    facts: dict[str, str] = Field(default_factory=dict)
    """What the books know of the order beside the mail's own facts, which win."""


class Addressee(Message):
    """Who gets a mail: none if nobody knows the reader. `is_sent`: it is out already."""

    is_sent: bool
    contact: Contact | None
