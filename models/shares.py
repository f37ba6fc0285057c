"""What each line of an order is worth: what is said per line stays with it, what is said for the whole order is
shared out by value, once, to the smallest unit (ORD-1, ORD-14, ORD-16). Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from models.ids import LineId
from models.message import Message, Sku, WholeQuantity
from models.money import NonNegativeAmount, allocate
from models.order_lines import ItemLine, OrderLine, component_weights, item_lines


class LineShare(Message):
    """What one line is worth: the order's totals shared out over its lines, once, at order time.

    `paid_*` in the currency of the buyer's payment, `cost_*` in that of the broker's charge. The shares of
    all lines add up to the totals exactly; refunds are made from these numbers.
    """

    line_id: LineId
    sku: Sku
    quantity: WholeQuantity
    paid_goods: NonNegativeAmount
    """Product + tax - discount: what comes back with the goods."""
    paid_shipping: NonNegativeAmount
    """Shipping + its tax - its discount."""
    cost_goods: NonNegativeAmount
    """Parts + tax of the broker's charge."""
    cost_shipping: NonNegativeAmount

    @property
    def paid(self) -> Decimal:
        return self.paid_goods + self.paid_shipping

    @property
    def cost(self) -> Decimal:
        return self.cost_goods + self.cost_shipping


class Totals(NamedTuple):
    """What is said for the whole order. `tax` and `discount` are what no line says for itself."""

    shipping: Decimal
    """Shipping + its tax - its discount."""
    tax: Decimal
    discount: Decimal
    cost_shipping: Decimal
    cost_tax: Decimal
    paid_currency: str
    cost_currency: str


class _Worth(NamedTuple):
    """Of one line, in the order of `LineShare`."""

    paid_goods: Decimal
    paid_shipping: Decimal
    cost_goods: Decimal
    cost_shipping: Decimal


def shares_of(lines: Sequence[OrderLine], totals: Totals) -> tuple[LineShare, ...]:
    """One share per line inside. Raises ValueError, in words, when the totals can't be shared out."""
    worths = _worths(lines, totals)
    items: list[list[ItemLine]] = [[] for _ in lines]
    for item in item_lines(lines):
        items[item.position].append(item)
    return tuple(
        share
        for line, of_line, worth in zip(lines, items, worths, strict=True)
        for share in _of_items(line, of_line, worth, totals)
    )


def _worths(lines: Sequence[OrderLine], totals: Totals) -> list[_Worth]:
    values = [line.value for line in lines]
    for position, line in enumerate(lines, start=1):
        if line.value + line.tax < 0:
            raise ValueError(
                f"the discount of line {line.line_id or position} ({line.sku}), {line.discount}, "
                "is higher than its price and tax (ORD-16)"
            )
    if totals.shipping < 0:
        raise ValueError("shipping_discount is higher than shipping and shipping_tax (ORD-16)")
    weights = [max(value, Decimal(0)) for value in values]
    product = [line.unit_price * line.quantity for line in lines]
    goods, left = _goods(lines, totals, weights)
    if left > totals.shipping:
        raise ValueError(f"the discount is {left - totals.shipping} higher than goods, tax and shipping (ORD-16)")
    shipping = allocate(totals.shipping - left, product, totals.paid_currency)
    parts = [line.unit_cost * line.quantity for line in lines]
    cost_goods = allocate(sum(parts, Decimal(0)) + totals.cost_tax, parts, totals.cost_currency)
    cost_shipping = allocate(totals.cost_shipping, parts, totals.cost_currency)
    return [_Worth(*worth) for worth in zip(goods, shipping, cost_goods, cost_shipping, strict=True)]


def _goods(lines: Sequence[OrderLine], totals: Totals, weights: list[Decimal]) -> tuple[list[Decimal], Decimal]:
    """What each line's goods are worth; and what of the order's discount is more than all goods, and so lowers
    shipping."""
    own = [line.value + line.tax for line in lines]
    whole = sum(weights, Decimal(0)) + totals.tax - totals.discount
    if whole >= 0:
        shared = allocate(whole, weights, totals.paid_currency)
        goods = [share + of - weight for share, of, weight in zip(shared, own, weights, strict=True)]
        if min(goods) >= 0:
            return goods, Decimal(0)
    whole = sum(own, Decimal(0)) + totals.tax - totals.discount
    return allocate(max(whole, Decimal(0)), own, totals.paid_currency), max(-whole, Decimal(0))


def _of_items(line: OrderLine, items: Sequence[ItemLine], worth: _Worth, totals: Totals) -> list[LineShare]:
    """The worth of a line; of a kit, shared out over its components."""
    if not line.components:
        return [_share(items[0], worth)]
    weights = component_weights(line)
    currencies = (totals.paid_currency, totals.paid_currency, totals.cost_currency, totals.cost_currency)
    parts = [allocate(total, weights, currency) for total, currency in zip(worth, currencies, strict=True)]
    return [_share(item, _Worth(*(part[number] for part in parts))) for number, item in enumerate(items)]


def _share(item: ItemLine, worth: _Worth) -> LineShare:
    return LineShare(line_id=item.line_id, sku=item.sku, quantity=item.quantity, **worth._asdict())
