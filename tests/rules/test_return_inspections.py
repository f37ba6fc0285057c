"""The supplier receives, inspects and credits (RET-11, RET-12)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.case_story import Refused
from tests.return_story import Money, ReturnStory, returning, returning_from
from tests.world import World

pytestmark = pytest.mark.proof  # the plans try each of these without a server


async def in_transit(world: World, *, quantity: int | None = None, **settings: Any) -> ReturnStory:
    """A return on its way back to the supplier; two units cost the seller 63.00."""
    case = await returning(world, seller=await world.seller(**settings), quantity=quantity)
    await case.approved()
    await case.track()
    await case.reaches("in_transit")
    return case


async def seller_refunded(case: ReturnStory) -> Decimal:
    """What the broker gave the seller, once it has."""
    await case.shows(
        "the seller is refunded", lambda seen: "seller refunded" in (seen.facts["seller_refund"] or "")
    )
    return (await case.money()).seller


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"reception": "received", "acceptance": "accepted"}, "63.00"),
        ({"reception": "short", "acceptance": "accepted", "quantity": 1}, "31.50"),
        ({"reception": "wrong_item", "acceptance": "accepted"}, "63.00"),
        ({"reception": "lost", "acceptance": "accepted"}, "63.00"),
    ],
)
async def test_RET_11_what_is_accepted_is_credited_whatever_was_received(
    world: World, line: dict[str, Any], expected: str
) -> None:
    case = await in_transit(world)

    await case.receive(line)
    status = await case.reaches("awaiting_credit")
    assert status.waiting_for is not None
    assert f"credit {expected} USD" in status.waiting_for.what
    await case.credit(expected)

    assert await seller_refunded(case) == Decimal(expected)
    [kept] = world.reading.return_view(case.id).lines
    assert (kept.reception, kept.acceptance) == (line["reception"], "accepted")


@pytest.mark.parametrize("reception", ["received", "short", "wrong_item", "lost", "refused"])
async def test_RET_11_what_is_rejected_brings_no_credit_however_it_was_received(
    world: World, reception: str
) -> None:
    case = await in_transit(world)

    await case.receive({"reception": reception, "acceptance": "rejected"})
    await case.reaches("awaiting_buyer_refund")

    await case.seller_letter("does not accept the goods")
    assert await case.money() == Money(buyer=Decimal(0), seller=Decimal(0))


async def test_RET_11_a_person_decides_what_the_inspection_left_open(world: World) -> None:
    case = await in_transit(world)
    await case.receive({"acceptance": "manual"})
    status = await case.shows("staff must decide", lambda seen: "decide about" in str(seen.waiting_for))
    assert status.waiting_for is not None
    assert status.waiting_for.who == "staff"

    await case.receive({"acceptance": "accepted"})
    await case.reaches("awaiting_credit")
    await case.credit("63.00")

    assert await seller_refunded(case) == Decimal("63.00")


async def test_RET_11_staff_waive_the_inspection(world: World) -> None:
    case = await in_transit(world)

    await case.override(waive="inspection")
    await case.reaches("awaiting_credit")
    await case.credit("63.00")

    assert await seller_refunded(case) == Decimal("63.00")


async def test_RET_11_more_units_than_the_return_has_are_refused(world: World) -> None:
    case = await in_transit(world)

    with pytest.raises(Refused, match=r"3 of .*: the return has 2"):
        await case.receive({"quantity": 3})

    assert (await case.status()).facts["receptions"] == []


async def test_RET_11_goods_not_inspected_in_time_alert_staff_once(world: World) -> None:
    case = await in_transit(world, inspection_days=30)

    await case.forward(days=31)
    await case.alerts_staff("is not received and inspected in time")
    await case.receive({"acceptance": "manual"})
    await case.shows("staff must decide", lambda seen: "decide about" in str(seen.waiting_for))

    assert len(await case.staff_letters("in time")) == 1


async def test_RET_11_a_credit_that_does_not_come_in_time_alerts_staff(world: World) -> None:
    case = await in_transit(world, inspection_days=30)
    await case.receive()
    await case.reaches("awaiting_credit")

    await case.forward(days=31)

    await case.alerts_staff("is not credited in time")


async def test_RET_12_several_partial_credits_add_up(world: World) -> None:
    case = await in_transit(world)
    await case.receive()
    await case.credit("30.00", "CM-1")
    status = await case.shows("30.00 credited", lambda seen: seen.facts["credited"] == "30.00")
    assert status.stage == "awaiting_credit"
    assert (await case.money()).seller == 0

    await case.credit("33.00", "CM-2")

    assert await seller_refunded(case) == Decimal("63.00")
    assert [memo.number for memo in world.reading.return_view(case.id).credit_memos] == ["CM-1", "CM-2"]


async def test_RET_12_a_credit_higher_than_the_cost_gives_the_seller_what_it_paid(world: World) -> None:
    case = await in_transit(world)
    await case.receive()

    await case.credit("80.00")

    assert await seller_refunded(case) == Decimal("63.00")
    assert world.reading.return_view(case.id).credited == Decimal("80.00")


async def test_RET_12_a_partial_credit_is_enough_when_staff_waive_the_rest(world: World) -> None:
    case = await in_transit(world)
    await case.receive()
    await case.credit("40.00")
    await case.reaches("awaiting_credit")

    await case.override(waive="credit_memo")

    assert await seller_refunded(case) == Decimal("63.00")


async def test_RET_12_the_same_number_twice_counts_once(world: World) -> None:
    case = await in_transit(world)
    await case.receive()
    await case.credit("31.50", "CM-7")

    await case.credit("31.50", "CM-7")
    status = await case.shows("the first is booked", lambda seen: seen.facts["credited"] == "31.50")

    assert status.stage == "awaiting_credit"
    assert len(world.reading.return_view(case.id).credit_memos) == 1


async def test_RET_28_one_paper_credits_several_returns_each_with_its_part(world: World) -> None:
    first = await in_transit(world, quantity=1)
    second = await returning_from(world, first.order, first.seller, first.supplier, quantity=1)
    await second.approved()

    await first.credit("31.50", "CM-8", total="50.00")
    await first.shows("booked", lambda seen: seen.facts["credited"] == "31.50")
    memo = {"number": "cm 8", "date": "2026-03-01", "currency": "USD", "actor": "supplier:office"}
    await second.signal("credit_memo", amount="31.50", **memo)
    status = await second.shows("rejected", lambda seen: seen.rejected_count == 1)
    assert (
        f"the paper is over 50.00 USD, and credits 31.50 for return {first.id}" in status.rejected_events[0].reason
    )

    await second.signal("credit_memo", amount="18.50", **memo)
    await second.shows("booked", lambda seen: seen.facts["credited"] == "18.50")


async def test_RET_26_two_parcels_with_one_unit_each_give_the_seller_both(world: World) -> None:
    case = await in_transit(world)
    await case.track(tracking_number="1ZBACK2")
    for number in ("CM-1", "CM-2"):
        await case.receive({"quantity": 1})
        await case.credit("31.50", number)

    assert await seller_refunded(case) == Decimal("63.00")
    view = world.reading.return_view(case.id)
    assert [parcel.tracking_number for parcel in view.parcels] == ["1ZBACK", "1ZBACK2"]
    assert [group.quantity for group in view.lines[0].receipts] == [1, 1]


async def test_RET_27_after_rejected_goods_the_seller_declines_and_the_buyer_is_told(world: World) -> None:
    case = await in_transit(world)
    await case.receive({"reception": "wrong_item", "acceptance": "rejected"})
    await case.reaches("awaiting_buyer_refund")

    await case.update("refund_declined", kind="declined", reason="it is another part")

    await case.ends("completed")
    assert await case.money() == Money(buyer=Decimal(0), seller=Decimal(0))
    assert world.reading.return_view(case.id).refund_declined == "declined"


async def test_RET_12_a_credit_in_another_currency_is_refused(world: World) -> None:
    case = await in_transit(world)

    with pytest.raises(Refused, match="the credit memo is in EUR, the cost in USD"):
        await case.credit("63.00", currency="EUR")

    assert world.reading.return_view(case.id).credit_memos == ()


async def test_RET_12_a_credit_before_the_tracking_number_proves_the_return(world: World) -> None:
    case = await (await returning(world)).approved()

    await case.credit("63.00")

    assert await seller_refunded(case) == Decimal("63.00")


async def test_RET_12_a_credit_after_the_goods_were_rejected_is_booked_and_told(world: World) -> None:
    case = await in_transit(world)
    await case.receive({"acceptance": "rejected"})
    await case.reaches("awaiting_buyer_refund")

    await case.credit("63.00", "CM-9")

    await case.alerts_staff("CM-9")
    assert world.reading.return_view(case.id).credited == Decimal("63.00")
