"""Stories of what is sold otherwise than it is shipped or paid: a kit, and a replacement that costs nothing."""

from decimal import Decimal
from typing import Final

from starter.demo.order_requests import free_order, kit_of, paid_order
from starter.demo.sample_data import (
    BRAKE_PADS,
    FILTER,
    IN_AUSTIN,
    IN_BOSTON,
    KEYSTONE,
    LONE_STAR,
    NORTHWIND,
    SHOCK,
)
from starter.demo.story import Story, StoryRun


async def kit(story: StoryRun) -> None:
    """ORD-14, REF-13."""
    line = kit_of("KIT-3300", "Front axle kit", Decimal("199.00"), {BRAKE_PADS: 1, SHOCK: 2})
    request = paid_order(story.order_id, NORTHWIND, IN_BOSTON, [line], story.payment_reference)
    order = await story.arrives(request, NORTHWIND)
    await story.placed(order)
    await story.ship(order, KEYSTONE.supplier_id, {BRAKE_PADS: 1, SHOCK: 2})
    await order.ends("shipped")
    refund = await story.refund_directly(None, "one of the shock absorbers leaks", {SHOCK: 1})
    await refund.ends("succeeded")
    story.expect(
        "the warehouse got its parts, and nothing of a kit",
        lambda effects: (
            [(line["sku"], line["quantity"]) for line in effects.supplier_orders[0].lines]
            == [(BRAKE_PADS.sku, 1), (SHOCK.sku, 2)]
        ),
    )
    story.expect("the buyer got the share of one shock absorber", lambda effects: effects.buyer_got("69.32"))


async def free_replacement(story: StoryRun) -> None:
    """ORD-15."""
    request = free_order(story.order_id, NORTHWIND, IN_AUSTIN, FILTER)
    order = await story.arrives(request, NORTHWIND)
    await story.placed(order)
    await story.ship(order, LONE_STAR.supplier_id, {FILTER: 1})
    await order.ends("shipped")
    back = await story.ask_to_return({FILTER: 1}, "not needed after all")
    await back.receives("seller_approval", "seller:service-desk", decision="approved")
    await story.send_back(back)
    await story.accept_and_credit(back, LONE_STAR.supplier_id, {FILTER: 1})
    await back.ends("completed")
    story.expect("the seller was charged as always", lambda effects: effects.captured == Decimal("15.90"))
    story.expect("the seller has the part's cost back", lambda effects: effects.seller_got("9.90"))
    story.expect("nothing went to the buyer", lambda effects: not effects.buyer_refunds)


STORIES: Final = (
    Story("A kit is bought and shipped as its parts; one part is refunded at its share", kit),
    Story("A replacement that costs nothing comes back without the buyer's money", free_replacement),
)
