"""ORD-20 on the running stack: a label that is replaced after the order's end reaches shop and seller, once."""

from typing import Any

import pytest

from models.order_events import ShipmentCorrected
from models.senders import NotTheirs
from starter.client.send import record_event, send_event
from tests.world import OrderStory, World


def new_label(order: OrderStory, number: str, **more: Any) -> ShipmentCorrected:
    said = {"event_id": "c1", "actor": "supplier:dock", "shipment_id": f"s-{order.id}", "carrier": "DHL", **more}
    return ShipmentCorrected.at_the_door({**said, "tracking_number": number})


async def at_the_shop(order: OrderStory) -> list[tuple[str, str]]:
    return [(one.carrier, one.tracking_number) for one in (await order.effects()).shipments]


async def test_ORD_20_a_label_that_is_replaced_after_the_end_reaches_shop_and_seller_once(world: World) -> None:
    supplier = await world.supplier()
    skus = [world.sku(), world.sku()]
    for sku in skus:
        await world.stock(sku, 10, supplier)
    order = await world.order(await world.seller(), *({"sku": sku, "quantity": 2} for sku in skus))
    await order.shipped()
    name, said = "shipment_corrected", new_label(order, f"D{order.id}")
    first = await send_event(world.client, order.handle.id, name, said)
    assert first.answer is not None
    assert first.answer.accepted
    again = await record_event(world.client, order.handle.id, name, said)
    assert again.answer == first.answer
    other = await send_event(world.client, order.handle.id, name, new_label(order, f"D{order.id}", event_id="c2"))
    assert other.answer is not None
    assert other.answer.duplicate
    assert await at_the_shop(order) == [("DHL", f"D{order.id}")]
    told = [one for one in (await order.effects()).mails if "new tracking number" in one.subject]
    assert len(told) == 1
    assert [(one.carrier, one.tracking_number) for one in (await order.books()).shipments] == [
        ("DHL", f"D{order.id}")
    ]


async def test_ORD_20_a_correction_after_the_end_that_can_t_be_is_answered(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    name = "shipment_corrected"
    unknown = await send_event(world.client, order.handle.id, name, new_label(order, "D1", shipment_id="s9"))
    assert unknown.answer is not None
    assert not unknown.answer.accepted
    assert f"known: s-{order.id}" in unknown.answer.message
    with pytest.raises(NotTheirs):
        await send_event(world.client, order.handle.id, name, new_label(order, "D1", actor="buyer:robin"))
    assert await at_the_shop(order) == [("UPS", f"1Z{order.id}")]


async def test_ORD_20_a_correction_whose_order_is_found_by_its_numbers_reaches_the_shop(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    said = new_label(order, f"D{order.id}").model_dump(mode="json", exclude_none=True)
    word = await world.orphan(f"1Z{order.id}", event="shipment_corrected", said=said)
    await word.ends("matched")
    assert await at_the_shop(order) == [("DHL", f"D{order.id}")]
