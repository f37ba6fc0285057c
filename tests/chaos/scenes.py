"""One scene per activity: a case that stands right before it, what sets it off, and how it must go on.

A scene is an async generator. Up to its first `yield` it prepares, and yields where the activity can be
caught; up to the second it sets the activity off; then the crash comes; the rest tells the case to its end.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from models import calls
from models.calls import Call
from models.refunds import GatewayUpdate
from starter.sandbox.facts import PartnerName
from starter.sending import record_event
from tests.chaos.dawdling_books import Written
from tests.chaos.rig import eventually
from tests.chaos.stories import (
    Story,
    credit,
    pass_by,
    patiently,
    receive,
    refund_ends,
    ship,
    stands_at,
    tell,
    track,
)
from tests.world import CaseStory, OrderStory


@dataclass(frozen=True)
class AtPartner:
    """The request of a partner in which the activity does its work. Not `named`: any case's looks the same."""

    partner: PartnerName
    match: str
    named: bool = True


@dataclass(frozen=True)
class InBooks:
    """The books' write: this case's workflow waits for it, `row` is what it writes, and `is_done` tells whether
    the books have it."""

    case: CaseStory
    row: Written
    is_done: Callable[[], bool]


@dataclass(frozen=True)
class AtServer:
    """It reads the Temporal server itself."""

    case: CaseStory


Spot = AtPartner | InBooks | AtServer
Scene = Callable[[Story], AsyncIterator[Spot]]

SCENES: Final[dict[Scene, Call[Any, Any]]] = {}


def during(call: Call[Any, Any]) -> Callable[[Scene], Scene]:
    """This scene's crash comes in this activity."""

    def note(scene: Scene) -> Scene:
        SCENES[scene] = call
        return scene

    return note


def gateway(what: str, *, named: bool = False) -> AtPartner:
    return AtPartner(PartnerName.GATEWAY, f"^{what}$", named)


def shop(order: OrderStory, what: str) -> AtPartner:
    return AtPartner(PartnerName.SHOP, f"^PUT .*/orders/{order.id}/{what}")


async def in_its_window(story: Story, **settings: Any) -> OrderStory:
    order = await story.order(**settings)
    await stands_at(order, "cancel_window")
    return order


async def cancelled(story: Story, order: OrderStory) -> None:
    await stands_at(order, "cancelled")
    story.ends(order, "cancelled")


async def gateway_reference(order: OrderStory) -> str:
    charges = (await order.books()).charges
    return re.escape(charges[-1].gateway_reference or "")


# ---- orders ----


@during(calls.AUTHORIZE_CHARGE)
async def charging(story: Story) -> AsyncIterator[Spot]:
    spot = gateway("POST /v1/payment_intents")
    yield spot
    order = await story.order()
    yield spot
    await story.shipped(order)


@during(calls.CAPTURE_CHARGE)
async def collecting(story: Story) -> AsyncIterator[Spot]:
    order = await in_its_window(story)
    spot = gateway(f"POST .*/{await gateway_reference(order)}/capture", named=True)
    yield spot
    await pass_by(order, minutes=31)
    yield spot
    await story.shipped(order)


@during(calls.VOID_CHARGE)
async def voiding(story: Story) -> AsyncIterator[Spot]:
    order = await in_its_window(story)
    spot = gateway(f"POST .*/{await gateway_reference(order)}/cancel", named=True)
    yield spot
    await tell(order, "cancel_request", reason="changed their mind")
    yield spot
    await cancelled(story, order)


@during(calls.STOP_SHIPPING)
async def stopping(story: Story) -> AsyncIterator[Spot]:
    order = await in_its_window(story)
    spot = shop(order, "shipping-list")
    yield spot
    await tell(order, "cancel_request", reason="changed their mind")
    yield spot
    await cancelled(story, order)


@during(calls.SEND_MAIL)
async def mailing(story: Story) -> AsyncIterator[Spot]:
    order = await in_its_window(story)
    seller = (await order.books()).listed.seller_id
    spot = AtPartner(PartnerName.MAIL, f"office-{seller.removeprefix('acme-')}@")
    yield spot
    await tell(order, "cancel_request", reason="changed their mind")
    yield spot
    await cancelled(story, order)


