"""Part of an order is cancelled on the real server: it moves to an order of its own (CAN-10, CAN-4)."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session

from activities.database import order_splits
from activities.database.ledger import Ledger
from models.case import Answer
from models.ids import split_order_id
from models.splits import OrderSplit, SplitOrder
from tests.case_story import OrderStory, Refused
from tests.world import World


async def cancel_one(order: OrderStory) -> Answer:
    """One of its two units."""
    line = {"sku": order.request.lines[0].sku, "quantity": 1}
    return await order.update("cancel_request", reason="one too many", lines=[line])


async def assert_one_was_sent_and_one_cancelled(world: World, order: OrderStory) -> OrderStory:
    """The order with its one unit, bought and paid; and the other one, which is cancelled and says so."""
    other = world.order_story(split_order_id(order.id, 1))
    await other.ends("cancelled")
    effects = await order.effects()
    assert sum(line["quantity"] for one in effects.supplier_orders for line in one.lines) == 1
    assert sum(one.amount for one in effects.captures) - sum(one.amount for one in effects.refunds) == Decimal(
        "31.50"
    )
    first, second = await order.books(), await other.books()
    assert [(line.moved, line.cancelled) for line in first.lines] == [(1, 0)]
    assert [(line.quantity, line.cancelled) for line in second.lines] == [(1, 1)]
    assert (first.split_orders, second.split_from) == ((other.id,), order.id)
    return other


async def test_CAN_10_part_is_cancelled_in_its_window_and_the_rest_is_shipped(world: World) -> None:
    order = await world.simple_order(await world.seller(auto_refund_buyer=True), shipping="5.01")
    await order.reaches("cancel_window")
    assert (await cancel_one(order)).message.endswith(
        f"cancelled as order {split_order_id(order.id, 1)}: one too many"
    )
    await order.placed()
    line = {"sku": order.request.lines[0].sku, "quantity": 1}
    await order.update("shipment", shipment_id="S1", carrier="UPS", tracking_number="1Z1", lines=[line])
    await order.ends("shipped")

    other = await assert_one_was_sent_and_one_cancelled(world, order)
    buyers = [await asyncio.to_thread(world.reading.refunds_of, one.id) for one in (order, other)]
    assert sum(one.buyer.paid for one in buyers) == order.request.paid
    assert [one.buyer.refunded for one in buyers] == [Decimal(0), Decimal("52.50")]
    assert (await order.status()).facts["split_orders"] == [other.id]
    assert (await other.status()).facts["split_from"] == order.id
    assert [fault for fault in Ledger(world.engine).faults()[1] if order.id in fault.movement] == []


@pytest.mark.proof
async def test_CAN_10_an_answer_that_is_lost_after_the_transaction_splits_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    splits, really = [], order_splits.split_order

    def loses_the_first(session: Session, ask: SplitOrder) -> OrderSplit:
        splits.append(really(session, ask))
        if len(splits) == 1:
            session.commit()
            raise OSError("the worker died here")
        return splits[-1]

    monkeypatch.setattr(order_splits, "split_order", loses_the_first)
    assert (await cancel_one(order)).accepted
    await order.placed()
    assert len(splits) == 2
    assert splits[0] == splits[1]
    await assert_one_was_sent_and_one_cancelled(world, order)


@pytest.mark.proof
@pytest.mark.parametrize("seconds", [-1, 0, 1])
async def test_CAN_4_a_part_that_is_cancelled_as_the_window_closes_is_one_of_both(
    world: World, seconds: int
) -> None:
    order = await world.simple_order()
    until = (await order.reaches("cancel_window")).deadlines["cancel_until"]
    clock = asyncio.create_task(order.forward_to(until + timedelta(seconds=seconds)))
    try:
        in_time = (await cancel_one(order)).accepted
    except Refused:
        in_time = False
    await clock
    await order.reaches("awaiting_shipment")
    if in_time:
        await assert_one_was_sent_and_one_cancelled(world, order)
    else:
        effects = await order.effects()
        assert sum(line["quantity"] for one in effects.supplier_orders for line in one.lines) == 2
        assert [line.moved for line in (await order.books()).lines] == [0]
