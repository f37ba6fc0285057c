"""The seller decides, and what it costs; buyer or seller withdraw (RET-4, RET-5, RET-15)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.case_story import Refused
from tests.return_story import Money, returning
from tests.world import World

pytestmark = pytest.mark.proof  # the plans try each of these without a server

NOTHING = Money(buyer=Decimal(0), seller=Decimal(0))


@pytest.mark.parametrize("reason", ["special order", "electrical part", "window over"])
async def test_RET_4_a_rejection_is_told_to_the_buyer_with_its_reason(world: World, reason: str) -> None:
    case = await returning(world)
    await case.reaches("awaiting_approval")

    await case.update("seller_approval", decision="rejected", reason=reason)
    await case.ends("rejected")

    letter = await case.buyer_letter("Your return request")
    assert letter.text is not None
    assert f"Reason: {reason}" in letter.text
    assert world.reading.return_view(case.id).decision_reason == reason
    assert await case.money() == NOTHING


async def test_RET_4_a_rejection_without_a_reason_is_refused(world: World) -> None:
    case = await returning(world)
    await case.reaches("awaiting_approval")

    with pytest.raises(Refused, match="needs a reason"):
        await case.update("seller_approval", decision="rejected")

    await case.reaches("awaiting_approval")


async def test_RET_4_a_second_decision_does_not_replace_the_first(world: World) -> None:
    case = await (await returning(world)).approved()

    with pytest.raises(Refused, match="approved already"):
        await case.update("seller_approval", decision="rejected", reason="changed my mind")

    assert (await case.status()).facts["decision"] == "approved"


async def test_RET_4_a_seller_who_does_not_decide_is_reminded(world: World) -> None:
    case = await returning(world, seller=await world.seller(approval_reminder_days=[2, 5]))
    await case.reaches("awaiting_approval")

    await case.forward(days=2, minutes=1)

    await case.seller_letter("Reminder 1: return")
    status = await case.status()
    assert status.stage == "awaiting_approval"


@pytest.mark.parametrize(
    ("fees", "refunded"),
    [
        ({"return_fee": "5.00"}, "95.00"),
        ({"restocking_fee": "7.50"}, "92.50"),
        ({"restocking_percent": "15"}, "85.00"),
        ({"return_fee": "5.00", "restocking_percent": "12.5"}, "82.50"),
        ({}, "100.00"),
    ],
)
async def test_RET_5_fees_are_deducted_from_the_buyers_refund(
    world: World, fees: dict[str, Any], refunded: str
) -> None:
    case = await (await returning(world)).approved(**fees)
    await case.track()
    await case.receive()

    await case.click()
    await case.shows("the buyer is refunded", lambda seen: bool(seen.facts["buyer_refunds"]))

    assert await case.money() == Money(buyer=Decimal(refunded), seller=Decimal(0))
    assert world.reading.return_view(case.id).fees == Decimal("100.00") - Decimal(refunded)


async def test_RET_5_fees_never_exceed_what_is_refundable(world: World) -> None:
    case = await returning(world)
    await case.reaches("awaiting_approval")

    with pytest.raises(Refused, match=r"fees, 100\.01 USD, are higher than the refundable 100\.00 USD"):
        await case.approve(return_fee="60.00", restocking_fee="40.01")

    assert (await case.status()).facts["decision"] is None


async def test_RET_5_a_restocking_fee_is_an_amount_or_a_percentage(world: World) -> None:
    case = await returning(world)
    await case.reaches("awaiting_approval")

    with pytest.raises(Refused, match="not both"):
        await case.approve(restocking_fee="5.00", restocking_percent="10")


async def test_RET_5_label_and_carrier_are_told_to_the_buyer(world: World) -> None:
    case = await returning(world)

    await case.approved(label_url="https://labels.example/77.pdf", carrier="FedEx", label_paid_by="seller")

    letter = await case.buyer_letter("How to send back")
    assert letter.text is not None
    assert "https://labels.example/77.pdf" in letter.text
    assert "send it with FedEx" in letter.text
    view = world.reading.return_view(case.id)
    assert (view.label_url, view.label_paid_by) == ("https://labels.example/77.pdf", "seller")


async def test_RET_5_returnless_needs_no_parcel_and_only_the_buyer_is_refunded(world: World) -> None:
    case = await (await returning(world)).approved("awaiting_buyer_refund", returnless=True)

    await case.click()
    status = await case.ends("completed")

    assert await case.money() == Money(buyer=Decimal("100.00"), seller=Decimal(0))
    assert status.facts["rma_number"] is None
    assert world.reading.return_view(case.id).returnless
    letter = await case.buyer_letter("nothing to send back")
    assert "100.00 USD" in f"{letter.subject} {letter.text}"


async def test_RET_5_returnless_of_a_seller_who_automated_the_review_refunds_at_once(world: World) -> None:
    case = await returning(world, seller=await world.seller(auto_refund_buyer=True))
    await case.reaches("awaiting_approval")

    await case.approve(returnless=True, return_fee="10.00")

    await case.ends("completed")
    assert (await case.money()).buyer == Decimal("90.00")


@pytest.mark.parametrize("stage", ["awaiting_approval", "awaiting_rma", "awaiting_tracking", "in_transit"])
async def test_RET_15_a_return_is_withdrawn_before_it_is_received(world: World, stage: str) -> None:
    case = await returning(world, supplier=await world.supplier(rma="manual"))
    await case.reaches("awaiting_approval")
    if stage != "awaiting_approval":
        await case.approve()
        await case.reaches("awaiting_rma")
    if stage in ("awaiting_tracking", "in_transit"):
        await case.issue_rma(f"RMA-{world.tag}")
        await case.reaches("awaiting_tracking")
    if stage == "in_transit":
        await case.track()
    await case.reaches(stage)

    await case.withdraw(actor="buyer:robin")
    await case.ends("withdrawn")

    assert await case.money() == NOTHING
    await case.buyer_letter("is withdrawn")


async def test_RET_15_an_expired_return_can_be_withdrawn(world: World) -> None:
    case = await (await returning(world)).approved()
    await case.forward(days=31)
    await case.reaches("expired")

    await case.withdraw()

    await case.ends("withdrawn")


async def test_RET_15_a_returnless_one_is_withdrawn_before_the_money_moved(world: World) -> None:
    case = await (await returning(world)).approved("awaiting_buyer_refund", returnless=True)

    await case.withdraw()
    await case.ends("withdrawn")

    assert await case.money() == NOTHING


async def test_RET_15_what_was_received_is_not_withdrawn(world: World) -> None:
    case = await (await returning(world)).approved()
    await case.track()
    await case.receive()
    await case.reaches("awaiting_credit")

    with pytest.raises(Refused, match="RET-15") as refusal:
        await case.withdraw()

    assert refusal.value.type == "RefusedByRule"
    assert (await case.status()).stage == "awaiting_credit"


async def test_RET_15_a_refund_of_the_buyer_ends_the_time_to_withdraw(world: World) -> None:
    case = await (await returning(world)).approved()
    await case.track()
    await case.click()
    await case.shows("the buyer is refunded", lambda seen: bool(seen.facts["buyer_refunds"]))

    with pytest.raises(Refused, match="money was refunded"):
        await case.withdraw()


async def test_RET_15_a_click_that_waits_in_a_withdrawn_return_moves_no_money(world: World) -> None:
    case = await returning(world)
    await case.reaches("awaiting_approval")
    click = await case.signal("buyer_refund", reason="returned")

    await case.withdraw()
    status = await case.ends("withdrawn")

    assert await case.money() == NOTHING
    assert [event.event_id for event in status.rejected_events] == [click["event_id"]]
