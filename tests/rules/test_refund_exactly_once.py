"""A refund, and every other movement of money, happens exactly once (REF-6, REF-7)."""

import asyncio
from decimal import Decimal

import pytest
from temporalio.service import RPCError

from models.refunds import RefundState
from tests.case_story import OrderStory, Refused
from tests.eventually import eventually
from tests.world import World

pytestmark = pytest.mark.proof


async def paid_order(world: World, method: str = "pm_card_visa") -> OrderStory:
    """An order for which the buyer paid 100.00 USD."""
    order = await world.simple_order(buyer_method=method)
    await order.reaches("cancel_window")
    return order


async def gateway_refund_id(order: OrderStory) -> str:
    (refund,) = (await order.effects()).refunds
    return refund.id


# ---- REF-6: exactly once ----


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "error"])
async def test_REF_6_a_refund_happens_once_when_the_gateway_fails(world: World, fault: str) -> None:
    order = await paid_order(world)
    await world.sandbox.add_fault("gateway", fault, "POST /v1/refunds")
    await (await world.refund(order, amount="25.00")).ends("succeeded")
    assert [refund.amount for refund in (await order.effects()).refunds] == [Decimal("25.00")]


async def test_REF_6_a_server_error_saved_under_the_key_blocks_no_later_try(world: World) -> None:
    order = await paid_order(world)
    await world.sandbox.add_fault("gateway", "error", "POST /v1/refunds")
    refund = await world.refund(order, amount="25.00")
    await refund.ends("succeeded")
    assert [refund.amount for refund in (await order.effects()).refunds] == [Decimal("25.00")]
    sent = [one for one in await world.sandbox.requests("gateway", "/v1/refunds") if one.method == "POST"]
    keys = [(one.idempotency_key, one.replayed, one.work_done) for one in sent if refund.id in str(one.body)]
    assert keys == [
        (refund.id, False, False),
        (refund.id, True, False),
        (f"{refund.id}:2", False, True),
    ]


async def test_REF_6_two_equal_refunds_both_happen(world: World) -> None:
    order = await paid_order(world)
    both = [await world.refund(order, amount="10.00", reason="goodwill") for _ in range(2)]
    await asyncio.gather(*(refund.ends("succeeded") for refund in both))
    assert [refund.amount for refund in (await order.effects()).refunds] == [Decimal("10.00")] * 2


async def test_REF_6_the_same_refund_started_twice_happens_once(world: World) -> None:
    order = await paid_order(world)
    for _ in range(2):
        await (await world.refund(order, refund_id=f"RF-{order.id}-D1", amount="10.00")).ends("succeeded")
    assert [refund.amount for refund in (await order.effects()).refunds] == [Decimal("10.00")]


@pytest.mark.parametrize(
    "path", ["POST /v1/payment_intents$", "POST /v1/payment_intents/.*/capture", "PUT /v1/orders"]
)
@pytest.mark.parametrize("fault", ["drop_after", "error"])
async def test_REF_6_an_order_is_charged_and_bought_once_when_a_partner_fails(
    world: World, path: str, fault: str
) -> None:
    partner = "supplier" if "orders" in path else "gateway"
    await world.sandbox.add_fault(partner, fault, path)
    order = await world.simple_order()
    await order.placed()
    effects = await order.effects()
    assert [(one.status, one.amount_received) for one in effects.payment_intents] == [("succeeded", Decimal("63"))]
    assert len(effects.supplier_orders) == 1


@pytest.mark.parametrize("fault", ["drop_after", "error"])
async def test_REF_6_a_cancelled_orders_charge_is_voided_once_when_the_gateway_fails(
    world: World, fault: str
) -> None:
    order = await paid_order(world)
    await world.sandbox.add_fault("gateway", fault, "POST /v1/payment_intents/.*/cancel")
    await order.update("cancel_request", reason="changed my mind")
    await order.ends("cancelled")
    effects = await order.effects()
    assert [(one.status, one.amount_received) for one in effects.payment_intents] == [("canceled", Decimal(0))]
    assert effects.refunds == ()


async def test_REF_6_a_retry_after_the_gateway_forgot_the_key_refunds_once(world: World) -> None:
    order = await paid_order(world)
    await world.sandbox.add_fault("gateway", "drop_after", "POST /v1/refunds")
    refund = await world.refund(order, amount="25.00")
    await eventually(order.effects, lambda seen: bool(seen.refunds), "the gateway gets no refund")
    # The look before the next try is refused, so the case pauses with the money out and the answer lost.
    await world.sandbox.add_fault("gateway", "refuse", "GET /v1/refunds", status=401)
    await refund.shows("the trouble", lambda seen: any("tried again" in step.what for step in seen.timeline))
    await world.sandbox.advance_clock(2 * 86_400)
    while (await refund.status()).outcome is None:
        await refund.forward(minutes=31)
    await refund.ends("succeeded")
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("25.00")]


