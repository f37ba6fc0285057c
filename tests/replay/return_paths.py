"""Paths of a return."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Literal

from models.ids import order_workflow_id, replacement_order_id
from tests.case_story import CaseStory, OrderStory
from tests.replay.recording import Recorded
from tests.return_story import returning
from tests.world import World


async def return_after_its_window(world: World) -> list[Recorded]:
    """It is rejected by the seller's setting (RET-22)."""
    order = await world.simple_order(await world.seller(outside_window="reject"))
    await order.placed()
    long_ago = (datetime.now(UTC) - timedelta(days=40)).isoformat()
    lines = [{"sku": order.request.lines[0].sku, "quantity": 2}]
    await order.update(
        "shipment", shipment_id="s1", carrier="UPS", tracking_number="1Z", lines=lines, delivered_at=long_ago
    )
    await order.ends("shipped")
    back = await world.return_of(order)
    await back.ends("rejected")
    return [back]


async def return_completed(world: World) -> list[Recorded]:
    """Credited in two parts."""
    back = await (await returning(world)).approved()
    await back.track()
    await back.receive()
    await back.reaches("awaiting_credit")
    await back.credit("31.50", "CM-1-" + back.id)
    await back.credit("31.50", "CM-2-" + back.id)
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back, world.refund_story(f"RF-{back.id}-S1")]


async def return_rejected(world: World) -> list[Recorded]:
    """A click came before; nobody serves it any more."""
    back = await returning(world)
    await back.reaches("awaiting_approval")
    await back.click()
    await back.forward(days=6)
    await back.update("seller_approval", decision="rejected", reason="electrical part")
    await back.ends("rejected")
    return [back]


async def return_that_is_declined(world: World) -> list[Recorded]:
    """Two parcels; the first receipt is corrected, and the seller declines."""
    back = await (await returning(world)).approved()
    await back.track()
    await back.track(tracking_number="1ZBACK2")
    await back.receive({"quantity": 1}, event_id="first")
    await back.receive({"quantity": 1, "acceptance": "rejected"}, corrects="first")
    await back.receive({"quantity": 1, "reception": "wrong_item", "acceptance": "rejected"})
    await back.reaches("awaiting_buyer_refund")
    await back.update("refund_declined", kind="declined", reason="it is another part")
    await back.ends("completed")
    return [back]


async def return_with_more_accepted_later(world: World) -> list[Recorded]:
    """A final credit, one that comes all the same, and a second refund of the seller."""
    back = await (await returning(world)).approved("awaiting_tracking")
    await back.track()
    await back.receive()
    await back.credit("50.00", "CM-1-" + back.id, final=True)
    await back.reaches("awaiting_buyer_refund")
    await back.credit("13.00", "CM-2-" + back.id)
    await back.shows("the seller has both", lambda seen: len(seen.facts["refunds"]) == 2)
    await back.click()
    await back.ends("completed")
    return [back]


async def return_returnless(world: World) -> list[Recorded]:
    back = await (await returning(world)).approved("awaiting_buyer_refund", returnless=True)
    await back.forward(days=4)
    await back.click()
    await back.ends("completed")
    return [back]


async def return_with_everything_early(world: World) -> list[Recorded]:
    """And with words that nobody knows."""
    back = await returning(world)
    await back.reaches("awaiting_approval")
    await back.credit("63.00")
    await back.track()
    await back.receive()
    await back.click()
    await back.signal("seller_approvel", decision="approved")
    await back.signal("seller_approval", decision="perhaps")
    await back.approve(restocking_percent="10")
    await back.ends("completed")
    return [back]


async def return_of_two_suppliers(world: World) -> list[Recorded]:
    first, second = await world.supplier(), await world.supplier()
    skus = [world.sku(), world.sku()]
    await world.stock(skus[0], 5, first)
    await world.stock(skus[1], 5, second)
    order = await world.order(await world.seller(), *({"sku": sku, "quantity": 1} for sku in skus))
    await order.shipped()
    back = await world.return_of(order)
    sibling = world.return_story(f"{back.id}.2")
    for case in (back, sibling):
        await case.reaches("awaiting_approval")
        await case.update("withdrawal", reason="keeps it")
        await case.ends("withdrawn")
    return [back]


