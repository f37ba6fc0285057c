"""Paths of a case that staff stop: they press Cancel in the Temporal UI."""

import asyncio

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import WorkflowExecutionStatus

from tests.case_story import CaseStory
from tests.eventually import eventually
from tests.replay.outage_paths import in_trouble, tried_in_vain
from tests.replay.recording import Recorded
from tests.return_story import returning
from tests.stages import order_at, return_at
from tests.world import World


async def _stops(case: CaseStory) -> None:
    """It comes to its stop, however often a partner is tried meanwhile."""
    await case.shows("the stop", lambda seen: any("by staff" in step.what for step in seen.timeline))
    await case.stack.sandbox.clear_faults()

    async def has_ended() -> bool:
        known = await case.handle.describe()
        if known.status is not WorkflowExecutionStatus.RUNNING:
            return True
        if _only_time_helps(known.raw_description):
            await case.forward(minutes=23)
        return False

    await eventually(has_ended, bool, f"{case.id} does not stop")
    await case.reaches("stopped")


def _only_time_helps(known: DescribeWorkflowExecutionResponse) -> bool:
    """Nothing is under way that a moved clock would cut short: each call waits for its next try."""
    away = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    retried = all(one.state == away and one.attempt > 1 for one in known.pending_activities)
    return retried and not known.HasField("pending_workflow_task")


async def order_stopped(world: World) -> list[Recorded]:
    """In its cancel window; and one that is with its supplier."""
    window, placed = await order_at(world, "cancel_window"), await order_at(world, "awaiting_shipment")
    for order in (window, placed):
        await order.handle.cancel()
        await _stops(order)
    return [window, placed]


async def order_stopped_before_it_opened(world: World) -> list[Recorded]:
    """Before a worker looked at it."""
    queue = f"away-{world.tag}"
    order = await world.simple_order(task_queue=queue)
    await order.handle.cancel()
    async with world.worker(queue):
        await _stops(order)
    return [order]


async def order_stopped_while_its_charge_is_made(world: World) -> list[Recorded]:
    """The gateway does what it is asked, and its answer is lost."""
    await world.sandbox.add_fault("gateway", "drop_after", "POST /v1/payment_intents$", times=None)
    order = await world.simple_order()
    await order.shows("the trouble", in_trouble)
    await tried_in_vain(order)
    await order.handle.cancel()
    await _stops(order)
    return [order]


async def order_stopped_while_its_supplier_is_asked(world: World) -> list[Recorded]:
    """Nobody knows whether it is with the supplier."""
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("supplier", "drop_after", "PUT /v1/orders/", times=None)
    clock = asyncio.create_task(order.forward(minutes=31))
    await order.shows("the trouble", in_trouble)
    clock.cancel()
    await tried_in_vain(order)
    await order.handle.cancel()
    await _stops(order)
    return [order]


async def return_stopped_while_its_seller_is_refunded(world: World) -> list[Recorded]:
    back = await return_at(world, "refunding_seller")
    await back.handle.cancel()
    await _stops(back)
    return [back]


async def return_whose_wait_for_its_last_mails_staff_cut_short(world: World) -> list[Recorded]:
    back = await returning(world)
    await back.reaches("awaiting_approval")
    buyer = str(back.order.request.buyer.email)
    await world.sandbox.add_fault("mail", "drop_before", buyer, times=None)
    await back.update("seller_approval", decision="rejected", reason="worn")
    await back.shows("the last e-mails", lambda seen: "e-mails" in str(seen.waiting_for))
    await back.handle.cancel()
    await back.ends("rejected")
    return [back]
