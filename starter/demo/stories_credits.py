"""Stories of what the broker bears beside refunds: a supplier-cost review, and a claim."""

from decimal import Decimal
from typing import Final

from models import ids
from models.claims import ClaimRequest
from models.cost_reviews import CostReviewRequest
from models.message import Quantity
from models.returns import Evidence
from starter.client.start import open_claim, open_cost_review
from starter.demo.sample_data import (
    BRAKE_PADS,
    CURRENCY,
    HEADLIGHT,
    IN_BOSTON,
    IN_CHICAGO,
    KEYSTONE,
    NORTHWIND,
)
from starter.demo.story import Story, StoryRun

_SELLER: Final = "seller:service-desk"


async def cost_reviewed(story: StoryRun) -> None:
    """BAL-2: independent of the buyer's refund, a person decides who bears the cost."""
    await story.shipped_order(NORTHWIND, IN_BOSTON, {BRAKE_PADS: 1}, KEYSTONE.supplier_id)
    refund = await story.refund_directly(Decimal("40.00"), "wrong part packed")
    await refund.ends("succeeded")
    request = CostReviewRequest(
        review_id=ids.cost_review_id(story.order_id, 1),
        order_id=story.order_id,
        amount=Decimal("40.00"),
        currency=CURRENCY,
        notes="the supplier packed another part",
        evidence=(Evidence(kind="photo", reference="s3://northwind/wrong-part.jpg", sha256="5e" * 32),),
        requested_by=_SELLER,
    )
    story.step(f"the seller asks for a review of {request.amount} {request.currency}")
    client, queue = story.environment.skipper.client, story.environment.task_queue
    review = story.case((await open_cost_review(client, request, task_queue=queue)).workflow_id)
    await review.reaches("awaiting_decision")
    await review.forward(days=3)
    await review.receives("cost_decision", "staff:kim", decision="approved", amount="25.00", reason="shared")
    await review.ends("approved")
    story.expect("the buyer has its money whatever was decided", lambda effects: effects.buyer_got("40.00"))
    story.expect("the seller was told", lambda effects: effects.mailed(NORTHWIND.email, saying="25.00"))


async def claimed(story: StoryRun) -> None:
    """ORD-8, CLM-1: the seller bought it from a local dealer; over 100 USD a person decides."""
    order = await story.order(NORTHWIND, IN_CHICAGO, {HEADLIGHT: 1})
    await order.reaches("cancel_window")
    await order.forward(minutes=31)
    await order.reaches("awaiting_choice")
    await order.receives("choice_after_void", _SELLER, choice="source_elsewhere")
    await order.ends("voided")
    request = ClaimRequest(
        claim_id=ids.claim_id(story.order_id, 1),
        order_id=story.order_id,
        seller_id=NORTHWIND.seller_id,
        lines=(Quantity(sku=HEADLIGHT.sku, quantity=1),),
        amount=Decimal("120.00"),
        currency=CURRENCY,
        receipt=Evidence(kind="document", reference="s3://northwind/receipt.pdf", sha256="c1" * 32),
        dealer="Lake Street Auto Parts",
        requested_by=_SELLER,
    )
    story.step(f"the seller claims {request.amount} {request.currency}")
    client, queue = story.environment.skipper.client, story.environment.task_queue
    claim = story.case((await open_claim(client, request, task_queue=queue)).workflow_id)
    await claim.reaches("awaiting_decision")
    await claim.forward(days=2)
    await claim.receives("claim_decision", "staff:kim", decision="approved", amount="95.00", reason="list price")
    await claim.ends("approved")
    story.expect("the seller was told", lambda effects: effects.mailed(NORTHWIND.email, saying="95.00"))


STORIES: Final = (
    Story("The wrong part was packed: staff share its cost with the seller", cost_reviewed),
    Story("Nobody had it, so the seller bought it elsewhere and claims the cost", claimed),
)
