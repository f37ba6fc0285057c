"""Facts that come before their turn, or change while a case waits for others: kept, or answered (RET-16)."""

import asyncio
import re
from decimal import Decimal
from typing import Any

import pytest

from models.refunds import Direction
from tests.case_story import CaseStory, OrderStory, Refused
from tests.world import World

REASON = {"reason": "changed their mind"}


async def shipped_order(world: World, **seller: Any) -> OrderStory:
    order = await world.simple_order(await world.seller(**seller))
    await order.shipped()
    return order


async def approved_return(world: World, **seller: Any) -> tuple[OrderStory, CaseStory]:
    order = await shipped_order(world, **seller)
    case = await world.return_of(order)
    await case.reaches("awaiting_approval")
    await case.update("seller_approval", decision="approved")
    await case.update("return_tracking", carrier="UPS", tracking_number="1ZBACK")
    await case.reaches("in_transit")
    return order, case


def goods(order: OrderStory, acceptance: str, quantity: int = 2) -> dict[str, Any]:
    line = {"sku": order.request.lines[0].sku, "quantity": quantity, "reception": "received"}
    return {"actor": "supplier:dock", "lines": [line | {"acceptance": acceptance}]}


async def seller_refunds(order: OrderStory) -> list[Decimal]:
    refunds = (await order.books()).refunds.refunds
    return [one.amount for one in refunds if one.direction is Direction.BROKER_TO_SELLER]


