"""Paths of a supplier-cost review (BAL-2)."""

from tests.case_story import OrderStory
from tests.replay.recording import Recorded
from tests.return_story import shipped_order
from tests.rules.staff_cancel import stopped
from tests.world import World


async def _refunded(world: World) -> OrderStory:
    """The buyer has 60.00 back."""
    order, *_ = await shipped_order(world)
    await (await world.refund(order, amount="60.00")).ends("succeeded")
    return order


async def cost_review_decided(world: World) -> list[Recorded]:
    """One is approved in part, after evidence came; one rejected; one withdrawn; one is for too much."""
    order = await _refunded(world)
    approved, rejected, withdrawn = [await world.cost_review(order, "20.00") for _ in range(3)]
    for review in (approved, rejected, withdrawn):
        await review.reaches("awaiting_decision")
    too_much = await world.cost_review(order, "0.01")
    await too_much.ends("refused")
    await approved.update("evidence_added", reference="s3://acme/label.pdf", sha256="a" * 64)
    await approved.update("cost_decision", actor="staff:kim", decision="approved", amount="15.00")
    await rejected.update("cost_decision", actor="staff:kim", decision="rejected", reason="the part was right")
    await withdrawn.update("review_withdrawn", reason="settled with the supplier")
    await approved.ends("approved")
    await rejected.ends("rejected")
    await withdrawn.ends("withdrawn")
    return [approved, rejected, withdrawn, too_much]


async def cost_review_overdue_and_stopped(world: World) -> list[Recorded]:
    """Nobody decides in time: staff are reminded, then told; they stop it."""
    review = await world.cost_review(await _refunded(world), "20.00")
    await review.reaches("awaiting_decision")
    for days in (14, 11, 5):
        await review.forward(days=days, minutes=1)
    await review.shows("that it is overdue", lambda seen: seen.sla_state == "breached")
    await stopped(review)
    return [review]
