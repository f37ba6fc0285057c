"""An id that only a refused request has used is free again; a case that opened keeps its id."""

import asyncio

from activities.database import Parties
from models.orders import OrderRequest
from models.parties import Seller
from starter.client.start import open_order
from tests.world import World


async def test_an_order_refused_at_the_door_can_be_sent_again(world: World) -> None:
    order = await world.simple_order()
    unknown = f"new-{world.tag}"
    request = OrderRequest.model_validate(
        order.request.model_dump(mode="json")
        | {"order_id": f"{world.tag}-again", "seller_id": unknown}
        | {"payment": {**order.request.paid_with[0].model_dump(mode="json"), "reference": f"pi_{world.tag}_again"}}
    )

    first = await open_order(world.client, request, task_queue=world.task_queue)
    refused = await world.client.get_workflow_handle(first.workflow_id).result()
    assert refused["outcome"] == "refused"

    seller = Seller(seller_id=unknown, name="New Parts", email="new@seller.example", payment_method="pm_card_visa")
    await asyncio.to_thread(Parties(world.engine).put_seller, seller)
    second = await open_order(world.client, request, task_queue=world.task_queue)
    third = await open_order(world.client, request, task_queue=world.task_queue)

    assert (second.already, third.already) == (False, True)
    status = await world.client.get_workflow_handle(first.workflow_id).query("status")
    assert status["stage"] in ("received", "cancel_window")


async def test_a_closed_order_is_not_a_second_case(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("cancel_request", reason="ordered twice")
    await order.ends("cancelled")

    again = await open_order(world.client, order.request, task_queue=world.task_queue)

    assert again.already
