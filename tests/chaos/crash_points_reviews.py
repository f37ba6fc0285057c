"""Scenes of supplier-cost reviews (BAL-2)."""

from collections.abc import AsyncIterator

from models import calls
from tests.case_story import CaseStory, OrderStory
from tests.chaos.crash_coverage import InBooks, Spot, during, stage_in_books, standing
from tests.chaos.slow_database import Written
from tests.chaos.stories import Story, patiently, stands_at, tell


async def refunded_order(story: Story) -> OrderStory:
    order = await story.order()
    await story.shipped(order)
    refund = await story.refund(order, 1, "40.00")
    await stands_at(refund, "succeeded")
    story.ends(refund, "succeeded")
    return order


async def decided(story: Story, case: CaseStory) -> None:
    await stands_at(case, "awaiting_decision")
    await tell(case, "cost_decision", actor="staff:kim", decision="approved", amount="25.00")


@during(calls.OPEN_COST_REVIEW)
async def opening_a_review(story: Story) -> AsyncIterator[Spot]:
    order = await refunded_order(story)
    case = story.world.cost_review_story(f"CR-{order.id}-1")
    row = Written("cost_review", f"NEW.review_id = '{case.id}'")
    spot = InBooks(case, row, lambda: stage_in_books(case) != "unknown")
    yield spot
    await patiently(lambda: story.world.cost_review(order, "30.00", review_id=case.id))
    yield spot
    await decided(story, case)
    await stands_at(case, "approved")
    story.ends(case, "approved")


@during(calls.SAVE_COST_REVIEW)
async def crediting_a_review(story: Story) -> AsyncIterator[Spot]:
    """The seller's balance is credited once, whatever breaks."""
    order = await refunded_order(story)
    case = await patiently(lambda: story.world.cost_review(order, "30.00", review_id=f"CR-{order.id}-1"))
    await stands_at(case, "awaiting_decision")
    spot = InBooks(case, standing(case, "approved"), lambda: stage_in_books(case) == "approved")
    yield spot
    await decided(story, case)
    yield spot
    await stands_at(case, "approved")
    story.ends(case, "approved")
