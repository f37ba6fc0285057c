"""Some units of an order move to an order of their own: what each of both is worth then, to the smallest unit
(CAN-10). Pure.

Units that move are the last ones of their line, as cancelled ones are: what stays is worth what it was.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from typing import Final, NamedTuple

from models.cancellations import SplitFrom
from models.message import Message
from models.money import allocate, share_of_units, smallest_unit
from models.order_lines import ItemLine, OrderLine
from models.orders import OrderRequest
from models.payments import BuyerPayment
from models.shares import LineShare

_ZERO: Final = Decimal(0)


class SplitOrder(Message):
    """Move these units, by `line_id`, to the order `split_from.own_id`."""

    split_from: SplitFrom
    units: dict[str, int]


class OrderSplit(Message):
    """The order that they moved to; none: nothing moved, and `reason` says why."""

    request: OrderRequest | None = None
    reason: str | None = None


class Kept(NamedTuple):
    """A line before the split: its stored share, and how many of its units are not gone yet."""

    share: LineShare
    left: int


def worth_moved(order: OrderRequest, lines: Mapping[str, Kept], units: Mapping[str, int]) -> tuple[LineShare, ...]:
    """What these units, by `line_id`, are worth, line by line in the order of the request.

    Raises ValueError when more moves than is left of a line.
    """
    paid, charged = order.paid_currency, order.charge_currency
    return tuple(
        LineShare(
            line_id=share.line_id,
            sku=share.sku,
            quantity=count,
            paid_goods=_of_last(share.paid_goods, share.quantity, left, count, paid),
            paid_shipping=_of_last(share.paid_shipping, share.quantity, left, count, paid),
            cost_goods=_of_last(share.cost_goods, share.quantity, left, count, charged),
            cost_shipping=_of_last(share.cost_shipping, share.quantity, left, count, charged),
        )
        for share, left in lines.values()
        if (count := units.get(share.line_id, 0))
    )


def payment_parts(worth: Decimal, left: Sequence[Decimal], currency: str) -> list[Decimal]:
    """How much of `worth` moves with each payment, by what is left of it. Raises ValueError where less is left."""
    if worth > sum(left, _ZERO):
        raise ValueError(
            f"{worth} {currency} move with these units, and {sum(left, _ZERO)} of the payments is left"
        )
    return allocate(worth, left, currency) if left else []


def request_of(
    order: OrderRequest,
    moved: Sequence[LineShare],
    lines: Mapping[str, Kept],
    payments: tuple[BuyerPayment, ...],
    split_from: SplitFrom,
) -> OrderRequest:
    """The order that they move to. What was said for the whole order is said there line by line, as it was shared
    out; rounding, fees and tips stay where they were (ORD-16)."""
    items = {item.line_id: item for item in order.items}
    new_lines = tuple(_line(order, items[share.line_id], share, lines[share.line_id]) for share in moved)
    cost = sum((share.cost_goods for share in moved), _ZERO)
    parts = sum((line.unit_cost * line.quantity for line in new_lines), _ZERO)
    return OrderRequest(
        order_id=split_from.own_id,
        seller_id=order.seller_id,
        channel=order.channel,
        buyer=order.buyer,
        lines=new_lines,
        payments=tuple(one for one in payments if one.amount),
        currency=order.paid_currency,
        **_shipping(order, moved, lines),
        cost_currency=order.cost_currency,
        estimated_shipping=sum((share.cost_shipping for share in moved), _ZERO),
        cost_tax=cost - parts,
        split_from=split_from,
    )


def _of_last(total: Decimal, quantity: int, left: int, count: int, currency: str) -> Decimal:
    return share_of_units(total, quantity, left - count, count, currency)


def _shipping(order: OrderRequest, moved: Sequence[LineShare], lines: Mapping[str, Kept]) -> dict[str, Decimal]:
    """Shipping, its tax and its discount, which together are what moves of it."""
    moves = sum((share.paid_shipping for share in moved), _ZERO)
    whole = sum((line.share.paid_shipping for line in lines.values()), _ZERO)
    discount = _part(order.shipping_discount, moves, whole, order.paid_currency)
    tax = min(_part(order.shipping_tax, moves, whole, order.paid_currency), moves + discount)
    return {"shipping": moves + discount - tax, "shipping_tax": tax, "shipping_discount": discount}


def _line(order: OrderRequest, item: ItemLine, moved: LineShare, before: Kept) -> OrderLine:
    """Price, tax and discount of what moves, which together are what it is worth. A component of a kit is a
    line of its own there."""
    sold, count, currency = order.lines[item.position], moved.quantity, order.paid_currency
    if item.kit is None:
        price, cost = sold.unit_price, sold.unit_cost
        said = _of_last(
            sold.tax + _tax_of(order)[item.position], before.share.quantity, before.left, count, currency
        )
        over = moved.paid_goods - price * count
        tax = max(said, over, _ZERO)
        discount = tax - over
    else:
        tax = _ZERO
        price = _unit(moved.paid_goods / count, currency, ROUND_CEILING)
        cost = _unit(moved.cost_goods / count, order.charge_currency, ROUND_DOWN)
        discount = price * count - moved.paid_goods
    return OrderLine(
        line_id=item.line_id,
        sku=item.sku,
        title=item.title,
        quantity=count,
        unit_price=price,
        unit_cost=cost,
        core_charge=sold.core_charge if item.kit is None else None,
        tax=tax,
        discount=discount,
    )


def _tax_of(order: OrderRequest) -> list[Decimal]:
    """The order's own tax, shared out over its lines as it was when the order came."""
    weights = [max(line.value, _ZERO) for line in order.lines]
    return allocate(order.tax, weights, order.paid_currency)


def _part(total: Decimal, moves: Decimal, whole: Decimal, currency: str) -> Decimal:
    return _unit(total * moves / whole, currency, ROUND_DOWN) if whole else _ZERO


def _unit(amount: Decimal, currency: str, rounding: str) -> Decimal:
    return amount.quantize(smallest_unit(currency), rounding=rounding)
