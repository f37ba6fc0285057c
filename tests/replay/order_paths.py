"""Paths of an order."""

from typing import Any

from models.ids import late_cancel_return_id
from starter.sandbox.facts import SupplierSeed
from tests.world import NEWARK, CaseStory, OrderStory, World


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


async def order_of_an_unknown_seller(world: World) -> list[CaseStory]:
    seller = (await world.seller()).model_copy(update={"seller_id": f"nobody-{world.tag}"})
    order = await world.order(seller, {"sku": world.sku()})
    await order.ends("refused")
    return [order]


async def order_shipped_before_its_turn(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    lines = [{"sku": order.request.lines[0].sku, "quantity": 2}]
    await order.update("shipment", **(_part(order, "early") | {"lines": lines}))
    await order.forward(minutes=31)
    await order.ends("shipped")
    return [order]


# ---- cancelled while a person is waited for, or with money taken ----


async def order_cancelled_before_its_release(world: World) -> list[CaseStory]:
    order = await world.simple_order(await world.seller(auto_release=False))
    await order.reaches("awaiting_release")
    await order.update("cancel_request", reason="ordered twice")
    await order.ends("cancelled")
    return [order]


async def order_cancelled_before_it_is_paid(world: World) -> list[CaseStory]:
    order = await world.simple_order(await world.seller(payment_method="pm_card_chargeDeclined"))
    await order.reaches("awaiting_payment")
    await order.forward(minutes=31)
    await order.update("cancel_request", reason="ordered twice")
    await order.ends("cancelled")
    return [order]


async def order_cancelled_while_it_is_held(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("hold", reason="check the address")
    await order.forward(minutes=31)
    await order.reaches("on_hold")
    await order.update("cancel_request", reason="ordered twice")
    await order.ends("cancelled")
    return [order]


async def order_cancelled_after_its_charge_was_collected(world: World) -> list[CaseStory]:
    order = await held_with_its_charge_collected(world)
    await order.update("cancel_request", reason="ordered twice")
    await order.ends("cancelled")
    return [order, world.refund_story(f"RF-{order.id}-S1")]


async def held_with_its_charge_collected(world: World) -> OrderStory:
    """An order that was put on hold while the gateway, which was down, was asked to collect its charge."""
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "drop_before", "POST .*/capture", times=None)
    await order.forward(minutes=31)
    await order.shows("the capture", lambda seen: bool(seen.waiting_for and "collect" in seen.waiting_for.what))
    await order.update("hold", reason="check the address")
    await world.sandbox.clear_faults()
    await order.forward(minutes=2)
    await order.reaches("on_hold")
    return order


async def order_cancelled_whose_buyer_has_the_money_back(world: World) -> list[CaseStory]:
    order = await world.simple_order(await world.seller(auto_refund_buyer=True))
    await order.reaches("cancel_window")
    await (await world.refund(order)).ends("succeeded")
    await order.update("cancel_request", reason="ordered twice")
    await order.ends("cancelled")
    return [order, world.refund_story(f"RF-{order.id}-B1")]


async def order_cancelled_too_late_whose_return_exists(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.placed()
    await order.update("shipment", **_part(order, "a"))
    await order.shows("the parcel", lambda seen: any("is with the shop" in step.what for step in seen.timeline))
    back = await world.return_of(order, quantity=1, return_id=late_cancel_return_id(order.id))
    await back.reaches("awaiting_approval")
    await order.signal("cancel_request", reason="ordered twice")
    await order.update("shipment", **_part(order, "b"))
    await order.ends("shipped")
    return [order]


# ---- the seller's charge, and who has the items ----


async def order_whose_authorization_expired(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await _collecting_fails(order, status=400, code="charge_expired_for_capture")
    await order.forward(minutes=31)
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    return [order]


async def order_declined_when_it_is_collected(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await _collecting_fails(order)
    await order.forward(minutes=31)
    await order.reaches("awaiting_payment")
    await order.update("payment_method_updated", payment_method="pm_card_mastercard")
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    return [order]


async def _collecting_fails(order: OrderStory, **answer: Any) -> None:
    (held,) = (await order.effects()).payment_intents
    call = f"POST /v1/payment_intents/{held.id}/capture"
    await order.world.sandbox.add_fault("gateway", "refuse", call, times=None, **answer)


async def order_that_costs_the_seller_nothing(world: World) -> list[CaseStory]:
    supplier, sku = await world.supplier(), world.sku()
    await world.stock(sku, 5, supplier)
    order = await world.order(await world.seller(), {"sku": sku, "unit_cost": "0.00"})
    await order.shipped()
    return [order]


async def order_refused_and_placed_elsewhere(world: World) -> list[CaseStory]:
    usual, network, sku = await world.supplier(), await world.supplier(), world.sku()
    await world.stock(sku, 9, usual)
    await world.stock(sku, 9, network, cost="80.00", second_source=True)
    await world.sandbox.put_supplier(usual.supplier_id, SupplierSeed(refuses=(sku,)))
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 2})
    await order.shipped()
    return [order]


async def order_refused_in_part(world: World) -> list[CaseStory]:
    willing, unwilling = await world.supplier(), await world.supplier()
    skus = [world.sku(), world.sku()]
    await world.stock(skus[0], 10, willing)
    await world.stock(skus[1], 10, unwilling, at=NEWARK)
    await world.sandbox.put_supplier(unwilling.supplier_id, SupplierSeed(refuses=("*",)))
    order = await world.order(await world.seller(), *({"sku": sku} for sku in skus))
    await order.placed()
    await order.update("shipment", **_part(order, "a"))
    await order.ends("shipped")
    return [order, world.refund_story(f"RF-{order.id}-S1")]
