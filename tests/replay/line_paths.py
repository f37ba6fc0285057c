"""Paths of lines that need a name of their own: one item in two lines, and a kit (ORD-13, ORD-14)."""

from typing import Any

from tests.case_story import CaseStory, OrderStory
from tests.replay.recording import Recorded
from tests.world import World


async def order_of_one_item_in_two_lines(world: World) -> list[Recorded]:
    """A word that several lines fit is refused; one of the lines is missing at the warehouse after all."""
    supplier, sku = await world.supplier(), world.sku()
    await world.stock(sku, 10, supplier)
    order = await world.order(
        await world.seller(), {"sku": sku, "quantity": 2}, {"sku": sku, "unit_price": "60.00"}
    )
    await order.placed()
    await order.signal("shipment", **_parcel("s1", {"sku": sku, "quantity": 1}, actor="carrier:ups"))
    await order.shows("the refusal", lambda seen: seen.rejected_count == 1)
    await order.update("shipment", **_parcel("s1", {"line_id": "1", "quantity": 2}))
    lines = [{"line_id": "2", "quantity": 1}]
    number = f"{order.id}-1"
    await order.update("supplier_shortage", supplier_order_number=number, lines=lines, reason="sold twice")
    await order.ends("shipped")
    return [order]


async def order_of_a_kit(world: World) -> list[Recorded]:
    """Its components ship in two parcels; one component comes back, and is credited and refunded to the cent."""
    order = await _kit(world)
    await order.placed()
    await order.update("shipment", **_parcel("s1", {"line_id": "1.2", "quantity": 1}))
    await order.update("shipment", **_parcel("s2", {"line_id": "1.1", "quantity": 2}))
    await order.ends("shipped")
    back = await world.return_of(order, lines=[{"line_id": "1.1", "quantity": 1, "reason": "worn"}])
    await _back(back, {"line_id": "1.1", "quantity": 1}, "10.00")
    return [order, back]


async def return_of_a_kit(world: World) -> list[Recorded]:
    """The whole kit comes back; its components arrive apart."""
    order = await _kit(world)
    await order.shipped()
    kit = order.request.lines[0].sku
    back = await world.return_of(order, lines=[{"sku": kit, "quantity": 1, "reason": "worn"}])
    await back.reaches("awaiting_approval")
    await _back(back, {"sku": kit, "quantity": 1}, "60.00")
    return [back, world.refund_story(f"RF-{back.id}-B1")]


async def _kit(world: World) -> OrderStory:
    supplier, pad, disc = await world.supplier(), world.sku(), world.sku()
    for sku in (pad, disc):
        await world.stock(sku, 10, supplier)
    parts = [
        {"sku": pad, "title": "Pad", "quantity": 2, "unit_cost": "10.00"},
        {"sku": disc, "title": "Disc", "quantity": 1, "unit_cost": "40.00"},
    ]
    kit = {"sku": world.sku(), "unit_price": "90.01", "unit_cost": "60.00", "components": parts}
    return await world.order(await world.seller(), kit)


async def _back(back: CaseStory, units: dict[str, Any], cost: str) -> None:
    await back.reaches("awaiting_approval")
    await back.update("seller_approval", decision="approved")
    await back.reaches("awaiting_tracking")
    await back.update("return_tracking", actor="buyer:robin", carrier="UPS", tracking_number="1ZBACK")
    await back.update("goods_received", lines=[{**units, "reception": "received", "acceptance": "accepted"}])
    await back.reaches("awaiting_credit")
    memo = {"number": f"CM-{back.id}", "date": "2026-03-01", "amount": cost, "currency": "USD"}
    await back.update("credit_memo", actor="supplier:office", **memo)
    await back.reaches("awaiting_buyer_refund")
    await back.update("buyer_refund", reason="it is back", lines=[units])
    await back.ends("completed")


def _parcel(shipment_id: str, line: dict[str, Any], actor: str = "supplier:dock") -> dict[str, Any]:
    numbers = {"shipment_id": shipment_id, "carrier": "UPS", "tracking_number": f"1Z{shipment_id}"}
    return {"actor": actor, "lines": [line], **numbers}