async def test_CAN_11_a_shipment_that_came_early_is_answered_when_the_order_is_cancelled(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    lines = [{"sku": order.request.lines[0].sku, "quantity": 1}]
    early = await order.signal("shipment", shipment_id="s1", carrier="UPS", tracking_number="1Z", lines=lines)
    await order.signal("cancel_request", **REASON)
    status = await order.ends("cancelled")
    assert [(one.name, one.event_id) for one in status.rejected_events] == [("shipment", early["event_id"])]
    assert (await order.effects()).shipments == ()


async def test_ORD_7_an_order_that_was_held_while_stock_was_asked_is_voided_when_it_goes_on_and_nobody_has_it(
    world: World,
) -> None:
    sku = world.sku()
    order = await world.order(await world.seller(), {"sku": sku})
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("supplier", "delay", "GET /v1/stock", times=2, seconds=0.8)
    clock = asyncio.create_task(order.forward(minutes=31))
    await order.reaches("placing")
    await order.update("hold", **REASON)
    await clock
    await order.reaches("on_hold")
    await order.update("resume", **REASON)
    status = await order.ends("voided")
    assert not status.rejected_count


@pytest.mark.parametrize("status", ["escalated", "closed"])
async def test_RET_16_news_of_the_marketplace_before_the_return_has_opened_does_not_stop_it(
    world: World, status: str
) -> None:
    order = await shipped_order(world)
    queue = f"away-{world.tag}"
    case = await world.return_of(order, task_queue=queue)
    await case.signal("channel_update", actor="channel:ebay", status=status)
    async with world.worker(queue):
        seen = await case.reaches("awaiting_approval")
    assert any(f"the marketplace says: {status}" in step.what for step in seen.timeline)


async def test_RET_11_more_than_comes_back_is_refused_also_when_it_came_early(world: World) -> None:
    order = await shipped_order(world)
    queue = f"away-{world.tag}"
    case = await world.return_of(order, task_queue=queue)
    await case.signal("goods_received", **goods(order, "accepted", quantity=3))
    await case.signal("seller_approval", decision="approved")
    async with world.worker(queue):
        status = await case.reaches("awaiting_tracking")
    assert [one.name for one in status.rejected_events] == ["goods_received"]
    assert status.facts["receptions"] == []


async def test_RET_11_what_came_early_counts_when_its_turn_comes(world: World) -> None:
    order = await shipped_order(world)
    queue = f"away-{world.tag}"
    case = await world.return_of(order, task_queue=queue)
    await case.signal("goods_received", **goods(order, "accepted"))
    await case.signal("seller_approval", decision="approved")
    async with world.worker(queue):
        status = await case.reaches("awaiting_credit")
    assert [line["quantity"] for line in status.facts["receptions"]] == [2]


async def test_RET_15_a_return_that_waits_only_for_credit_can_be_withdrawn_and_moves_no_money(
    world: World,
) -> None:
    order, case = await approved_return(world)
    await case.update("staff_override", actor="staff:sam", waive="inspection", reason="known customer")
    await case.reaches("awaiting_credit")
    await case.update("withdrawal", actor="buyer:robin", **REASON)
    await case.ends("withdrawn")
    assert await seller_refunds(order) == []


async def test_RET_11_goods_rejected_after_all_while_credit_is_awaited_bring_no_refund_by_the_broker(
    world: World,
) -> None:
    order, case = await approved_return(world)
    await case.update("goods_received", **goods(order, "accepted"))
    await case.reaches("awaiting_credit")
    await case.update("goods_received", **goods(order, "rejected"))
    await case.reaches("awaiting_buyer_refund")
    await case.update("buyer_refund", **REASON)
    await case.ends("completed")
    assert await seller_refunds(order) == []


async def test_RET_11_goods_that_need_a_person_after_all_are_waited_for_again(world: World) -> None:
    order, case = await approved_return(world)
    await case.update("goods_received", **goods(order, "accepted"))
    await case.reaches("awaiting_credit")
    await case.update("goods_received", **goods(order, "manual"))
    status = await case.reaches("in_transit")
    assert status.waiting_for is not None
    assert status.waiting_for.who == "staff"
    await case.update("goods_received", **goods(order, "accepted"))
    await case.update("credit_memo", number=f"CM-{case.id}", date="2026-03-01", amount="63.00", currency="USD")
    await case.update("buyer_refund", **REASON)
    await case.ends("completed")
    assert await seller_refunds(order) == [Decimal("63.00")]


async def test_REF_7_an_early_word_about_another_refund_is_answered_and_not_lost(world: World) -> None:
    order = await world.simple_order(buyer_method="pm_card_pendingRefund")
    await order.shipped()
    queue = f"away-{world.tag}"
    case = await world.refund(order, task_queue=queue)
    early = await case.signal("gateway_update", status="failed", gateway_refund_id="re_of_another")
    async with world.worker(queue):
        status = await case.reaches("pending")
        assert [(one.name, one.event_id) for one in status.rejected_events] == [
            ("gateway_update", early["event_id"])
        ]
        (sent,) = (await order.effects()).refunds
        assert (sent.id, sent.status) == (status.facts["gateway_refund_id"], "pending"), "it is sent, and once"
        await world.sandbox.settle_refund(sent.id, "succeeded")
        await case.signal("gateway_update", status="succeeded", gateway_refund_id=sent.id)
        await case.ends("succeeded")


async def test_REF_7_a_word_about_a_refund_that_no_gateway_has_is_answered_and_not_lost(world: World) -> None:
    order = await shipped_order(world)
    queue = f"away-{world.tag}"
    case = await world.refund(order, task_queue=queue, amount="999.00")
    await case.signal("gateway_update", status="succeeded", gateway_refund_id="re_of_another")
    async with world.worker(queue):
        await case.handle.result()
        status = await case.status()
    assert status.outcome == "refused"
    assert [one.name for one in status.rejected_events] == ["gateway_update"]


async def test_RET_16_an_order_that_has_ended_refuses_what_still_comes_while_its_mails_are_sent(
    world: World,
) -> None:
    seller = await world.seller()
    await world.sandbox.add_fault("mail", "delay", re.escape(seller.email), times=None, seconds=1.5)
    order = await world.simple_order(seller)
    await order.reaches("cancel_window")
    await order.update("cancel_request", **REASON)
    await order.reaches("cancelled")
    with pytest.raises(Refused, match="cancelled already"):
        await order.update("hold", **REASON)
    status = await order.ends("cancelled")
    assert status.facts["on_hold"] is None
