"""Paths of an order."""

from datetime import UTC, datetime, timedelta
from typing import Any

from models.contract import DELIVERY
from models.ids import correction_workflow_id, late_cancel_return_id, split_order_id
from models.order_events import Delivered, ShipmentCorrected
from starter.client.send import send_event
from starter.sandbox.facts import SupplierSeed
from tests.case_story import OrderStory
from tests.eventually import eventually
from tests.replay.recording import Recorded
from tests.world import NEWARK, World

TWICE = "ordered twice"
SECOND = timedelta(seconds=1)


async def order_shipped(world: World) -> list[Recorded]:
    order = await world.simple_order()
    await order.shipped()
    return [order]


async def order_shipped_in_parts(world: World) -> list[Recorded]:
    """Each parcel is announced twice."""
    order = await world.simple_order()
    await order.placed()
    for part in ("a", "b"):
        await order.update("shipment", **parcel(order, part))
        await order.update("shipment", **parcel(order, part))
    await order.ends("shipped")
    return [order]


async def order_delivered_in_parts(world: World) -> list[Recorded]:
    """One parcel arrives before the order's end, the other one after it."""
    order = await world.simple_order()
    await order.placed()
    await order.update("shipment", **parcel(order, "a"))
    at = datetime.now(UTC).isoformat()
    await order.update("delivered", shipment_id=f"{order.id}-a", at=at)
    await order.update("shipment", **parcel(order, "b"))
    await order.ends("shipped")
    said = {"event_id": "d2", "actor": "carrier:ups", "shipment_id": f"{order.id}-b", "at": at}
    await send_event(world.client, order.handle.id, "delivered", Delivered.model_validate(said))
    found = world.client.list_workflows(f'WorkflowType="{DELIVERY}"')
    late = await anext(one async for one in found if one.id.startswith(f"delivery-{order.id}-"))
    return [order, await world.client.get_workflow_handle(late.id).fetch_history()]


async def order_corrected_after_its_end(world: World) -> list[Recorded]:
    """The label is replaced when all is shipped (ORD-20); the order itself is over."""
    order = await world.simple_order()
    await order.shipped()
    said = {"event_id": "c1", "actor": "supplier:dock", "shipment_id": f"s-{order.id}"}
    event = ShipmentCorrected.model_validate(said | {"carrier": "DHL", "tracking_number": "D1"})
    await send_event(world.client, order.handle.id, "shipment_corrected", event)
    late = world.client.get_workflow_handle(correction_workflow_id(order.id, event.event_id))
    return [await late.fetch_history()]


def parcel(order: OrderStory, part: str, quantity: int = 1) -> dict[str, Any]:
    lines = [{"sku": order.request.lines[0].sku, "quantity": quantity}]
    numbers = {"shipment_id": f"{order.id}-{part}", "tracking_number": f"1Z{part}"}
    return {"actor": "supplier:dock", "carrier": "UPS", "lines": lines, **numbers}


async def order_released_by_a_click(world: World) -> list[Recorded]:
    """Its supplier ships it before its turn."""
    order = await world.simple_order(await world.seller(auto_release=False))
    await order.reaches("awaiting_release")
    await order.update("release")
    await order.reaches("cancel_window")
    await order.update("shipment", **parcel(order, "early", 2))
    await order.forward(minutes=31)
    await order.ends("shipped")
    return [order]


async def order_held(world: World) -> list[Recorded]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("hold", reason="check the address")
    await order.forward(minutes=31)
    await order.reaches("on_hold")
    await order.update("resume", reason="it is right")
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    return [order]


async def order_not_shipped_for_days(world: World) -> list[Recorded]:
    order = await world.simple_order()
    await order.placed()
    await order.forward(days=6)
    await order.ship_all()
    return [order]


async def order_of_an_unknown_seller(world: World) -> list[Recorded]:
    seller = (await world.seller()).model_copy(update={"seller_id": f"nobody-{world.tag}"})
    order = await world.order(seller, {"sku": world.sku()})
    await order.ends("refused")
    return [order]


# ---- cancelled ----


async def order_cancelled(world: World) -> list[Recorded]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.signal("cancel_request", reason=TWICE)
    await order.ends("cancelled")
    return [order]


