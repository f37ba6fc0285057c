"""What is said to the sandbox (seeds, faults, the clock) and what it tells: the messages of `/sandbox/...`."""

import re
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator

from models.ids import CaseId
from models.message import Message, Number, Sku, Text
from models.money import Currency, NonNegativeAmount, PositiveAmount

Metadata = dict[str, str]


class PartnerName(StrEnum):
    """The partners that the sandbox plays."""

    GATEWAY = "gateway"
    """Stripe."""
    PAYPAL = "paypal"
    AUTHORIZE_NET = "authorize_net"
    AMAZON = "amazon"
    SUPPLIER = "supplier"
    SHOP = "shop"
    MAIL = "mail"


# ---- seeds ----


GatewayName = Literal["stripe", "paypal", "authorize_net"]


class PaymentSeed(Message):
    """A payment that a buyer made before, elsewhere: a succeeded payment intent that can be refunded; at PayPal a
    capture, at Authorize.Net a transaction.

    `id` is chosen by the caller; one that begins with `ch_` becomes the charge's. Amount in `currency`.
    """

    gateway: GatewayName = "stripe"

    id: Number
    amount: PositiveAmount
    currency: Currency
    account: Number | None = None
    """The seller's account at the gateway (`Stripe-Account`); none: the account of the key."""
    payment_method: Number = "pm_card_visa"
    customer: Number | None = None
    metadata: Metadata = Field(default_factory=dict)


class RmaPolicy(StrEnum):
    """How the supplier's service answers a request for an RMA number (RET-7, RET-8)."""

    NONE = "none"
    """Needs none: issued at once, and the number is the supplier order's."""
    SERVICE = "service"
    """Issued at once, a number of its own."""
    EMAIL = "email"
    """Pending: the number comes later, by the link in an e-mail."""
    MANUAL = "manual"
    """Pending: the number comes later, typed by staff."""
    REFUSED = "refused"


class SupplierSeed(Message):
    """How a supplier behaves."""

    rma: RmaPolicy = RmaPolicy.SERVICE
    rma_refusal: str = "not accepted back"
    """The reason given when `rma` is `refused`; also none, or a novel."""
    return_address: str | None = None
    """Told with an issued RMA, as it is; none: the one of Backhaul's own settings counts."""
    refuses: tuple[Sku, ...] = ()
    """Items that it says it has, and answers no when they are ordered; `*`: every item."""
    refusal: Literal["out_of_stock", "refused"] = "out_of_stock"
    """The code of that no."""


class StockSeed(Message):
    """What a warehouse has of one item. `unit_cost` in `currency`; coordinates in degrees."""

    supplier_id: CaseId
    warehouse_id: CaseId
    sku: Sku
    quantity: Annotated[int, Field(ge=0, le=10_000_000)]
    unit_cost: NonNegativeAmount
    currency: Currency = "USD"
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    second_source: bool = False
    """Part of the wider network only: offered when Backhaul asks for second sources (ORD-6)."""


class StockList(Message):
    stock: tuple[StockSeed, ...]


class ShippingSeed(Message):
    """An order on the shop's shipping list."""

    seller_id: CaseId
    order_id: CaseId


class Seed(Message):
    """A whole scene in one file."""

    suppliers: dict[CaseId, SupplierSeed] = Field(default_factory=dict)
    stock: tuple[StockSeed, ...] = ()
    payments: tuple[PaymentSeed, ...] = ()
    shipping_list: tuple[ShippingSeed, ...] = ()


# ---- orders to the sandbox ----


class FaultKind(StrEnum):
    """What goes wrong."""

    REFUSE = "refuse"
    """The partner's business no."""
    RATE_LIMIT = "rate_limit"
    """429 with Retry-After."""
    ERROR = "error"
    """500; the work is not done."""
    DROP_BEFORE = "drop_before"
    """The connection is cut and nothing was done."""
    DROP_AFTER = "drop_after"
    """The work is done, then the connection is cut without an answer."""
    DELAY = "delay"
    """The answer comes `seconds` late."""


class FaultSeed(Message):
    """A fault, for the next `times` matching requests, or until cleared (`null`)."""

    partner: PartnerName
    kind: FaultKind
    match: str | None = None
    """A regular expression searched in `METHOD /path`, e.g. `POST /v1/refunds`; mail: `SMTP to@address`."""
    times: Annotated[int, Field(ge=1)] | None = 1
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    """Instead of the kind's usual status."""
    code: Text | None = None
    """Instead of the kind's usual error code."""
    retry_after: Annotated[int, Field(ge=0)] = 1
    """Seconds, for `rate_limit`."""
    seconds: Annotated[float, Field(ge=0, le=600)] = 1.0
    """For `delay`."""

    @classmethod
    def at_the_door(cls, data: Any) -> Self:
        """Elsewhere null is an absent field; `times: null` says: until it is cleared."""
        told = super().at_the_door(data)
        without_end = isinstance(data, dict) and data.get("times", 1) is None
        return told.model_copy(update={"times": None}) if without_end else told

    @field_validator("match")
    @classmethod
    def _is_a_regular_expression(cls, match: str | None) -> str | None:
        if match is not None:
            try:
                re.compile(match)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
        return match


