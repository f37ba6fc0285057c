"""Cases brought to any stage of the contract, each with what it takes to stand there."""

import asyncio
from enum import StrEnum
from typing import Any

from models.case import OrderStage, RefundStage, ReturnStage
from models.ids import order_workflow_id, replacement_order_id
from models.parties import RmaMethod, Seller
from models.refunds import GatewayUpdate
from starter.client.send import send_event
from tests.case_story import CaseStory, OrderStory
from tests.return_story import ReturnStory
from tests.world import World

ENDS: dict[str, tuple[StrEnum, ...]] = {
    "order": (
        OrderStage.SHIPPED,
        OrderStage.CANCELLED,
        OrderStage.VOIDED,
        OrderStage.REFUSED,
        OrderStage.STOPPED,
        OrderStage.TERMINATED,
    ),
    "return": (
        ReturnStage.COMPLETED,
        ReturnStage.REJECTED,
        ReturnStage.WITHDRAWN,
        ReturnStage.REFUSED_BY_SUPPLIER,
        ReturnStage.REFUSED,
        ReturnStage.STOPPED,
        ReturnStage.TERMINATED,
    ),
    "refund": (
        RefundStage.SUCCEEDED,
        RefundStage.FAILED,
        RefundStage.REFUSED,
        RefundStage.TERMINATED,
    ),
}
"""Stages in which nothing is waited for any more."""
BEFORE_A_WORKER_LOOKS = (ReturnStage.OPENING, RefundStage.RESERVING)
"""Stages that last for one write to the books, or until a worker has looked."""
WAITS = [
    (kind, stage.value)
    for kind, stages in (("order", OrderStage), ("return", ReturnStage), ("refund", RefundStage))
    for stage in stages
    if stage not in (*ENDS[kind], *BEFORE_A_WORKER_LOOKS)
]
"""Every stage in which a case can wait, of every kind of case."""

HOLDING = {
    "received": ("gateway", "POST /v1/payment_intents$"),
    "placing": ("supplier", "GET /v1/stock"),
    "cancelling": ("shop", "PUT .*/shipping-list"),
    "sending": ("gateway", "POST /v1/refunds"),
}
"""Stages in which only a partner is waited for, and the request that it leaves without an answer."""


async def standing_at(world: World, kind: str, stage: str) -> tuple[OrderStory, CaseStory]:
    """A case of this kind that stands at this stage, and its order; a partner may be held by a fault."""
    if kind == "order":
        order = await order_at(world, stage)
        return order, order
    if kind == "return":
        back = await return_at(world, stage)
        return back.order, back
    return await refund_at(world, stage)


async def hold(world: World, stage: str) -> None:
    """From now on the partner of this stage does not answer."""
    if stage in HOLDING:
        partner, request = HOLDING[stage]
        await world.sandbox.add_fault(partner, "drop_before", request, times=None)


async def replacement_of(case: CaseStory) -> OrderStory:
    """The order that replaces what this return is about, in its cancel window."""
    number = replacement_order_id(case.id)
    handle = case.stack.client.get_workflow_handle(order_workflow_id(number))
    order = OrderStory(case.stack, handle, number)
    await order.reaches("cancel_window")
    order.request = (await order.books()).request
    return order


async def order_at(world: World, stage: str) -> OrderStory:
    """An order that waits at this stage."""
    settings: dict[str, dict[str, Any]] = {
        "awaiting_release": {"auto_release": False},
        "awaiting_payment": {"payment_method": "pm_card_chargeDeclined"},
        "awaiting_choice": {"choice_days": 7},
        "awaiting_stock": {"choice_days": 7},
    }
    if stage == "received":
        await hold(world, stage)
    seller = await world.seller(**settings.get(stage, {}))
    if stage in ("awaiting_choice", "awaiting_stock"):
        return await _voided(world, seller, stage)
    order = await world.simple_order(seller)
    if stage == "received":
        await order.shows("that it is written down", lambda seen: "charge" in str(seen.waiting_for))
    if stage == "on_hold":
        await order.update("hold", reason="ask the buyer")
        await order.reaches("cancel_window")
        await order.forward(minutes=31)
    elif stage == "awaiting_shipment":
        await order.placed()
    elif stage == "placing":
        await order.reaches("cancel_window")
        await hold(world, stage)
        clock = asyncio.create_task(order.forward(minutes=30, seconds=1))
        await order.reaches(stage)
        clock.cancel()
    elif stage == "cancelling":
        await order.reaches("cancel_window")
        await hold(world, stage)
        await order.signal("cancel_request", reason="no stock")
        await order.shows("the void", lambda seen: any("charge voided" in step.what for step in seen.timeline))
    await order.reaches(stage)
    return order


