"""Cases replay from their histories, live without a cache, and end without a handler left behind."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import UnfinishedSignalHandlersWarning, UnfinishedUpdateHandlersWarning

from models import contract
from models.case import Answer
from models.converter import DATA_CONVERTER
from models.ids import late_cancel_return_id
from models.parties import RmaMethod
from tests.rules.return_story import returning
from tests.world import PATIENCE, CaseStory, OrderStory, World, eventually
from worker import PASSED_THROUGH, WorkerSettings, build_worker
from workflows.registry import WORKFLOWS

Told = Callable[[World], Awaitable[list[CaseStory]]]


async def history_of(case: CaseStory) -> WorkflowHistory:
    return await case.handle.fetch_history()


async def replays(case: CaseStory) -> None:
    """The code takes the same decisions again; raises when it does not."""
    replayer = Replayer(
        workflows=WORKFLOWS,
        data_converter=DATA_CONVERTER,
        workflow_runner=SandboxedWorkflowRunner(
            restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
        ),
    )
    await replayer.replay_workflow(await history_of(case))


# ---- the paths ----


async def shipped(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.shipped()
    return [order]


async def cancelled(world: World) -> list[CaseStory]:
    order = await world.simple_order(await world.seller(auto_refund_buyer=True))
    await order.reaches("cancel_window")
    await order.update("cancel_request", reason="changed my mind")
    await order.ends("cancelled")
    return [order, world.refund_story(f"RF-{order.id}-B1")]


async def voided(world: World) -> list[CaseStory]:
    order = await world.order(await world.seller(), {"sku": world.sku(), "quantity": 1})
    await order.reaches("cancel_window")
    await order.forward(minutes=31)
    await order.ends("voided")
    return [order]


async def cancelled_too_late(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.placed()
    await order.update("cancel_request", reason="changed my mind")
    await order.ship_all()
    case = world.return_story(late_cancel_return_id(order.id))
    await case.reaches("awaiting_approval")
    await case.update("withdrawal", reason="keeps it")
    await case.ends("withdrawn")
    return [order, case]


async def stopped_by_staff(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.handle.cancel()
    await order.shows("the end", lambda seen: seen.outcome == "stopped")
    return [order]


async def completed(world: World) -> list[CaseStory]:
    case = await returning(world, supplier=await world.supplier(rma=RmaMethod.MANUAL))
    await case.approved("awaiting_rma")
    await case.issue_rma("RMA-1")
    await case.track()
    await case.receive()
    await case.credit("63.00")
    await case.click()
    await case.ends("completed")
    return [case, world.refund_story(f"RF-{case.id}-B1"), world.refund_story(f"RF-{case.id}-S1")]


async def rejected(world: World) -> list[CaseStory]:
    case = await returning(world)
    await case.reaches("awaiting_approval")
    await case.update("seller_approval", decision="rejected", reason="special order")
    await case.ends("rejected")
    return [case]


async def expired(world: World) -> list[CaseStory]:
    case = await returning(world)
    await case.approved()
    await case.forward(days=31)
    await case.reaches("expired")
    await case.forward(days=31)
    await case.ends("expired")
    return [case]


async def breached(world: World) -> list[CaseStory]:
    case = await returning(world, await world.seller(on_refund_breach="refund"))
    await case.approved()
    await case.track()
    await case.reaches("in_transit")
    await case.forward(days=61)
    await case.shows("the seller's refund", lambda seen: seen.facts["seller_refund"] is not None)
    await case.click()
    status = await case.ends("completed")
    assert status.sla_state == "breached"
    return [case]


async def failed_refund(world: World) -> list[CaseStory]:
    order = await world.simple_order(buyer_method="pm_card_pendingRefund")
    await order.reaches("cancel_window")
    refund = await world.refund(order, amount="5.00")
    await refund.reaches("pending")
    await world.sandbox.settle_refund(refund.id, "failed")
    await refund.forward(hours=25)
    await refund.ends("failed")
    return [refund]


@pytest.mark.parametrize(
    "told",
    [
        shipped,
        cancelled,
        voided,
        cancelled_too_late,
        stopped_by_staff,
        completed,
        rejected,
        expired,
        breached,
        failed_refund,
    ],
    ids=lambda told: told.__name__,
)
async def test_a_case_replays_from_its_history(world: World, told: Told) -> None:
    for case in await told(world):
        await replays(case)


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
