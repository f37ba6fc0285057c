"""An order: what starts it, the events it hears, and what became of each line (ORD, CAN)."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from models.buyers import Buyer
from models.cancellations import SplitFrom
from models.ids import (
    CaseId,
    LineId,
    ReturnId,
    is_replacement_order,
    is_split_order,
    order_workflow_id,
    replacement_order_id,
    return_workflow_id,
)
from models.message import (
    Event,
    LineUnits,
    Message,
    Number,
    Quantity,
    Request,
    Sku,
    Text,
    Time,
    WholeQuantity,
    folded,
    require_distinct_names,
)
from models.money import Currency, NonNegativeAmount, require_kept, require_whole
from models.order_lines import Adjustment, ItemLine, OrderLine, item_lines
from models.payments import BY_GATEWAY, BuyerPayment, PaidBy
from models.shares import LineShare, Totals, shares_of

MOST_LINES: Final = 500
"""Of an order, components of kits counted."""
MOST_UNITS: Final = 100_000


class Channel(StrEnum):
    """Where the order was made."""

    WEB_SHOP = "web_shop"
    EBAY = "ebay"
    AMAZON = "amazon"


class OrderRequest(Request):
    """Starts an `Order`. product + tax + shipping - discount + adjustments = what the buyer paid (ORD-1, ORD-16).

    `payment`, or `payments` where there are several, or `currency` alone where nothing was to pay (ORD-15).
    """

    order_id: CaseId
    seller_id: CaseId
    channel: Channel = Channel.WEB_SHOP
    channel_order_id: Number | None = None
    """As the shop or marketplace writes it."""
    buyer: Buyer
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=MOST_LINES)]
    payment: BuyerPayment | None = None
    payments: Annotated[tuple[BuyerPayment, ...], Field(max_length=20)] = ()
    currency: Currency | None = None
    """Of all that the buyer pays; needed only where there is no payment that says it."""
    shipping: NonNegativeAmount = Decimal(0)
    shipping_tax: NonNegativeAmount = Decimal(0)
    shipping_discount: NonNegativeAmount = Decimal(0)
    tax: NonNegativeAmount = Decimal(0)
    """Of the whole order: what is said neither of a line nor of shipping."""
    discount: NonNegativeAmount = Decimal(0)
    """Of the whole order: what is said neither of a line nor of shipping."""
    adjustments: Annotated[tuple[Adjustment, ...], Field(max_length=50)] = ()
    cost_currency: Currency | None = None
    """Currency of `unit_cost`, `estimated_shipping` and `cost_tax`; the payment's unless said."""
    estimated_shipping: NonNegativeAmount = Decimal(0)
    """What the broker expects shipping to cost the seller (ORD-3)."""
    cost_tax: NonNegativeAmount = Decimal(0)
    """Tax due on the broker's charge (ORD-3)."""
    replaces: ReturnId | None = None
    """The return that it replaces the goods of (RET-24); only that return says so."""
    split_from: SplitFrom | None = None
    """The order that these lines were split off (CAN-10); only that order says so."""
    continued: dict[str, Any] | None = None
    """The facts of the run that this one continues; from nobody else are they believed."""

    @property
    def only_started_by(self) -> str | None:
        """The workflow that alone may start it."""
        if self.split_from is not None:
            return order_workflow_id(self.split_from.order_id)
        return return_workflow_id(self.replaces) if self.replaces is not None else None

    @property
    def items(self) -> tuple[ItemLine, ...]:
        """The lines as they are bought, shipped and returned: kits taken apart (ORD-14)."""
        return item_lines(self.lines)

    @property
    def paid_with(self) -> tuple[BuyerPayment, ...]:
        """The payments that moved money."""
        every = self.payments if self.payment is None else (self.payment,)
        return tuple(one for one in every if one.amount)

    @property
    def paid(self) -> Decimal:
        """All that the buyer paid, in `paid_currency`."""
        return sum((one.amount for one in self.paid_with), Decimal(0))

    @property
    def paid_currency(self) -> str:
        every = self.payments if self.payment is None else (self.payment,)
        currency = every[0].currency if every else self.currency
        assert currency is not None, "one of them is said"
        return currency

    @property
    def charge_currency(self) -> str:
        return self.cost_currency or self.paid_currency

    @property
    def totals(self) -> Totals:
        """What is said for the whole order."""
        return Totals(
            shipping=self.shipping + self.shipping_tax - self.shipping_discount,
            tax=self.tax,
            discount=self.discount,
            cost_shipping=self.estimated_shipping,
            cost_tax=self.cost_tax,
            paid_currency=self.paid_currency,
            cost_currency=self.charge_currency,
        )

    @property
    def in_one_form(self) -> Self:
        """With its lines' names and its currencies, numbers as they are compared, and one payment alone."""
        lines = tuple(
            line.model_copy(update={"line_id": line.line_id or str(position), "sku": folded(line.sku)})
            for position, line in enumerate(self.lines, start=1)
        )
        number = folded(self.channel_order_id) if self.channel_order_id else None
        same = {"channel_order_id": number, "lines": lines, "cost_currency": self.charge_currency}
        paid: dict[str, Any] = {"payment": None, "payments": self.paid_with, "currency": self.paid_currency}
        if len(self.paid_with) == 1:
            paid = {"payment": self.paid_with[0], "payments": (), "currency": None}
        return self.model_copy(update=same | paid)

    @model_validator(mode="after")
    def _lines_have_names(self) -> Self:
        seen: set[str] = set()
        for line_id in self._line_ids():
            if line_id in seen:
                raise ValueError(f"line_id {line_id} stands in two lines; each line has its own (ORD-13)")
            seen.add(line_id)
        if len(self.items) > MOST_LINES:
            raise ValueError(f"an order has at most {MOST_LINES} lines, components of kits counted")
        for item in self.items:
            if item.quantity > MOST_UNITS:
                raise ValueError(f"{item.quantity} of {item.sku} in kits are more than {MOST_UNITS}")
        return self

    def _line_ids(self) -> list[str]:
        kits = [
            line.line_id or str(position) for position, line in enumerate(self.lines, start=1) if line.components
        ]
        return [*(item.line_id for item in self.items), *kits]

    @model_validator(mode="after")
    def _replacement_is_one(self) -> Self:
        if self.replaces is None and is_replacement_order(self.order_id):
            raise ValueError(f"order_id {self.order_id}: what begins with RP. is kept for replacements (RET-24)")
        own = replacement_order_id(self.replaces) if self.replaces is not None else self.order_id
        if self.order_id != own:
            raise ValueError(f"the replacement of {self.replaces} is order {own} (RET-24)")
        if self.replaces is not None and self.paid:
            raise ValueError("a replacement costs the buyer nothing (RET-24, ORD-15)")
        return self

    @model_validator(mode="after")
    def _split_is_one(self) -> Self:
        if self.split_from is None and is_split_order(self.order_id):
            raise ValueError(f"order_id {self.order_id}: what begins with SP. is kept for split orders (CAN-10)")
        if self.split_from is not None and self.order_id != self.split_from.own_id:
            raise ValueError(f"what is split off so is order {self.split_from.own_id} (CAN-10)")
        return self

    @model_validator(mode="after")
    def _payments_fit(self) -> Self:
        if self.payment is not None and self.payments:
            raise ValueError("give payment, or payments for several, not both (ORD-1)")
        every = self.payments if self.payment is None else (self.payment,)
        if not every and self.currency is None:
            raise ValueError("give payment, or payments, or currency where nothing was to pay (ORD-15)")
        known: list[tuple[PaidBy, str]] = []
        for one in every:
            if one.reference is not None and one.paid_by in BY_GATEWAY:
                if (one.paid_by, one.reference) in known:
                    raise ValueError(
                        f"the payment {one.reference} is given twice; each has a reference of its own"
                    )
                known.append((one.paid_by, one.reference))
        currencies = [one.currency for one in every] + ([self.currency] if self.currency else [])
        if any(currency != currencies[0] for currency in currencies):
            raise ValueError(
                f"one order is paid in one currency, not in {' and '.join(dict.fromkeys(currencies))}"
            )
        return self

    @model_validator(mode="after")
    def _amounts_fit(self) -> Self:
        self._require_whole_amounts()
        parts = self._parts_of_price()
        expected = sum(parts.values(), Decimal(0))
        if expected != self.paid:
            told = " ".join(
                f"{'-' if amount < 0 else '+'} {what} {abs(amount)}" for what, amount in parts.items() if amount
            ).removeprefix("+ ")
            off = abs(self.paid - expected)
            raise ValueError(
                f"payment.amount, {self.paid}, is {off} too {'much' if self.paid > expected else 'little'}: "
                f"{told or 0} = {expected} (ORD-1, ORD-16)"
            )
        require_kept(self.paid, "what the buyer paid")
        cost = sum(
            (line.unit_cost * line.quantity for line in self.lines), self.cost_tax + self.estimated_shipping
        )
        require_kept(cost, "what the seller is charged")
        share_out(self)
        return self

    def _require_whole_amounts(self) -> None:
        paid, charged = self.paid_currency, self.charge_currency
        for name in ("shipping", "shipping_tax", "shipping_discount", "tax", "discount"):
            require_whole(getattr(self, name), paid, name)
        for payment in self.paid_with:
            require_whole(payment.amount, paid, "payment.amount")
        for adjustment in self.adjustments:
            require_whole(adjustment.amount, paid, f"the adjustment {adjustment.kind.value}")
        for what, amount in (("estimated_shipping", self.estimated_shipping), ("cost_tax", self.cost_tax)):
            require_whole(amount, charged, what)
        for line in self.lines:
            for what in ("unit_price", "tax", "discount"):
                require_whole(getattr(line, what), paid, f"{what} of {line.sku}")
            require_whole(line.unit_cost, charged, f"unit_cost of {line.sku}")

    def _parts_of_price(self) -> dict[str, Decimal]:
        """What adds up to what was paid, by its name."""
        lines = self.lines
        return {
            "product": sum((line.unit_price * line.quantity for line in lines), Decimal(0)),
            "shipping": self.shipping,
            "tax": self.tax + self.shipping_tax + sum((line.tax for line in lines), Decimal(0)),
            "discount": -self.discount - sum((line.discount for line in lines), Decimal(0)),
            "shipping_discount": -self.shipping_discount,
            "adjustments": sum((one.amount for one in self.adjustments), Decimal(0)),
        }


