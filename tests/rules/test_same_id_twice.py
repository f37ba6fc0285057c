"""Starting the same case twice is not an error, and not a second case (REF-6, RET-1, ORD-1)."""

import asyncio

import pytest

from models.contract import ORDER, REFUND, RETURN
from models.ids import order_workflow_id, refund_workflow_id, return_workflow_id
from models.orders import OrderRequest
from models.refunds import RefundRequest
from models.returns import ReturnRequest
from starter.client.start import open_order, open_refund, open_return
from tests.case_story import OrderStory
from tests.eventually import eventually
from tests.world import World

Asked = OrderRequest | ReturnRequest | RefundRequest


async def open_again(world: World, request: Asked) -> bool:
    """Start it once more, as a starter does; gives whether that was a case already."""
    if isinstance(request, OrderRequest):
        opened = await open_order(world.client, request, task_queue=world.task_queue)
    elif isinstance(request, ReturnRequest):
        opened = await open_return(world.client, request, task_queue=world.task_queue)
    else:
        opened = await open_refund(world.client, request, task_queue=world.task_queue)
    return opened.already


async def open_past_the_starter(world: World, request: Asked) -> str:
    """Start it as a script could that knows no reuse policy; gives the new run's outcome."""
    if isinstance(request, OrderRequest):
        name, workflow_id = ORDER, order_workflow_id(request.order_id)
    elif isinstance(request, ReturnRequest):
        name, workflow_id = RETURN, return_workflow_id(request.return_id)
    else:
        name, workflow_id = REFUND, refund_workflow_id(request.refund_id)
    handle = await world.client.start_workflow(name, request, id=workflow_id, task_queue=world.task_queue)
    result = await asyncio.wait_for(handle.result(), 20)
    return str(result.get("outcome") or result["state"])


async def shipped_order(world: World) -> OrderStory:
    order = await world.simple_order()
    await order.shipped()
    return order


def return_request(order: OrderStory) -> ReturnRequest:
    line = {"sku": order.request.lines[0].sku, "quantity": 1, "reason": "does not fit"}
    return ReturnRequest.model_validate({"return_id": f"RR-{order.id}-1", "order_id": order.id, "lines": [line]})


def refund_request(order: OrderStory) -> RefundRequest:
    return RefundRequest.model_validate(
        {
            "refund_id": f"RF-{order.id}-D1",
            "order_id": order.id,
            "amount": "10.00",
            "currency": "USD",
            "reason": "goodwill",
            "requested_by": "seller:jane",
        }
    )


async def booked_as(order: OrderStory, stage: str) -> None:
    """Wait until the books say it too: the workflow knows it a moment before."""

    async def stage_in_the_books() -> str | None:
        standing = (await order.books()).listed.standing
        return standing.stage if standing is not None else None

    await eventually(stage_in_the_books, lambda seen: seen == stage, f"{order.id} is not booked as {stage}")


async def test_ORD_1_the_same_order_twice_is_one_order(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    assert await open_again(world, order.request) is True
    assert len((await order.effects()).payment_intents) == 1


async def test_RET_1_the_same_return_twice_is_one_return(world: World) -> None:
    order = await shipped_order(world)
    request = return_request(order)
    assert [await open_again(world, request) for _ in range(2)] == [False, True]


@pytest.mark.proof
@pytest.mark.parametrize("end", ["shipped", "terminated", "stopped"])
async def test_ORD_1_an_order_is_not_opened_again_after_its_workflow_is_gone(world: World, end: str) -> None:
    order = await world.simple_order()
    await order.placed()
    await booked_as(order, "awaiting_shipment")
    if end == "shipped":
        await order.ship_all()
    elif end == "terminated":
        await order.handle.terminate("by mistake")
    else:
        await order.handle.cancel()
        await booked_as(order, "stopped")
    before = (await order.books()).model_dump()

    assert await open_again(world, order.request) is True
    if end != "stopped":
        assert await open_past_the_starter(world, order.request) == "refused"

    assert (await order.books()).model_dump() == before
    effects = await order.effects()
    assert (len(effects.payment_intents), len(effects.supplier_orders)) == (1, 1)


async def test_RET_1_a_return_is_not_opened_again_after_its_workflow_was_terminated(world: World) -> None:
    order = await shipped_order(world)
    request = return_request(order)
    await open_again(world, request)
    case = world.return_story(request.return_id)
    await case.reaches("awaiting_approval")
    await case.handle.terminate("by mistake")
    before = world.reading.return_view(request.return_id).model_dump()
    assert await open_past_the_starter(world, request) == "refused"
    assert world.reading.return_view(request.return_id).model_dump() == before
