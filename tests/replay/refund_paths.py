"""Paths of a refund, and of the case that it tells what became of it."""

from typing import Literal

from models.refunds import GatewayUpdate
from starter.client.send import send_event
from tests.return_story import ReturnStory, shipped_order
from tests.stages import taken_back
from tests.world import CaseStory, World


async def refund_pending_then_failed(world: World) -> list[CaseStory]:
    order, seller, supplier = await shipped_order(world, buyer_method="pm_card_pendingRefund")
    back = ReturnStory.of(await world.return_of(order), order, seller, supplier)
    await back.approved("awaiting_buyer_refund", returnless=True)
    await back.click()
    first = world.refund_story(f"RF-{back.id}-B1")
    await first.reaches("pending")
    number = (await first.status()).facts["gateway_refund_id"]
    await world.sandbox.settle_refund(number, "failed")
    await first.update("gateway_update", actor="gateway:stripe", status="failed", gateway_refund_id=number)
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    second = world.refund_story(f"RF-{back.id}-B2")
    await second.reaches("pending")
    number = (await second.status()).facts["gateway_refund_id"]
    await world.sandbox.settle_refund(number, "succeeded")
    await second.forward(days=2)
    await back.ends("completed")
    return [back, first, second]


async def refund_taken_back(world: World) -> list[CaseStory]:
    order, seller, supplier = await shipped_order(world)
    back = ReturnStory.of(await world.return_of(order), order, seller, supplier)
    await back.approved()
    await back.track()
    await back.receive()
    await back.credit("63.00")
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    refunds = [world.refund_story(f"RF-{back.id}-{number}") for number in ("S1", "B1")]
    for refund in refunds:
        number = (await refund.status()).facts["gateway_refund_id"]
        await world.sandbox.settle_refund(refund.id, "failed")
        word = {"status": "failed", "gateway_refund_id": number, "reason": "account closed"}
        event = GatewayUpdate.model_validate(refund.event(actor="gateway:stripe", **word))
        await send_event(world.client, refund.handle.id, "gateway_update", event)
        await refund.ends("failed")
    await back.reaches("refunding_seller")
    await back.click()
    await back.shows("the buyer's refund", lambda seen: bool(seen.facts["buyer_refunds"]))
    await back.forward(days=4)
    await back.ends("completed")
    return [back, *refunds]


async def refund_direct(world: World) -> list[CaseStory]:
    order, _, _ = await shipped_order(world)
    made = await world.refund(order, amount="10.00")
    recorded = await world.refund(order, amount="5.00", way="manual", reference="cheque 12")
    too_much = await world.refund(order, amount="500.00")
    for case, end in ((made, "succeeded"), (recorded, "succeeded"), (too_much, "refused")):
        await case.ends(end)
    return [made, recorded, too_much]


# ---- what is pending ----


async def _pending(world: World) -> CaseStory:
    """A refund of the buyer that its gateway keeps pending."""
    order, *_ = await shipped_order(world, buyer_method="pm_card_pendingRefund")
    refund = await world.refund(order, amount="40.00")
    await refund.reaches("pending")
    return refund


async def refund_pending_for_a_week(world: World) -> list[CaseStory]:
    refund = await _pending(world)
    for _ in range(7):
        await refund.forward(hours=24, minutes=1)
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=24, minutes=1)
    await refund.ends("succeeded")
    return [refund]


async def refund_that_fails(world: World) -> list[CaseStory]:
    refund = await _pending(world)
    number = (await refund.status()).facts["gateway_refund_id"]
    await world.sandbox.settle_refund(number, "failed")
    await refund.update("gateway_update", actor="gateway:stripe", status="failed", gateway_refund_id=number)
    await refund.ends("failed")
    return [refund]


async def refund_of_a_payment_that_the_gateway_does_not_know(world: World) -> list[CaseStory]:
    order, *_ = await shipped_order(world)
    await world.sandbox.add_fault("gateway", "refuse", "POST /v1/refunds", status=400, code="charge_disputed")
    refund = await world.refund(order, amount="40.00")
    await refund.ends("refused")
    return [refund]