def share_out(order: OrderRequest) -> tuple[LineShare, ...]:
    """What each line inside is worth. Raises ValueError, in words, when the totals can't be shared out."""
    return shares_of(order.lines, order.totals)


class Release(Event):
    """The seller's click: the order goes to the broker (ORD-2)."""


class PaymentMethodUpdated(Event):
    """The seller's card or PayPal on file is now this one (ORD-3)."""

    payment_method: Number


class Box(Message):
    """One parcel: its carrier and tracking number."""

    carrier: Text
    tracking_number: Number


class ShippedQuantity(Quantity):
    """Some units that left. `substitute_sku`: a successor part that stands for the one ordered (ORD-20)."""

    substitute_sku: Sku | None = None


class Shipment(Event):
    """A warehouse shipped some units (ORD-9, ORD-11), in one parcel or in several (ORD-20). A second one with the
    same `shipment_id` that says the same counts once; another number is a `shipment_corrected`.

    A supplier knows items only: units of one SKU are taken from its lines in their order (ORD-13).
    """

    shipment_id: Number
    carrier: Text | None = None
    tracking_number: Number | None = None
    parcels: Annotated[tuple[Box, ...], Field(max_length=100)] = ()
    """Instead of `carrier` and `tracking_number`."""
    lines: Annotated[tuple[ShippedQuantity, ...], Field(min_length=1, max_length=500)]
    supplier_order_number: Number | None = None
    """Which of the broker's orders to suppliers it belongs to; needed only if that is not clear."""
    delivered_at: Time | None = None
    """When it arrived, if it has already (RET-22)."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct_names(self.lines)
        return self

    @model_validator(mode="after")
    def _is_in_a_box(self) -> Self:
        if self.parcels and (self.carrier is not None or self.tracking_number is not None):
            raise ValueError("give carrier and tracking_number, or parcels, not both (ORD-20)")
        if not self.parcels and (self.carrier is None or self.tracking_number is None):
            raise ValueError("give carrier and tracking_number, or parcels with both for each (ORD-9)")
        return self

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Its parcels; at least one."""
        if self.carrier is None or self.tracking_number is None:
            return self.parcels
        return (Box(carrier=self.carrier, tracking_number=self.tracking_number),)


