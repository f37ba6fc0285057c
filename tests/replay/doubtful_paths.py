"""Paths of words and of stops that come when nothing fits them, or when the case has its end already."""

from datetime import timedelta

from models.contract import REFUND_TAKEN_BACK
from models.records import SettleRefund
from tests.model.stage_walker import rests
from tests.return_story import ReturnStory, returning
from tests.rules.staff_cancel import comes_to_its_stop, stopped
from tests.rules.test_cancel_boundary import clock_passes, in_its_window, window_closes
from tests.rules.test_stopped_at_its_end import (
    books_that_do_not_take,
    stopped_while_its_credit_is_booked,
    waiting_for_its_last_mails,
)
from tests.stages import refund_at, return_at, say
from tests.world import CaseStory, World


async def order_held_while_its_window_closes(world: World) -> list[CaseStory]:
    """The worker hears of the hold, of the window's end and of the cancel at once."""
    queue = f"away-{world.tag}"
    order = await in_its_window(world, queue)
    until = await window_closes(order)
    await order.forward_to(until - timedelta(seconds=1))
    await order.signal("hold", reason="look at it first")
    await clock_passes(order, until)
    await order.signal("cancel_request", reason="changed their mind")
    async with world.worker(queue):
        await order.ends("cancelled")
    return [order]


async def return_with_two_events_of_one_id(world: World) -> list[CaseStory]:
    case = await (await returning(world)).approved()
    tracking = await case.signal("return_tracking", carrier="UPS", tracking_number="1Z")
    await case.reaches("in_transit")
    memo = {"number": f"CM-{case.id}", "date": "2026-03-01", "amount": "63.00", "currency": "USD"}
    await case.signal("credit_memo", event_id=tracking["event_id"], **memo)
    await case.shows("the rejection", lambda seen: seen.rejected_count == 1)
    await stopped(case)
    return [case]


async def return_refunded_twice_by_the_marketplace(world: World) -> list[CaseStory]:
    case = await (await returning(world)).approved()
    for number, amount in enumerate(("10.00", "40.00"), 1):
        await case.update("channel_update", status="refunded_by_channel", amount=amount)
        await world.refund_story(f"RF-{case.id}-B{number}").reaches("succeeded")
    await case.track()
    await case.receive()
    await case.credit("63.00")
    await case.ends("completed")
    return [case]


async def return_whose_fees_take_all(world: World) -> list[CaseStory]:
    case = await (await returning(world)).approved(restocking_percent="100")
    await case.track()
    await case.receive()
    await case.credit("63.00")
    await case.ends("completed")
    return [case]


async def return_with_hundreds_of_notes(world: World) -> list[CaseStory]:
    case = await returning(world)
    await case.reaches("awaiting_approval")
    for _ in range(210):
        await case.signal("return_tracking", carrier="UPS", tracking_number="1Z")
    await case.withdraw()
    await case.ends("withdrawn")
    return [case]


async def return_stopped_after_its_end(world: World) -> list[CaseStory]:
    return [await stopped_while_its_credit_is_booked(world)]


async def return_whose_refunds_are_stopped(world: World) -> list[CaseStory]:
    """The seller's is asked for again after three days, under its own id: the gateway has made it meanwhile."""
    case: ReturnStory = await return_at(world, "refunding_seller")
    refund = world.refund_story(f"RF-{case.id}-S1")
    await stopped(refund)
    await case.shows("that it did not succeed", lambda seen: any("ended without" in s.what for s in seen.timeline))
    # Were it pending still, it would look again each day, as often as the moved clock lets it.
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await case.forward(days=3, seconds=1)
    await refund.ends("succeeded")
    await case.reaches("awaiting_buyer_refund")
    await rests(case)
    await stopped(case)
    return [case, refund]


async def refund_stopped_while_pending_and_resumed(world: World) -> list[CaseStory]:
    _, refund = await refund_at(world, "pending")
    ident = (await refund.status()).facts["gateway_refund_id"]
    await stopped(refund)
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await say(refund, "succeeded", ident)
    await refund.ends("succeeded")
    return [refund]


async def refund_stopped_as_it_succeeds(world: World) -> list[CaseStory]:
    _, refund = await refund_at(world, "pending")
    ident = (await refund.status()).facts["gateway_refund_id"]
    await world.sandbox.settle_refund(refund.id, "succeeded")
    with books_that_do_not_take(SettleRefund) as books_are_back:
        await refund.signal("gateway_update", status="succeeded", gateway_refund_id=ident)
        await refund.shows("its success", lambda seen: seen.facts["state"] == "succeeded")
        await refund.handle.cancel()
        await refund.shows("the stop", lambda seen: any("by staff" in step.what for step in seen.timeline))
        books_are_back.set()
        await comes_to_its_stop(refund)
    return [refund]


async def return_told_of_a_foreign_refund(world: World) -> list[CaseStory]:
    case = await (await returning(world)).approved()
    foreign = {"refund_id": "RF-of-another-S1", "state": "failed", "amount": "63.00", "currency": "USD"}
    await case.handle.signal(REFUND_TAKEN_BACK, foreign | {"direction": "broker_to_seller"})
    await case.shows("the rejection", lambda seen: seen.rejected_count == 1)
    await case.withdraw()
    await case.ends("withdrawn")
    return [case]


async def return_cancelled_as_it_closes(world: World) -> list[CaseStory]:
    case = await waiting_for_its_last_mails(world)
    await case.handle.cancel()
    await case.ends("rejected")
    return [case]