async def test_REF_6_a_refund_that_succeeds_at_once_costs_three_calls_and_one_upsert(world: World) -> None:
    order = await paid_order(world)
    refund = await world.refund(order, amount="40.00")
    await refund.ends("succeeded")
    events = [event async for event in refund.handle.fetch_history_events()]
    calls = [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    upserts = sum(event.HasField("upsert_workflow_search_attributes_event_attributes") for event in events)
    timers = sum(event.HasField("timer_started_event_attributes") for event in events)
    assert (calls, upserts, timers) == (["reserve_refund", "send_refund", "save_refund"], 1, 0)


# ---- REF-7: pending, and the end days later ----


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_REF_7_a_pending_refund_succeeds_by_the_gateways_word(world: World, way: str) -> None:
    order = await paid_order(world, "pm_card_pendingRefund")
    refund = await world.refund(order, amount="40.00")
    status = await refund.reaches("pending")
    assert status.waiting_for is not None
    assert status.waiting_for.who == "gateway"
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.send(
        way,
        "gateway_update",
        actor="gateway:stripe",
        status="succeeded",
        gateway_refund_id=await gateway_refund_id(order),
    )
    await refund.ends("succeeded")
    assert world.reading.refund(refund.id).state is RefundState.SUCCEEDED


async def test_REF_7_a_pending_refund_that_fails_gives_the_amount_back_to_the_cap(world: World) -> None:
    order = await paid_order(world, "pm_card_pendingRefund")
    refund = await world.refund(order, amount="100.00")
    await refund.reaches("pending")
    await world.sandbox.settle_refund(refund.id, "failed")
    await refund.update(
        "gateway_update",
        actor="gateway:stripe",
        status="failed",
        gateway_refund_id=await gateway_refund_id(order),
        reason="account closed",
    )
    await refund.ends("failed")
    listed = world.reading.refund(refund.id)
    assert (listed.state, listed.failure_reason) == (RefundState.FAILED, "account closed")
    assert world.reading.refunds_of(order.id).buyer.left == Decimal(100)


async def test_REF_7_a_silent_gateway_is_asked_after_a_day(world: World) -> None:
    order = await paid_order(world, "pm_card_pendingRefund")
    refund = await world.refund(order, amount="40.00")
    await refund.reaches("pending")
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=23)
    assert (await refund.status()).stage == "pending"
    await refund.forward(hours=2)
    await refund.ends("succeeded")


async def test_REF_7_staff_are_told_when_a_refund_stays_pending_for_a_week(world: World) -> None:
    order = await paid_order(world, "pm_card_pendingRefund")
    refund = await world.refund(order, amount="40.00")
    await refund.reaches("pending")
    for day in range(8):
        looks_before = len(await looks(world, order))
        assert looks_before >= day
        await refund.forward(hours=24, minutes=1)
    assert (await refund.status()).stage == "pending"
    mails = await world.sandbox.mails(to="staff")
    assert [mail for mail in mails if f"refund {refund.id} is pending for 7 days" in (mail.text or "")]


async def looks(world: World, order: OrderStory) -> list[object]:
    """How often the gateway was asked for the refunds of this order's payment."""
    asked = await world.sandbox.requests("gateway", "/v1/refunds")
    payment = str(order.request.paid_with[0].reference)
    return [one for one in asked if one.method == "GET" and payment in str(one.query)]


async def test_REF_7_another_refunds_word_is_refused(world: World) -> None:
    order = await paid_order(world, "pm_card_pendingRefund")
    refund = await world.refund(order, amount="40.00")
    await refund.reaches("pending")
    with pytest.raises(Refused, match="another refund's"):
        await refund.update(
            "gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id="re_other"
        )
    await refund.signal("gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id="re_other")
    status = await refund.shows("the rejection", lambda seen: seen.rejected_count == 1)
    assert status.stage == "pending"


async def test_REF_7_a_word_that_comes_before_the_gateways_answer_counts_only_for_its_own_refund(
    world: World,
) -> None:
    order = await paid_order(world, "pm_card_pendingRefund")
    await world.sandbox.add_fault("gateway", "delay", "POST /v1/refunds", seconds=0.5)
    refund = await world.refund(order, amount="40.00")
    await refund.reaches("sending")
    early = await refund.update(
        "gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id="re_not_ours"
    )
    assert early.stage == "sending"
    status = await refund.reaches("pending")
    assert status.facts["gateway_refund_id"] == await gateway_refund_id(order)


async def test_REF_7_a_word_after_the_end_is_refused(world: World) -> None:
    order = await paid_order(world)
    refund = await world.refund(order, amount="40.00")
    await refund.ends("succeeded")
    with pytest.raises(RPCError, match="already completed"):
        await refund.update("gateway_update", actor="gateway:stripe", status="failed", gateway_refund_id="re_1")
    assert world.reading.refund(refund.id).state is RefundState.SUCCEEDED


async def test_REF_7_a_failed_refund_reopens_the_return_and_a_new_click_works(world: World) -> None:
    seller = await world.seller()
    order = await world.simple_order(seller, buyer_method="pm_card_pendingRefund")
    await order.shipped()
    case = await world.return_of(order)
    await case.update("seller_approval", decision="approved", returnless=True)
    await case.reaches("awaiting_buyer_refund")
    await case.update("buyer_refund", reason="reviewed")
    await case.reaches("refunding_buyer")
    first = world.refund_story(f"RF-{case.id}-B1")
    await first.reaches("pending")

    await world.sandbox.settle_refund(first.id, "failed")
    await first.update(
        "gateway_update",
        actor="gateway:stripe",
        status="failed",
        gateway_refund_id=await gateway_refund_id(order),
        reason="account closed",
    )

    status = await case.reaches("awaiting_buyer_refund")
    assert "account closed" in status.rejected_events[-1].reason
    assert world.reading.refunds_of(order.id).buyer.left == Decimal(100)

    await case.update("buyer_refund", reason="reviewed again")
    second = world.refund_story(f"RF-{case.id}-B2")
    await second.reaches("pending")
    await world.sandbox.settle_refund(second.id, "succeeded")
    await second.forward(hours=25)
    await case.ends("completed")
    told = [mail.subject for mail in await world.sandbox.mails(to=seller.email)]
    assert f"A refund for return {case.id} was not made" in told
    assert world.reading.refunds_of(order.id).buyer.refunded == Decimal(100)
