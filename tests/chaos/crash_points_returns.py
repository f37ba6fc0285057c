"""Scenes of returns and refunds, at partners."""

from collections.abc import AsyncIterator

from models import calls
from starter.sandbox.facts import PartnerName
from tests.chaos.crash_coverage import AtPartner, Spot, during, gateway
from tests.chaos.stories import Story, credit, pass_by, stands_at, tell
from tests.chaos.story_parts import (
    approved,
    awaiting_credit,
    clicked,
    clicked_and_pending,
    credited,
    pending_refund,
    refunded,
    settled,
)


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


@during(calls.SEND_MAIL)
async def mailing_in_a_return(story: Story) -> AsyncIterator[Spot]:
    """RMA number and return address, to the buyer (RET-9)."""
    order, case = await approved(story)
    spot = AtPartner(PartnerName.MAIL, f"robin-{order.id}@")
    yield spot
    await tell(case, "seller_approval", decision="approved")
    yield spot
    await credited(story, order, case)


@during(calls.LOOK_UP_REFUND)
async def looking_up_a_returns_refund(story: Story) -> AsyncIterator[Spot]:
    case, refund = await clicked_and_pending(story)
    spot = gateway("GET /v1/refunds")
    yield spot
    await pass_by(refund, days=1, minutes=1)
    yield spot
    await settled(story, refund)
    await refunded(story, refund)
    await stands_at(case, "completed")
    story.ends(case, "completed")