class Hold(Event):
    """Stop before the order goes to a supplier."""

    reason: Text
    answer_days: Annotated[int, Field(ge=1, le=30)] | None = None
    """A buyer asks the marketplace to cancel (CAN-7): its seller answers within so many days (CAN-8)."""
    lines: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=500)] | None = None
    """What the buyer asks to cancel, as the marketplace names it; none: all, or what `reason` says (`is_part`)."""
    is_part: bool = False

    @model_validator(mode="after")
    def _is_of_the_whole_order(self) -> Self:
        if (self.lines is not None or self.is_part) and self.answer_days is None:
            raise ValueError("an order is put on hold as a whole: lines are what a buyer asks to cancel (CAN-7)")
        return self


class Resume(Event):
    """Release the hold."""

    reason: Text


class SupplierOrderLine(Message):
    """Some units bought at one warehouse. `unit_cost` is what the broker pays, in the charge's currency."""

    line_id: LineId
    """Of the order; the supplier knows the item only."""
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
    connection_id: CaseId | None = None
    """Through which it was offered, and is ordered."""
    lines: tuple[SupplierOrderLine, ...]


class ShipmentFact(Message):
    """A shipment as the order knows it."""

    shipment_id: Number
    carrier: Text
    tracking_number: Number
    lines: tuple[LineUnits, ...]
    at: Time
    supplier_order_number: Number | None = None
    """As the event said; else the books find it by what was bought where."""
    more_parcels: tuple[Box, ...] = ()
    """Beside the one of `carrier` and `tracking_number` (ORD-20)."""
    substitutes: dict[str, Sku] = Field(default_factory=dict)
    """Successor parts that stand for ordered ones, by `line_id` (ORD-20)."""
    corrections: int = 0
    """How often its number was replaced."""
    corrected_by: tuple[Number, ...] = ()
    """The events that said its number anew, also those that came before its turn, or changed nothing: none of them
    turns a later number back."""
    delivered_at: Time | None = None
    """When it arrived, where that was said before the order's end (RET-22)."""

    @property
    def boxes(self) -> tuple[Box, ...]:
        return (Box(carrier=self.carrier, tracking_number=self.tracking_number), *self.more_parcels)
