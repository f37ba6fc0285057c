"""Paths of a case whose partner or database is away: longer than anybody is patient, and then it goes on."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from activities.database import ConnectionRegister, upgrade
from activities.database.engines import make_engine
from models.case import CaseStatus
from tests.case_story import CaseStory
from tests.connections import connect_broker
from tests.eventually import eventually
from tests.replay.recording import Recorded
from tests.return_story import returning, shipped_order
from tests.world import World
from worker import WorkerSettings, build_worker

# ---- a partner ----


def in_trouble(seen: CaseStatus, times: int = 1) -> bool:
    return sum("it is tried again" in step.what for step in seen.timeline) >= times


async def tried_in_vain(case: CaseStory) -> None:
    """A call has failed, and is tried again and again."""

    async def tries() -> int:
        known = (await case.handle.describe()).raw_description
        return max((one.attempt for one in known.pending_activities), default=0)

    await eventually(tries, lambda seen: seen > 1, f"{case.id} is not tried again")


async def _down_for_long(case: CaseStory) -> None:
    """The partner on which a fault lies is away for over ten minutes, and then comes back."""
    await case.forward(minutes=11)
    await case.shows("the trouble", in_trouble)
    await case.stack.sandbox.clear_faults()
    await case.forward(minutes=23)


async def order_whose_gateway_is_down(world: World) -> list[Recorded]:
    await world.sandbox.add_fault("gateway", "drop_before", "POST /v1/payment_intents$", times=None)
    order = await world.simple_order(await world.seller(cancel_window_minutes=60))
    await _down_for_long(order)
    await order.shipped()
    return [order]


async def order_received_before_its_broker_can_charge(world: World) -> list[Recorded]:
    """No connection of the broker's was active: the one that is set later is chosen, and kept."""
    seller = await world.seller()
    register = ConnectionRegister(world.engine)
    brokers = connect_broker(world.engine, world.running.http_url)
    await asyncio.to_thread(register.put, [brokers.model_copy(update={"active": False})])
    try:
        order = await world.simple_order(seller)
        await order.shows("the trouble", in_trouble)
    finally:
        await asyncio.to_thread(register.put, [brokers])
    await order.forward(minutes=11)
    await order.reaches("cancel_window")
    await order.shipped()
    return [order]


async def order_whose_supplier_is_down(world: World) -> list[Recorded]:
    """Both when it is asked for its stock and when it is to take the order; then it is late too."""
    order = await world.simple_order()
    await order.reaches("cancel_window")
    for request in ("GET /v1/stock", "PUT /v1/orders/"):
        await world.sandbox.add_fault("supplier", "refuse", request, times=1, status=401)
    await order.forward(minutes=31)
    for tries in (1, 2):
        await order.shows(f"trouble {tries}", partial(in_trouble, times=tries))
        await order.forward(minutes=23)
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    return [order]


async def order_cancelled_while_its_gateway_is_down(world: World) -> list[Recorded]:
    """The cancel counts while the order pauses, and is carried out when the charge is answered."""
    await world.sandbox.add_fault("gateway", "refuse", "POST /v1/payment_intents$", times=1, status=401)
    order = await world.simple_order()
    await order.shows("the trouble", in_trouble)
    await order.signal("cancel_request", reason="ordered twice")
    await order.forward(minutes=23)
    await order.ends("cancelled")
    return [order]


async def order_whose_shop_is_down(world: World) -> list[Recorded]:
    order = await world.simple_order()
    await order.placed()
    await world.sandbox.add_fault("shop", "drop_before", "PUT .*/shipments/", times=None)
    lines = [{"sku": order.request.lines[0].sku, "quantity": 2}]
    await order.update("shipment", shipment_id="s1", carrier="UPS", tracking_number="1Z1", lines=lines)
    await _down_for_long(order)
    await order.ends("shipped")
    return [order]


async def return_whose_rma_is_typed_while_the_service_is_down(world: World) -> list[Recorded]:
    await world.sandbox.add_fault("supplier", "drop_before", "/v1/rmas", times=None)
    back = await (await returning(world, supplier=await world.supplier(rma="service"))).approved("awaiting_rma")
    await tried_in_vain(back)
    await back.issue_rma("RMA-9", actor="staff:sam")
    await back.reaches("awaiting_tracking")
    await back.withdraw()
    await back.ends("withdrawn")
    return [back]


async def refund_whose_gateway_is_down(world: World) -> list[Recorded]:
    order, *_ = await shipped_order(world)
    await world.sandbox.add_fault("gateway", "drop_before", "/v1/refunds", times=None)
    refund = await world.refund(order, amount="40.00")
    await _down_for_long(refund)
    await refund.ends("succeeded")
    return [refund]


# ---- the database ----


@asynccontextmanager
async def _a_worker_without_cases(world: World, queue: str, *, with_tables: bool = False) -> AsyncIterator[None]:
    """Its database is empty: without tables, whatever it is asked, it can't; with them, it knows partners but no
    case."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.db'}"
        if with_tables:
            await asyncio.to_thread(upgrade, url)
        engine = make_engine(url)
        if with_tables:
            connect_broker(engine, world.running.http_url)
        limits = WorkerSettings(drain_seconds=0.1)
        async with build_worker(world.client, world.settings, engine, task_queue=queue, limits=limits):
            yield
        engine.dispose()


async def order_whose_database_is_away(world: World) -> list[Recorded]:
    """While it opens; then it is set back to an older state, and knows the order no more, until it is mended."""
    queue = f"away-{world.tag}"
    async with _a_worker_without_cases(world, queue):
        order = await world.simple_order(task_queue=queue)
        await order.forward(minutes=1)
        await order.shows("the trouble", in_trouble)
    async with world.worker(queue):
        await order.forward(minutes=11)
        await order.reaches("cancel_window")
    async with _a_worker_without_cases(world, queue, with_tables=True):
        await order.forward(minutes=31)
        await order.shows("that it is not saved", _waits_for_its_save)
    async with world.worker(queue):
        await order.forward(minutes=8)
        await order.reaches("awaiting_shipment")
        await order.ship_all()
    return [order]


async def return_approved_while_the_database_is_away(world: World) -> list[Recorded]:
    queue = f"away-{world.tag}"
    async with world.worker(queue):
        back = await returning(world, task_queue=queue)
        await back.reaches("awaiting_approval")
    async with _a_worker_without_cases(world, queue):
        await back.signal("seller_approval", decision="approved")
        await back.forward(minutes=1)
        await back.shows("that it is not saved", _waits_for_its_save)
        await back.signal("return_tracking", carrier="UPS", tracking_number="1ZBACK")
    async with world.worker(queue):
        await back.forward(minutes=11)
        await back.reaches("in_transit")
        await back.withdraw()
        await back.ends("withdrawn")
    return [back]


def _waits_for_its_save(seen: CaseStatus) -> bool:
    waits = [seen.waiting_for, *seen.also_waiting_for]
    return any(wait is not None and wait.who == "books" for wait in waits)
