"""Whether an order is cancelled at Amazon, by what getOrder says (CAN-8)."""

from typing import Any

import pytest

from activities.amazon_orders import standing
from activities.connectors.amazon.wire import Order
from models.marketplace_orders import MarketplaceOrder
from models.message import Quantity

ASKED = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Ordered by mistake"}}
BY_BUYER = ASKED | {"cancellationExecution": {"cancelledBy": "BUYER", "cancelReason": "Ordered by mistake"}}
BY_AMAZON = {"cancellationExecution": {"cancelledBy": "AMAZON"}}


def order(*cancellations: dict[str, Any] | None, status: str = "UNSHIPPED") -> Order:
    items = [
        {
            "orderItemId": str(number),
            "quantityOrdered": number + 1,
            "product": {"sellerSku": "A"},
            "cancellation": said,
        }
        for number, said in enumerate(cancellations)
    ]
    told = {"orderId": "111-1", "fulfillment": {"fulfillmentStatus": status}, "orderItems": items}
    return Order.model_validate(told)


BY_BUYER_IN_PART = MarketplaceOrder(
    by_buyer=True, reason="Ordered by mistake", items=(Quantity(line_id="0", sku="A", quantity=1),)
)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (order(None, None), MarketplaceOrder()),
        (order(ASKED, ASKED), MarketplaceOrder()),
        (order(BY_BUYER, None), BY_BUYER_IN_PART),
        (order(BY_BUYER, ASKED), BY_BUYER_IN_PART),
        (order(None, BY_AMAZON), MarketplaceOrder(items=(Quantity(line_id="1", sku="A", quantity=2),))),
        (order(), MarketplaceOrder()),
        (order(BY_BUYER, BY_BUYER), MarketplaceOrder(cancelled=True, by_buyer=True, reason="Ordered by mistake")),
        (order(BY_AMAZON, BY_BUYER), MarketplaceOrder(cancelled=True, reason="Ordered by mistake")),
        (order(BY_AMAZON), MarketplaceOrder(cancelled=True)),
        (order(None, status="cancelled"), MarketplaceOrder(cancelled=True)),
    ],
)
def test_CAN_8_an_order_is_cancelled_at_amazon_when_all_of_it_is(said: Order, known: MarketplaceOrder) -> None:
    assert standing(said) == known


def test_CAN_8_an_item_of_which_amazon_does_not_say_how_many_is_told_by_its_number() -> None:
    said = order(BY_AMAZON, None)
    (first, second) = said.items
    none_left = said.model_copy(update={"items": (first.model_copy(update={"quantity": 0}), second)})
    assert standing(none_left) == MarketplaceOrder(unclear_items=("0",))


def test_CAN_8_what_amazon_writes_on_many_lines_stands_on_one() -> None:
    said = order({"cancellationExecution": {"cancelledBy": "AMAZON", "cancelReason": "sold\nout\x07"}}, None)
    (first, second) = said.items
    strange = first.model_copy(update={"order_item_id": "3\n3\t\x1b" + "4" * 200})
    known = standing(said.model_copy(update={"items": (strange, second)}))
    assert known.reason == "sold out"
    assert known.unclear_items == ("3 3 " + "4" * 96,)
