"""Stories of what comes back: in two parcels, and without a refund of the buyer."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from starter.demo.sample_data import CURRENCY, FILTER, IN_AUSTIN, IN_CHICAGO, LONE_STAR, NORTHWIND, Person
from starter.demo.story import Story, StoryCase, StoryRun

SERVICE_DESK: Final = "seller:service-desk"
DOCK: Final = f"supplier:{LONE_STAR.supplier_id}"


async def two_parcels(story: StoryRun) -> None:
    """RET-26, RET-28, RET-29: each parcel has its number, its receipt and its credit; they add up."""
    case = await _on_its_way(story, IN_AUSTIN, units=2)
    await case.receives(
        "return_tracking", "buyer:order-history", carrier="UPS", tracking_number=f"1ZB{story.order_id}"
    )
    for parcel, number in enumerate(("A", "B"), start=1):
        await case.forward(days=4)
        await case.receives("goods_received", DOCK, lines=[_one("accepted")])
        await case.receives(
            "credit_memo",
            DOCK,
            number=f"CM-{story.order_id}-{number}",
            date=datetime.now(UTC).date().isoformat(),
            amount="9.90" if parcel == 1 else "8.90",
            currency=CURRENCY,
            final=parcel == 2,
        )
    await case.shows("the seller is refunded", lambda status: status.facts.get("seller_refund") is not None)
    await case.receives("buyer_refund", SERVICE_DESK, reason="both parcels are back")
    await case.ends("completed")
    story.expect("the seller got what both papers credit, once", lambda effects: effects.seller_got("18.80"))
    story.expect("the buyer was refunded once", lambda effects: effects.buyer_got("36.80"))


async def declined(story: StoryRun) -> None:
    """RET-25, RET-27: another part came back; the seller declines, and the buyer is told why."""
    case = await _on_its_way(story, IN_CHICAGO, units=1)
    await case.forward(days=5)
    await case.receives("goods_received", DOCK, lines=[_one("rejected", reception="wrong_item")])
    await case.reaches("awaiting_buyer_refund")
    reason = "The parcel holds another part than the one that was sold."
    await case.receives("refund_declined", SERVICE_DESK, kind="declined", reason=reason)
    await case.ends("completed")
    story.expect("nobody was refunded", lambda effects: not effects.buyer_refunds and not effects.seller_refunds)
    story.expect("the seller paid for the order", lambda effects: effects.captured > Decimal(0))
    story.expect("the buyer was told why", lambda effects: effects.mailed(IN_CHICAGO.email, saying="another part"))


async def _on_its_way(story: StoryRun, buyer: Person, *, units: int) -> StoryCase:
    await story.shipped_order(NORTHWIND, buyer, {FILTER: units}, LONE_STAR.supplier_id)
    case = await story.ask_to_return({FILTER: units}, "does not fit")
    await case.receives("seller_approval", SERVICE_DESK, decision="approved")
    await story.send_back(case)
    return case


def _one(acceptance: str, reception: str = "received") -> dict[str, object]:
    return {"sku": FILTER.sku, "quantity": 1, "reception": reception, "acceptance": acceptance}


STORIES: Final = (
    Story("Two parcels back: their receipts and credits add up", two_parcels),
    Story("The wrong part comes back: the seller declines, the buyer is told why", declined),
)
