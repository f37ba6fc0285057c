"""Paths of a case whose worker, partner or books are away: longer than anybody is patient, and then it goes on."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from activities.database import upgrade
from activities.database.engines import make_engine
from models.case import CaseStatus
from models.ids import late_cancel_return_id
from tests.return_story import returning, shipped_order
from tests.rules.test_cancel_boundary import SECOND, clock_passes, in_its_window, window_closes
from tests.world import CaseStory, OrderStory, World, eventually
from worker import WorkerSettings, build_worker

# ---- the worker ----


async def order_cancelled_with_the_end_of_its_window(world: World) -> list[CaseStory]:
    """CAN-3: one task brings the request, which came in time, and the end of the window."""
    order, queue = await _asked_to_cancel(world, -SECOND)
    async with world.worker(queue):
        await order.ends("cancelled")
    return [order]


async def order_cancelled_after_the_end_of_its_window(world: World) -> list[CaseStory]:
    """CAN-3: one task brings the end of the window, and the request, which came too late."""
    order, queue = await _asked_to_cancel(world, SECOND)
    async with world.worker(queue):
        await order.reaches("awaiting_shipment")
        await order.ship_all()
        back = world.return_story(late_cancel_return_id(order.id))
        await back.reaches("awaiting_approval")
        await back.update("withdrawal", reason="keeps it")
        await back.ends("withdrawn")
    return [order]


async def _asked_to_cancel(world: World, after: timedelta) -> tuple[OrderStory, str]:
    """An order that was asked to cancel so long after the end of its window, with no worker until later."""
    queue = f"away-{world.tag}"
    order = await in_its_window(world, queue)
    until = await window_closes(order)
    await order.forward_to(until + after)
    if after > timedelta(0):
        await clock_passes(order, until)
    await order.signal("cancel_request", reason="ordered twice")
    await clock_passes(order, until)
    return order, queue


# ---- a partner ----


def in_trouble(seen: CaseStatus, times: int = 1) -> bool:
    return sum("it is tried again" in step.what for step in seen.timeline) == times


async def _tried_in_vain(case: CaseStory) -> None:
    async def tries() -> int:
        known = (await case.handle.describe()).raw_description
        return max((one.attempt for one in known.pending_activities), default=0)

    await eventually(tries, lambda seen: seen > 1, f"{case.id} is not tried again")


async def _down_for_long(case: CaseStory) -> None:
    """The partner on which a fault lies is away for over ten minutes, and then comes back."""
    await case.forward(minutes=11)
    await case.shows("the trouble", in_trouble)
    await case.world.sandbox.clear_faults()
    await case.forward(minutes=16)


async def order_whose_gateway_is_down(world: World) -> list[CaseStory]:
    await world.sandbox.add_fault("gateway", "drop_before", "POST /v1/payment_intents$", times=None)
    order = await world.simple_order()
    await _down_for_long(order)
    await order.shipped()
    return [order]


async def order_whose_supplier_is_down(world: World) -> list[CaseStory]:
    """Both when it is asked for its stock and when it is to take the order; then it is late too."""
    order = await world.simple_order()
    await order.reaches("cancel_window")
    for request in ("GET /v1/stock", "PUT /v1/orders/"):
        await world.sandbox.add_fault("supplier", "refuse", request, times=1, status=401)
    await order.forward(minutes=31)
    for tries in (1, 2):
        await order.shows(f"trouble {tries}", partial(in_trouble, times=tries))
        await order.forward(minutes=16)
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    return [order]


async def order_cancelled_while_its_gateway_is_down(world: World) -> list[CaseStory]:
    """The cancel counts while the order pauses, and is carried out when the charge is answered."""
    await world.sandbox.add_fault("gateway", "refuse", "POST /v1/payment_intents$", times=1, status=401)
    order = await world.simple_order()
    await order.shows("the trouble", in_trouble)
    await order.signal("cancel_request", reason="ordered twice")
    await order.forward(minutes=16)
    await order.ends("cancelled")
    return [order]


async def order_cancelled_while_its_shop_is_down(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("shop", "drop_before", "PUT .*/shipping-list", times=None)
    await order.signal("cancel_request", reason="ordered twice")
    await order.reaches("cancelling")
    await _down_for_long(order)
    await order.ends("cancelled")
    return [order]


async def order_whose_shop_is_down(world: World) -> list[CaseStory]:
    order = await world.simple_order()
    await order.placed()
    await world.sandbox.add_fault("shop", "drop_before", "PUT .*/shipments/", times=None)
    lines = [{"sku": order.request.lines[0].sku, "quantity": 2}]
    await order.update("shipment", shipment_id="s1", carrier="UPS", tracking_number="1Z1", lines=lines)
    await _down_for_long(order)
    await order.ends("shipped")
    return [order]


async def return_whose_rma_service_is_down(world: World) -> list[CaseStory]:
    await world.sandbox.add_fault("supplier", "drop_before", "/v1/rmas", times=None)
    back = await (await returning(world, supplier=await world.supplier(rma="service"))).approved("awaiting_rma")
    await _down_for_long(back)
    await back.reaches("awaiting_tracking")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_whose_rma_is_typed_while_the_service_is_down(world: World) -> list[CaseStory]:
    await world.sandbox.add_fault("supplier", "drop_before", "/v1/rmas", times=None)
    back = await (await returning(world, supplier=await world.supplier(rma="service"))).approved("awaiting_rma")
    await _tried_in_vain(back)
    await back.issue_rma("RMA-9", actor="staff:sam")
    await back.reaches("awaiting_tracking")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def return_withdrawn_while_the_rma_service_is_down(world: World) -> list[CaseStory]:
    """In the pause between two tries."""
    await world.sandbox.add_fault("supplier", "refuse", "/v1/rmas", times=1, status=401)
    back = await (await returning(world, supplier=await world.supplier(rma="service"))).approved("awaiting_rma")
    await back.shows("the trouble", in_trouble)
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def refund_whose_gateway_is_down(world: World) -> list[CaseStory]:
    order, *_ = await shipped_order(world)
    await world.sandbox.add_fault("gateway", "drop_before", "/v1/refunds", times=None)
    refund = await world.refund(order, amount="40.00")
    await _down_for_long(refund)
    await refund.ends("succeeded")
    return [refund]


async def refund_whose_gateway_is_down_twice(world: World) -> list[CaseStory]:
    """Staff are told once, and the second pause is longer."""
    order, *_ = await shipped_order(world)
    await world.sandbox.add_fault("gateway", "refuse", "POST /v1/refunds", times=2, status=401)
    refund = await world.refund(order, amount="40.00")
    await refund.shows("the trouble", in_trouble)
    await refund.forward(minutes=16)
    await refund.forward(minutes=31)
    await refund.ends("succeeded")
    return [refund]


# ---- the books ----


@asynccontextmanager
async def _a_worker_without_books(world: World, queue: str, *, with_tables: bool = False) -> AsyncIterator[None]:
    """Its database is empty: without tables, whatever it is asked, it can't; with them, it knows no case."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.db'}"
        if with_tables:
            await asyncio.to_thread(upgrade, url)
        engine = make_engine(url)
        limits = WorkerSettings(drain_seconds=0.1)
        async with build_worker(world.client, world.settings, engine, task_queue=queue, limits=limits):
            yield
        engine.dispose()


