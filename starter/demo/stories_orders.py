"""Stories of orders: shipped, cancelled, too late, second-sourced, voided, unpaid, split, refunded in part."""

from decimal import Decimal
from typing import Final

from models import ids
from models.case import Who
from starter.demo.setting import (
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
from starter.demo.story import NotAsExpected, Story, Telling


async def shipped(tell: Telling) -> None:
    """ORD-3..5, ORD-9."""
    order = await tell.order(NORTHWIND, IN_BOSTON, {BRAKE_PADS: 2})
    await tell.placed(order)
    await tell.ship(order, KEYSTONE.supplier_id, {BRAKE_PADS: 2})
    await order.ends("shipped")
    tell.expect(
        "Reading got the order, not Reno: it is closer to Boston",
        lambda seen: [one.warehouse_id for one in seen.supplier_orders] == ["keystone-reading"],
    )
    tell.expect("the seller paid parts and shipping once", lambda seen: seen.captured == Decimal("88.40"))
    tell.expect("the shop has the tracking number", lambda seen: len(seen.shipments) == 1)


async def cancelled_in_time(tell: Telling) -> None:
    """CAN-1, CAN-11."""
    order = await tell.order(NEULAND, IN_DENVER, {BRAKE_PADS: 1})
    await order.reaches("cancel_window")
    await order.forward(minutes=29)
    await order.hears("cancel_request", "seller:service-desk", reason="buyer ordered twice")
    await order.ends("cancelled")
    tell.expect("no supplier got the order", lambda seen: not seen.supplier_orders)
    tell.expect(
        "the seller's charge is voided, nothing was taken",
        lambda seen: [charge.status for charge in seen.charges] == ["canceled"] and not seen.captures,
    )
    tell.expect("the shop does not ship it", lambda seen: len(seen.stops) == 1)
    tell.expect("the seller was told, in German", lambda seen: seen.mailed(NEULAND.email, saying="storniert"))


async def cancelled_too_late(tell: Telling) -> None:
    """CAN-2: once shipped it goes on as a return; the buyer refuses the parcel."""
    basket = {FILTER: 3}
    order = await tell.order(NORTHWIND, IN_AUSTIN, basket)
    await tell.placed(order)
    answer = (await order.hears("cancel_request", "seller:service-desk", reason="bought elsewhere")).answer
    if answer is None or "already fulfilled" not in answer.message:
        raise NotAsExpected(f"{order.workflow_id} does not answer that it is fulfilled: {answer}")
    await tell.ship(order, LONE_STAR.supplier_id, basket)
    await order.ends("shipped")
    late = tell.case(ids.return_workflow_id(ids.late_cancel_return_id(tell.order_id)))
    await late.reaches("awaiting_approval")
    await late.hears("seller_approval", "seller:service-desk", decision="approved")
    await tell.send_back(late, actor="carrier:usps")
    await tell.accept_and_credit(late, LONE_STAR.supplier_id, basket)
    await late.reaches("awaiting_buyer_refund")
    await late.hears("buyer_refund", "seller:service-desk", reason="parcel refused")
    await late.ends("completed")
    tell.expect("one supplier order, never both", lambda seen: len(seen.supplier_orders) == 1 and not seen.stops)
    tell.expect("the buyer was refunded once", lambda seen: seen.buyer_got("55.20"))
    tell.expect("the seller was refunded once", lambda seen: seen.seller_got("29.70"))


async def second_sourced(tell: Telling) -> None:
    """ORD-6."""
    order = await tell.order(NORTHWIND, IN_SACRAMENTO, {SENSOR: 2})
    await tell.placed(order)
    await tell.ship(order, HARBOR.supplier_id, {SENSOR: 2})
    await order.ends("shipped")
    tell.expect(
        "it was bought through the network, at the network's price",
        lambda seen: (
            [one.supplier_id for one in seen.supplier_orders] == [HARBOR.supplier_id]
            and [Decimal(line["unit_cost"]) for line in seen.supplier_orders[0].lines] == [SENSOR_ELSEWHERE]
        ),
    )
    tell.expect("the seller paid the original cost", lambda seen: seen.captured == Decimal("65.60"))


async def voided(tell: Telling) -> None:
    """ORD-7, NTF-4."""
    order = await tell.order(NORTHWIND, IN_CHICAGO, {HEADLIGHT: 1})
    await order.reaches("cancel_window")
    await order.forward(minutes=31)
    await order.ends("voided")
    tell.expect("nobody was asked to send it", lambda seen: not seen.supplier_orders)
    tell.expect(
        "the seller has its money back",
        lambda seen: [charge.status for charge in seen.charges] == ["canceled"] and not seen.captures,
    )
    tell.expect("the seller was told what to do next", lambda seen: seen.mailed(NORTHWIND.email))


async def waited_for_payment(tell: Telling) -> None:
    """ORD-3."""
    order = await tell.order(BAYOU, IN_AUSTIN, {BRAKE_PADS: 4})
    await order.shows(
        "the seller's card is declined",
        lambda status: (
            status.stage == "awaiting_payment"
            and status.waiting_for is not None
            and status.waiting_for.who is Who.SELLER
        ),
    )
    await order.hears("payment_method_updated", "seller:accounts", payment_method="pm_card_mastercard")
    await tell.placed(order)
    await tell.ship(order, CASCADE.supplier_id, {BRAKE_PADS: 4})
    await order.ends("shipped")
    tell.expect(
        "the first charge was declined, the second one taken",
        lambda seen: sorted(charge.status for charge in seen.charges) == ["requires_payment_method", "succeeded"],
    )
    tell.expect("the seller paid once", lambda seen: seen.captured == Decimal("170.80"))
    tell.expect("the seller was told", lambda seen: seen.mailed(BAYOU.email))


async def released_and_split(tell: Telling) -> None:
    """ORD-2, ORD-5, ORD-11."""
    order = await tell.order(LAKESIDE, IN_DENVER, {BRAKE_PADS: 1, FILTER: 2})
    await order.reaches("awaiting_release")
    await order.hears("release", "seller:service-desk")
    await tell.placed(order)
    await tell.ship(order, LONE_STAR.supplier_id, {FILTER: 2}, parcel=1)
    await order.forward(days=1)
    await tell.ship(order, CASCADE.supplier_id, {BRAKE_PADS: 1}, parcel=2)
    await order.ends("shipped")
    tell.expect(
        "each supplier got its part",
        lambda seen: (
            {one.supplier_id for one in seen.supplier_orders} == {CASCADE.supplier_id, LONE_STAR.supplier_id}
            and len(seen.supplier_orders) == 2
        ),
    )
    tell.expect("the shop has both tracking numbers", lambda seen: len(seen.shipments) == 2)
    tell.expect("the seller paid once", lambda seen: seen.captured == Decimal("67.00"))


async def refunded_in_part(tell: Telling) -> None:
    """REF-2, REF-3."""
    await tell.shipped_order(NORTHWIND, IN_SACRAMENTO, {BRAKE_PADS: 1}, CASCADE.supplier_id)
    refund = await tell.refund_directly(Decimal("10.00"), "scratched box, the buyer keeps it")
    await refund.ends("succeeded")
    tell.expect("the buyer got it once", lambda seen: seen.buyer_got("10.00"))
    tell.expect("the seller got nothing back", lambda seen: not seen.seller_refunds)


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
