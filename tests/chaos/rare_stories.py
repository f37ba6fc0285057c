"""Rarer lives, that a storm mixes with the usual ones: holds, refusals, late words, returns that end otherwise."""

from datetime import timedelta
from typing import Final

from models.ids import late_cancel_return_id
from tests.chaos import stories
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
from tests.world import CaseStory

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
