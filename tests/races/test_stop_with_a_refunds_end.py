"""Staff stop a case in the very task in which its refund's end arrives: the stop counts (architecture, CAN-1).

SDK 1.35 forgets a cancellation that comes in one workflow task with the completion of a child.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from starter.sandbox.facts import SupplierSeed
from tests.case_story import CaseStory, OrderStory
from tests.eventually import eventually
from tests.rules.staff_cancel import comes_to_its_stop, staff_letters
from tests.stack import Stack
from tests.world import NEWARK, World
from workflows.refunds.workflow import Refund

PRESSED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
ENDED = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED


async def events(case: CaseStory) -> list[HistoryEvent]:
    return [event async for event in case.handle.fetch_history_events()]


async def heard_in_one_task(case: CaseStory) -> bool:
    """Whether no worker finished a task of the case between the stop and its refund's end."""
    kinds = [event.event_type for event in await events(case)]
    first, last = sorted((kinds.index(PRESSED), kinds.index(ENDED)))
    return EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED not in kinds[first:last]


@asynccontextmanager
async def worker_for_refunds_only(stack: Stack, queue: str) -> AsyncIterator[None]:
    """A worker that knows no other case: what happens to a refund, its parent does not hear."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worker.WORKFLOWS", [Refund])
        async with stack.worker(queue):
            yield


async def both_at_once(
    order: OrderStory, case: CaseStory, refund: CaseStory, queue: str, *, stop_first: bool
) -> None:
    """With no worker for the case: its refund succeeds, and staff press Cancel, in this order or the other."""
    if stop_first:
        await case.handle.cancel()
    await case.stack.sandbox.settle_refund(refund.id, "succeeded")
    (made,) = (await order.effects()).refunds
    await refund.signal("gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id=made.id)

    async def told() -> bool:
        return any(event.event_type == ENDED for event in await events(case))

    async with worker_for_refunds_only(case.stack, queue):
        await eventually(told, bool, "the refund does not end")
    if not stop_first:
        await case.handle.cancel()


async def returned(world: World, queue: str) -> tuple[OrderStory, CaseStory, CaseStory]:
    """A return whose buyer is being refunded, and that refund, which is pending."""
    order = await world.simple_order(buyer_method="pm_card_pendingRefund")
    await order.shipped()
    async with world.worker(queue):
        case = await world.return_of(order, task_queue=queue)
        await case.reaches("awaiting_approval")
        await case.update("seller_approval", decision="approved", returnless=True)
        await case.update("buyer_refund", reason="reviewed")
        refund = world.refund_story(f"RF-{case.id}-B1")
        await refund.reaches("pending")
    return order, case, refund


async def cancelled(world: World, queue: str) -> tuple[OrderStory, CaseStory, CaseStory]:
    """A cancelled order whose buyer is refunded by the seller's setting, slowly."""
    async with world.worker(queue):
        seller = await world.seller(auto_refund_buyer=True)
        order = await world.simple_order(seller, buyer_method="pm_card_pendingRefund", task_queue=queue)
        await order.reaches("cancel_window")
        await order.update("cancel_request", reason="no stock")
        refund = world.refund_story(f"RF-{order.id}-OB1")
        await refund.reaches("pending")
    return order, order, refund


async def partly_voided(world: World, queue: str) -> tuple[OrderStory, CaseStory, CaseStory]:
    """An order of which one supplier took its half and the other said no: the seller is refunded, slowly."""
    willing, unwilling = await world.supplier(), await world.supplier()
    skus = [world.sku(), world.sku()]
    await world.stock(skus[0], 10, willing)
    await world.stock(skus[1], 10, unwilling, at=NEWARK)
    await world.sandbox.put_supplier(unwilling.supplier_id, SupplierSeed(refuses=("*",)))
    seller = await world.seller(payment_method="pm_card_pendingRefund")
    async with world.worker(queue):
        order = await world.order(seller, *({"sku": sku, "quantity": 1} for sku in skus), task_queue=queue)
        await order.reaches("cancel_window")
        await order.forward(minutes=30, seconds=1)
        refund = world.refund_story(f"RF-{order.id}-OS1")
        await refund.reaches("pending")
    return order, order, refund


Begin = Callable[[World, str], Awaitable[tuple[OrderStory, CaseStory, CaseStory]]]


@pytest.mark.parametrize(
    ("begin", "amount", "stop_first"),
    [
        pytest.param(returned, "100", True, id="return, stop first"),
        pytest.param(returned, "100", False, id="return, refund first"),
        pytest.param(cancelled, "100", False, id="cancelled order"),
        pytest.param(partly_voided, "31.50", False, id="partly voided order"),
    ],
)
async def test_CAN_1_a_stop_in_one_task_with_a_refunds_end_is_heard_and_the_refund_is_made_once(
    world: World, begin: Begin, amount: str, stop_first: bool
) -> None:
    queue = f"away-{world.tag}"
    order, case, refund = await begin(world, queue)
    await both_at_once(order, case, refund, queue, stop_first=stop_first)
    async with world.worker(queue):
        await comes_to_its_stop(case)
        await refund.ends("succeeded")
    assert await heard_in_one_task(case)
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal(amount)]
    if begin is partly_voided:
        told = await staff_letters(order)
        assert "was accepted by" in told
        assert f"refunds of {amount} USD were asked for" in told