async def return_of_too_much(world: World) -> list[Recorded]:
    back = await returning(world, quantity=3)
    await back.ends("refused")
    return [back]


# ---- the RMA number, and the goods ----


async def return_with_rma_by_email(world: World) -> list[Recorded]:
    """Withdrawn while the goods are awaited."""
    back = await (await returning(world, supplier=await world.supplier(rma="email"))).approved("awaiting_rma")
    await back.forward(days=15)
    await back.issue_rma("RMA-9")
    await back.reaches("awaiting_tracking")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_with_rma_by_service(world: World) -> list[Recorded]:
    """Withdrawn while the goods are on their way."""
    back = await (await returning(world, supplier=await world.supplier(rma="service"))).approved()
    await back.track()
    await back.reaches("in_transit")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_refused_by_the_supplier(world: World) -> list[Recorded]:
    back = await (await returning(world, supplier=await world.supplier(rma="manual"))).approved("awaiting_rma")
    await back.refuse_rma("opened box")
    await back.reaches("rma_refused")
    await back.forward(days=15)
    await back.ends("refused_by_supplier")
    return [back]


async def return_refused_by_the_supplier_and_waived(world: World) -> list[Recorded]:
    back = await (await returning(world, supplier=await world.supplier(rma="manual"))).approved("awaiting_rma")
    await back.refuse_rma("opened box")
    await back.reaches("rma_refused")
    await back.override(waive="rma")
    await back.reaches("awaiting_tracking")
    await back.override(waive="tracking")
    await back.reaches("in_transit")
    await back.override(waive="inspection")
    await back.reaches("awaiting_credit")
    await back.credit("63.00")
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back]


async def return_expired(world: World) -> list[Recorded]:
    """Given more time, it expires again, for good."""
    back = await (await returning(world)).approved()
    await back.forward(days=31)
    await back.reaches("expired")
    await back.override(extend="tracking_due", until=(await back.now() + timedelta(days=5)).isoformat())
    await back.reaches("awaiting_tracking")
    await back.forward(days=6)
    await back.reaches("expired")
    await back.forward(days=31)
    await back.ends("expired")
    return [back]


async def return_tracked_after_it_expired(world: World) -> list[Recorded]:
    back = await (await returning(world)).approved()
    await back.forward(days=31)
    await back.reaches("expired")
    await back.track()
    await back.reaches("in_transit")
    await back.receive()
    await back.credit("63.00")
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back]


async def return_of_rejected_goods(world: World) -> list[Recorded]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.receive({"acceptance": "manual"})
    await back.receive({"acceptance": "rejected"})
    await back.reaches("awaiting_buyer_refund")
    await back.click(amount="10.00")
    await back.ends("completed")
    return [back]


async def return_that_the_seller_declines(world: World) -> list[Recorded]:
    """The supplier accepts nothing, and the seller refunds nothing (RET-27)."""
    back = await (await returning(world)).approved()
    await back.track()
    await back.receive({"acceptance": "rejected"})
    await back.reaches("awaiting_buyer_refund")
    await back.update("refund_declined", kind="declined", reason="it was used")
    await back.ends("completed")
    return [back]


# ---- a replacement (RET-24) ----


async def return_replaced(world: World) -> list[Recorded]:
    """When the goods are back."""
    back = await (await returning(world)).approved(resolution="replacement")
    await back.track()
    await back.receive()
    order = _replacement_of(back)
    await order.reaches("cancel_window")
    await back.credit("63.00")
    await back.reaches("replacing")
    order.request = (await order.books()).request
    await order.shipped()
    await back.ends("completed")
    return [back, order]


async def return_withdrawn_before_its_replacement_went_out(world: World) -> list[Recorded]:
    """It waits for the seller's click, as its settings want it of any order."""
    order = await world.simple_order(await world.seller(replacement_sent="at_once", auto_release=False))
    await order.reaches("awaiting_release")
    await order.update("release")
    await order.shipped()
    back = await world.return_of(order)
    await back.reaches("awaiting_approval")
    await back.update("seller_approval", decision="approved", resolution="replacement")
    await back.reaches("awaiting_tracking")
    another = _replacement_of(back)
    await another.reaches("awaiting_release")
    await back.update("withdrawal", actor="buyer:robin", reason="keeps it")
    await another.ends("cancelled")
    await back.ends("withdrawn")
    return [back, another]