# ---- what had succeeded, and the gateway's late word ----


async def refund_not_taken_back(world: World) -> list[CaseStory]:
    """The gateway itself does not confirm the word."""
    order, *_ = await shipped_order(world)
    refund = await world.refund(order, amount="40.00")
    await taken_back(refund, at_the_gateway=False)
    await refund.ends("succeeded")
    return [refund]


async def refund_taken_back_while_its_success_is_written(world: World) -> list[CaseStory]:
    order, *_ = await shipped_order(world, buyer_method="pm_card_pendingRefund")
    queue = f"away-{world.tag}"
    async with world.worker(queue):
        refund = await world.refund(order, amount="40.00", task_queue=queue)
        number = (await refund.reaches("pending")).facts["gateway_refund_id"]
    words: tuple[Literal["succeeded", "failed"], ...] = ("succeeded", "failed")
    for word in words:
        await refund.signal("gateway_update", actor="gateway:stripe", status=word, gateway_refund_id=number)
        await world.sandbox.settle_refund(refund.id, word)
    async with world.worker(queue):
        await refund.ends("failed")
    return [refund]


async def refund_taken_back_from_a_running_order(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.placed()
    refund = await world.refund(order, amount="40.00")
    await taken_back(refund)
    await refund.ends("failed")
    await order.shows("the loss", lambda seen: any("failed after it had" in step.what for step in seen.timeline))
    await order.ship_all()
    return [order, refund]


async def refund_taken_back_from_a_running_return(world: World) -> list[CaseStory]:
    """First the seller's, and then the buyer's."""
    order, seller, supplier = await shipped_order(world)
    back = await ReturnStory.of(await world.return_of(order), order, seller, supplier).approved()
    await back.track()
    await back.receive()
    await back.credit("63.00")
    await back.reaches("awaiting_buyer_refund")
    await taken_back(world.refund_story(f"RF-{back.id}-S1"))
    await back.reaches("refunding_seller")
    await back.click()
    await back.shows("the buyer's refund", lambda seen: bool(seen.facts["buyer_refunds"]))
    await taken_back(world.refund_story(f"RF-{back.id}-B1"))
    await back.shows("that it waits again", lambda seen: not seen.facts["buyer_refunds"])
    await back.click()
    await back.shows("the buyer's refund", lambda seen: bool(seen.facts["buyer_refunds"]))
    await back.forward(days=4)
    await back.ends("completed")
    return [back]


async def refund_taken_back_while_the_last_mails_are_sent(world: World) -> list[CaseStory]:
    """The return has come to its end, still runs, and goes on as a new run."""
    order, seller, supplier = await shipped_order(world)
    back = ReturnStory.of(await world.return_of(order), order, seller, supplier)
    await back.approved("awaiting_buyer_refund", returnless=True)
    await world.sandbox.add_fault("mail", "drop_before", str(order.request.buyer.email), times=None)
    await back.click()
    await back.reaches("completed")
    ended = world.client.get_workflow_handle(back.handle.id, run_id=(await back.handle.describe()).run_id)
    await taken_back(world.refund_story(f"RF-{back.id}-B1"))
    await world.refund_story(f"RF-{back.id}-B1").ends("failed")
    await world.sandbox.clear_faults()
    await back.forward(minutes=10)
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [CaseStory(world, ended, back.id), back]


async def refund_taken_back_and_made_by_the_channel(world: World) -> list[CaseStory]:
    order, seller, supplier = await shipped_order(world)
    back = ReturnStory.of(await world.return_of(order), order, seller, supplier)
    await back.approved("awaiting_buyer_refund", returnless=True)
    await back.click()
    await back.ends("completed")
    await taken_back(world.refund_story(f"RF-{back.id}-B1"))
    await back.reaches("awaiting_buyer_refund")
    await back.update("channel_update", actor="channel:ebay", status="refunded_by_channel", amount="100.00")
    await back.ends("completed")
    return [back]
