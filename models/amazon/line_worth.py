"""What each line of an Amazon order is worth by component, made from the stored allocation (ORD-16).

Known for certain: the price, and the tax that was said for the line. Not known per component, and therefore shared
out: tax that was said for the whole order, by value, as `models.shares` does it; tax on shipping, by product. A
discount is not known per component at all: it goes to a person.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from models.amazon.messages import ComponentType, NeedsPerson, NeedsPersonWhy
from models.money import allocate, share_of_units
from models.order_lines import AdjustmentKind, OrderLine, item_lines
from models.orders import OrderRequest
from models.payments import PaidBy
from models.shares import LineShare

TAX_IN_PRICE: Final = frozenset({"JPY"})
"""Currencies in which Amazon takes no component Tax: prices hold it."""


class ItemShare(NamedTuple):
    """Of one line inside; a kit's components are one each. `each`: units of it for one of the line that was sold.
    `goods` holds `tax`, `shipping` holds `shipping_tax`."""

    line_id: str
    quantity: int
    each: int
    goods: Decimal
    tax: Decimal
    shipping: Decimal
    shipping_tax: Decimal


class LineWorth(NamedTuple):
    """Of a line as it was sold: Amazon's order item. Amounts for all its units, in the currency of the payment."""

    line_id: str
    quantity: int
    items: tuple[ItemShare, ...]

    def goods(self, units: int, before: int, currency: str) -> dict[ComponentType, Decimal]:
        """What `units` are worth when `before` of them went back earlier: the same to the cent as the refund that
        is made of them, and any sequence adds up. Components of nothing are left out."""
        whole = _of(self, "goods", units, before, currency)
        tax = min(_of(self, "tax", units, before, currency), whole)
        return _parts(whole, tax, ComponentType.PRINCIPAL, ComponentType.TAX, currency)

    def shipping(self, units: int, before: int, currency: str) -> dict[ComponentType, Decimal]:
        """Their part of shipping, likewise."""
        whole = _of(self, "shipping", units, before, currency)
        tax = min(_of(self, "shipping_tax", units, before, currency), whole)
        return _parts(whole, tax, ComponentType.SHIPPING, ComponentType.SHIPPING_TAX, currency)


def worth_by_component(order: OrderRequest, shares: Sequence[LineShare]) -> tuple[LineWorth, ...] | NeedsPerson:
    """One for each line that was sold; or why a person has to look (promotions, gift wrap, COD)."""
    if no := _not_by_us(order):
        return no
    currency = order.paid_currency
    products = [line.unit_price * line.quantity for line in order.lines]
    shipping_taxes = allocate(order.shipping_tax, products, currency)
    of_line = {share.line_id: share for share in shares}
    items = item_lines(order.lines)
    found = []
    for position, line in enumerate(order.lines):
        inside = [item for item in items if item.position == position]
        own = [of_line.get(item.line_id) for item in inside]
        if any(share is None for share in own):
            return NeedsPerson.doubt(f"line {line.line_id} is not wholly in this order any more")
        known = [share for share in own if share is not None]
        each = [item.kit.each if item.kit else 1 for item in inside]
        worth = _items(line, known, each, shipping_taxes[position], currency)
        if min(item.tax for item in worth) < 0:
            return NeedsPerson.doubt(
                f"the stored worth of line {line.line_id} does not agree with its price and quantity"
            )
        found.append(LineWorth(line.line_id or str(position + 1), line.quantity, tuple(worth)))
    return tuple(found)


def _items(
    line: OrderLine, shares: Sequence[LineShare], each: Sequence[int], shipping_tax: Decimal, currency: str
) -> list[ItemShare]:
    """A line's tax is what its goods are worth beyond its price; in a kit both are spread as the worth is."""
    goods = [share.paid_goods for share in shares]
    shipping = [share.paid_shipping for share in shares]
    tax = allocate(sum(goods, Decimal(0)) - line.value, goods, currency)
    on_shipping = allocate(min(shipping_tax, sum(shipping, Decimal(0))), shipping, currency)
    return [
        ItemShare(
            share.line_id,
            share.quantity,
            count,
            goods=share.paid_goods,
            tax=of_goods,
            shipping=share.paid_shipping,
            shipping_tax=of_shipping,
        )
        for share, count, of_goods, of_shipping in zip(shares, each, tax, on_shipping, strict=True)
    ]


def _not_by_us(order: OrderRequest) -> NeedsPerson | None:
    if order.discount or order.shipping_discount or any(line.discount for line in order.lines):
        words = "the order has a discount, and which component Amazon took it from is not known"
        return NeedsPerson(why=NeedsPersonWhy.PROMOTION, words=words)
    if any(one.kind is not AdjustmentKind.ROUNDING for one in order.adjustments):
        words = "something was paid beside goods and shipping: gift wrap, a fee or a tip"
        return NeedsPerson(why=NeedsPersonWhy.GIFT_WRAP, words=words)
    if any(one.paid_by is PaidBy.CASH_ON_DELIVERY for one in order.paid_with):
        words = "the buyer paid on delivery, and what of it Amazon gives back is not known"
        return NeedsPerson(why=NeedsPersonWhy.CASH_ON_DELIVERY, words=words)
    return None


def _of(line: LineWorth, part: str, units: int, before: int, currency: str) -> Decimal:
    """Of all components of a kit together."""
    amounts = [
        share_of_units(getattr(item, part), item.quantity, before * item.each, units * item.each, currency)
        for item in line.items
    ]
    return sum(amounts, Decimal(0))


def _parts(
    whole: Decimal, tax: Decimal, price: ComponentType, tax_type: ComponentType, currency: str
) -> dict[ComponentType, Decimal]:
    if currency in TAX_IN_PRICE:
        tax = Decimal(0)
    return {kind: amount for kind, amount in ((price, whole - tax), (tax_type, tax)) if amount}
