"""The end of the cancel window, to the second, by the server's clock (CAN-3, CAN-4)."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType

from models.ids import late_cancel_return_id
from tests.case_story import OrderStory
from tests.eventually import eventually
from tests.world import World

LATE_CANCEL = {"actor": "buyer:robin", "reason": "changed their mind"}
SECOND = timedelta(seconds=1)


async def in_its_window(world: World, task_queue: str) -> OrderStory:
    """An order in its cancel window, with a worker of its own that is then away."""
    async with world.worker(task_queue):
        order = await world.simple_order(task_queue=task_queue)
        await order.reaches("cancel_window")
    return order


async def window_closes(order: OrderStory) -> datetime:
    """When the order's cancel window closes, as the books have it: no worker is needed to ask."""
    until = (await order.books()).cancel_until
    assert until is not None
    return until


async def recorded_at(order: OrderStory, event_id: str) -> datetime:
    """When the server recorded the signal with this id."""
    async for event in order.handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            payload = event.workflow_execution_signaled_event_attributes.input.payloads[0]
            if f'"{event_id}"'.encode() in payload.data:
                return event.event_time.ToDatetime(tzinfo=UTC)
    raise AssertionError(f"the server has no signal {event_id}")


async def clock_passes(order: OrderStory, moment: datetime) -> None:
    await eventually(order.now, lambda now: now > moment, f"the clock of {order.id} passes {moment}")


async def assert_cancelled(order: OrderStory) -> None:
    effects = await order.effects()
    assert effects.supplier_orders == ()
    assert effects.captures == ()
    assert [intent.status for intent in effects.payment_intents] == ["canceled"]


async def assert_sent(order: OrderStory) -> None:
    effects = await order.effects()
    assert len(effects.supplier_orders) == 1
    assert [capture.amount for capture in effects.captures] == [63]
    assert effects.stops == ()


async def test_CAN_3_a_request_at_29_59_counts_although_every_worker_was_down_until_later(world: World) -> None:
    queue = f"away-{world.tag}"
    order = await in_its_window(world, queue)
    until = await window_closes(order)
    await order.forward_to(until - SECOND)
    event = await order.signal("cancel_request", **LATE_CANCEL)
    assert until - SECOND <= await recorded_at(order, event["event_id"]) < until
    await clock_passes(order, until)
    async with world.worker(queue):
        await order.ends("cancelled")
    await assert_cancelled(order)


async def test_CAN_3_a_request_after_the_window_is_too_late_although_the_worker_saw_both_at_once(
    world: World,
) -> None:
    queue = f"away-{world.tag}"
    order = await in_its_window(world, queue)
    until = await window_closes(order)
    await order.forward_to(until + SECOND)
    await clock_passes(order, until)
    event = await order.signal("cancel_request", **LATE_CANCEL)
    assert await recorded_at(order, event["event_id"]) > until
    async with world.worker(queue):
        status = await order.reaches("awaiting_shipment")
        await assert_sent(order)
        assert any("already fulfilled" in step.what for step in status.timeline)
        await order.ship_all()
        case = world.return_story(late_cancel_return_id(order.id))
        await case.reaches("awaiting_approval")
    assert (await order.books()).return_ids == (late_cancel_return_id(order.id),)


@pytest.mark.proof
async def test_CAN_2_a_held_order_can_be_cancelled_although_the_worker_hears_of_hold_and_late_cancel_at_once(
    world: World,
) -> None:
    queue = f"away-{world.tag}"
    order = await in_its_window(world, queue)
    until = await window_closes(order)
    await order.forward_to(until - SECOND)
    await order.signal("hold", actor="seller:jane", reason="look at it first")
    await clock_passes(order, until)
    await order.signal("cancel_request", **LATE_CANCEL)
    async with world.worker(queue):
        status = await order.ends("cancelled")
    assert not any("already fulfilled" in step.what for step in status.timeline)
    await assert_cancelled(order)


@pytest.mark.proof
async def test_CAN_3_what_the_sender_claims_about_the_time_decides_nothing(world: World) -> None:
    queue = f"away-{world.tag}"
    order = await in_its_window(world, queue)
    until = await window_closes(order)
    await order.forward_to(until + SECOND)
    await clock_passes(order, until)
    await order.signal("cancel_request", **LATE_CANCEL, occurred_at=(until - timedelta(minutes=20)).isoformat())
    async with world.worker(queue):
        await order.reaches("awaiting_shipment")
        await assert_sent(order)


@pytest.mark.proof
async def test_CAN_3_of_two_requests_around_the_boundary_the_one_in_time_counts(world: World) -> None:
    queue = f"away-{world.tag}"
    order = await in_its_window(world, queue)
    until = await window_closes(order)
    await order.forward_to(until - SECOND)
    await order.signal("cancel_request", actor="seller:jane", reason="no stock")
    await clock_passes(order, until)
    await order.signal("cancel_request", **LATE_CANCEL)
    async with world.worker(queue):
        await order.ends("cancelled")
    await assert_cancelled(order)
    (cessation,) = (await order.books()).cessations
    assert cessation.reason == "no stock"
    assert datetime.fromisoformat(cessation.evidence["requested at"]) < until


@pytest.mark.parametrize("way", [pytest.param("signal", marks=pytest.mark.proof), "update"])
async def test_CAN_3_a_second_before_the_window_closes_a_cancel_succeeds(world: World, way: str) -> None:
    order = await world.simple_order()
    until = (await order.reaches("cancel_window")).deadlines["cancel_until"]
    await order.forward_to(until - SECOND)
    await order.send(way, "cancel_request", **LATE_CANCEL)
    await order.ends("cancelled")
    await assert_cancelled(order)


@pytest.mark.parametrize("way", [pytest.param("signal", marks=pytest.mark.proof), "update"])
async def test_CAN_3_a_second_after_the_window_closed_a_cancel_is_too_late(world: World, way: str) -> None:
    order = await world.simple_order()
    until = (await order.reaches("cancel_window")).deadlines["cancel_until"]
    await order.forward_to(until + SECOND)
    await order.send(way, "cancel_request", **LATE_CANCEL)
    status = await order.shows(
        "the answer", lambda seen: any("already fulfilled" in step.what for step in seen.timeline)
    )
    assert status.outcome is None
    await order.reaches("awaiting_shipment")
    await assert_sent(order)


@pytest.mark.parametrize("before_ms", [300, 60, 20, 0])
async def test_CAN_4_right_at_the_boundary_an_order_is_cancelled_or_sent_and_never_both(
    world: World, before_ms: int
) -> None:
    order = await world.simple_order()
    until = (await order.reaches("cancel_window")).deadlines["cancel_until"]
    await order.forward_to(until - timedelta(milliseconds=before_ms))
    answer = await order.update("cancel_request", **LATE_CANCEL)
    if answer.message.startswith("cancelled"):
        await order.ends("cancelled")
        await assert_cancelled(order)
    else:
        assert answer.message.startswith("already fulfilled")
        await order.reaches("awaiting_shipment")
        await assert_sent(order)


@pytest.mark.proof
async def test_CAN_4_two_cancels_in_one_breath_cancel_once(world: World) -> None:
    queue = f"away-{world.tag}"
    order = await in_its_window(world, queue)
    await order.signal("cancel_request", actor="seller:jane", reason="no stock")
    await order.signal("cancel_request", **LATE_CANCEL)
    async with world.worker(queue):
        await order.ends("cancelled")
    await assert_cancelled(order)
    (cessation,) = (await order.books()).cessations
    assert cessation.reason == "no stock"