async def _voided(world: World, seller: Seller, stage: str) -> OrderStory:
    """Nobody has its item; the seller may choose, or has let the buyer wait (ORD-8)."""
    order = await world.order(seller, {"sku": world.sku()})
    await order.reaches("cancel_window")
    await order.forward(minutes=31)
    await order.reaches("awaiting_choice")
    if stage == "awaiting_stock":
        await order.update("choice_after_void", choice="special_order")
        await order.reaches(stage)
    return order


async def return_at(world: World, stage: str) -> ReturnStory:
    """A return that waits at this stage."""
    manual = stage in ("awaiting_rma", "rma_refused")
    settings = {
        "refunding_seller": {"payment_method": "pm_card_pendingRefund"},
        "replacing": {"replacement_sent": "at_once"},
    }
    seller = await world.seller(**settings.get(stage, {}))
    supplier = await world.supplier(rma=RmaMethod.MANUAL if manual else RmaMethod.NONE)
    order = await world.simple_order(seller, supplier=supplier, buyer_method="pm_card_pendingRefund")
    await order.shipped()
    case = ReturnStory.of(await world.return_of(order), order, seller, supplier)
    await case.reaches("awaiting_approval")
    if stage == "awaiting_approval":
        return case
    if stage == "replacing":
        await case.approve(returnless=True, resolution="replacement")
    else:
        await case.approve(returnless=stage in ("awaiting_buyer_refund", "refunding_buyer"))
    if stage == "rma_refused":
        await case.refuse_rma("not accepted back")
    if stage == "expired":
        await case.reaches("awaiting_tracking")
        await case.forward(days=31)
    if stage in ("in_transit", "awaiting_credit", "refunding_seller"):
        await case.track()
    if stage in ("awaiting_credit", "refunding_seller"):
        await case.receive()
    if stage == "refunding_seller":
        await case.credit("63.00")
    if stage == "refunding_buyer":
        await case.click()
    await case.reaches(stage)
    if stage.startswith("refunding"):
        side = "S" if stage == "refunding_seller" else "B"
        await world.refund_story(f"RF-{case.id}-{side}1").reaches("pending")
    return case


async def reopened_return_at(world: World, stage: str) -> tuple[ReturnStory, str]:
    """A return that was completed and is open again, for the gateway took a refund of it back; and that refund."""
    seller, supplier = await world.seller(), await world.supplier()
    order = await world.simple_order(seller, supplier=supplier)
    await order.shipped()
    case = ReturnStory.of(await world.return_of(order), order, seller, supplier)
    await case.approved()
    await case.track()
    await case.receive()
    await case.credit("63.00")
    await case.reaches("awaiting_buyer_refund")
    await case.click()
    await case.ends("completed")
    failed = world.refund_story(f"RF-{case.id}-{'S' if stage == 'refunding_seller' else 'B'}1")
    await taken_back(failed)
    if stage == "refunding_buyer":
        await case.reaches("awaiting_buyer_refund")
        await world.sandbox.add_fault("gateway", "drop_before", "POST /v1/refunds", times=None)
        await case.click()
    await case.reaches(stage)
    return case, failed.id


async def taken_back(refund: CaseStory, reason: str = "account closed", *, at_the_gateway: bool = True) -> None:
    """The gateway takes a refund back that had succeeded, and says so."""
    await refund.reaches("succeeded")
    status = await refund.ends("succeeded")
    if at_the_gateway:
        await refund.stack.sandbox.settle_refund(refund.id, "failed")
    await say(refund, "failed", status.facts["gateway_refund_id"], reason)


async def say(refund: CaseStory, status: str, ident: str, reason: str | None = None) -> None:
    """The gateway's word, by the door that opens what has ended."""
    word = GatewayUpdate.model_validate(
        refund.event(actor="gateway:stripe", status=status, gateway_refund_id=ident, reason=reason)
    )
    await send_event(refund.stack.client, refund.handle.id, "gateway_update", word)


async def refund_at(world: World, stage: str) -> tuple[OrderStory, CaseStory]:
    """A refund of the buyer, 40.00 of 100.00, that waits at this stage, and its order."""
    limits = {"USD": "39.99"} if stage == "awaiting_confirmation" else {}
    seller = await world.seller(refund_limits=limits)
    order = await world.simple_order(seller, buyer_method="pm_card_pendingRefund")
    await order.reaches("cancel_window")
    await hold(world, stage)
    refund = await world.refund(order, amount="40.00")
    await refund.reaches(stage)
    return order, refund
