"""A return that has expired, and that a tracking number may still reopen, keeps its units from others (RET-2)."""

from decimal import Decimal

import pytest

from tests.return_story import PAID_EACH, Money, ReturnStory, returning, returning_from
from tests.world import World

pytestmark = pytest.mark.proof


async def expired(world: World) -> ReturnStory:
    case = await (await returning(world, await world.seller(reopen_days=30))).approved()
    await case.forward(days=31)
    await case.reaches("expired")
    return case


async def test_RET_2_RET_10_units_of_an_expired_return_are_not_paid_for_twice(world: World) -> None:
    first = await expired(world)
    second = await returning_from(world, first.order, first.seller, first.supplier)
    refused = await second.ends("refused")
    assert f"{first.id} has expired and is still open: its tracking number reopens it" in refused.timeline[-1].what

    await first.track()
    await first.receive()
    await first.credit("63.00")
    await first.reaches("awaiting_buyer_refund")
    await first.click()
    await first.ends("completed")

    third = await returning_from(world, first.order, first.seller, first.supplier)
    await third.ends("refused")
    refunds = (await first.order.effects()).refunds
    assert sorted(one.amount for one in refunds) == [Decimal("63.00"), 2 * PAID_EACH]


async def test_RET_2_RET_10_units_of_a_return_that_expired_for_good_may_come_back_by_another(world: World) -> None:
    first = await expired(world)
    await first.forward(days=31)
    await first.ends("expired")

    second = await returning_from(world, first.order, first.seller, first.supplier)

    await second.reaches("awaiting_approval")
    assert await first.money() == Money(buyer=Decimal(0), seller=Decimal(0))


async def test_RET_2_RET_15_withdrawing_an_expired_return_gives_its_units_free(world: World) -> None:
    first = await expired(world)
    await first.withdraw()
    await first.ends("withdrawn")

    second = await returning_from(world, first.order, first.seller, first.supplier)

    await second.reaches("awaiting_approval")
