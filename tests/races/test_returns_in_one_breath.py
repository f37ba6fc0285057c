"""Events and timers of a return that a worker sees at once: the facts decide, not who woke it (RET-10, RET-15)."""

import asyncio
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.case_story import CaseStory, OrderStory, Refused
from tests.eventually import eventually
from tests.model.stage_walker import rests
from tests.world import World

APPROVAL: tuple[str, dict[str, Any]] = ("seller_approval", {"decision": "approved"})
RETURNLESS: tuple[str, dict[str, Any]] = ("seller_approval", {"decision": "approved", "returnless": True})
WITHDRAWAL: tuple[str, dict[str, Any]] = ("withdrawal", {"actor": "buyer:robin", "reason": "keeps it"})
SECOND = timedelta(seconds=1)
TRACKING = {"actor": "buyer:robin", "carrier": "UPS", "tracking_number": "1ZBACK"}


async def waiting(world: World, queue: str, stage: str) -> tuple[OrderStory, CaseStory, datetime]:
    """A return that stands at this stage until a day, and whose worker is away.

    Its seller wants no reminders: the clock would stand still at the first of them until a worker comes.
    """
    order = await world.simple_order(await world.seller(tracking_reminder_days=(), refund_sla_days=365))
    await order.shipped()
    async with world.worker(queue):
        case = await world.return_of(order, task_queue=queue)
        await case.reaches("awaiting_approval")
        if stage != "awaiting_approval":
            await case.update("seller_approval", decision="approved")
        if stage == "expired":
            await case.reaches("awaiting_tracking")
            await case.forward(days=31)
        status = await case.reaches(stage)
        await rests(case)
    assert status.waiting_for is not None
    return order, case, status.waiting_for.due or await case.now()


async def clock_passes(case: CaseStory, day: datetime) -> None:
    """The timer fires, and no worker looks."""
    await eventually(case.now, lambda now: now > day, f"the clock of {case.id} passes {day}")


async def assert_no_money(order: OrderStory) -> None:
    assert (await order.effects()).refunds == ()
    assert (await order.books()).refunds.refunds == ()


@pytest.mark.parametrize(
    ("approval", "first"), [(APPROVAL, 0), (RETURNLESS, 1)], ids=["approval first", "withdrawal first"]
)
async def test_RET_15_approved_and_withdrawn_in_one_breath_it_ends_withdrawn_without_money(
    world: World, approval: tuple[str, dict[str, Any]], first: int
) -> None:
    queue = f"away-{world.tag}"
    order, case, _ = await waiting(world, queue, "awaiting_approval")
    for name, fields in list(permutations([approval, WITHDRAWAL]))[first]:
        await case.signal(name, **fields)
    async with world.worker(queue):
        await case.ends("withdrawn")
    await assert_no_money(order)


async def test_RET_15_approval_and_withdrawal_asked_by_two_people_at_once_leave_one_end(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    case = await world.return_of(order)
    await case.reaches("awaiting_approval")
    told = await asyncio.gather(
        case.update("seller_approval", decision="approved"),
        case.update("withdrawal", actor="buyer:robin", reason="keeps it"),
        return_exceptions=True,
    )
    assert not isinstance(told[1], BaseException)
    assert isinstance(told[0], Refused) or not isinstance(told[0], BaseException)
    await case.ends("withdrawn")
    await assert_no_money(order)


@pytest.mark.parametrize("in_time", [True, False], ids=["before the day", "after the day"])
async def test_RET_10_tracking_and_expiry_in_one_breath_the_parcel_counts(world: World, in_time: bool) -> None:
    queue = f"away-{world.tag}"
    _, case, day = await waiting(world, queue, "awaiting_tracking")
    await case.forward_to(day - SECOND if in_time else day + SECOND)
    if in_time:
        await case.signal("return_tracking", **TRACKING)
    await clock_passes(case, day)
    if not in_time:
        await case.signal("return_tracking", **TRACKING)
    async with world.worker(queue):
        status = await case.reaches("in_transit")
    assert not any("expired" in step.what for step in status.timeline)


async def test_RET_10_tracking_and_the_last_day_to_reopen_in_one_breath_the_return_reopens(world: World) -> None:
    queue = f"away-{world.tag}"
    _, case, day = await waiting(world, queue, "expired")
    await case.forward_to(day + SECOND)
    await clock_passes(case, day)
    await case.signal("return_tracking", **TRACKING)
    async with world.worker(queue):
        status = await case.reaches("in_transit")
    assert any("reopened" in step.what for step in status.timeline)


async def test_RET_10_withdrawal_and_expiry_in_one_breath_it_ends_withdrawn(world: World) -> None:
    queue = f"away-{world.tag}"
    order, case, day = await waiting(world, queue, "awaiting_tracking")
    await case.forward_to(day + SECOND)
    await clock_passes(case, day)
    await case.signal("withdrawal", actor="buyer:robin", reason="keeps it")
    async with world.worker(queue):
        await case.ends("withdrawn")
    await assert_no_money(order)


async def test_RET_18_a_click_and_the_marketplaces_own_refund_in_one_breath_refund_the_buyer_once(
    world: World,
) -> None:
    queue = f"away-{world.tag}"
    order, case, _ = await waiting(world, queue, "awaiting_tracking")
    await case.signal("return_tracking", **TRACKING)
    await case.signal("buyer_refund", reason="goods are back", amount="10.00")
    await case.signal("channel_update", actor="channel:ebay", status="refunded_by_channel", amount="50.00")
    async with world.worker(queue):
        status = await case.shows("that the click was answered", lambda seen: bool(seen.rejected_events))
        await rests(case)
        refunds = (await order.books()).refunds
    assert "refunded the buyer already" in status.rejected_events[0].reason
    assert [(one.way, str(one.amount)) for one in refunds.refunds] == [("marketplace", "50.00")]
    assert (await order.effects()).refunds == ()