class Fault(FaultSeed):
    """A fault in force; `left` counts down."""

    id: str
    left: int | None


class RefundEnd(Message):
    """How a refund at the gateway ends."""

    status: Literal["succeeded", "failed"]
    failure_reason: Literal["lost_or_stolen_card", "expired_or_canceled_card", "declined", "unknown"] = "unknown"


class WebhookSeed(Message):
    """Where a gateway says by itself what happens to refunds. `secrets`: with what it signs, at PayPal the id of
    the webhook; several, at Stripe, while one takes the place of another."""

    gateway: GatewayName = "stripe"
    account: Number | None = None
    """Whose refunds; none: of all that have no address of their own."""
    url: str
    secrets: tuple[str, ...] = Field(min_length=1)


class WebhookFact(Message):
    """An event of a gateway. `answered`: the status of the last answer; none: there was none."""

    id: str
    gateway: GatewayName
    type: str
    tries: int
    answered: int | None


class DisputeSeed(Message):
    """A case that the buyer opens on a payment at PayPal; `closed` ends it."""

    payment: Number
    state: Literal["dispute", "chargeback", "closed"] = "dispute"


class FundsSeed(Message):
    """Whether the seller has the funds at PayPal to refund this payment."""

    payment: Number
    enough: bool


class ClockMove(Message):
    """Moves the sandbox's clock, forwards only."""

    advance_seconds: Annotated[float, Field(ge=0, le=10 * 366 * 86_400)]


class ClockAnswer(Message):
    now: datetime


# ---- what it tells ----


class RequestRecord(Message):
    """One request as it really came in."""

    id: str
    at: datetime
    """By the sandbox's clock."""
    partner: PartnerName
    method: str
    path: str
    """As the partner sees it: `/v1/refunds`; mail: the recipients."""
    query: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    """Parsed: a form's nested keys, or JSON."""
    account: str | None = None
    idempotency_key: str | None = None
    status: int | None
    """What was answered; none: the connection was cut."""
    work_done: bool
    """Whether it changed anything; false for looks, refusals and replays."""
    replayed: bool = False
    """Answered from the answer saved under its idempotency key."""
    fault: FaultKind | None = None


class PaymentFact(Message):
    """A payment intent. Amounts in `currency`."""

    id: str
    account: str | None
    customer: str | None
    status: str
    amount: Decimal
    amount_capturable: Decimal
    amount_received: Decimal
    currency: Currency
    payment_method: str | None
    metadata: Metadata
    seeded: bool
    """Paid before, elsewhere; not charged by Backhaul."""


class CaptureFact(Message):
    """Money that was taken. At other gateways than Stripe `payment_intent` is the authorization."""

    gateway: GatewayName = "stripe"
    payment_intent: str
    charge: str
    account: str | None
    amount: Decimal
    currency: Currency


class RefundFact(Message):
    """A refund at a gateway. At other gateways than Stripe `payment_intent` is the payment too."""

    gateway: GatewayName = "stripe"
    id: str
    account: str | None
    payment_intent: str
    charge: str
    amount: Decimal
    currency: Currency
    status: str
    failure_reason: str | None
    metadata: Metadata


class SupplierOrderFact(Message):
    """An order that a supplier accepted."""

    number: str
    supplier_id: str
    warehouse_id: str
    supplier_reference: str
    lines: tuple[dict[str, Any], ...]
    at: datetime


class RmaFact(Message):
    """A request for an RMA number, and the answer."""

    return_id: str
    supplier_id: str
    supplier_order_number: str
    state: Literal["issued", "pending", "refused"]
    rma_number: str | None
    reason: str | None


class ShipmentFact(Message):
    """A tracking number announced to the shop."""

    seller_id: str
    order_id: str
    shipment_id: str
    carrier: str
    tracking_number: str
    after_stop: bool
    """The order had left the shipping list before (CAN-11)."""


class ShippingFact(Message):
    """Where an order stands on the shop's shipping list."""

    seller_id: str
    order_id: str
    state: Literal["listed", "stopped"]
    reason: str | None = None


class MailFact(Message):
    """One mail as it came in."""

    id: str
    at: datetime
    login: str | None = None
    """Who had logged in; none: nobody."""
    sender: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str | None
    headers: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None


class Effects(Message):
    """What really happened at the partners: the facts that an auditor compares."""

    payment_intents: tuple[PaymentFact, ...]
    captures: tuple[CaptureFact, ...]
    refunds: tuple[RefundFact, ...]
    supplier_orders: tuple[SupplierOrderFact, ...]
    rmas: tuple[RmaFact, ...]
    shipments: tuple[ShipmentFact, ...]
    stops: tuple[ShippingFact, ...]
    mails: tuple[MailFact, ...]
