"""Paths of a refund, and of the case that it tells what became of it."""

from tests.case_story import CaseStory
from tests.replay.recording import Recorded
from tests.return_story import ReturnStory, returning, shipped_order
from tests.stages import refund_at, say, taken_back
from tests.world import World


async def refund_direct(world: World) -> list[Recorded]:
    """Made by the gateway; recorded as made otherwise; refused, as it is too much."""
    order, _, _ = await shipped_order(world)
    made = await world.refund(order, amount="10.00")
    recorded = await world.refund(order, amount="5.00", way="manual", reference="cheque 12")
    too_much = await world.refund(order, amount="500.00")
    for case, end in ((made, "succeeded"), (recorded, "succeeded"), (too_much, "refused")):
        await case.ends(end)
    return [made, recorded, too_much]


async def refund_refused_by_the_gateway(world: World) -> list[Recorded]:
    order, *_ = await shipped_order(world)
    await world.sandbox.add_fault("gateway", "refuse", "POST /v1/refunds", status=400, code="charge_disputed")
    refund = await world.refund(order, amount="40.00")
    await refund.ends("refused")
    return [refund]


# ---- what is pending ----


async def refund_pending_then_failed(world: World) -> list[Recorded]:
    """Of a return's buyer; the second one succeeds, which nobody says: the gateway is asked."""
    order, seller, supplier = await shipped_order(world, buyer_method="pm_card_pendingRefund")
    back = ReturnStory.of(await world.return_of(order), order, seller, supplier)
    await back.approved("awaiting_buyer_refund", returnless=True)
    await back.click()
    first = world.refund_story(f"RF-{back.id}-B1")
    await first.reaches("pending")
    await world.sandbox.settle_refund(first.id, "failed")
    await first.update(
        "gateway_update", actor="gateway:stripe", status="failed", gateway_refund_id=await _number(first)
    )
    await back.reaches("awaiting_buyer_refund")
    await back.click()
    second = world.refund_story(f"RF-{back.id}-B2")
    await second.reaches("pending")
    await world.sandbox.settle_refund(second.id, "succeeded")
    await second.forward(days=2)
    await back.ends("completed")
    return [back, first]


async def _number(refund: CaseStory) -> str:
    return str((await refund.status()).facts["gateway_refund_id"])


async def refund_over_the_limit(world: World) -> list[Recorded]:
    """A second person confirms the one and rejects the other (REF-12)."""
    seller = await world.seller(refund_limits={"USD": "20.00"})
    order, *_ = await shipped_order(world, seller)
    wanted, unwanted = await world.refund(order, amount="30.00"), await world.refund(order, amount="40.00")
    for refund in (wanted, unwanted):
        await refund.reaches("awaiting_confirmation")
    await wanted.update("refund_confirmed", actor="seller:tom")
    await unwanted.update("refund_rejected", actor="seller:tom", reason="the buyer kept the goods")
    await wanted.ends("succeeded")
    await unwanted.ends("refused")
    return [wanted, unwanted]


async def refund_of_which_the_gateway_says_nothing(world: World) -> list[Recorded]:
    """Nobody knows whether the money moved, until staff find it out."""
    seller = await world.seller(refund_looks_before_alert=2)
    order, *_ = await shipped_order(world, seller, buyer_method="pm_card_pendingRefund")
    refund = await world.refund(order, amount="40.00")
    await refund.reaches("pending")
    for _ in range(2):
        await refund.forward(hours=24, minutes=1)
    await refund.shows("the doubt", lambda seen: "whether the money moved" in f"{seen.waiting_for}")
    found = {"outcome": "moved", "evidence": "the gateway's own page", "reason": "seen there"}
    await refund.update("refund_resolved", actor="staff:sam", **found)
    await refund.ends("succeeded")
    return [refund]


async def refund_that_staff_press_cancel_on(world: World) -> list[Recorded]:
    """It goes on."""
    _, refund = await refund_at(world, "pending")
    await refund.handle.cancel()
    await refund.shows("the answer", lambda seen: "can't be stopped" in seen.timeline[-1].what)
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.update(
        "gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id=await _number(refund)
    )
    await refund.ends("succeeded")
    return [refund]


# ---- what had succeeded, and the gateway's late word ----


async def refund_not_taken_back(world: World) -> list[Recorded]:
    """The gateway itself does not confirm the word."""
    order, *_ = await shipped_order(world)
    refund = await world.refund(order, amount="40.00")
    await taken_back(refund, at_the_gateway=False)
    await refund.ends("succeeded")
    return [refund]


async def refund_taken_back_from_a_running_order(world: World) -> list[Recorded]:
    order = await world.simple_order()
    await order.placed()
    refund = await world.refund(order, amount="40.00")
    await taken_back(refund)
    await refund.ends("failed")
    await order.ship_all()
    return [refund]


async def refund_taken_back_from_a_running_return(world: World) -> list[Recorded]:
    """First the seller's, and then the buyer's."""
    back = await (await returning(world)).approved()
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


async def refund_taken_back_from_a_completed_return(world: World) -> list[Recorded]:
    """The return opens again; the marketplace makes the refund."""
    back = await (await returning(world)).approved("awaiting_buyer_refund", returnless=True)
    await back.click()
    await back.ends("completed")
    refund = world.refund_story(f"RF-{back.id}-B1")
    await taken_back(refund)
    await back.reaches("awaiting_buyer_refund")
    await back.update("channel_update", actor="channel:ebay", status="refunded_by_channel", amount="100.00")
    await back.ends("completed")
    return [back, refund]


async def refund_terminated_and_known_after_all(world: World) -> list[Recorded]:
    """Its return, which was told that it is in doubt, hears of its end."""
    order, seller, supplier = await shipped_order(world, buyer_method="pm_card_pendingRefund")
    back = ReturnStory.of(await world.return_of(order), order, seller, supplier)
    await back.approved("awaiting_buyer_refund", returnless=True)
    await back.click()
    refund = world.refund_story(f"RF-{back.id}-B1")
    await refund.reaches("pending")
    number = await _number(refund)
    await refund.handle.terminate("by mistake")
    await back.shows("the doubt", lambda seen: "is in doubt" in f"{seen.waiting_for}")
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await say(refund, "succeeded", number)
    await back.ends("completed")
    return [back, refund]


async def refund_in_parts(world: World) -> list[Recorded]:
    """Two cards paid for it, and neither can carry it alone (REF-3)."""
    payments = [
        {"paid_by": "stripe", "reference": f"pi_{world.tag}{card}", "amount": amount, "currency": "USD"}
        for card, amount in (("a", "60.00"), ("b", "40.00"))
    ]
    order = await world.simple_order(payments=payments)
    await order.reaches("cancel_window")
    whole = await world.refund(order)
    await whole.ends("refused")
    parts = [world.refund_story(f"{whole.id}P{number}") for number in (1, 2)]
    for part in parts:
        await part.ends("succeeded")
    return [whole, *parts]
