"""Cases live without a cache, and end without a handler left behind; `tests/replay` has their replays."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from temporalio.workflow import UnfinishedSignalHandlersWarning, UnfinishedUpdateHandlersWarning

from models.case import Answer
from tests.case_story import CaseStory, OrderStory
from tests.world import World
from worker import WorkerSettings, build_worker


@asynccontextmanager
async def without_a_cache(world: World) -> AsyncIterator[World]:
    """The same world, with a worker that keeps no case."""
    there = World(
        world.env, world.running, world.sandbox, world.engine, world.settings, f"uncached-{uuid4().hex[:8]}"
    )
    limits = WorkerSettings(max_cached_workflows=0, drain_seconds=0.1)
    async with build_worker(
        there.client, there.settings, there.engine, task_queue=there.task_queue, limits=limits
    ):
        yield there


async def tasks_given_again(case: CaseStory) -> int:
    """How many of a case's tasks its worker left lying, so that the server gave them again ten seconds later."""
    events = (await case.handle.fetch_history()).events
    return sum(event.HasField("workflow_task_timed_out_event_attributes") for event in events)


async def test_the_whole_way_of_an_order_and_its_return_without_a_cache(world: World) -> None:
    async with without_a_cache(world) as there:
        order = await there.simple_order()
        await order.shipped()
        case = await there.return_of(order)
        await case.reaches("awaiting_approval")
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
        await case.ends("completed")
    refunded = sorted(refund.amount for refund in (await order.effects()).refunds)
    assert refunded == [Decimal("63.00"), Decimal("100.00")]


@pytest.mark.proof
async def test_without_a_cache_neither_another_case_nor_a_question_puts_out_a_task(world: World) -> None:
    """A question got no answer, and a task came again only ten seconds later."""
    async with without_a_cache(world) as there:
        orders = [await there.simple_order() for _ in range(5)]
        asked = [order.status() for order in orders for _ in range(2)]
        await asyncio.gather(*asked, *(order.placed() for order in orders))
    assert [await tasks_given_again(order) for order in orders] == [0] * len(orders)


# ---- handlers finish before a case ends ----


@pytest.mark.proof
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
