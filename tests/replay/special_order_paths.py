"""Paths of an order of which nobody had the items (ORD-8)."""

from tests.replay.order_paths import parcel
from tests.replay.recording import Recorded
from tests.world import World


async def order_waits_for_stock(world: World) -> list[Recorded]:
    """Two of one item: nobody has them, the buyer waits; one is found by itself after a day, and the other is said
    to be there after that."""
    supplier, sku = await world.supplier(), world.sku()
    order = await world.order(await world.seller(choice_days=7), {"sku": sku, "quantity": 3})
    await order.reaches("cancel_window")
    await order.forward(minutes=31)
    await order.reaches("awaiting_choice")
    await order.forward(days=2, minutes=1)
    one = [{"sku": sku, "quantity": 1}]
    await order.update("choice_after_void", choice="source_elsewhere", lines=one)
    await order.update("choice_after_void", choice="special_order")
    await order.reaches("awaiting_stock")
    await order.forward(days=1, minutes=1)
    await order.update("stock_arrived", actor="broker:stock", lines=one)  # which it has not
    await order.shows("that it waits again", lambda seen: any("waits on" in step.what for step in seen.timeline))
    await order.reaches("awaiting_stock")
    await world.stock(sku, 9, supplier)
    await order.update("stock_arrived", actor="broker:stock")
    await order.reaches("awaiting_shipment")
    await order.update("shipment", **parcel(order, "a", 2))
    await order.ends("shipped")
    return [order]