@during(calls.FIND_STOCK)
async def sourcing(story: Story) -> AsyncIterator[Spot]:
    order = await in_its_window(story)
    spot = AtPartner(PartnerName.SUPPLIER, "^GET /v1/stock$", named=False)
    yield spot
    await pass_by(order, minutes=31)
    yield spot
    await story.shipped(order)


@during(calls.PLACE_SUPPLIER_ORDER)
async def placing(story: Story) -> AsyncIterator[Spot]:
    order = await in_its_window(story)
    spot = AtPartner(PartnerName.SUPPLIER, f"^PUT /v1/orders/{order.id}-1$")
    yield spot
    await pass_by(order, minutes=31)
    yield spot
    await story.shipped(order)


@during(calls.ANNOUNCE_TRACKING)
async def announcing(story: Story) -> AsyncIterator[Spot]:
    order = await in_its_window(story)
    await story.placed(order)
    spot = shop(order, "shipments/")
    yield spot
    await ship(order)
    yield spot
    await stands_at(order, "shipped")
    story.ends(order, "shipped")


@during(calls.EVENT_ARRIVAL)
async def asking_when(story: Story) -> AsyncIterator[Spot]:
    """The window closes and a late cancel comes while the worker is away: it asks which came first (CAN-3)."""
    order = await in_its_window(story)
    closes = (await order.books()).cancel_until
    assert closes is not None, "it is in its window"
    spot = AtServer(order)
    yield spot
    passing = asyncio.create_task(pass_by(order, minutes=31))

    async def is_over() -> bool:
        return await patiently(order.now) > closes

    await eventually(is_over, "the window closes")
    await tell(order, "cancel_request", reason="changed their mind")
    yield spot
    await passing
    await story.shipped(order)


# ---- returns and refunds ----


async def approved(story: Story) -> tuple[OrderStory, CaseStory]:
    order = await story.order()
    await story.shipped(order)
    return order, await story.open_return(order)


async def credited(story: Story, order: OrderStory, case: CaseStory) -> None:
    """On from the approval to the end."""
    await stands_at(case, "awaiting_tracking")
    await track(case)
    await stands_at(case, "in_transit")
    await receive(case, order)
    await stands_at(case, "awaiting_credit")
    await credit(case)
    await clicked(story, case)


async def clicked(story: Story, case: CaseStory) -> None:
    await stands_at(case, "awaiting_buyer_refund")
    await tell(case, "buyer_refund", reason="reviewed")
    await stands_at(case, "completed")
    story.ends(case, "completed")


async def awaiting_credit(story: Story) -> tuple[OrderStory, CaseStory]:
    order, case = await approved(story)
    await tell(case, "seller_approval", decision="approved")
    await stands_at(case, "awaiting_tracking")
    await track(case)
    await stands_at(case, "in_transit")
    await receive(case, order)
    await stands_at(case, "awaiting_credit")
    return order, case


async def pending_refund(story: Story) -> CaseStory:
    order = await story.order(buyer_method="pm_card_pendingRefund")
    await story.shipped(order)
    case = await story.refund(order, 1, None)
    await stands_at(case, "pending")
    return case


async def refunded(story: Story, case: CaseStory) -> None:
    assert await refund_ends(case) == "succeeded"
    story.ends(case, "succeeded")


