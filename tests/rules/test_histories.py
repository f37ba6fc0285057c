"""Cases live without a cache, and end without a handler left behind; `tests/replay` has their replays."""

import asyncio
import warnings
from decimal import Decimal
from typing import Any
from uuid import uuid4

from temporalio.workflow import UnfinishedSignalHandlersWarning, UnfinishedUpdateHandlersWarning

from models import contract
from models.case import Answer
from tests.world import PATIENCE, CaseStory, OrderStory, World, eventually
from worker import WorkerSettings, build_worker


async def stands_at(case: CaseStory, stage: str) -> None:
    """Wait for the stage without asking the case.

    Without a cache a query, or another case's task, throws out a task that is writing the books; the server
    gives it again after ten seconds, so this test is slow, and nothing is lost.
    """
    await eventually(
        lambda: case.attribute(contract.STAGE), lambda seen: seen == stage, f"{case.id} is not at {stage}"
    )


async def test_the_whole_way_of_an_order_and_its_return_without_a_cache(world: World) -> None:
    queue = f"uncached-{uuid4().hex[:8]}"
    limits = WorkerSettings(max_cached_workflows=0, drain_seconds=0.1)
    there = World(world.env, world.running, world.sandbox, world.engine, world.settings, task_queue=queue)
    async with build_worker(world.client, world.settings, world.engine, task_queue=queue, limits=limits):
        order = await there.simple_order()
        await stands_at(order, "cancel_window")
        await order.forward(minutes=31)
        await stands_at(order, "awaiting_shipment")
        await ship_by_signal(order)
        assert (await order.handle.result())["outcome"] == "shipped"
        case = await there.return_of(order)
        await stands_at(case, "awaiting_approval")
        line = {
            "sku": order.request.lines[0].sku,
            "quantity": 2,
            "reception": "received",
            "acceptance": "accepted",
        }
        await case.signal("seller_approval", decision="approved")
        await case.signal("return_tracking", carrier="UPS", tracking_number="1Z2")
        await case.signal("goods_received", actor="supplier:dock", lines=[line])
        memo = {"number": f"CM-{case.id}", "date": "2026-03-01", "amount": "63.00", "currency": "USD"}
        await case.signal("credit_memo", actor="supplier:dock", **memo)
        await case.signal("buyer_refund", reason="returned")
        assert (await asyncio.wait_for(case.handle.result(), 3 * PATIENCE))["outcome"] == "completed"
    refunded = sorted(refund.amount for refund in (await order.effects()).refunds)
    assert refunded == [Decimal("63.00"), Decimal("100.00")]


# ---- handlers finish before a case ends ----


async def test_CAN_2_a_request_that_arrives_with_the_last_shipment_is_answered(world: World) -> None:
    queue = f"away-{uuid4().hex[:8]}"
    async with world.worker(queue):
        order = await world.simple_order(task_queue=queue)
        await order.placed()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await ship_by_signal(order)
        answers = [asyncio.create_task(ask_to_cancel(order)) for _ in range(3)]
        async with world.worker(queue):
            for answer in answers:
                assert "already fulfilled" in (await answer).message
            await order.ends("shipped")
    unfinished = (UnfinishedSignalHandlersWarning, UnfinishedUpdateHandlersWarning)
    assert [str(one.message) for one in warned if issubclass(one.category, unfinished)] == []


async def ship_by_signal(order: OrderStory) -> None:
    lines: list[dict[str, Any]] = [{"sku": line.sku, "quantity": line.quantity} for line in order.request.lines]
    await order.signal(
        "shipment", actor="supplier:dock", shipment_id="s1", carrier="UPS", tracking_number="1Z1", lines=lines
    )


async def ask_to_cancel(order: OrderStory) -> Answer:
    return await order.update("cancel_request", reason="changed my mind")
