"""Paths of a return."""

import asyncio
from datetime import timedelta
from typing import Literal

from tests.return_story import returning
from tests.world import CaseStory, World


async def return_completed(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.receive()
    await back.reaches("awaiting_credit")
    await back.credit("31.50", "CM-1-" + back.id)
    await back.credit("31.50", "CM-2-" + back.id)
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back, world.refund_story(f"RF-{back.id}-B1"), world.refund_story(f"RF-{back.id}-S1")]


async def return_rejected(world: World) -> list[CaseStory]:
    back = await returning(world)
    await back.reaches("awaiting_approval")
    await back.forward(days=6)
    await back.update("seller_approval", decision="rejected", reason="electrical part")
    await back.ends("rejected")
    return [back]


async def return_withdrawn(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_expired(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.forward(days=31)
    await back.reaches("expired")
    await back.forward(days=31)
    await back.ends("expired")
    return [back]


async def return_reopened(world: World) -> list[CaseStory]:
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


async def return_with_rma_by_email(world: World) -> list[CaseStory]:
    back = await (await returning(world, supplier=await world.supplier(rma="email"))).approved("awaiting_rma")
    await back.forward(days=15)
    await back.issue_rma("RMA-9")
    await back.reaches("awaiting_tracking")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_with_rma_by_service(world: World) -> list[CaseStory]:
    back = await (await returning(world, supplier=await world.supplier(rma="service"))).approved()
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_refused_by_the_supplier(world: World) -> list[CaseStory]:
    back = await (await returning(world, supplier=await world.supplier(rma="manual"))).approved("awaiting_rma")
    await back.refuse_rma("opened box")
    await back.reaches("rma_refused")
    await back.forward(days=15)
    await back.ends("refused_by_supplier")
    return [back]


async def return_returnless(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved("awaiting_buyer_refund", returnless=True)
    await back.forward(days=4)
    await back.click()
    await back.ends("completed")
    return [back]


async def return_of_rejected_goods(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.receive({"acceptance": "manual"})
    await back.receive({"acceptance": "rejected"})
    await back.reaches("awaiting_buyer_refund")
    await back.click(amount="10.00")
    await back.ends("completed")
    return [back]


async def return_over_the_sla(world: World) -> list[CaseStory]:
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


async def return_over_the_sla_the_broker_pays(world: World) -> list[CaseStory]:
    seller = await world.seller(on_refund_breach="refund", auto_refund_buyer=True)
    back = await (await returning(world, seller)).approved()
    await back.track()
    await back.forward(days=61)
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back]


async def return_refunded_by_the_channel(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.update("channel_update", actor="channel:ebay", status="refunded_by_channel", amount="100.00")
    await back.receive()
    await back.credit("63.00")
    await back.ends("completed")
    return [back, world.refund_story(f"RF-{back.id}-B1")]


async def return_with_everything_early(world: World) -> list[CaseStory]:
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


async def return_of_two_suppliers(world: World) -> list[CaseStory]:
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
    return [back, sibling]


async def return_of_too_much(world: World) -> list[CaseStory]:
    back = await returning(world, quantity=3)
    await back.ends("refused")
    return [back]


# ---- withdrawn, waived, given more time ----


async def return_withdrawn_before_its_approval(world: World) -> list[CaseStory]:
    back = await returning(world)
    await back.reaches("awaiting_approval")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_withdrawn_after_it_expired(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.forward(days=31)
    await back.reaches("expired")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_withdrawn_on_its_way(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.reaches("in_transit")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_withdrawn_although_returnless(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved("awaiting_buyer_refund", returnless=True)
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_given_more_time_after_it_expired(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.forward(days=31)
    await back.reaches("expired")
    await back.override(extend="tracking_due", until=(await back.now() + timedelta(days=5)).isoformat())
    await back.reaches("awaiting_tracking")
    await back.override(waive="tracking")
    await back.reaches("in_transit")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_refused_by_the_supplier_and_waived(world: World) -> list[CaseStory]:
    back = await (await returning(world, supplier=await world.supplier(rma="manual"))).approved("awaiting_rma")
    await back.refuse_rma("opened box")
    await back.reaches("rma_refused")
    await back.override(waive="rma")
    await back.reaches("awaiting_tracking")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_of_which_the_seller_waits_for_no_inspection(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.track()
    await back.override(waive="inspection")
    await back.reaches("awaiting_credit")
    await back.credit("63.00")
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    await back.ends("completed")
    return [back]


# ---- refunds that are automatic, or fail ----


async def return_refunded_automatically(world: World) -> list[CaseStory]:
    back = await (await returning(world, await world.seller(auto_refund_buyer=True))).approved()
    await back.track()
    await back.receive()
    await back.credit("63.00")
    await back.ends("completed")
    return [back]


async def return_refunded_automatically_in_vain(world: World) -> list[CaseStory]:
    back = await returning(world, await world.seller(auto_refund_buyer=True))
    await back.reaches("awaiting_approval")
    await (await world.refund(back.order, amount="60.00")).ends("succeeded")
    await back.approve(returnless=True)
    await back.reaches("awaiting_buyer_refund")
    await back.click(amount="40.00")
    await back.ends("completed")
    return [back, world.refund_story(f"RF-{back.id}-B1")]


async def return_whose_sellers_refund_fails(world: World) -> list[CaseStory]:
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
    await refund.world.sandbox.settle_refund(refund.id, end)
    await refund.forward(hours=25)
    await refund.ends(end)
