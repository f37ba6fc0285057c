"""What the database makes of an order that is split (CAN-10)."""

from decimal import Decimal

from models.orders import OrderRequest, share_out
from models.splits import Kept, request_of, worth_moved
from workflows.orders.effects import SplitOff
from workflows.orders.facts import OrderFacts


def order_split(order: OrderRequest, facts: OrderFacts, effect: SplitOff) -> OrderRequest:
    """The order that the units move to, of an order with one payment."""
    left = {one.line_id: one.open + one.shipped for one in facts.lines.counts}
    lines = {one.line_id: Kept(one, left[one.line_id]) for one in share_out(order)}
    moved = worth_moved(order, lines, effect.units)
    worth = sum((one.paid for one in moved), Decimal(0))
    paid = tuple(one.model_copy(update={"amount": worth}) for one in order.paid_with)
    return request_of(order, moved, lines, paid, effect.split_from)
