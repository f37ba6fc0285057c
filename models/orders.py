"""An order: what starts it, the events it hears, and what became of each line (ORD, CAN)."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import EmailStr, Field, model_validator

from models.ids import CaseId
from models.message import (
    Event,
    Message,
    Number,
    Quantity,
    Request,
    Sku,
    Text,
    Time,
    WholeQuantity,
    require_distinct_skus,
)
from models.money import Currency, NonNegativeAmount, PositiveAmount, allocate, require_whole


class Channel(StrEnum):
    """Where the order was made."""

    WEB_SHOP = "web_shop"
    EBAY = "ebay"
    AMAZON = "amazon"


class PaidBy(StrEnum):
    """How the buyer paid the seller (ORD-1)."""

    STRIPE = "stripe"
    PAYPAL = "paypal"
    AUTHORIZE_NET = "authorize_net"
    MARKETPLACE = "marketplace"


class Address(Message):
    """A postal address. Country is ISO 3166-1 alpha-2. Coordinates in degrees, if the sender knows them."""

    name: Text
    line1: Text
    line2: Text | None = None
    city: Text
    region: Text | None = None
    postal_code: Annotated[str, Field(min_length=1, max_length=20)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None


class Buyer(Message):
    """The end consumer. Personal data: it stays in payloads and the books."""

    email: EmailStr
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    address: Address


class BuyerPayment(Message):
    """What the buyer paid the seller: the payment's reference, amount and currency (ORD-1)."""

    paid_by: PaidBy
    reference: Number
    amount: PositiveAmount
    currency: Currency


class OrderLine(Message):
    """One item of an order. Prices are per unit; a core charge is part of them (ORD-12)."""

    sku: Sku
    title: Text
    quantity: WholeQuantity
    unit_price: NonNegativeAmount
    """What the buyer paid for one, in the currency of the payment, core charge included."""
    unit_cost: NonNegativeAmount
    """What the broker charges the seller for one, core charge included."""
    core_charge: NonNegativeAmount | None = None
    """How much of the unit price is core charge: a note for people, never added to anything."""

    @model_validator(mode="after")
    def _core_charge_is_part_of_the_price(self) -> Self:
        if self.core_charge is not None and self.core_charge > self.unit_price:
            raise ValueError("core_charge is part of unit_price and can't be higher (ORD-12)")
        return self


class OrderRequest(Request):
    """Starts an `Order`. product + tax + shipping - discount = what the buyer paid (ORD-1)."""

    order_id: CaseId
    seller_id: CaseId
    channel: Channel = Channel.WEB_SHOP
    channel_order_id: CaseId | None = None
    buyer: Buyer
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=500)]
    payment: BuyerPayment
    shipping: NonNegativeAmount = Decimal(0)
    tax: NonNegativeAmount = Decimal(0)
    discount: NonNegativeAmount = Decimal(0)
    cost_currency: Currency | None = None
    """Currency of `unit_cost`, `estimated_shipping` and `cost_tax`; the payment's unless said."""
    estimated_shipping: NonNegativeAmount = Decimal(0)
    """What the broker expects shipping to cost the seller (ORD-3)."""
    cost_tax: NonNegativeAmount = Decimal(0)
    """Tax due on the broker's charge (ORD-3)."""
    continued: dict[str, Any] | None = None
    """The facts of the run that this one continues; from nobody else are they believed."""

    @property
    def charge_currency(self) -> str:
        return self.cost_currency or self.payment.currency

    @model_validator(mode="after")
    def _amounts_fit(self) -> Self:
        require_distinct_skus(self.lines)
        paid, charged = self.payment.currency, self.charge_currency
        for what, amount in (("shipping", self.shipping), ("tax", self.tax), ("discount", self.discount)):
            require_whole(amount, paid, what)
        for what, amount in (("estimated_shipping", self.estimated_shipping), ("cost_tax", self.cost_tax)):
            require_whole(amount, charged, what)
        for line in self.lines:
            require_whole(line.unit_price, paid, f"unit_price of {line.sku}")
            require_whole(line.unit_cost, charged, f"unit_cost of {line.sku}")
        product = sum((line.unit_price * line.quantity for line in self.lines), Decimal(0))
        expected = product + self.shipping + self.tax - self.discount
        if expected != self.payment.amount:
            raise ValueError(
                f"payment.amount is not product {product} + shipping {self.shipping} + tax {self.tax} "
                f"- discount {self.discount} = {expected} (ORD-1)"
            )
        return self


