"""A cancel that comes while a partner is being asked: cancelled or sent, and never both (CAN-4)."""

import asyncio
import re
from datetime import timedelta

import pytest

from models.case import Answer
from tests.case_story import OrderStory, Refused
from tests.world import World

WAYS = ("signal", "update")
LATE = {"actor": "buyer:robin", "reason": "changed their mind"}
IN_FLIGHT = {
    "asking for stock": ("supplier", "GET /v1/stock"),
    "collecting the charge": ("gateway", "/v1/payment_intents/.*/capture"),
    "ordering": ("supplier", "PUT /v1/orders/"),
}
"""What is on its way after the window: partner and request."""
CELLS = [(step, WAYS[number % len(WAYS)]) for number, step in enumerate(IN_FLIGHT)]


async def assert_one_of_both(order: OrderStory) -> str:
    """Exactly one of cancelled and sent, and the seller's money fits; which one."""
    effects = await order.effects()
    sent, stopped = bool(effects.supplier_orders), bool(effects.stops)
    assert sent != stopped, "both, or neither, of cancelled and sent"
    captured = sum(one.amount for one in effects.captures)
    assert captured == (63 if sent else sum(one.amount for one in effects.refunds))
    return "sent" if sent else "cancelled"


@pytest.mark.parametrize("way", WAYS)
async def test_CAN_4_while_the_charge_is_made_a_cancel_succeeds(world: World, way: str) -> None:
    await world.sandbox.add_fault("gateway", "delay", "POST /v1/payment_intents$", seconds=0.6)
    order = await world.simple_order()
    await order.shows("that the charge is on its way", lambda seen: "charge" in str(seen.waiting_for))
    await order.send(way, "cancel_request", **LATE)
    await order.ends("cancelled")
    assert await assert_one_of_both(order) == "cancelled"


@pytest.mark.parametrize(("step", "way"), CELLS)
async def test_CAN_4_after_the_window_a_cancel_is_too_late_whatever_is_on_its_way(
    world: World, step: str, way: str
) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    partner, request = IN_FLIGHT[step]
    await world.sandbox.add_fault(partner, "delay", request, seconds=0.6)
    clock = asyncio.create_task(order.forward(minutes=31))
    await order.shows("a partner that is asked", lambda seen: seen.stage == "placing")
    await order.send(way, "cancel_request", **LATE)
    await clock
    await order.reaches("awaiting_shipment")
    assert await assert_one_of_both(order) == "sent"


@pytest.mark.parametrize("step", IN_FLIGHT)
async def test_CAN_4_held_while_a_partner_is_asked_and_cancelled_it_is_one_of_both(
    world: World, step: str
) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    partner, request = IN_FLIGHT[step]
    await world.sandbox.add_fault(partner, "delay", request, seconds=0.6)
    clock = asyncio.create_task(order.forward(minutes=31))
    await order.shows("a partner that is asked", lambda seen: seen.stage == "placing")
    try:
        await order.update("hold", reason="look at it first")
    except Refused:
        await clock
        await order.reaches("awaiting_shipment")
    else:
        await clock
        await order.reaches("on_hold")
    await order.update("cancel_request", **LATE)
    status = await order.shows(
        "which of both it is", lambda seen: seen.stage in ("cancelled", "awaiting_shipment")
    )
    if status.stage == "cancelled":
        await order.ends("cancelled")
    assert await assert_one_of_both(order) == ("cancelled" if status.stage == "cancelled" else "sent")


def said(answer: Answer | BaseException) -> str:
    """What a sender was told becomes of the order; one whose request came second hears that it is cancelled."""
    if isinstance(answer, Refused):
        assert answer.type == "Conflict"
        assert re.fullmatch(r"the order is (being )?cancelled already", str(answer))
        return "cancelled"
    assert isinstance(answer, Answer), answer
    assert answer.message.startswith(
        ("cancelled: ", "the order is being cancelled already") if answer.accepted else "already fulfilled: "
    )
    return "cancelled" if answer.accepted else "sent"


@pytest.mark.parametrize("seconds", [-1, 0, 1])
async def test_CAN_4_many_cancels_while_the_window_closes_are_all_answered_alike(
    world: World, seconds: int
) -> None:
    order = await world.simple_order()
    until = (await order.reaches("cancel_window")).deadlines["cancel_until"]
    clock = asyncio.create_task(order.forward_to(until + timedelta(seconds=seconds)))
    sent = [asyncio.create_task(order.update("cancel_request", **LATE)) for _ in range(6)]
    answers = await asyncio.gather(*sent, return_exceptions=True)
    await clock
    told = {said(answer) for answer in answers}
    status = await order.shows(
        "which of both it is", lambda seen: seen.stage in ("cancelled", "awaiting_shipment")
    )
    if status.stage == "cancelled":
        await order.ends("cancelled")
    outcome = await assert_one_of_both(order)
    assert outcome == ("cancelled" if status.stage == "cancelled" else "sent")
    assert told == {outcome}
    decided = [
        answer for answer in answers if isinstance(answer, Answer) and answer.message.startswith("cancelled:")
    ]
    assert len(decided) == (1 if outcome == "cancelled" else 0), "one request cancels"
