"""A person refunds the buyer, or the marketplace did (RET-14, RET-17, RET-18, BAL-3)."""

import re
from decimal import Decimal

import pytest

from models.refunds import Direction, Way
from tests.case_story import Refused
from tests.return_story import Money, ReturnStory, returning
from tests.world import World

pytestmark = pytest.mark.proof  # the plans try each of these without a server


async def received(world: World, **settings: object) -> ReturnStory:
    """A return of two units (100.00 for the buyer), received and accepted."""
    case = await (await returning(world, seller=await world.seller(**settings))).approved()
    await case.track()
    await case.receive()
    return case


async def buyer_refunded(case: ReturnStory) -> Decimal:
    await case.shows("the buyer is refunded", lambda seen: bool(seen.facts["buyer_refunds"]))
    return (await case.money()).buyer


async def test_RET_14_nobody_but_a_person_refunds_the_buyer(world: World) -> None:
    case = await received(world)
    await case.credit("63.00")

    status = await case.reaches("awaiting_buyer_refund")
    await case.shows("the seller is refunded", lambda seen: seen.facts["seller_refund"] is not None)

    assert await case.money() == Money(buyer=Decimal(0), seller=Decimal("63.00"))
    assert status.waiting_for is not None
    assert status.waiting_for.who == "seller"


@pytest.mark.parametrize("number", ["RMA", "order", "return"])
async def test_RET_14_RET_17_the_click_finds_the_return_by_any_number(world: World, number: str) -> None:
    case = await received(world)
    await case.reaches("awaiting_credit")
    known_as = {"RMA": f"{case.order.id}-1", "order": case.order.id, "return": case.id}[number]

    [found] = world.reading.find_return(known_as)
    await world.return_story(found.return_id).update("buyer_refund", reason="returned")

    assert await buyer_refunded(case) == Decimal("100.00")


async def test_RET_14_the_click_may_name_some_units_or_an_amount(world: World) -> None:
    case = await received(world)

    await case.click(lines=[{"sku": case.sku, "quantity": 1}])
    assert await buyer_refunded(case) == Decimal("50.00")
    await case.click(amount="12.34")
    await case.shows("twice", lambda seen: len(seen.facts["buyer_refunds"]) == 2)

    assert (await case.money()).buyer == Decimal("62.34")


async def test_RET_14_units_that_the_return_does_not_have_are_refused(world: World) -> None:
    case = await received(world)

    with pytest.raises(Refused, match=r"3 of .*: the return has 2"):
        await case.click(lines=[{"sku": case.sku, "quantity": 3}])
    with pytest.raises(Refused, match="there is no line OTHER"):
        await case.click(lines=[{"sku": "OTHER", "quantity": 1}])

    assert (await case.money()).buyer == 0


async def test_RET_14_a_return_ends_when_seller_and_buyer_are_refunded(world: World) -> None:
    case = await received(world)
    await case.click()
    await case.credit("63.00")

    await case.ends("completed")

    assert await case.money() == Money(buyer=Decimal("100.00"), seller=Decimal("63.00"))
    totals = world.reading.refunds_of(case.order.id)
    assert (totals.buyer.refunded, totals.seller.refunded) == (Decimal("100.00"), Decimal("63.00"))


async def test_RET_14_the_seller_is_reminded_of_the_click(world: World) -> None:
    case = await received(world, buyer_refund_reminder_days=[3])

    await case.forward(days=4)

    await case.seller_letter("please review and refund the buyer")


async def test_RET_14_a_refund_that_the_gateway_refuses_leaves_the_return_open_for_another_click(
    world: World,
) -> None:
    case = await received(world)
    await world.sandbox.add_fault("gateway", "refuse", match="POST /v1/refunds", times=1)

    await case.click()
    await case.shows("not refunded", lambda seen: any("buyer not refunded" in step.what for step in seen.timeline))
    assert (await case.money()).buyer == 0
    await case.click()

    assert await buyer_refunded(case) == Decimal("100.00")


