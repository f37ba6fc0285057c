"""Every event of the contract after every kind of end: its sender is told, and nothing changes (RET-16)."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from models.case import ReturnStage
from models.contract import EVENTS
from models.failures import NotFound
from models.parties import Seller
from tests.case_story import CaseStory, OrderStory
from tests.model.damage import DAMAGES
from tests.model.stage_walker import ORDER_GOES_ON, rests, walk
from tests.races.event_forms import WAYS, Sender
from tests.rules.staff_cancel import stopped
from tests.stages import ENDS, order_at, refund_at, return_at
from tests.world import World

pytestmark = pytest.mark.proof

EVERY_END = [(kind, end) for kind, ends in ENDS.items() for end in ends] + [("return", ReturnStage.EXPIRED)]
CELLS = [(kind, end, WAYS[number % len(WAYS)]) for number, (kind, end) in enumerate(EVERY_END)]
TOLD = {"first": 2, "second": 1, "damaged": len(DAMAGES), "update": len(DAMAGES)}


async def ended_order(world: World, end: str) -> tuple[OrderStory, CaseStory]:
    match end:
        case "refused":
            stranger = Seller(seller_id=f"stranger-{world.tag}", name="Nobody", email="nobody@acme.example")
            order = await world.order(stranger, {"sku": world.sku()})
        case "voided":
            order = await world.order(await world.seller(), {"sku": world.sku()})
            await walk(order, "ended", ORDER_GOES_ON)
        case _:
            order = await order_at(world, "cancel_window")
    match end:
        case "shipped":
            await walk(order, "ended", ORDER_GOES_ON)
        case "cancelled":
            await order.update("cancel_request", reason="no stock")
        case "stopped":
            await stopped(order)
        case "terminated":
            await order.handle.terminate("by mistake")
    return order, order


async def ended_return(world: World, end: str) -> tuple[OrderStory, CaseStory]:
    if end == "refused":
        order = await order_at(world, "cancel_window")
        return order, await world.return_of(order)  # nothing of it is shipped
    stages = {"expired": "expired", "refused_by_supplier": "rma_refused"}
    case = await return_at(world, stages.get(end, "awaiting_approval"))
    match end:
        case "completed":
            await case.approve(returnless=True)
            await case.update("channel_update", status="refunded_by_channel")
        case "rejected":
            await case.update("seller_approval", decision="rejected", reason="an electrical part")
        case "withdrawn":
            await case.withdraw()
        case "stopped":
            await stopped(case)
        case "terminated":
            await case.handle.terminate("by mistake")
        case _:
            await case.forward(days=31)
    return case.order, case


async def ended_refund(world: World, end: str) -> tuple[OrderStory, CaseStory]:
    if end == "refused":
        order = await order_at(world, "cancel_window")
        return order, await world.refund(order, amount="100.01")
    order, case = await refund_at(world, "pending")
    ident = (await case.status()).facts["gateway_refund_id"]
    if end == "terminated":
        await case.handle.terminate("by mistake")
        await world.sandbox.settle_refund(ident, "succeeded")  # as the word says that comes then
        return order, case
    await world.sandbox.settle_refund(ident, "failed" if end == "failed" else "succeeded")
    await case.update("gateway_update", actor="gateway:stripe", status=end, gateway_refund_id=ident)
    return order, case


async def traces(world: World, order: OrderStory, case: CaseStory) -> list[Any]:
    """All that an event could have changed: the case, the books, and what partners and people got."""
    view = None
    with suppress(NotFound):  # an order that was refused is in no books
        view = await order.books()
    standing = await asyncio.to_thread(world.reading.standing, case.handle.id)
    history = (await case.handle.describe()).history_length
    return [await case.status(), history, view, standing, await order.effects()]


@pytest.mark.parametrize(("kind", "end", "way"), CELLS)
async def test_RET_16_an_event_after_the_end_is_answered_so_each_time_and_changes_nothing(
    world: World, kind: str, end: str, way: str
) -> None:
    come_to = {"order": ended_order, "return": ended_return, "refund": ended_refund}
    order, case = await come_to[kind](world, end)
    if end not in ("stopped", "terminated"):
        await case.ends(end)
    await rests(order)  # its mails may still be on their way
    before = await traces(world, order, case)
    for name in EVENTS[kind.capitalize()]:
        sender = Sender(case, name, order.request.lines[0].sku, way)
        await sender.send()
        assert sender.told == TOLD, name
    assert await traces(world, order, case) == before