class LineShare(Message):
    """What one line is worth: the order's totals shared out over its lines, once, at order time.

    `paid_*` in the currency of the buyer's payment, `cost_*` in that of the broker's charge. The shares of
    all lines add up to the totals exactly; refunds are made from these numbers.
    """

    sku: Sku
    quantity: WholeQuantity
    paid_goods: NonNegativeAmount
    """Product + tax - discount: what comes back with the goods."""
    paid_shipping: NonNegativeAmount
    cost_goods: NonNegativeAmount
    """Parts + tax of the broker's charge."""
    cost_shipping: NonNegativeAmount

    @property
    def paid(self) -> Decimal:
        return self.paid_goods + self.paid_shipping

    @property
    def cost(self) -> Decimal:
        return self.cost_goods + self.cost_shipping


def share_out(order: OrderRequest) -> tuple[LineShare, ...]:
    """Share shipping, tax and discount out over the lines by their value, to the smallest unit."""
    paid, charged = order.payment.currency, order.charge_currency
    product = [line.unit_price * line.quantity for line in order.lines]
    parts = [line.unit_cost * line.quantity for line in order.lines]
    goods = allocate(sum(product, Decimal(0)) + order.tax - order.discount, product, paid)
    shipping = allocate(order.shipping, product, paid)
    cost_goods = allocate(sum(parts, Decimal(0)) + order.cost_tax, parts, charged)
    cost_shipping = allocate(order.estimated_shipping, parts, charged)
    return tuple(
        LineShare(
            sku=line.sku,
            quantity=line.quantity,
            paid_goods=goods[i],
            paid_shipping=shipping[i],
            cost_goods=cost_goods[i],
            cost_shipping=cost_shipping[i],
        )
        for i, line in enumerate(order.lines)
    )


class Fault(StrEnum):
    """By whose fault an order was voided or cancelled (CAN-12)."""

    STOCK_FEED = "stock_feed"
    SUPPLIER = "supplier"
    SELLER = "seller"
    BUYER = "buyer"
    MARKETPLACE = "marketplace"


class Release(Event):
    """The seller's click: the order goes to the broker (ORD-2)."""


class CancelRequest(Event):
    """Cancel the order (CAN). An eBay order needs the buyer's official request there (CAN-5)."""

    reason: Text
    """CAN-9."""
    channel_reference: Number | None = None
    """The buyer's cancellation request at eBay (CAN-5)."""
    lines: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=500)] | None = None
    """None: the whole order."""
    fault: Fault | None = None
    """By whose fault; unless said, it follows from the actor (CAN-12)."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct_skus(self.lines or ())
        return self


class PaymentMethodUpdated(Event):
    """The seller's card or PayPal on file is now this one (ORD-3)."""

    payment_method: Number


class Shipment(Event):
    """A warehouse shipped some units (ORD-9, ORD-11). A second one with the same `shipment_id` counts once."""

    shipment_id: CaseId
    carrier: Text
    tracking_number: Number
    lines: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=500)]
    supplier_order_number: Number | None = None
    """Which of the broker's orders to suppliers it belongs to; needed only if that is not clear."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct_skus(self.lines)
        return self


class Hold(Event):
    """Stop before the order goes to a supplier."""

    reason: Text


class Resume(Event):
    """Release the hold."""

    reason: Text


class SupplierOrderLine(Message):
    """Some units bought at one warehouse. `unit_cost` is what the broker pays, in the charge's currency."""

    sku: Sku
    quantity: WholeQuantity
    unit_cost: NonNegativeAmount


class SupplierOrder(Message):
    """One order of the broker to one warehouse of a supplier."""

    number: Number
    supplier_id: CaseId
    warehouse_id: CaseId
    second_source: bool = False
    """Bought through the network, whatever the price; the broker bears the difference (ORD-6)."""
    lines: tuple[SupplierOrderLine, ...]


class ShipmentFact(Message):
    """A shipment as the order knows it."""

    shipment_id: CaseId
    carrier: Text
    tracking_number: Number
    lines: tuple[Quantity, ...]
    at: Time
    supplier_order_number: Number | None = None
    """As the event said; else the books find it by what was bought where."""


def fault_of(request: CancelRequest) -> Fault:
    """CAN-12: what the request says, else the side of the one who asks."""
    if request.fault is not None:
        return request.fault
    role = request.actor.partition(":")[0]
    return {"buyer": Fault.BUYER, "channel": Fault.MARKETPLACE, "supplier": Fault.SUPPLIER}.get(role, Fault.SELLER)
