"""Stories of orders: shipped, cancelled, too late, second-sourced, voided, unpaid, split, refunded in part."""

from decimal import Decimal
from typing import Final

from models import ids
from models.case import Who
from starter.demo.sample_data import (
    BAYOU,
    BRAKE_PADS,
    CASCADE,
    FILTER,
    HARBOR,
    HEADLIGHT,
    IN_AUSTIN,
    IN_BOSTON,
    IN_CHICAGO,
    IN_DENVER,
    IN_SACRAMENTO,
    KEYSTONE,
    LAKESIDE,
    LONE_STAR,
    NEULAND,
    NORTHWIND,
    SENSOR,
    SENSOR_ELSEWHERE,
)
from starter.demo.story import NotAsExpected, Story, StoryRun


async def shipped(story: StoryRun) -> None:
    """ORD-3..5, ORD-9."""
    order = await story.order(NORTHWIND, IN_BOSTON, {BRAKE_PADS: 2})
    await story.placed(order)
    await story.ship(order, KEYSTONE.supplier_id, {BRAKE_PADS: 2})
    await order.ends("shipped")
    story.expect(
        "Reading got the order, not Reno: it is closer to Boston",
        lambda effects: [one.warehouse_id for one in effects.supplier_orders] == ["keystone-reading"],
    )
    story.expect("the seller paid parts and shipping once", lambda effects: effects.captured == Decimal("88.40"))
    story.expect("the shop has the tracking number", lambda effects: len(effects.shipments) == 1)


async def cancelled_in_time(story: StoryRun) -> None:
    """CAN-1, CAN-11."""
    order = await story.order(NEULAND, IN_DENVER, {BRAKE_PADS: 1})
    await order.reaches("cancel_window")
    await order.forward(minutes=29)
    await order.receives("cancel_request", "seller:service-desk", reason="buyer ordered twice")
    await order.ends("cancelled")
    story.expect("no supplier got the order", lambda effects: not effects.supplier_orders)
    story.expect(
        "the seller's charge is voided, nothing was taken",
        lambda effects: [charge.status for charge in effects.charges] == ["canceled"] and not effects.captures,
    )
    story.expect("the shop does not ship it", lambda effects: len(effects.stops) == 1)
    story.expect(
        "the seller was told, in German", lambda effects: effects.mailed(NEULAND.email, saying="storniert")
    )


async def cancelled_too_late(story: StoryRun) -> None:
    """CAN-2: once shipped it goes on as a return; the buyer refuses the parcel."""
    basket = {FILTER: 3}
    order = await story.order(NORTHWIND, IN_AUSTIN, basket)
    await story.placed(order)
    answer = (await order.receives("cancel_request", "seller:service-desk", reason="bought elsewhere")).answer
    if answer is None or "already fulfilled" not in answer.message:
        raise NotAsExpected(f"{order.workflow_id} does not answer that it is fulfilled: {answer}")
    await story.ship(order, LONE_STAR.supplier_id, basket)
    await order.ends("shipped")
    late = story.case(ids.return_workflow_id(ids.late_cancel_return_id(story.order_id)))
    await late.reaches("awaiting_approval")
    await late.receives("seller_approval", "seller:service-desk", decision="approved")
    await story.send_back(late, actor="carrier:usps")
    await story.accept_and_credit(late, LONE_STAR.supplier_id, basket)
    await late.reaches("awaiting_buyer_refund")
    await late.receives("buyer_refund", "seller:service-desk", reason="parcel refused")
    await late.ends("completed")
    story.expect(
        "one supplier order, never both", lambda effects: len(effects.supplier_orders) == 1 and not effects.stops
    )
    story.expect("the buyer was refunded once", lambda effects: effects.buyer_got("55.20"))
    story.expect("the seller was refunded once", lambda effects: effects.seller_got("29.70"))


async def second_sourced(story: StoryRun) -> None:
    """ORD-6."""
    order = await story.order(NORTHWIND, IN_SACRAMENTO, {SENSOR: 2})
    await story.placed(order)
    await story.ship(order, HARBOR.supplier_id, {SENSOR: 2})
    await order.ends("shipped")
    story.expect(
        "it was bought through the network, at the network's price",
        lambda effects: (
            [one.supplier_id for one in effects.supplier_orders] == [HARBOR.supplier_id]
            and [Decimal(line["unit_cost"]) for line in effects.supplier_orders[0].lines] == [SENSOR_ELSEWHERE]
        ),
    )
    story.expect("the seller paid the original cost", lambda effects: effects.captured == Decimal("65.60"))


