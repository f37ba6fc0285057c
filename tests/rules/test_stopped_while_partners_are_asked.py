"""Staff stop an order while a partner is asked: nothing hangs in the air, and all is named (CAN-1, CAN-2)."""

import asyncio
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session
from temporalio.api.enums.v1 import EventType

from activities.database import Books
from models.records import SaveOrder
from starter.client.start import open_order
from starter.sandbox.facts import SupplierSeed
from tests.rules.slow_partners import ASKS, FAULTS, asking, waits_for
from tests.rules.staff_cancel import assert_order_accounted_for, comes_to_its_stop, pauses_pass, staff_letters
from tests.world import NEWARK, OrderStory, World, eventually


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ASKS)
async def test_CAN_2_an_order_that_staff_stop_while_a_partner_is_asked_is_accounted_for(
    world: World, name: str, fault: str
) -> None:
    await world.sandbox.clear_requests()
    async with asking(world, ASKS[name], fault) as order:
        await order.handle.cancel()
        # What has to be undone needs the partners: they are back.
        await world.sandbox.clear_faults()
        await pauses_pass(order)
        await comes_to_its_stop(order)
    await assert_order_accounted_for(order)
    before = await order.books()
    assert (await open_order(world.client, order.request, task_queue=world.task_queue)).already
    assert await order.books() == before


@pytest.mark.parametrize("fault", ["delay", "drop_after"])
async def test_CAN_2_an_order_that_a_supplier_took_while_staff_stopped_it_is_named_to_them_and_in_the_books(
    world: World, fault: str
) -> None:
    async with asking(world, ASKS["purchase"], fault) as order:
        await order.handle.cancel()
        await comes_to_its_stop(order)
    (sent,) = (await order.effects()).supplier_orders
    (known,) = (await order.books()).supplier_orders
    assert (known.number, known.state) == (sent.number, "unknown")
    told = await staff_letters(order)
    assert f"order {sent.number} was on its way, its answer is not known; ask {sent.supplier_id}" in told
    assert "the seller was charged 63.00 USD" in told


async def test_CAN_6_an_automatic_refund_of_the_buyer_that_a_stop_cut_off_is_named_to_staff(world: World) -> None:
    async with asking(world, ASKS["shipping list"], "delay") as order:
        await order.handle.cancel()
        await comes_to_its_stop(order)
    assert (await order.effects()).refunds == ()
    assert f"look whether RF-{order.id}-B1 was made" in await staff_letters(order)
    (cessation,) = (await order.books()).cessations
    assert cessation.reason == "no stock"


# ---- refunds that are on their way ----


async def half_refused(world: World) -> OrderStory:
    """An order of two suppliers, one of which says no: 31.50 go back to the seller, slowly."""
    willing, unwilling = await world.supplier(), await world.supplier()
    skus = [world.sku(), world.sku()]
    await world.stock(skus[0], 10, willing)
    await world.stock(skus[1], 10, unwilling, at=NEWARK)
    await world.sandbox.put_supplier(unwilling.supplier_id, SupplierSeed(refuses=("*",)))
    seller = await world.seller(payment_method="pm_card_pendingRefund")
    return await world.order(seller, *({"sku": sku, "quantity": 1} for sku in skus))


async def test_REF_6_a_sellers_refund_on_its_way_goes_on_when_staff_stop_its_order(world: World) -> None:
    order = await half_refused(world)
    await order.reaches("cancel_window")
    clock = asyncio.create_task(order.forward(minutes=31))
    refund = world.refund_story(f"RF-{order.id}-S1")
    await refund.reaches("pending")
    clock.cancel()
    await order.handle.cancel()
    await comes_to_its_stop(order)
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)
    await refund.ends("succeeded")
    await assert_order_accounted_for(order)
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("31.50")]


class SlowBooks:
    """Books that keep a case waiting when they are to write down that it waits for `word`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
        self.are_asked = threading.Event()
        self.go_on = threading.Event()
        write = Books._write

        def slow(books: Books, work: Callable[[Session, Any], Any], ask: Any) -> Any:
            if isinstance(ask, SaveOrder) and word in (ask.record.waiting_for or ""):
                self.are_asked.set()
                self.go_on.wait(30)
            return write(books, work, ask)

        monkeypatch.setattr(Books, "_write", slow)


async def heard_of_its_stop(order: OrderStory) -> bool:
    """Whether a worker has looked at the case since staff pressed Cancel; it can't be asked meanwhile."""
    kinds = [event.event_type async for event in order.handle.fetch_history_events()]
    pressed = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    return pressed in kinds and EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED in kinds[kinds.index(pressed) :]


async def test_REF_6_a_sellers_refund_that_had_not_begun_when_staff_stopped_its_order_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The books are slow just before the refund is started, and staff lose patience."""
    books, queue = SlowBooks(monkeypatch, "refund the seller"), f"slow-{world.tag}"
    async with world.worker(queue):
        order = await world.simple_order(task_queue=queue)
        await order.reaches("cancel_window")
        await world.sandbox.add_fault("gateway", "delay", "POST .*/capture", seconds=0.5)
        clock = asyncio.create_task(order.forward(minutes=31))
        await order.shows("the capture", lambda seen: waits_for(seen, "collect"))
        await order.signal("hold", reason="look at it first")
        await clock
        await order.reaches("on_hold")
        await order.signal("cancel_request", reason="no stock")
        await asyncio.to_thread(books.are_asked.wait, 20)
        await order.handle.cancel()
        await eventually(lambda: heard_of_its_stop(order), bool, "the case does not hear of it")
        books.go_on.set()
        await comes_to_its_stop(order)
    await assert_order_accounted_for(order)
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("63.00")]
