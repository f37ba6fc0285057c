"""Cases that ask a partner, which answers late, not at all, or after it has done the work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from models.case import CaseStatus
from tests.case_story import CaseStory, OrderStory
from tests.eventually import eventually
from tests.world import World

FAULTS: dict[str, dict[str, Any]] = {
    "delay": {"seconds": 0.6},
    "drop_before": {"times": None},
    "refuse": {"times": None, "status": 401},
    "drop_after": {"times": None},
}
"""On its way; tried again and again; given up for a while, and staff told; done, and each answer lost."""


async def is_met(case: CaseStory, partner: str, fault: str) -> None:
    """Wait until the case has run into this fault of the partner; a `delay` it can only be about to meet."""
    if fault == "refuse":
        await case.shows("the trouble", lambda seen: any("tried again" in step.what for step in seen.timeline))
    elif fault != "delay":

        async def met() -> bool:
            return any(one.fault == fault for one in await case.stack.sandbox.requests(partner))

        await eventually(met, bool, f"the fault {fault} is not met")


class Ask(NamedTuple):
    """One call to a partner: the request that a fault finds, a word of what the order then waits for, and the
    event that brings the order there; `clock`: the end of the cancel window does."""

    partner: str
    request: str
    word: str
    brought_by: str


ASKS = {
    "charge": Ask("gateway", "POST /v1/payment_intents$", "charge the seller", "start"),
    "stock": Ask("supplier", "GET /v1/stock", "in stock", "clock"),
    "capture": Ask("gateway", "POST /v1/payment_intents/.*/capture", "collect", "clock"),
    "purchase": Ask("supplier", "PUT /v1/orders/", "accept order", "clock"),
    "tracking": Ask("shop", "PUT .*/shipments/", "take the tracking number", "shipment"),
    "void": Ask("gateway", "POST /v1/payment_intents/.*/cancel", "void", "cancel_request"),
    "shipping list": Ask("shop", "PUT .*/shipping-list", "shipping list", "cancel_request"),
}


def waits_for(seen: CaseStatus, word: str) -> bool:
    waits = [seen.waiting_for, *seen.also_waiting_for]
    return any(wait is not None and word in wait.what for wait in waits)


@asynccontextmanager
async def asking(world: World, ask: Ask, fault: str) -> AsyncIterator[OrderStory]:
    """An order at this call, on which this fault lies."""
    lies = world.sandbox.add_fault(ask.partner, fault, ask.request, **FAULTS[fault])
    if ask.brought_by == "start":
        await lies
    order = await world.simple_order(await world.seller(auto_refund_buyer=True))
    clock = None
    if ask.brought_by == "shipment":
        await order.placed()
        lines = [{"sku": order.request.lines[0].sku, "quantity": 2}]
        await lies
        await order.signal("shipment", shipment_id="s1", carrier="UPS", tracking_number="1Z1", lines=lines)
    elif ask.brought_by != "start":
        await order.reaches("cancel_window")
        await lies
        if ask.brought_by == "clock":
            clock = asyncio.create_task(order.forward(minutes=31))
        else:
            await order.signal(ask.brought_by, reason="no stock")
    if fault != "drop_after":  # its work is done, and the next try finds it: that is over in a moment
        await order.shows(ask.word, lambda seen: waits_for(seen, ask.word))
    await is_met(order, ask.partner, fault)
    if clock is not None:
        clock.cancel()
    yield order
