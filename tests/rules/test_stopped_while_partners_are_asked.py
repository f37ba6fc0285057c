"""Staff stop an order while a partner is asked: nothing hangs in the air, and all is named (CAN-1, CAN-2)."""

import asyncio
from decimal import Decimal

import pytest

from starter.client.start import open_order
from starter.sandbox.facts import SupplierSeed
from tests.rules.slow_partners import ASKS, FAULTS, asking
from tests.rules.staff_cancel import assert_order_accounted_for, comes_to_its_stop, pauses_pass, staff_letters
from tests.world import NEWARK, OrderStory, World


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ASKS)
async def test_CAN_2_an_order_that_staff_stop_while_a_partner_is_asked_is_accounted_for(
    world: World, name: str, fault: str
) -> None:
    await world.sandbox.clear_requests()
    async with asking(world, ASKS[name], fault) as order:
        await order.handle.cancel()
        # What has to be undone needs the partners: they are back.
        await world.sandbox.clear_faults()
        await pauses_pass(order)
        await comes_to_its_stop(order)
    await assert_order_accounted_for(order)
    before = await order.books()
    assert (await open_order(world.client, order.request, task_queue=world.task_queue)).already
    assert await order.books() == before


@pytest.mark.parametrize("fault", ["delay", "drop_after"])
async def test_CAN_2_an_order_that_a_supplier_took_while_staff_stopped_it_is_named_to_them_and_in_the_books(
    world: World, fault: str
) -> None:
    async with asking(world, ASKS["purchase"], fault) as order:
        await order.handle.cancel()
        await comes_to_its_stop(order)
    (known,) = (await order.books()).supplier_orders
    assert (known.number, known.state) == (f"{order.id}-1", "unknown")
    assert {one.number for one in (await order.effects()).supplier_orders} <= {known.number}
    told = await staff_letters(order)
    assert f"order {known.number} was on its way, its answer is not known; ask {known.supplier_id}" in told
    assert "the seller was charged 63.00 USD" in told


async def test_CAN_6_an_automatic_refund_of_the_buyer_that_a_stop_cut_off_is_named_to_staff(world: World) -> None:
    async with asking(world, ASKS["shipping list"], "delay") as order:
        await order.handle.cancel()
        await comes_to_its_stop(order)
    assert (await order.effects()).refunds == ()
    assert "the automatic refund of the buyer was cut off" in await staff_letters(order)
    (cessation,) = (await order.books()).cessations
    assert cessation.reason == "no stock"


# ---- refunds that are on their way ----


async def half_refused(world: World) -> OrderStory:
    """An order of two suppliers, one of which says no: 31.50 go back to the seller, slowly."""
    willing, unwilling = await world.supplier(), await world.supplier()
    skus = [world.sku(), world.sku()]
    await world.stock(skus[0], 10, willing)
    await world.stock(skus[1], 10, unwilling, at=NEWARK)
    await world.sandbox.put_supplier(unwilling.supplier_id, SupplierSeed(refuses=("*",)))
    seller = await world.seller(payment_method="pm_card_pendingRefund")
    return await world.order(seller, *({"sku": sku, "quantity": 1} for sku in skus))


async def test_REF_6_a_sellers_refund_on_its_way_goes_on_when_staff_stop_its_order(world: World) -> None:
    order = await half_refused(world)
    await order.reaches("cancel_window")
    clock = asyncio.create_task(order.forward(minutes=31))
    refund = world.refund_story(f"RF-{order.id}-OS1")
    await refund.reaches("pending")
    clock.cancel()
    await order.handle.cancel()
    await comes_to_its_stop(order)
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)
    await refund.ends("succeeded")
    await assert_order_accounted_for(order)
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("31.50")]