async def order_cancelled_and_buyer_refunded(world: World) -> list[Recorded]:
    order = await world.simple_order(await world.seller(auto_refund_buyer=True))
    await order.reaches("cancel_window")
    await order.update("cancel_request", reason=TWICE)
    await order.ends("cancelled")
    return [order]


async def order_cancelled_in_part(world: World) -> list[Recorded]:
    """One of two units moves to an order of its own, which is cancelled; the other one is sent (CAN-10)."""
    order = await world.simple_order()
    await order.reaches("cancel_window")
    line = {"sku": order.request.lines[0].sku, "quantity": 1}
    await order.update("cancel_request", reason=TWICE, lines=[line])
    other = world.order_story(split_order_id(order.id, 1))
    await other.ends("cancelled")
    await order.placed()
    await order.update("shipment", **parcel(order, "a"))
    await order.ends("shipped")
    return [order, other]


async def order_cancelled_before_it_is_paid(world: World) -> list[Recorded]:
    """A parcel of it that was announced does not count."""
    order = await world.simple_order(await world.seller(payment_method="pm_card_chargeDeclined"))
    await order.reaches("awaiting_payment")
    await order.forward(minutes=31)
    await order.update("shipment", **parcel(order, "early", 2))
    await order.update("cancel_request", reason=TWICE)
    await order.ends("cancelled")
    return [order]


async def order_cancelled_after_its_charge_was_collected(world: World) -> list[Recorded]:
    """It was put on hold while the gateway, which was down, was asked to collect its charge."""
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "drop_before", "POST .*/capture", times=None)
    await order.forward(minutes=31)
    await order.shows("the capture", lambda seen: "collect" in f"{seen.waiting_for}")
    await order.update("hold", reason="check the address")
    await world.sandbox.clear_faults()
    await order.forward(minutes=2)
    await order.reaches("on_hold")
    await order.update("cancel_request", reason=TWICE)
    await order.ends("cancelled")
    return [order]


async def order_cancelled_too_late(world: World) -> list[Recorded]:
    order = await world.simple_order()
    await order.placed()
    await order.signal("cancel_request", reason=TWICE)
    await order.ship_all()
    back = world.return_story(late_cancel_return_id(order.id))
    await back.reaches("awaiting_approval")
    return [order]


async def order_cancelled_with_the_end_of_its_window(world: World) -> list[Recorded]:
    """CAN-3: one task brings the request, which came in time, and the end of the window."""
    order, queue = await _asked_to_cancel(world, -SECOND)
    async with world.worker(queue):
        await order.ends("cancelled")
    return [order]


async def order_cancelled_after_the_end_of_its_window(world: World) -> list[Recorded]:
    """CAN-3: one task brings the end of the window, and the request, which came too late."""
    order, queue = await _asked_to_cancel(world, SECOND)
    async with world.worker(queue):
        await order.reaches("awaiting_shipment")
        await order.ship_all()
        await world.return_story(late_cancel_return_id(order.id)).reaches("awaiting_approval")
    return [order]


async def _asked_to_cancel(world: World, after: timedelta) -> tuple[OrderStory, str]:
    """An order that was asked to cancel so long after the end of its window, with no worker until later."""
    queue = f"away-{world.tag}"
    async with world.worker(queue):
        order = await world.simple_order(task_queue=queue)
        await order.reaches("cancel_window")
    until = (await order.books()).cancel_until
    assert until is not None
    await order.forward_to(until + after)
    if after > timedelta(0):
        await _clock_passes(order, until)
    await order.signal("cancel_request", reason=TWICE)
    await _clock_passes(order, until)
    return order, queue


async def _clock_passes(order: OrderStory, moment: datetime) -> None:
    await eventually(order.now, lambda now: now > moment, f"the clock of {order.id} passes {moment}")


# ---- the seller's charge ----


async def order_waiting_for_a_payment_method(world: World) -> list[Recorded]:
    order = await world.simple_order(await world.seller(payment_method="pm_card_chargeDeclined"))
    await order.reaches("awaiting_payment")
    await order.forward(minutes=65)
    await order.update("payment_method_updated", payment_method="pm_card_visa")
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    return [order]


