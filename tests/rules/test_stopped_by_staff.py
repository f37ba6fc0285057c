"""Staff cancel a workflow in the UI: what has to be compensated is, and the books say so (CAN-1, REF-6)."""

import asyncio
from decimal import Decimal

import pytest
from temporalio.client import WorkflowFailureError

from models.refunds import RefundState
from tests.rules.staff_cancel import stopped
from tests.stages import order_at, refund_at, return_at
from tests.world import World, eventually

# ---- orders ----


@pytest.mark.parametrize("stage", ["awaiting_release", "awaiting_payment", "cancel_window", "on_hold"])
async def test_CAN_1_an_order_that_staff_stop_before_it_is_sent_leaves_nothing_behind(
    world: World, stage: str
) -> None:
    order = await order_at(world, stage)
    assert await stopped(order) == stage
    effects = await order.effects()
    assert (effects.supplier_orders, effects.captures) == ((), ())
    assert {intent.status for intent in effects.payment_intents} <= {"canceled", "requires_payment_method"}
    assert [stop.state for stop in effects.stops] == ["stopped"]
    books = await order.books()
    assert [(line.cancelled, line.open) for line in books.lines] == [(2, 0)]
    (cessation,) = books.cessations
    assert (cessation.reason, cessation.by) == ("stopped by staff", "staff:temporal")


async def test_CAN_1_an_order_that_staff_stop_while_its_charge_is_made_gives_the_charge_back(world: World) -> None:
    await world.sandbox.add_fault("gateway", "delay", "POST /v1/payment_intents$", seconds=0.5)
    order = await world.simple_order()
    await order.shows("the charge", lambda seen: bool(seen.waiting_for and "charge" in seen.waiting_for.what))
    await stopped(order)
    assert [intent.status for intent in (await order.effects()).payment_intents] == ["canceled"]


async def test_CAN_1_an_order_that_staff_stop_while_the_gateways_answer_is_lost_gives_the_charge_back(
    world: World,
) -> None:
    await world.sandbox.add_fault("gateway", "drop_after", "POST /v1/payment_intents$")
    order = await world.simple_order()
    await eventually(order.effects, lambda seen: bool(seen.payment_intents), "no charge is made")
    await stopped(order)
    assert [intent.status for intent in (await order.effects()).payment_intents] == ["canceled"]


async def test_CAN_1_an_order_that_staff_stop_while_its_money_is_taken_gives_it_back(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "delay", "POST /v1/payment_intents/.*/capture", seconds=0.5)
    going_on = asyncio.create_task(order.forward(minutes=31))
    await order.shows("the capture", lambda seen: bool(seen.waiting_for and "collect" in seen.waiting_for.what))
    await stopped(order)
    await going_on
    effects = await order.effects()
    taken = sum((capture.amount for capture in effects.captures), Decimal(0))
    assert (effects.supplier_orders, [refund.amount for refund in effects.refunds]) == (
        (),
        [taken] if taken else [],
    )


async def test_CAN_2_an_order_that_staff_stop_after_it_was_sent_stays_bought_and_charged(world: World) -> None:
    order = await order_at(world, "awaiting_shipment")
    await stopped(order)
    effects = await order.effects()
    assert len(effects.supplier_orders) == 1
    assert [intent.status for intent in effects.payment_intents] == ["succeeded"]
    assert effects.refunds == ()
    assert [(line.cancelled, line.open) for line in (await order.books()).lines] == [(0, 2)]
    letters = await eventually(
        lambda: order.mails(to=str(world.settings.mail_staff)),
        lambda seen: any(order.id in letter.text and "nothing was called back" in letter.text for letter in seen),
        "staff are not told",
    )
    assert letters


# ---- returns ----


@pytest.mark.parametrize(
    "stage",
    [
        "awaiting_approval",
        "awaiting_rma",
        "rma_refused",
        "awaiting_tracking",
        "expired",
        "in_transit",
        "awaiting_credit",
        "awaiting_buyer_refund",
    ],
)
async def test_RET_15_a_return_that_staff_stop_ends_without_money(world: World, stage: str) -> None:
    case = await return_at(world, stage)
    assert await stopped(case) == stage
    assert (await case.order.effects()).refunds == ()
    assert world.reading.refunds_of(case.order.id).refunds == ()
    if stage != "awaiting_credit":
        # Nothing came back, so the units may be returned again (RET-2).
        again = await world.return_of(case.order)
        await again.reaches("awaiting_approval")


async def test_REF_6_a_refund_that_is_on_its_way_goes_on_when_staff_stop_its_return(world: World) -> None:
    case = await return_at(world, "refunding_buyer")
    refund = world.refund_story(f"RF-{case.id}-B1")
    await refund.reaches("pending")
    assert await stopped(case) == "refunding_buyer"
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)
    await refund.ends("succeeded")
    assert world.reading.refunds_of(case.order.id).buyer.refunded == Decimal(100)


# ---- refunds ----


async def test_REF_6_a_pending_refund_that_staff_stop_stays_under_the_cap_and_staff_look(world: World) -> None:
    order, refund = await refund_at(world, "pending")
    await stopped(refund)
    assert world.reading.refund(refund.id).state is RefundState.PENDING
    assert world.reading.refunds_of(order.id).buyer.left == Decimal(60)
    told = [mail.text or "" for mail in await world.sandbox.mails(to="staff")]
    assert [text for text in told if f"refund {refund.id} was stopped while pending: look at the gateway" in text]


async def test_REF_6_a_refund_that_staff_stop_while_it_is_sent_stays_under_the_cap(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "delay", "POST /v1/refunds", seconds=0.5)
    refund = await world.refund(order, amount="40.00")
    await refund.reaches("sending")
    await stopped(refund)
    assert world.reading.refunds_of(order.id).buyer.left == Decimal(60)


async def test_REF_6_a_refund_that_staff_stop_while_the_gateway_is_away_is_not_sent_afterwards(
    world: World,
) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "refuse", "POST /v1/refunds", status=401)
    refund = await world.refund(order, amount="40.00")
    await refund.shows("the trouble", lambda seen: any("tried again" in step.what for step in seen.timeline))
    await stopped(refund)
    assert (await order.effects()).refunds == ()
    assert world.reading.refund(refund.id).state is RefundState.RESERVED


async def test_RET_16_what_comes_while_a_stopped_case_ends_is_answered(world: World) -> None:
    await world.sandbox.add_fault("gateway", "delay", "POST /v1/payment_intents/.*/cancel", seconds=0.5)
    order = await order_at(world, "cancel_window")
    await order.handle.cancel()
    await order.reaches("cancelling")
    answer = await order.update("cancel_request", reason="me too")
    assert answer.accepted
    with pytest.raises(WorkflowFailureError):
        await order.handle.result()
    assert [intent.status for intent in (await order.effects()).payment_intents] == ["canceled"]
