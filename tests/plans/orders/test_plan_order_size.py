"""An order of five hundred lines: bought in parts, and no copy of the market in its facts (ORD-5)."""

from tests.plans.orders.order_rig import Order, Stock, request
from workflows.orders.effects import Place

LINES = 500
WAREHOUSES = 250
SKUS = [f"SKU-{number:04}" for number in range(LINES)]


def large_order() -> Order:
    """Of each item five warehouses have some; the first one refuses every seventh item."""
    lines = ({"sku": sku, "quantity": 3} for sku in SKUS)
    stock = tuple(
        Stock(
            sku,
            2 if number % 3 else 9,
            warehouse=f"w{(number + offset) % WAREHOUSES}",
            refuses=offset == 0 and number % 7 == 0,
        )
        for number, sku in enumerate(SKUS)
        for offset in range(5)
    )
    return Order(request(*lines), stock=stock, careful=False).rest()


def test_ORD_5_a_large_order_is_bought_side_by_side_and_what_is_refused_is_sourced_again() -> None:
    order = large_order()
    order.held.add(Place)
    order.passes(minutes=31)
    assert len(order.facts.in_flight) == WAREHOUSES
    assert len(order.facts.model_dump_json()) < 400_000
    order.held.clear()
    order.rest()
    assert order.stage == "awaiting_shipment"
    assert not order.facts.unsourced
    assert {one.state for one in order.facts.purchases} == {"accepted", "refused"}
    assert len(order.facts.model_dump_json()) < 600_000
    for part in range(0, LINES, 50):
        order.ships(f"s{part}", **dict.fromkeys(SKUS[part : part + 50], 3))
    assert order.outcome == "shipped"