async def order_declined_when_it_is_collected(world: World) -> list[Recorded]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await _collecting_fails(order)
    await order.forward(minutes=31)
    await order.reaches("awaiting_payment")
    await order.update("payment_method_updated", payment_method="pm_card_mastercard")
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    return [order]


async def order_whose_authorization_expired(world: World) -> list[Recorded]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await _collecting_fails(order, status=400, code="charge_expired_for_capture")
    await order.forward(minutes=31)
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    return [order]


async def _collecting_fails(order: OrderStory, **answer: Any) -> None:
    (held,) = (await order.effects()).payment_intents
    call = f"POST /v1/payment_intents/{held.id}/capture"
    await order.stack.sandbox.add_fault("gateway", "refuse", call, times=None, **answer)


async def order_that_costs_the_seller_nothing(world: World) -> list[Recorded]:
    supplier, sku = await world.supplier(), world.sku()
    await world.stock(sku, 5, supplier)
    order = await world.order(await world.seller(), {"sku": sku, "unit_cost": "0.00"})
    await order.shipped()
    return [order]


# ---- who has the items ----


async def order_voided(world: World) -> list[Recorded]:
    order = await world.order(await world.seller(), {"sku": world.sku()})
    await order.reaches("cancel_window")
    await order.forward(minutes=31)
    await order.ends("voided")
    return [order]


async def order_voided_in_part(world: World) -> list[Recorded]:
    supplier, sku = await world.supplier(), world.sku()
    await world.stock(sku, 5, supplier)
    missing = {"sku": world.sku(), "quantity": 1}
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 2}, missing)
    await order.placed()
    await order.update("shipment", **parcel(order, "a", 2))
    await order.ends("shipped")
    return [order]


async def order_refused_by_the_supplier(world: World) -> list[Recorded]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("supplier", "refuse", f"PUT .*/orders/{order.id}")
    await order.forward(minutes=31)
    await order.ends("voided")
    return [order]


async def order_refused_and_placed_elsewhere(world: World) -> list[Recorded]:
    usual, network, sku = await world.supplier(), await world.supplier(), world.sku()
    await world.stock(sku, 9, usual)
    await world.stock(sku, 9, network, cost="80.00", second_source=True)
    await world.sandbox.put_supplier(usual.supplier_id, SupplierSeed(refuses=(sku,)))
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 2})
    await order.shipped()
    return [order]


async def order_refused_in_part(world: World) -> list[Recorded]:
    """The seller gets back what was collected for the half that a supplier refuses."""
    willing, unwilling = await world.supplier(), await world.supplier()
    skus = [world.sku(), world.sku()]
    await world.stock(skus[0], 10, willing)
    await world.stock(skus[1], 10, unwilling, at=NEWARK)
    await world.sandbox.put_supplier(unwilling.supplier_id, SupplierSeed(refuses=("*",)))
    order = await world.order(await world.seller(), *({"sku": sku} for sku in skus))
    await order.placed()
    await order.update("shipment", **parcel(order, "a"))
    await order.ends("shipped")
    return [order]


async def order_that_changes_under_way(world: World) -> list[Recorded]:
    """Its address in the window, what its supplier can deliver, the number of its parcel (ORD-18..20)."""
    usual, other, sku = await world.supplier(), await world.supplier(), world.sku()
    await world.stock(sku, 9, usual)
    await world.stock(sku, 9, other, at=NEWARK)
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 2})
    await order.reaches("cancel_window")
    address = order.request.buyer.address.model_copy(update={"line1": "9 Other Rd"})
    await order.update("address_changed", address=address.model_dump(mode="json", exclude_none=True))
    await order.placed()
    lines = [{"sku": sku, "quantity": 1}]
    await order.update(
        "supplier_shortage", supplier_order_number=f"{order.id}-1", reason="damaged there", lines=lines
    )
    await order.shows("it is bought elsewhere", lambda seen: len(seen.facts["supplier_orders"]) == 2)
    await order.update("address_changed", address=address.model_dump(mode="json", exclude_none=True))
    await order.update("shipment", **parcel(order, "a"))
    await order.update(
        "shipment_corrected", shipment_id=f"{order.id}-a", carrier="UPS", tracking_number="1Z-replaced"
    )
    await order.update("shipment", **parcel(order, "b"))
    await order.ends("shipped")
    return [order]
