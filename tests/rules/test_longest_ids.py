"""The longest ids that the contract allows (100 characters) go all the way: what is derived from them fits too."""

from decimal import Decimal

import pytest

from tests.return_story import COST_EACH, PAID_EACH, ReturnStory
from tests.world import NEWARK, World

pytestmark = pytest.mark.proof

LONGEST = 100


async def test_RET_2_an_order_and_returns_with_the_longest_ids_come_to_their_ends(world: World) -> None:
    seller = await world.seller()
    near, far = await world.supplier(), await world.supplier()
    skus = (world.sku(), world.sku())
    await world.stock(skus[0], 10, near)
    await world.stock(skus[1], 10, far, at=NEWARK)
    order = await world.order(
        seller, *({"sku": sku} for sku in skus), order_id=f"{world.tag}-".ljust(LONGEST, "x")
    )
    await order.placed()
    late = await order.update("cancel_request", reason="found it cheaper")
    assert not late.accepted
    lines = [{"sku": sku, "quantity": 1} for sku in skus]
    parcel = "p".ljust(LONGEST, "1")
    await order.update("shipment", shipment_id=parcel, carrier="UPS", tracking_number=parcel, lines=lines)
    await order.ends("shipped")
    returns = [world.return_story(f"RR-{order.id}-late-cancel{split}") for split in ("", ".2")]
    for case in returns:
        await case.reaches("awaiting_approval")
        await case.update("withdrawal", reason="keeps it after all")
        await case.ends("withdrawn")

    named = await world.return_of(order, return_id=f"R{world.tag}-".ljust(LONGEST, "y"))
    both = [named, world.return_story(f"{named.id}.2")]
    for part, case in enumerate(both):
        story = ReturnStory.of(case, order, seller, (near, far)[part])
        await story.approved()
        await story.track()
        await story.receive({"sku": skus[part], "quantity": 1})
        await story.credit(f"{COST_EACH}", number=f"CM-{world.tag}-{part}".ljust(LONGEST, "9"))
        await story.reaches("awaiting_buyer_refund")
        await story.click()
        await story.ends("completed")
        assert await story.money() == (PAID_EACH, COST_EACH)
    refund = await world.refund(order, refund_id=f"D{world.tag}-".ljust(LONGEST, "z"), amount="0.01")
    await refund.ends("refused")
    assert (await order.books()).refunds.buyer.left == Decimal(0)
