"""Every path that a case can take, as a short story. Their histories are recorded, committed and replayed.

A path gives the cases whose histories belong to it; the name of a history is `<path>.<n>-<workflow type>.json`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from models.refunds import GatewayUpdate
from starter.sending import send_event
from tests.rules.return_story import ReturnStory, returning, shipped_order
from tests.world import CaseStory, OrderStory, World

Path = Callable[[World], Awaitable[list[CaseStory]]]


# ---- orders ----


async def order_shipped(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.shipped()
    return [order]


async def order_shipped_in_parts(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.placed()
    for part in ("a", "b"):
        await order.update("shipment", **_part(order, part))
        await order.update("shipment", **_part(order, part))
    await order.ends("shipped")
    return [order]


def _part(order: OrderStory, part: str) -> dict[str, Any]:
    lines = [{"sku": order.request.lines[0].sku, "quantity": 1}]
    numbers = {"shipment_id": f"{order.id}-{part}", "tracking_number": f"1Z{part}"}
    return {"actor": "supplier:dock", "carrier": "UPS", "lines": lines, **numbers}


async def order_cancelled(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.signal("cancel_request", reason="ordered twice")
    await order.ends("cancelled")
    return [order]


async def order_cancelled_and_buyer_refunded(world: World) -> list[CaseStory]:
    order = await world.simple_order(await world.seller(auto_refund_buyer=True))
    await order.reaches("cancel_window")
    await order.update("cancel_request", reason="ordered twice")
    await order.ends("cancelled")
    return [order, world.refund_story(f"RF-{order.id}-B1")]


async def order_cancelled_too_late(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.placed()
    await order.signal("cancel_request", reason="ordered twice")
    await order.ship_all()
    back = world.return_story(f"RR-{order.id}-late-cancel")
    await back.reaches("awaiting_approval")
    await back.update("seller_approval", decision="rejected", reason="worn")
    await back.ends("rejected")
    return [order, back]


async def order_second_sourced(world: World) -> list[CaseStory]:
    supplier, sku = await world.supplier(), world.sku()
    await world.stock(sku, 5, supplier, cost="45.00", second_source=True)
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 1})
    await order.shipped()
    return [order]


async def order_voided(world: World) -> list[CaseStory]:
    order = await world.order(await world.seller(), {"sku": world.sku()})
    await order.reaches("cancel_window")
    await order.forward(minutes=31)
    await order.ends("voided")
    return [order]


async def order_voided_in_part(world: World) -> list[CaseStory]:
    supplier, sku = await world.supplier(), world.sku()
    await world.stock(sku, 5, supplier)
    missing = {"sku": world.sku(), "quantity": 1}
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 2}, missing)
    await order.placed()
    lines = [{"sku": sku, "quantity": 2}]
    await order.update("shipment", **(_part(order, "a") | {"lines": lines}))
    await order.ends("shipped")
    return [order]


async def order_refused_by_the_supplier(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("supplier", "refuse", f"PUT .*/orders/{order.id}")
    await order.forward(minutes=31)
    await order.ends("voided")
    return [order, world.refund_story(f"RF-{order.id}-S1")]


async def order_waiting_for_a_payment_method(world: World) -> list[CaseStory]:
    order = await world.simple_order(await world.seller(payment_method="pm_card_chargeDeclined"))
    await order.reaches("awaiting_payment")
    await order.forward(minutes=65)
    await order.update("payment_method_updated", payment_method="pm_card_visa")
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    return [order]


async def order_held(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("hold", reason="check the address")
    await order.forward(minutes=31)
    await order.reaches("on_hold")
    await order.update("resume", reason="it is right")
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    return [order]


async def order_released_by_a_click(world: World) -> list[CaseStory]:
    order = await world.simple_order(await world.seller(auto_release=False))
    await order.reaches("awaiting_release")
    await order.update("release")
    await order.shipped()
    return [order]


async def order_not_shipped_for_days(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.placed()
    await order.forward(days=6)
    await order.ship_all()
    return [order]


async def order_stopped_by_staff(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.handle.cancel()
    await order.reaches("stopped")
    return [order]


async def order_stopped_while_it_is_cancelled(world: World) -> list[CaseStory]:
    order = await world.simple_order(await world.seller(auto_refund_buyer=True))
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("shop", "delay", "PUT .*/shipping-list", seconds=0.6)
    await order.update("cancel_request", reason="no stock")
    await order.shows("the void", lambda seen: any("charge voided" in step.what for step in seen.timeline))
    await order.handle.cancel()
    await order.reaches("stopped")
    return [order]


async def order_of_an_unknown_seller(world: World) -> list[CaseStory]:
    seller = (await world.seller()).model_copy(update={"seller_id": f"nobody-{world.tag}"})
    order = await world.order(seller, {"sku": world.sku()})
    await order.ends("refused")
    return [order]


# ---- returns ----


async def return_completed(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.receive()
    await back.reaches("awaiting_credit")
    await back.credit("31.50", "CM-1-" + back.id)
    await back.credit("31.50", "CM-2-" + back.id)
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back, world.refund_story(f"RF-{back.id}-B1"), world.refund_story(f"RF-{back.id}-S1")]


async def return_rejected(world: World) -> list[CaseStory]:
    back = await returning(world)
    await back.reaches("awaiting_approval")
    await back.forward(days=6)
    await back.update("seller_approval", decision="rejected", reason="electrical part")
    await back.ends("rejected")
    return [back]


async def return_withdrawn(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_expired(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.forward(days=31)
    await back.reaches("expired")
    await back.forward(days=31)
    await back.ends("expired")
    return [back]


async def return_reopened(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.forward(days=31)
    await back.reaches("expired")
    await back.track()
    await back.reaches("in_transit")
    await back.receive()
    await back.credit("63.00")
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back]


async def return_with_rma_by_email(world: World) -> list[CaseStory]:
    back = await (await returning(world, supplier=await world.supplier(rma="email"))).approved("awaiting_rma")
    await back.forward(days=15)
    await back.issue_rma("RMA-9")
    await back.reaches("awaiting_tracking")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_with_rma_by_service(world: World) -> list[CaseStory]:
    back = await (await returning(world, supplier=await world.supplier(rma="service"))).approved()
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_refused_by_the_supplier(world: World) -> list[CaseStory]:
    back = await (await returning(world, supplier=await world.supplier(rma="manual"))).approved("awaiting_rma")
    await back.refuse_rma("opened box")
    await back.reaches("rma_refused")
    await back.forward(days=15)
    await back.ends("refused_by_supplier")
    return [back]


async def return_returnless(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved("awaiting_buyer_refund", returnless=True)
    await back.forward(days=4)
    await back.click()
    await back.ends("completed")
    return [back]


async def return_of_rejected_goods(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.receive({"acceptance": "manual"})
    await back.receive({"acceptance": "rejected"})
    await back.reaches("awaiting_buyer_refund")
    await back.click(amount="10.00")
    await back.ends("completed")
    return [back]


async def return_over_the_sla(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.receive()
    await back.forward(days=61)
    await back.override(extend="refund_due", until="2030-01-01T00:00:00Z")
    await back.override(waive="credit_memo")
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back]


async def return_over_the_sla_the_broker_pays(world: World) -> list[CaseStory]:
    seller = await world.seller(on_refund_breach="refund", auto_refund_buyer=True)
    back = await (await returning(world, seller)).approved()
    await back.track()
    await back.forward(days=61)
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back]


async def return_refunded_by_the_channel(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.update("channel_update", actor="channel:ebay", status="refunded_by_channel", amount="100.00")
    await back.receive()
    await back.credit("63.00")
    await back.ends("completed")
    return [back, world.refund_story(f"RF-{back.id}-B1")]


async def return_with_everything_early(world: World) -> list[CaseStory]:
    back = await returning(world)
    await back.reaches("awaiting_approval")
    await back.credit("63.00")
    await back.track()
    await back.receive()
    await back.click()
    await back.signal("seller_approvel", decision="approved")
    await back.signal("seller_approval", decision="perhaps")
    await back.approve(restocking_percent="10")
    await back.ends("completed")
    return [back]


async def return_of_two_suppliers(world: World) -> list[CaseStory]:
    first, second = await world.supplier(), await world.supplier()
    skus = [world.sku(), world.sku()]
    await world.stock(skus[0], 5, first)
    await world.stock(skus[1], 5, second)
    order = await world.order(await world.seller(), *({"sku": sku, "quantity": 1} for sku in skus))
    await order.shipped()
    back = await world.return_of(order)
    sibling = world.return_story(f"{back.id}.2")
    for case in (back, sibling):
        await case.reaches("awaiting_approval")
        await case.update("withdrawal", reason="keeps it")
        await case.ends("withdrawn")
    return [back, sibling]


async def return_of_too_much(world: World) -> list[CaseStory]:
    back = await returning(world, quantity=3)
    await back.ends("refused")
    return [back]


async def return_stopped_by_staff(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.handle.cancel()
    await back.reaches("stopped")
    return [back]


# ---- refunds ----


async def refund_pending_then_failed(world: World) -> list[CaseStory]:
    order, seller, supplier = await shipped_order(world, buyer_method="pm_card_pendingRefund")
    back = ReturnStory.of(await world.return_of(order), order, seller, supplier)
    await back.approved("awaiting_buyer_refund", returnless=True)
    await back.click()
    first = world.refund_story(f"RF-{back.id}-B1")
    await first.reaches("pending")
    number = (await first.status()).facts["gateway_refund_id"]
    await world.sandbox.settle_refund(number, "failed")
    await first.update("gateway_update", actor="gateway:stripe", status="failed", gateway_refund_id=number)
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    second = world.refund_story(f"RF-{back.id}-B2")
    await second.reaches("pending")
    number = (await second.status()).facts["gateway_refund_id"]
    await world.sandbox.settle_refund(number, "succeeded")
    await second.forward(days=2)
    await back.ends("completed")
    return [back, first, second]


async def refund_taken_back(world: World) -> list[CaseStory]:
    order, seller, supplier = await shipped_order(world)
    back = ReturnStory.of(await world.return_of(order), order, seller, supplier)
    await back.approved()
    await back.track()
    await back.receive()
    await back.credit("63.00")
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    refunds = [world.refund_story(f"RF-{back.id}-{number}") for number in ("S1", "B1")]
    for refund in refunds:
        number = (await refund.status()).facts["gateway_refund_id"]
        await world.sandbox.settle_refund(refund.id, "failed")
        word = {"status": "failed", "gateway_refund_id": number, "reason": "account closed"}
        event = GatewayUpdate.model_validate(refund.event(actor="gateway:stripe", **word))
        await send_event(world.client, refund.handle.id, "gateway_update", event)
        await refund.ends("failed")
    await back.reaches("refunding_seller")
    await back.click()
    await back.shows("the buyer's refund", lambda seen: bool(seen.facts["buyer_refunds"]))
    await back.forward(days=4)
    await back.ends("completed")
    return [back, *refunds]


async def refund_direct(world: World) -> list[CaseStory]:
    order, _, _ = await shipped_order(world)
    made = await world.refund(order, amount="10.00")
    recorded = await world.refund(order, amount="5.00", way="manual", reference="cheque 12")
    too_much = await world.refund(order, amount="500.00")
    for case, end in ((made, "succeeded"), (recorded, "succeeded"), (too_much, "refused")):
        await case.ends(end)
    return [made, recorded, too_much]


PATHS: dict[str, Path] = {
    path.__name__: path
    for path in list(globals().values())
    if callable(path) and getattr(path, "__name__", "").startswith(("order_", "return_", "refund_"))
}
"""Every path by its name."""