async def voided(story: StoryRun) -> None:
    """ORD-7, NTF-4."""
    order = await story.order(NORTHWIND, IN_CHICAGO, {HEADLIGHT: 1})
    await order.reaches("cancel_window")
    await order.forward(minutes=31)
    await order.reaches("awaiting_choice")
    await order.receives("choice_after_void", "seller:service-desk", choice="source_elsewhere")
    await order.ends("voided")
    story.expect("nobody was asked to send it", lambda effects: not effects.supplier_orders)
    story.expect(
        "the seller has its money back",
        lambda effects: [charge.status for charge in effects.charges] == ["canceled"] and not effects.captures,
    )
    story.expect("the seller was told what to do next", lambda effects: effects.mailed(NORTHWIND.email))


async def waited_for_payment(story: StoryRun) -> None:
    """ORD-3."""
    order = await story.order(BAYOU, IN_AUSTIN, {BRAKE_PADS: 4})
    await order.shows(
        "the seller's card is declined",
        lambda status: (
            status.stage == "awaiting_payment"
            and status.waiting_for is not None
            and status.waiting_for.who is Who.SELLER
        ),
    )
    await order.receives("payment_method_updated", "seller:accounts", payment_method="pm_card_mastercard")
    await story.placed(order)
    await story.ship(order, CASCADE.supplier_id, {BRAKE_PADS: 4})
    await order.ends("shipped")
    story.expect(
        "the first charge was declined, the second one taken",
        lambda effects: (
            sorted(charge.status for charge in effects.charges) == ["requires_payment_method", "succeeded"]
        ),
    )
    story.expect("the seller paid once", lambda effects: effects.captured == Decimal("170.80"))
    story.expect("the seller was told", lambda effects: effects.mailed(BAYOU.email))


async def released_and_split(story: StoryRun) -> None:
    """ORD-2, ORD-5, ORD-11."""
    order = await story.order(LAKESIDE, IN_DENVER, {BRAKE_PADS: 1, FILTER: 2})
    await order.reaches("awaiting_release")
    await order.receives("release", "seller:service-desk")
    await story.placed(order)
    await story.ship(order, LONE_STAR.supplier_id, {FILTER: 2}, parcel=1)
    await order.forward(days=1)
    await story.ship(order, CASCADE.supplier_id, {BRAKE_PADS: 1}, parcel=2)
    await order.ends("shipped")
    story.expect(
        "each supplier got its part",
        lambda effects: (
            {one.supplier_id for one in effects.supplier_orders} == {CASCADE.supplier_id, LONE_STAR.supplier_id}
            and len(effects.supplier_orders) == 2
        ),
    )
    story.expect("the shop has both tracking numbers", lambda effects: len(effects.shipments) == 2)
    story.expect("the seller paid once", lambda effects: effects.captured == Decimal("67.00"))


async def refunded_in_part(story: StoryRun) -> None:
    """REF-2, REF-3."""
    await story.shipped_order(NORTHWIND, IN_SACRAMENTO, {BRAKE_PADS: 1}, CASCADE.supplier_id)
    refund = await story.refund_directly(Decimal("10.00"), "scratched box, the buyer keeps it")
    await refund.ends("succeeded")
    story.expect("the buyer got it once", lambda effects: effects.buyer_got("10.00"))
    story.expect("the seller got nothing back", lambda effects: not effects.seller_refunds)


STORIES: Final = (
    Story("An order goes to the closest warehouse that has it, and is shipped", shipped),
    Story("Cancelled after 29 minutes: in time, nothing is sent", cancelled_in_time),
    Story("Cancelled after 31 minutes: too late, so it goes on as a return", cancelled_too_late),
    Story("Not in stock: second-sourced, the broker bears the difference", second_sourced),
    Story("Nobody has it: voided, the seller has its money back at once", voided),
    Story("The seller's card is declined: waits for another one, and goes on", waited_for_payment),
    Story("Released by a click, bought from two suppliers, shipped in two parcels", released_and_split),
    Story("A part of the price is refunded without a return", refunded_in_part),
)
