"""Stretches of a case's life that scenes and plots share."""

import asyncio
from typing import Any

from models.refunds import GatewayUpdate
from starter.client.send import record_event
from tests.case_story import CaseStory, OrderStory
from tests.chaos.stories import (
    Story,
    credit,
    patiently,
    receive,
    refund_ends,
    stands_at,
    tell,
    track,
)


async def in_its_window(story: Story, **settings: Any) -> OrderStory:
    order = await story.order(**settings)
    await stands_at(order, "cancel_window")
    return order


async def cancelled(story: Story, order: OrderStory) -> None:
    await stands_at(order, "cancelled")
    story.ends(order, "cancelled")


async def approved(story: Story, **of_order: Any) -> tuple[OrderStory, CaseStory]:
    """An order of this kind that is shipped, and its return in the seller's hands."""
    order = await story.order(**of_order)
    await story.shipped(order)
    return order, await story.open_return(order)


async def credited(story: Story, order: OrderStory, case: CaseStory) -> None:
    """On from the approval to the end."""
    await stands_at(case, "awaiting_tracking")
    await track(case)
    await brought_back(story, order, case)


async def brought_back(story: Story, order: OrderStory, case: CaseStory) -> None:
    """On from the parcel that is on its way to the end."""
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


async def awaiting_credit(story: Story, **of_order: Any) -> tuple[OrderStory, CaseStory]:
    order, case = await approved(story, **of_order)
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


async def clicked_and_pending(story: Story) -> tuple[CaseStory, CaseStory]:
    """A return whose buyer's refund, after the click, is pending at the gateway; and that refund."""
    _, case = await awaiting_credit(story, buyer_method="pm_card_pendingRefund")
    await credit(case)
    await stands_at(case, "awaiting_buyer_refund")
    await tell(case, "buyer_refund", reason="reviewed")
    refund = story.world.refund_story(f"RF-{case.id}-B1")
    await stands_at(refund, "pending")
    return case, refund


async def refunded(story: Story, case: CaseStory) -> None:
    assert await refund_ends(case) == "succeeded"
    story.ends(case, "succeeded")


async def settled(story: Story, case: CaseStory) -> None:
    """The gateway lets the pending refund succeed, and says so; asked, it says the same."""
    await patiently(lambda: story.world.sandbox.settle_refund(case.id, "succeeded"))
    reference = await _gateway_reference(case)
    await tell(case, "gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id=reference)


async def taken_back(story: Story, refund: CaseStory) -> None:
    """The gateway takes a refund back, and says so; whether or not its case has ended."""
    await patiently(lambda: story.world.sandbox.settle_refund(refund.id, "failed"))
    reference = await _gateway_reference(refund)
    word = GatewayUpdate.model_validate(
        refund.event(actor="gateway:stripe", status="failed", gateway_refund_id=reference, reason="account closed")
    )
    await patiently(lambda: record_event(story.world.client, refund.handle.id, "gateway_update", word))


async def _gateway_reference(refund: CaseStory) -> str | None:
    booked = await patiently(lambda: asyncio.to_thread(refund.stack.reading.refund, refund.id))
    return booked.gateway_refund_id