@pytest.mark.parametrize("stage", ["awaiting_approval", "awaiting_tracking", "in_transit"])
async def test_RET_18_what_the_marketplace_refunded_is_booked_at_once_and_not_refunded_again(
    world: World, stage: str
) -> None:
    case = await returning(world, seller=await world.seller(auto_refund_buyer=True), channel="amazon")
    await case.reaches("awaiting_approval")
    if stage != "awaiting_approval":
        await case.approved()
    if stage == "in_transit":
        await case.track()
        await case.reaches("in_transit")

    await case.update("channel_update", actor="channel:amazon", status="refunded_by_channel", amount="100.00")
    await case.shows("it is booked", lambda seen: "marketplace" in (seen.facts["buyer_refund"] or ""))

    with pytest.raises(Refused, match="marketplace refunded the buyer already"):
        await case.click()
    [booked] = world.reading.refunds_of(case.order.id).refunds
    assert (booked.way, booked.amount, booked.state) == (Way.MARKETPLACE, Decimal("100.00"), "succeeded")
    assert world.reading.return_view(case.id).refunded_by_channel
    assert (await case.money()).buyer == 0


async def test_RET_18_a_click_that_waits_is_dropped_when_the_marketplace_was_quicker(world: World) -> None:
    case = await returning(world, quantity=1, channel="amazon")
    await case.reaches("awaiting_approval")
    click = await case.signal("buyer_refund", reason="returned")
    await case.update("channel_update", actor="channel:amazon", status="refunded_by_channel", amount="50.00")
    await case.approved()

    await case.track()
    await case.receive({"quantity": 1})
    await case.credit("31.50")
    status = await case.ends("completed")

    assert await case.money() == Money(buyer=Decimal(0), seller=Decimal("31.50"))
    assert [event.event_id for event in status.rejected_events] == [click["event_id"]]
    assert world.reading.refunds_of(case.order.id).buyer.refunded == Decimal("50.00")


async def test_RET_18_a_marketplace_that_refunds_after_us_is_told_to_staff(world: World) -> None:
    case = await received(world)
    await case.click()
    await buyer_refunded(case)

    await case.update("channel_update", actor="channel:ebay", status="refunded_by_channel", amount="100.00")

    await case.alerts_staff("both refunded the buyer")
    await case.shows("the booking", lambda seen: seen.facts["refunds"][-1]["state"] == "refused")
    assert world.reading.return_view(case.id).refunded_by_channel


async def test_RET_18_a_rejected_return_that_the_marketplace_refunded_is_booked(world: World) -> None:
    case = await returning(world, channel="ebay")
    await case.reaches("awaiting_approval")
    await case.update("channel_update", actor="channel:ebay", status="refunded_by_channel")
    await case.update("seller_approval", decision="rejected", reason="window over")

    await case.ends("rejected")

    assert world.reading.refunds_of(case.order.id).buyer.refunded == Decimal("100.00")


async def test_RET_18_a_case_that_the_marketplace_escalates_is_told_to_staff(world: World) -> None:
    case = await returning(world, channel="ebay")
    await case.reaches("awaiting_approval")

    await case.update("channel_update", actor="channel:ebay", status="escalated")

    await case.alerts_staff("the marketplace says: escalated")
    assert (await case.status()).stage == "awaiting_approval"


async def test_BAL_3_a_refund_shows_what_is_known_and_promises_no_date(world: World) -> None:
    case = await received(world)
    await case.click()
    await case.credit("63.00")
    await case.ends("completed")

    for letter in (await case.buyer_letter("Your refund"), await case.seller_letter("You are refunded")):
        assert letter.text is not None
        assert not re.search(r"(?i)\b(within|days|by 20\d\d|will arrive|will receive)\b", letter.text)
    refunds = {refund.direction: refund for refund in world.reading.refunds_of(case.order.id).refunds}
    for direction in (Direction.SELLER_TO_BUYER, Direction.BROKER_TO_SELLER):
        known = refunds[direction]
        assert (known.state, known.way) == ("succeeded", Way.GATEWAY)
        assert known.reserved_at is not None