async def settled(story: Story, case: CaseStory) -> None:
    """The gateway lets the pending refund succeed, and says so; asked, it says the same."""
    await patiently(lambda: story.world.sandbox.settle_refund(case.id, "succeeded"))
    reference = story.world.reading.refund(case.id).gateway_refund_id
    await tell(case, "gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id=reference)


@during(calls.REQUEST_RMA)
async def authorizing(story: Story) -> AsyncIterator[Spot]:
    order, case = await approved(story)
    spot = AtPartner(PartnerName.SUPPLIER, f"^PUT /v1/rmas/{case.id}$")
    yield spot
    await tell(case, "seller_approval", decision="approved")
    yield spot
    await credited(story, order, case)


@during(calls.SEND_REFUND)
async def refunding_directly(story: Story) -> AsyncIterator[Spot]:
    order = await story.order()
    await story.shipped(order)
    spot = gateway("POST /v1/refunds")
    yield spot
    case = await story.refund(order, 1, "40.00")
    yield spot
    await refunded(story, case)


@during(calls.SEND_REFUND)
async def refunding_the_seller(story: Story) -> AsyncIterator[Spot]:
    _, case = await awaiting_credit(story)
    spot = gateway("POST /v1/refunds")
    yield spot
    await credit(case)
    yield spot
    await clicked(story, case)


@during(calls.SEND_REFUND)
async def refunding_the_buyer(story: Story) -> AsyncIterator[Spot]:
    _, case = await awaiting_credit(story)
    await credit(case)
    await stands_at(case, "awaiting_buyer_refund")
    spot = gateway("POST /v1/refunds")
    yield spot
    await tell(case, "buyer_refund", reason="reviewed")
    yield spot
    await stands_at(case, "completed")
    story.ends(case, "completed")


@during(calls.LOOK_UP_REFUND)
async def looking_up(story: Story) -> AsyncIterator[Spot]:
    case = await pending_refund(story)
    spot = gateway("GET /v1/refunds")
    yield spot
    await pass_by(case, days=1, minutes=1)
    yield spot
    await settled(story, case)
    await refunded(story, case)


# ---- the books ----


@during(calls.OPEN_ORDER)
async def opening_an_order(story: Story) -> AsyncIterator[Spot]:
    world = story.world
    supplier, seller, sku = await world.supplier(), await world.seller(), world.sku()
    await world.stock(sku, 10, supplier)
    order_id = f"{world.tag}-N{next(world.numbers)}"
    handle = world.client.get_workflow_handle(f"order-{order_id}")
    row = Written("orders", f"NEW.order_id = '{order_id}'")
    spot = InBooks(CaseStory(world, handle, order_id), row, lambda: bool(world.reading.order_view(order_id)))
    yield spot
    order = await world.order(seller, {"sku": sku, "quantity": 2}, order_id=order_id)
    yield spot
    await story.shipped(order)


@during(calls.SAVE_ORDER)
async def saving_an_order(story: Story) -> AsyncIterator[Spot]:
    order = await story.order(payment_method="pm_card_chargeDeclined")
    await stands_at(order, "awaiting_payment")
    spot = InBooks(order, standing(order, "cancel_window"), lambda: stage_in_books(order) == "cancel_window")
    yield spot
    await tell(order, "payment_method_updated", payment_method="pm_card_visa")
    yield spot
    await story.shipped(order)


@during(calls.OPEN_RETURN)
async def opening_a_return(story: Story) -> AsyncIterator[Spot]:
    order = await story.order()
    await story.shipped(order)
    case_id = f"RR-{order.id}-1"
    case = story.world.return_story(case_id)
    row = Written("returns", f"NEW.return_id = '{case_id}'")
    spot = InBooks(case, row, lambda: bool(story.world.reading.return_view(case_id)))
    yield spot
    await patiently(lambda: story.world.return_of(order, return_id=case_id))
    yield spot
    await stands_at(case, "awaiting_approval")
    await tell(case, "seller_approval", decision="approved")
    await credited(story, order, case)


@during(calls.SAVE_RETURN)
async def saving_a_return(story: Story) -> AsyncIterator[Spot]:
    order = await story.order(rma="manual")
    await story.shipped(order)
    case = await story.open_return(order)
    spot = InBooks(case, standing(case, "awaiting_rma"), lambda: stage_in_books(case) == "awaiting_rma")
    yield spot
    await tell(case, "seller_approval", decision="approved")
    yield spot
    await stands_at(case, "awaiting_rma")
    await tell(case, "supplier_rma", actor="staff:ann", outcome="issued", rma_number=f"RMA-{case.id}")
    await credited(story, order, case)


@during(calls.BOOK_CREDIT_MEMO)
async def booking_a_credit_memo(story: Story) -> AsyncIterator[Spot]:
    _, case = await awaiting_credit(story)
    row = Written("credit_memo", f"NEW.return_id = '{case.id}'")
    spot = InBooks(case, row, lambda: len(story.world.reading.return_view(case.id).credit_memos) == 1)
    yield spot
    await credit(case, "20.00")
    yield spot
    await credit(case, "43.00", number=2)
    await clicked(story, case)


@during(calls.RESERVE_REFUND)
async def reserving_a_refund(story: Story) -> AsyncIterator[Spot]:
    order = await story.order()
    await story.shipped(order)
    case = story.world.refund_story(f"RF-{order.id}-D1")
    row = Written("refund", f"NEW.refund_id = '{case.id}'")
    spot = InBooks(case, row, lambda: bool(story.world.reading.refund(case.id)))
    yield spot
    await story.refund(order, 1, "40.00")
    yield spot
    await refunded(story, case)


@during(calls.SETTLE_REFUND)
async def settling_a_refund(story: Story) -> AsyncIterator[Spot]:
    case = await pending_refund(story)
    row = Written("refund", f"NEW.refund_id = '{case.id}'")
    spot = InBooks(case, row, lambda: story.world.reading.refund(case.id).state.value == "succeeded")
    yield spot
    await settled(story, case)
    yield spot
    await refunded(story, case)


@during(calls.TAKE_BACK_REFUND)
async def taking_back_a_refund(story: Story) -> AsyncIterator[Spot]:
    """REF-7: it had succeeded, and the gateway says that it failed after all."""
    order = await story.order()
    await story.shipped(order)
    case = await story.refund(order, 1, "40.00")
    await stands_at(case, "succeeded")
    row = Written("refund", f"NEW.refund_id = '{case.id}'")
    spot = InBooks(case, row, lambda: story.world.reading.refund(case.id).state.value == "failed")
    yield spot
    await taken_back(story, case)
    yield spot
    await stands_at(case, "failed")
    story.ends(case, "failed")


@during(calls.REOPEN_RETURN)
async def reopening_a_return(story: Story) -> AsyncIterator[Spot]:
    """REF-7: the return was completed, and the buyer's refund failed after all."""
    order = await story.order()
    await story.shipped(order)
    case = await story.returned(order)
    refund = story.world.refund_story(f"RF-{case.id}-B1")
    await stands_at(refund, "succeeded")
    row = Written("returns", f"NEW.return_id = '{case.id}'")
    spot = InBooks(case, row, lambda: story.world.reading.return_view(case.id).outcome is None)
    yield spot
    await taken_back(story, refund)
    yield spot
    await stands_at(refund, "failed")
    story.ends(refund, "failed")
    await clicked(story, case)


@during(calls.SAVE_CASE)
async def saving_a_refund(story: Story) -> AsyncIterator[Spot]:
    """The gateway is asked a day later, and the refund waits for another day."""
    case = await pending_refund(story)
    before = story.world.reading.standing(case.handle.id)
    row = Written("case_file", f"NEW.workflow_id = '{case.handle.id}'")
    spot = InBooks(case, row, lambda: story.world.reading.standing(case.handle.id) != before)
    yield spot
    await pass_by(case, days=1, minutes=1)
    yield spot
    await settled(story, case)
    await refunded(story, case)


async def taken_back(story: Story, refund: CaseStory) -> None:
    """The gateway takes a refund back, and says so; whether or not its case has ended."""
    await patiently(lambda: story.world.sandbox.settle_refund(refund.id, "failed"))
    reference = story.world.reading.refund(refund.id).gateway_refund_id
    word = GatewayUpdate.model_validate(
        refund.event(actor="gateway:stripe", status="failed", gateway_refund_id=reference, reason="account closed")
    )
    await patiently(lambda: record_event(story.world.client, refund.handle.id, "gateway_update", word))


def standing(case: CaseStory, stage: str) -> Written:
    """The row by which the books say that the case stands at this stage."""
    return Written("case_file", f"NEW.workflow_id = '{case.handle.id}' AND NEW.stage = '{stage}'")


def stage_in_books(case: CaseStory) -> str:
    standing = case.world.reading.standing(case.handle.id)
    return standing.stage if standing is not None else "unknown"
