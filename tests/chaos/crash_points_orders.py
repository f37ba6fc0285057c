"""Scenes of orders, at partners."""

from collections.abc import AsyncIterator

from models import calls
from starter.sandbox.facts import PartnerName
from tests.chaos.crash_coverage import (
    AtPartner,
    Spot,
    during,
    gateway,
    gateway_reference,
    shop,
)
from tests.chaos.stories import (
    Story,
    pass_by,
    ship,
    stands_at,
    tell,
)
from tests.chaos.story_parts import (
    cancelled,
    in_its_window,
    refunded,
)


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


@during(calls.FIND_SOURCES)
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


@during(calls.SEND_REFUND)
async def refunding_the_seller_of_a_voided_order(story: Story) -> AsyncIterator[Spot]:
    """The charge is collected, and then the only supplier refuses: nobody has it (ORD-7)."""
    order = await in_its_window(story, refuses=True)
    spot = gateway("POST /v1/refunds")
    yield spot
    await pass_by(order, minutes=31)
    yield spot
    await stands_at(order, "voided")
    story.ends(order, "voided")
    await refunded(story, story.world.refund_story(f"RF-{order.id}-OS1"))


@during(calls.SEND_REFUND)
async def refunding_the_buyer_after_a_cancel(story: Story) -> AsyncIterator[Spot]:
    """The seller's setting asks for it, without a click (CAN-6)."""
    order = await in_its_window(story, auto_refund_buyer=True)
    spot = gateway("POST /v1/refunds")
    yield spot
    await tell(order, "cancel_request", reason="changed their mind")
    yield spot
    await cancelled(story, order)
    await refunded(story, story.world.refund_story(f"RF-{order.id}-OB1"))