def waits_for_books(seen: CaseStatus) -> bool:
    waits = [seen.waiting_for, *seen.also_waiting_for]
    return any(wait is not None and wait.who == "books" for wait in waits)


async def order_whose_books_are_away(world: World) -> list[CaseStory]:
    queue = f"away-{world.tag}"
    async with _a_worker_without_books(world, queue):
        order = await world.simple_order(task_queue=queue)
        await order.forward(minutes=1)
        await order.shows("that it waits for the books", waits_for_books)
    async with world.worker(queue):
        await order.forward(minutes=1)
        await order.shipped()
    return [order]


async def return_approved_while_its_books_are_away(world: World) -> list[CaseStory]:
    queue = f"away-{world.tag}"
    async with world.worker(queue):
        back = await returning(world, task_queue=queue)
        await back.reaches("awaiting_approval")
    async with _a_worker_without_books(world, queue):
        await back.signal("seller_approval", decision="approved")
        await back.forward(minutes=1)
        await back.shows("that it waits for the books", waits_for_books)
        await back.signal("return_tracking", carrier="UPS", tracking_number="1ZBACK")
    async with world.worker(queue):
        await back.forward(minutes=1)
        await back.reaches("in_transit")
        await back.withdraw()
        await back.ends("withdrawn")
    return [back]


async def order_whose_books_have_forgotten_it(world: World) -> list[CaseStory]:
    """They were set back to an older state, and say no for good until the right ones are there again."""
    queue = f"away-{world.tag}"
    async with world.worker(queue):
        order = await world.simple_order(task_queue=queue)
        await order.reaches("cancel_window")
    async with _a_worker_without_books(world, queue, with_tables=True):
        await order.forward(minutes=31)
        await order.shows("that it waits for the books", waits_for_books)
    async with world.worker(queue):
        await order.forward(minutes=6)
        await order.reaches("awaiting_shipment")
        await order.ship_all()
    return [order]
