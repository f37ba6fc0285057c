"""A supplier-cost review on the real server: the seller's balance is credited, once (BAL-2)."""

from decimal import Decimal

import pytest

from activities.database.ledger import Ledger
from models.contract import WORK
from tests.case_story import Refused
from tests.return_story import shipped_order
from tests.world import World


async def test_BAL_2_an_approved_review_credits_the_sellers_balance(world: World) -> None:
    order, seller, _ = await shipped_order(world)
    await (await world.refund(order, amount="60.00")).ends("succeeded")
    review = await world.cost_review(order, "40.00")
    status = await review.reaches("awaiting_decision")
    assert (status.facts["requested"], status.facts["refunded"]) == ("40.00", "60.00")
    assert await review.attribute(WORK) == ["to_decide"]
    with pytest.raises(Refused, match="another person decides"):
        await review.update("cost_decision", actor="staff:jane", decision="approved")

    await review.update("cost_decision", actor="staff:kim", decision="approved", amount="25.00")
    await review.ends("approved")

    entries = Ledger(world.engine).entries(order_id=order.id)
    (credited,) = [one for one in entries if one.movement == f"cost_review/{review.id}"]
    assert (credited.credit, credited.amount) == (f"seller/{seller.seller_id}/available", Decimal("25.00"))
    assert world.reading.cost_review(review.id).decided_by == "staff:kim"
    assert len(await review.mails(f"Cost review {review.id} is approved")) == 1
    too_much = await world.cost_review(order, "35.01")
    assert "more than the 35.00" in (await too_much.ends("refused")).timeline[-1].what
