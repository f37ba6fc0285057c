"""Orders of which nobody had the items, as far as their seller has come with them (ORD-8)."""

from decimal import Decimal
from typing import Any

from tests.plans.orders.order_rig import Order, Stock

LEFT_ONE = {"lines": [{"sku": "A", "quantity": 1}]}
NOT_HERE = Stock("A", quantity=2, refuses=True)


def voided(**settings: Any) -> Order:
    """Nobody has the two units of A, and the seller has seven days to choose."""
    given: dict[str, Any] = {"stock": (), "choice_days": 7}
    order = Order(**given | settings).rest().passes(minutes=31)
    assert order.stage == "awaiting_choice", order.stage
    return order


def waiting(**settings: Any) -> Order:
    """The buyer waits for them."""
    order = voided(**settings)
    assert order.happens("choice_after_void", choice="special_order")
    assert order.stage == "awaiting_stock", order.stage
    return order


def refused_after_capture(**settings: Any) -> Order:
    """It was collected, then the only warehouse refused: it went back, and the buyer waits."""
    order = waiting(stock=(NOT_HERE,), **settings)
    assert order.money == (Decimal("63.00"), Decimal("63.00"))
    order.stock = [Stock("A")]
    return order