def _replacement_of(back: CaseStory) -> OrderStory:
    number = replacement_order_id(back.id)
    handle = back.stack.client.get_workflow_handle(order_workflow_id(number))
    return OrderStory(back.stack, handle, number)


# ---- money ----


async def return_over_the_sla(world: World) -> list[Recorded]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.receive()
    await back.forward(days=61)
    await back.override(extend="refund_due", until="2030-01-01T00:00:00Z")
    await back.override(waive="credit_memo")
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back]


async def return_over_the_sla_the_broker_pays(world: World) -> list[Recorded]:
    seller = await world.seller(on_refund_breach="refund", auto_refund_buyer=True)
    back = await (await returning(world, seller)).approved()
    await back.track()
    await back.forward(days=61)
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back]


async def return_whose_fees_take_all(world: World) -> list[Recorded]:
    """The automatic refund is refused, and nothing is left to click for."""
    back = await returning(world, await world.seller(auto_refund_buyer=True))
    await back.reaches("awaiting_approval")
    await back.approve(returnless=True, restocking_percent="100")
    await back.ends("completed")
    return [back]


async def return_with_two_clicks_for_all_of_it(world: World) -> list[Recorded]:
    """The second one is refused when its turn comes."""
    back = await returning(world)
    await back.reaches("awaiting_approval")
    await back.click()
    await back.click()
    await back.approve(returnless=True)
    await back.ends("completed")
    return [back]


async def return_with_a_refund_over_the_cap(world: World) -> list[Recorded]:
    """Another refund came between: the books refuse it."""
    back = await returning(world)
    await back.reaches("awaiting_approval")
    await (await world.refund(back.order, amount="60.00")).ends("succeeded")
    await back.approve(returnless=True)
    await back.reaches("awaiting_buyer_refund")
    await back.click(amount="80.00")
    await back.reaches("awaiting_buyer_refund")
    await back.click(amount="40.00")
    await back.ends("completed")
    return [back]


async def return_refunded_automatically(world: World) -> list[Recorded]:
    back = await (await returning(world, await world.seller(auto_refund_buyer=True))).approved()
    await back.track()
    await back.receive()
    await back.credit("63.00")
    await back.ends("completed")
    return [back]


async def return_refunded_by_the_channel(world: World) -> list[Recorded]:
    """Twice; a third time it says so of nothing that is left."""
    back = await (await returning(world)).approved()
    for number, amount in enumerate(("60.00", "40.00"), 1):
        await back.update("channel_update", actor="channel:ebay", status="refunded_by_channel", amount=amount)
        await world.refund_story(f"RF-{back.id}-B{number}").reaches("succeeded")
    await back.update("channel_update", actor="channel:ebay", status="refunded_by_channel")
    await back.track()
    await back.receive()
    await back.credit("63.00")
    await back.ends("completed")
    return [back, world.refund_story(f"RF-{back.id}-B1")]


async def return_whose_sellers_refund_fails(world: World) -> list[Recorded]:
    back = await (await returning(world, await world.seller(payment_method="pm_card_pendingRefund"))).approved()
    await back.track()
    await back.receive()
    await back.credit("63.00")
    await _gateway_decides(world.refund_story(f"RF-{back.id}-S1"), "failed")
    await back.shows("the pause", lambda seen: "mend the seller's payment" in f"{seen.waiting_for}")
    # The clock stands still while the second refund is pending.
    clock = asyncio.create_task(back.forward(days=4))
    await _gateway_decides(world.refund_story(f"RF-{back.id}-S2"), "succeeded")
    clock.cancel()
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back]


async def _gateway_decides(refund: CaseStory, end: Literal["succeeded", "failed"]) -> None:
    await refund.reaches("pending")
    await refund.stack.sandbox.settle_refund(refund.id, end)
    await refund.forward(hours=25)
    await refund.ends(end)
