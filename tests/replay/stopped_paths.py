"""Paths of a case that staff stop: they press Cancel in the Temporal UI."""

import asyncio

from tests.races.test_stop_with_a_refunds_end import both_at_once, cancelled
from tests.replay.order_paths import held_with_its_charge_collected
from tests.return_story import returning
from tests.rules.slow_partners import ASKS, asking
from tests.rules.staff_cancel import comes_to_its_stop, pauses_pass, stopped
from tests.rules.test_stopped_at_every_stage import unseen
from tests.rules.test_stopped_while_partners_are_asked import half_refused
from tests.stages import order_at, refund_at, return_at
from tests.world import CaseStory, World


async def order_stopped_by_staff(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.handle.cancel()
    await order.reaches("stopped")
    return [order]


async def order_stopped_while_it_is_cancelled(world: World) -> list[CaseStory]:
    order = await world.simple_order(await world.seller(auto_refund_buyer=True))
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("shop", "delay", "PUT .*/shipping-list", seconds=0.6)
    await order.update("cancel_request", reason="no stock")
    await order.shows("the void", lambda seen: any("charge voided" in step.what for step in seen.timeline))
    await order.handle.cancel()
    await order.reaches("stopped")
    return [order]


async def return_stopped_by_staff(world: World) -> list[CaseStory]:
    back = await (await returning(world)).approved()
    await back.handle.cancel()
    await back.reaches("stopped")
    return [back]


# ---- before they opened ----


async def order_stopped_before_it_opened(world: World) -> list[CaseStory]:
    return [await _stopped_unseen(world, "order")]


async def return_stopped_before_it_opened(world: World) -> list[CaseStory]:
    return [await _stopped_unseen(world, "return")]


async def refund_stopped_before_it_opened(world: World) -> list[CaseStory]:
    return [await _stopped_unseen(world, "refund")]


async def _stopped_unseen(world: World, kind: str) -> CaseStory:
    """Stopped before a worker looked at it."""
    queue = f"away-{world.tag}"
    _, case = await unseen(world, kind, queue)
    await case.handle.cancel()
    async with world.worker(queue):
        await case.reaches("stopped")
    return case


# ---- while they wait ----


async def order_stopped_before_it_is_paid(world: World) -> list[CaseStory]:
    order = await order_at(world, "awaiting_payment")
    await stopped(order)
    return [order]


async def order_stopped_after_its_charge_was_collected(world: World) -> list[CaseStory]:
    order = await held_with_its_charge_collected(world)
    await stopped(order)
    return [order, world.refund_story(f"RF-{order.id}-S1")]


async def order_stopped_with_its_supplier(world: World) -> list[CaseStory]:
    order = await order_at(world, "awaiting_shipment")
    await stopped(order)
    return [order]


async def return_stopped_on_its_way(world: World) -> list[CaseStory]:
    back = await return_at(world, "in_transit")
    await stopped(back)
    return [back]


async def refund_stopped_while_it_is_pending(world: World) -> list[CaseStory]:
    _, refund = await refund_at(world, "pending")
    await stopped(refund)
    return [refund]


# ---- while a partner is asked ----


async def order_stopped_while_its_charge_is_made(world: World) -> list[CaseStory]:
    return [await _stopped_while_asking(world, "charge", "drop_after")]


async def order_stopped_while_its_gateway_is_out_of_order(world: World) -> list[CaseStory]:
    """In the pause between two tries."""
    return [await _stopped_while_asking(world, "charge", "refuse")]


async def order_stopped_while_its_supplier_is_asked(world: World) -> list[CaseStory]:
    return [await _stopped_while_asking(world, "purchase", "drop_after")]


async def order_stopped_while_its_shop_is_out_of_order(world: World) -> list[CaseStory]:
    return [await _stopped_while_asking(world, "tracking", "refuse")]


async def _stopped_while_asking(world: World, name: str, fault: str) -> CaseStory:
    await world.sandbox.clear_requests()
    async with asking(world, ASKS[name], fault) as order:
        await order.handle.cancel()
        await order.shows("the stop", lambda seen: any("by staff" in step.what for step in seen.timeline))
        await world.sandbox.clear_faults()
        await pauses_pass(order)
        await comes_to_its_stop(order)
    return order


async def return_stopped_while_the_rma_service_is_asked(world: World) -> list[CaseStory]:
    await world.sandbox.add_fault("supplier", "drop_before", "/v1/rmas", times=None)
    back = await (await returning(world, supplier=await world.supplier(rma="service"))).approved("awaiting_rma")
    await stopped(back)
    return [back]


# ---- while a refund is on its way ----


async def order_stopped_while_its_seller_is_refunded(world: World) -> list[CaseStory]:
    """A supplier said no to half of it, and the refund of that half is pending."""
    order = await half_refused(world)
    await order.reaches("cancel_window")
    # The clock stands still while the refund is pending.
    clock = asyncio.create_task(order.forward(minutes=31))
    await world.refund_story(f"RF-{order.id}-S1").reaches("pending")
    clock.cancel()
    await stopped(order)
    return [order]


async def order_stopped_with_the_end_of_its_refund(world: World) -> list[CaseStory]:
    """The stop, and the end of the buyer's automatic refund, come in one task."""
    queue = f"away-{world.tag}"
    order, case, refund = await cancelled(world, queue)
    await both_at_once(order, case, refund, queue, stop_first=False)
    async with world.worker(queue):
        await comes_to_its_stop(case)
        await refund.ends("succeeded")
    return [order, refund]


async def return_stopped_while_its_buyer_is_refunded(world: World) -> list[CaseStory]:
    back = await return_at(world, "refunding_buyer")
    await stopped(back)
    return [back]


async def return_stopped_while_its_seller_is_refunded(world: World) -> list[CaseStory]:
    back = await return_at(world, "refunding_seller")
    await stopped(back)
    return [back]
