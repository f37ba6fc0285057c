"""Scenes of claims (CLM-1)."""

from collections.abc import AsyncIterator

from models import calls
from tests.case_story import CaseStory, OrderStory
from tests.chaos.crash_coverage import InBooks, Spot, during, stage_in_books, standing
from tests.chaos.slow_database import Written
from tests.chaos.stories import Story, pass_window, patiently, stands_at, tell


async def voided_order(story: Story) -> OrderStory:
    """Nobody has the item."""
    seller = await patiently(story.world.seller)
    item = {"sku": story.world.sku(), "quantity": 2}
    order = await patiently(lambda: story.world.order(seller, item))
    await stands_at(order, "cancel_window")
    await pass_window(order)
    await stands_at(order, "voided")
    story.ends(order, "voided")
    return order


async def decided(case: CaseStory) -> None:
    await stands_at(case, "awaiting_decision")
    await tell(case, "claim_decision", actor="staff:kim", decision="approved", amount="25.00")


@during(calls.OPEN_CLAIM)
async def opening_a_claim(story: Story) -> AsyncIterator[Spot]:
    order = await voided_order(story)
    case = story.world.claim_story(f"CL-{order.id}-1")
    row = Written("claim", f"NEW.claim_id = '{case.id}'")
    spot = InBooks(case, row, lambda: stage_in_books(case) != "unknown")
    yield spot
    await patiently(lambda: story.world.claim(order, "30.00", claim_id=case.id))
    yield spot
    await decided(case)
    await stands_at(case, "approved")
    story.ends(case, "approved")


@during(calls.SAVE_CLAIM)
async def crediting_a_claim(story: Story) -> AsyncIterator[Spot]:
    """The seller's balance is credited once, whatever breaks."""
    order = await voided_order(story)
    case = await patiently(lambda: story.world.claim(order, "30.00", claim_id=f"CL-{order.id}-1"))
    await stands_at(case, "awaiting_decision")
    spot = InBooks(case, standing(case, "approved"), lambda: stage_in_books(case) == "approved")
    yield spot
    await decided(case)
    yield spot
    await stands_at(case, "approved")
    story.ends(case, "approved")
