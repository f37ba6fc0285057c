"""Rarer lives, that a storm mixes with the usual ones: holds, refusals, late words, returns that end otherwise."""

from datetime import timedelta
from typing import Final

from models.ids import late_cancel_return_id, split_order_id
from tests.case_story import CaseStory
from tests.chaos import stories
from tests.chaos.crash_points_claims import voided_order
from tests.chaos.crash_points_reviews import refunded_order
from tests.chaos.stories import Plot, Story, pass_until, pass_window, patiently, ship, stands_at, tell, track
from tests.chaos.story_parts import (
    approved,
    brought_back,
    clicked,
    credited,
    pending_refund,
    refunded,
    settled,
    taken_back,
)

TRACKING_MISSED: Final = timedelta(days=30, hours=1)
"""After the approval: the day for the tracking number is over, and the last day to reopen is not (RET-10)."""


# ---- orders ----


async def an_order_is_held_and_resumed(story: Story) -> None:
    order = await story.order()
    await stands_at(order, "cancel_window")
    await tell(order, "hold", reason="the address is being checked")
    await pass_window(order)
    await stands_at(order, "on_hold")
    await tell(order, "resume", reason="the address is right")
    await story.shipped(order)


async def a_supplier_refuses_it(story: Story) -> None:
    """Nobody has it after the charge was collected: the seller is refunded at once (ORD-7)."""
    order = await story.order(refuses=True)
    await stands_at(order, "cancel_window")
    await pass_window(order)
    await stands_at(order, "voided")
    story.ends(order, "voided")
    await refunded(story, story.world.refund_story(f"RF-{order.id}-OS1"))


async def a_late_cancel_becomes_a_return(story: Story) -> None:
    """CAN-2; the seller then rejects it."""
    order = await story.order()
    await story.placed(order)
    await tell(order, "cancel_request", reason="changed their mind")
    await ship(order)
    await stands_at(order, "shipped")
    story.ends(order, "shipped")
    case = story.world.return_story(late_cancel_return_id(order.id))
    await stands_at(case, "awaiting_approval")
    await _rejected(story, case)


async def part_of_an_order_is_cancelled(story: Story) -> None:
    """CAN-10: one of two units moves to an order of its own, whose buyer is refunded; the other one is shipped."""
    order = await story.order(auto_refund_buyer=True)
    await stands_at(order, "cancel_window")
    (line,) = order.request.lines
    one = [{"sku": line.sku, "quantity": 1}]
    await tell(order, "cancel_request", reason="one is enough", lines=one)
    part = story.world.order_story(split_order_id(order.id, 1))
    await stands_at(part, "cancelled")
    story.ends(part, "cancelled")
    story.ends(story.world.refund_story(f"RF-{part.id}-OB1"), "succeeded")
    await story.placed(order)
    parcel = {"shipment_id": f"s-{order.id}", "carrier": "UPS", "tracking_number": f"1Z{order.id}"}
    await tell(order, "shipment", actor="supplier:dock", lines=one, **parcel)
    await stands_at(order, "shipped")
    story.ends(order, "shipped")


# ---- claims and reviews ----


async def a_claim_is_decided(story: Story) -> None:
    """CLM-1: of a unit that nobody had; without receipt a person decides."""
    order = await voided_order(story)
    case = await patiently(lambda: story.world.claim(order, "30.00", claim_id=f"CL-{order.id}-1"))
    await stands_at(case, "awaiting_decision")
    decision = story.chance.choice(("approved", "rejected"))
    await tell(case, "claim_decision", actor="staff:kim", decision=decision, reason="as agreed")
    await stands_at(case, decision)
    story.ends(case, decision)


async def a_review_is_decided(story: Story) -> None:
    """BAL-2: the buyer was refunded, and the broker bears a part."""
    order = await refunded_order(story)
    case = await patiently(lambda: story.world.cost_review(order, "30.00", review_id=f"CR-{order.id}-1"))
    await stands_at(case, "awaiting_decision")
    await tell(case, "cost_decision", actor="staff:kim", decision="approved", amount="12.34")
    await stands_at(case, "approved")
    story.ends(case, "approved")


# ---- refunds ----


async def a_pending_refund_is_settled_later(story: Story) -> None:
    case = await pending_refund(story)
    await settled(story, case)
    await refunded(story, case)


async def a_refund_is_taken_back(story: Story) -> None:
    """REF-7: it had succeeded, and fails after all."""
    order = await story.order()
    await story.shipped(order)
    case = await story.refund(order, 1, "40.00")
    await stands_at(case, "succeeded")
    await taken_back(story, case)
    await stands_at(case, "failed")
    story.ends(case, "failed")


# ---- returns ----


async def a_return_is_rejected(story: Story) -> None:
    _, case = await approved(story)
    await _rejected(story, case)


async def _rejected(story: Story, case: CaseStory) -> None:
    await tell(case, "seller_approval", decision="rejected", reason="the window is over")
    await stands_at(case, "rejected")
    story.ends(case, "rejected")


async def a_return_is_withdrawn(story: Story) -> None:
    _, case = await approved(story)
    await tell(case, "seller_approval", decision="approved")
    await stands_at(case, "awaiting_tracking")
    await tell(case, "withdrawal", actor="buyer:robin", reason="keeps it")
    await stands_at(case, "withdrawn")
    story.ends(case, "withdrawn")


async def nothing_needs_to_come_back(story: Story) -> None:
    """A returnless return: only the buyer is refunded (RET-5)."""
    _, case = await approved(story)
    await tell(case, "seller_approval", decision="approved", returnless=True)
    await clicked(story, case)


async def an_rma_number_is_typed(story: Story) -> None:
    """RET-8: the supplier answers an e-mail, or staff know it."""
    how, who = story.chance.choice([("email", "supplier:link"), ("manual", "staff:ann")])
    order, case = await approved(story, rma=how)
    await tell(case, "seller_approval", decision="approved")
    await stands_at(case, "awaiting_rma")
    await tell(case, "supplier_rma", actor=who, outcome="issued", rma_number=f"RMA-{case.id}")
    await credited(story, order, case)


async def an_expired_return_is_reopened(story: Story) -> None:
    """RET-10: the tracking number comes after its day."""
    order, case = await approved(story)
    await tell(case, "seller_approval", decision="approved")
    await stands_at(case, "awaiting_tracking")
    await pass_until(case, await patiently(case.now) + TRACKING_MISSED)
    await stands_at(case, "expired")
    await track(case)
    await brought_back(story, order, case)


PLOTS: Final[tuple[Plot, ...]] = (
    *stories.PLOTS,
    part_of_an_order_is_cancelled,
    a_claim_is_decided,
    a_review_is_decided,
    an_expired_return_is_reopened,
    an_rma_number_is_typed,
    a_refund_is_taken_back,
    a_late_cancel_becomes_a_return,
    nothing_needs_to_come_back,
    a_return_is_withdrawn,
    an_order_is_held_and_resumed,
    a_pending_refund_is_settled_later,
    a_supplier_refuses_it,
    a_return_is_rejected,
)
