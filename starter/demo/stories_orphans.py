"""A story of what is said before its case is known: it is kept, and finds its case (RET-20)."""

from typing import Final

from models import ids
from starter.demo.sample_data import FILTER, IN_AUSTIN, LONE_STAR, NORTHWIND
from starter.demo.story import Story, StoryRun


async def said_too_early(story: StoryRun) -> None:
    """RET-20: the carrier's word about the parcel back comes before anybody has asked for the return."""
    await story.shipped_order(NORTHWIND, IN_AUSTIN, {FILTER: 1}, LONE_STAR.supplier_id)
    orphan = await story.reported(
        "usps",
        "return_tracking",
        "carrier:usps",
        (ids.return_id(story.order_id, 1),),
        carrier="USPS",
        tracking_number=f"9400{story.order_id}7",
    )
    await orphan.reaches("unmatched")
    back = await story.ask_to_return({FILTER: 1}, "no_longer_needed")
    await back.receives("seller_approval", "seller:service-desk", decision="approved")
    await back.reaches("awaiting_tracking")
    await orphan.forward(minutes=61)
    await orphan.ends("matched")
    await back.reaches("in_transit")
    await story.accept_and_credit(back, LONE_STAR.supplier_id, {FILTER: 1})
    await back.reaches("awaiting_buyer_refund")
    await back.receives("buyer_refund", "seller:service-desk", reason="the goods are back")
    await back.ends("completed")
    story.expect("the seller has the part's cost back", lambda effects: effects.seller_got("9.90"))


STORIES: Final = (Story("A tracking number comes before its return: it is kept, and finds it", said_too_early),)
