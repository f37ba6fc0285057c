"""ORD-20 on the running stack: a label that is replaced after the order's end reaches shop and seller, once."""

import asyncio
import os
from typing import Any

import pytest
from typer.testing import Result

from models.contract import TASK_QUEUE
from models.order_events import ShipmentCorrected
from models.senders import NotTheirs
from starter.client.send import record_event, send_event
from tests.case_story import OrderStory
from tests.cli.conftest import Line
from tests.rules.retention import forget
from tests.world import World


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


# ---- the server has forgotten the order, as it does after its retention ----


def says(world: World, *words: str) -> Result:
    """`backhaul order ...`, as people or a supplier's script say it."""
    line = Line(
        {
            "TEMPORAL_ADDRESS": world.client.service_client.config.target_host,
            "TEMPORAL_CONFIG_FILE": os.devnull,
            "DATABASE_URL": world.settings.database_url.get_secret_value(),
        }
    )
    return line("order", *words)


@pytest.mark.proof
@pytest.mark.parametrize("more", [(), ("--no-wait",)], ids=["update", "signal"])
async def test_ORD_20_RET_22_parcels_of_an_order_that_the_server_has_forgotten(
    world: World, more: tuple[str, ...]
) -> None:
    order = await world.simple_order()
    await order.shipped()
    arrives = (await order.now()).isoformat()
    await forget(order)
    shipment, label = f"s-{order.id}", ("--carrier", "DHL", "--tracking-number", f"D{order.id}")
    by = ("--actor", "supplier:dock", "--event-id")
    async with world.worker(TASK_QUEUE):
        for _ in range(2):  # as a script that got no answer says it again
            new = ("correct-shipment", order.id, "--shipment-id", shipment, *label, *by, "c1", *more)
            told = await asyncio.to_thread(says, world, *new)
            assert told.exit_code == 0, told.output
            assert f"goes under DHL D{order.id} now" in told.output
        arrived = ("delivered", order.id, "--tracking-number", f"D{order.id}", "--at", arrives)
        told = await asyncio.to_thread(says, world, *arrived, *by, "d1", *more)
        assert told.exit_code == 0, told.output
        late = ("correct-shipment", order.id, "--shipment-id", shipment, "--carrier", "UPS")
        told = await asyncio.to_thread(says, world, *late, "--tracking-number", "1Z9", *by, "c2", *more)
        assert (told.exit_code, "is delivered: its number stays" in told.output) == (5, True), told.output
    assert await at_the_shop(order) == [("DHL", f"D{order.id}")]
    mails = [one for one in (await order.effects()).mails if "new tracking number" in one.subject]
    assert len(mails) == 1
    (parcel,) = (await order.books()).shipments
    assert parcel.tracking_number == f"D{order.id}"
    assert parcel.delivered_at is not None


@pytest.mark.parametrize("word", [("delivered",), ("correct-shipment", "--carrier", "UPS")])
async def test_ORD_20_RET_22_parcels_of_an_order_that_nobody_knows(world: World, word: tuple[str, ...]) -> None:
    name, *more = word
    number, actor = ("--tracking-number", "1Z9"), ("--actor", "supplier:dock")
    which = ("--shipment-id", "s1") if name == "correct-shipment" else ("--at", "2026-03-09T12:00:00Z")
    told = await asyncio.to_thread(says, world, name, f"none-{world.tag}", *which, *more, *number, *actor)
    assert told.exit_code == 3, told.output
    assert f"there is no order none-{world.tag}" in told.output
