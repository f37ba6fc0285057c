"""A story of an order whose buyer waits until its item is in stock."""

from decimal import Decimal
from typing import Final

from starter.demo.sample_data import IN_BOSTON, KEYSTONE, MIRROR, MIRRORS, NORTHWIND
from starter.demo.story import Story, StoryRun


async def waited_for_stock(story: StoryRun) -> None:
    """ORD-8."""
    order = await story.order(NORTHWIND, IN_BOSTON, {MIRROR: 1})
    await order.reaches("cancel_window")
    await order.forward(minutes=31)
    await order.reaches("awaiting_choice")
    await order.receives("choice_after_void", "seller:service-desk", choice="special_order")
    await order.reaches("awaiting_stock")
    await story.environment.sandbox.put_stock(MIRRORS)
    await order.receives("stock_arrived", "broker:stock")
    await order.reaches("awaiting_shipment")
    await story.ship(order, KEYSTONE.supplier_id, {MIRROR: 1})
    await order.ends("shipped")
    story.expect(
        "the first charge was voided, and a new one collected",
        lambda effects: sorted(charge.status for charge in effects.charges) == ["canceled", "succeeded"],
    )
    story.expect("the seller has paid once", lambda effects: effects.captured == Decimal("67.50"))
    story.expect(
        "the seller was told that the buyer waits",
        lambda effects: effects.mailed(NORTHWIND.email, saying="special order"),
    )


STORIES: Final = (
    Story("Nobody has it: the buyer waits, stock arrives, and the seller is charged anew", waited_for_stock),
)
