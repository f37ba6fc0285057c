"""Whether an order is cancelled at Amazon, by what getOrder says (CAN-8)."""

from typing import Any

import pytest

from activities.amazon_orders import standing
from activities.connectors.amazon.wire import Order
from models.marketplace_orders import MarketplaceOrder

ASKED = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Ordered by mistake"}}
BY_BUYER = ASKED | {"cancellationExecution": {"cancelledBy": "BUYER", "cancelReason": "Ordered by mistake"}}
BY_AMAZON = {"cancellationExecution": {"cancelledBy": "AMAZON"}}


def order(*cancellations: dict[str, Any] | None, status: str = "UNSHIPPED") -> Order:
    items = [
        {"orderItemId": str(number), "quantityOrdered": 1, "cancellation": said}
        for number, said in enumerate(cancellations)
    ]
    told = {"orderId": "111-1", "fulfillment": {"fulfillmentStatus": status}, "orderItems": items}
    return Order.model_validate(told)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (order(None, None), MarketplaceOrder()),
        (order(ASKED, ASKED), MarketplaceOrder()),
        (order(BY_BUYER, None), MarketplaceOrder()),
        (order(BY_BUYER, ASKED), MarketplaceOrder()),
        (order(), MarketplaceOrder()),
        (order(BY_BUYER, BY_BUYER), MarketplaceOrder(cancelled=True, by_buyer=True, reason="Ordered by mistake")),
        (order(BY_AMAZON, BY_BUYER), MarketplaceOrder(cancelled=True, reason="Ordered by mistake")),
        (order(BY_AMAZON), MarketplaceOrder(cancelled=True)),
        (order(None, status="cancelled"), MarketplaceOrder(cancelled=True)),
    ],
)
def test_CAN_8_an_order_is_cancelled_at_amazon_when_all_of_it_is(said: Order, known: MarketplaceOrder) -> None:
    assert standing(said) == known
