"""A story of an order of which a part is cancelled."""

from decimal import Decimal
from typing import Final

from models import ids
from starter.demo.sample_data import BRAKE_PADS, IN_BOSTON, KEYSTONE, NORTHWIND
from starter.demo.story import Story, StoryRun


async def cancelled_in_part(story: StoryRun) -> None:
    """CAN-10, CAN-4."""
    order = await story.order(NORTHWIND, IN_BOSTON, {BRAKE_PADS: 2})
    await order.reaches("cancel_window")
    line = {"sku": BRAKE_PADS.sku, "quantity": 1}
    await order.receives("cancel_request", "seller:service-desk", reason="one too many", lines=[line])
    other = story.case(ids.order_workflow_id(ids.split_order_id(story.order_id, 1)))
    await other.ends("cancelled")
    await story.placed(order)
    await story.ship(order, KEYSTONE.supplier_id, {BRAKE_PADS: 1})
    await order.ends("shipped")
    story.expect("one is bought and paid, never both", lambda effects: effects.captured == Decimal("44.20"))
    story.expect(
        "the seller was told of the other one",
        lambda effects: effects.mailed(NORTHWIND.email, saying=ids.split_order_id(story.order_id, 1)),
    )


STORIES: Final = (
    Story("One of two is cancelled: it moves to an order of its own, the other is sent", cancelled_in_part),
)
