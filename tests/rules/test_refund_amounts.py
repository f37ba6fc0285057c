"""What may be refunded, by whose click, and how it adds up (REF-1..5, REF-8..10)."""

import asyncio
from decimal import Decimal

import pytest

from models.refunds import Direction, RefundState, Way
from tests.case_story import CaseStory, OrderStory, Refused
from tests.world import World


async def paid_order(world: World, **seller: object) -> OrderStory:
    """An order for which the buyer paid 100.00 USD."""
    order = await world.simple_order(await world.seller(**seller))
    await order.reaches("cancel_window")
    return order


async def approved_return(
    world: World, *, approval: dict[str, object] | None = None, **seller: object
) -> CaseStory:
    """A return of two units, worth 100.00 USD, that the seller approved."""
    order = await world.simple_order(await world.seller(**seller))
    await order.shipped()
    case = await world.return_of(order)
    await case.update("seller_approval", decision="approved", **(approval or {}))
    return case


async def money_back(order: OrderStory) -> list[Decimal]:
    """What the gateway really gave back for this order, smallest first."""
    return sorted(refund.amount for refund in (await order.effects()).refunds)


async def why_refused(case: CaseStory) -> str:
    status = await case.ends("refused")
    return status.timeline[-1].what


# ---- REF-1: a person reviews ----


async def test_REF_1_the_buyer_is_refunded_by_a_click_and_not_before(world: World) -> None:
    case = await approved_return(world, approval={"returnless": True})
    status = await case.reaches("awaiting_buyer_refund")
    assert status.waiting_for is not None
    assert (status.waiting_for.who, status.waiting_for.what) == ("seller", "review, and click to refund the buyer")
    assert not [
        one for one in (await world.effects()).refunds if one.metadata["backhaul_id"].startswith(f"RF-{case.id}")
    ]

    await case.update("buyer_refund", reason="reviewed")

    status = await case.ends("completed")
    assert [done["amount"] for done in status.facts["buyer_refunds"]] == ["100.00"]


@pytest.mark.proof
async def test_REF_1_a_seller_may_automate_the_review(world: World) -> None:
    case = await approved_return(world, approval={"returnless": True}, auto_refund_buyer=True)
    status = await case.ends("completed")
    assert status.facts["buyer_refund"] == "buyer refunded 100.00 USD"


# ---- REF-2: a direct refund ----


async def test_REF_2_a_direct_refund_of_part_of_an_order_needs_no_return(world: World) -> None:
    order = await paid_order(world)
    sku = order.request.lines[0].sku
    refund = await world.refund(
        order, amount="12.50", reason="scratched", lines=[{"sku": sku, "quantity": 1}], requested_by="seller:jane"
    )
    await refund.ends("succeeded")
    assert await money_back(order) == [Decimal("12.50")]
    (listed,) = world.reading.refunds_of(order.id).refunds
    assert (listed.reason, listed.requested_by, listed.return_id) == ("scratched", "seller:jane", None)


# ---- REF-3: partial refunds until the paid amount is used up ----


@pytest.mark.proof
async def test_REF_3_partial_refunds_until_the_paid_amount_is_used_up(world: World) -> None:
    order = await paid_order(world)
    for amount in ("60.00", "39.99", "0.01"):
        await (await world.refund(order, amount=amount)).ends("succeeded")
    one_cent_more = await world.refund(order, amount="0.01")
    assert "more than the 0.00 USD still refundable" in (await why_refused(one_cent_more))
    assert await money_back(order) == [Decimal("0.01"), Decimal("39.99"), Decimal("60.00")]


@pytest.mark.proof
async def test_REF_3_a_pending_refund_counts_against_what_is_left(world: World) -> None:
    order = await world.simple_order(buyer_method="pm_card_pendingRefund")
    await order.reaches("cancel_window")
    await (await world.refund(order, amount="70.00")).reaches("pending")
    too_much = await world.refund(order, amount="30.01")
    assert "refunded or pending 70.00" in await why_refused(too_much)
    assert await money_back(order) == [Decimal("70.00")]


@pytest.mark.parametrize("way", [Way.MARKETPLACE, Way.MANUAL])
async def test_REF_3_a_refund_made_elsewhere_counts_under_the_same_cap(world: World, way: Way) -> None:
    order = await paid_order(world)
    elsewhere = await world.refund(order, amount="80.00", way=way.value, reference="CHK-1")
    await elsewhere.ends("succeeded")
    assert "more than the 20.00 USD" in await why_refused(await world.refund(order, amount="20.01"))
    await (await world.refund(order, amount="20.00")).ends("succeeded")
    assert await money_back(order) == [Decimal("20.00")]


async def test_REF_3_refunds_at_the_same_moment_hold_the_cap(world: World) -> None:
    order = await paid_order(world)
    refunds = await asyncio.gather(*(world.refund(order, amount="30.00") for _ in range(6)))
    await asyncio.gather(*(refund.handle.result() for refund in refunds))
    assert await money_back(order) == [Decimal("30.00")] * 3
    totals = world.reading.refunds_of(order.id).buyer
    assert (totals.refunded, totals.pending, totals.left) == (Decimal(90), Decimal(0), Decimal(10))


@pytest.mark.proof
async def test_REF_3_the_two_directions_never_use_up_each_others_cap(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    await (await world.refund(order, amount="100.00")).ends("succeeded")
    seller = await world.refund(order, direction=Direction.BROKER_TO_SELLER.value)
    await seller.ends("succeeded")
    assert await money_back(order) == [Decimal("63.00"), Decimal("100.00")]


# ---- REF-4: fees never exceed what can be refunded ----


@pytest.mark.proof
async def test_REF_4_fees_over_the_returns_worth_are_a_clear_error_and_change_nothing(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    case = await world.return_of(order)
    await case.reaches("awaiting_approval")
    with pytest.raises(Refused, match="REF-4") as refused:
        await case.update("seller_approval", decision="approved", return_fee="60.00", restocking_percent="40.01")
    assert refused.value.type == "RefusedByRule"
    status = await case.status()
    assert (status.stage, status.facts["decision"], status.rejected_count) == ("awaiting_approval", None, 0)


async def test_REF_4_fees_are_deducted_from_the_buyers_refund(world: World) -> None:
    fees = {"returnless": True, "return_fee": "7.50", "restocking_percent": "10"}
    case = await approved_return(world, approval=fees)
    await case.update("buyer_refund", reason="reviewed")
    status = await case.ends("completed")
    assert status.facts["buyer_refund"] == "buyer refunded 82.50 USD"


# ---- REF-5: more than was paid ----


async def test_REF_5_more_than_was_paid_is_refused(world: World) -> None:
    order = await paid_order(world)
    assert "more than the 100.00 USD" in await why_refused(await world.refund(order, amount="100.01"))
    assert await money_back(order) == []
    assert world.reading.refunds_of(order.id).refunds == ()


async def test_REF_5_a_seller_may_allow_it_and_then_it_is_marked(world: World) -> None:
    order = await paid_order(world, allow_over_refund=True)
    # The marketplace paid the buyer more than it took; a card's own gateway never does.
    more = await world.refund(order, amount="120.00", way="marketplace", reason="A-to-Z claim with postage")
    status = await more.ends("succeeded")
    assert status.facts["over_refund"] is True
    (listed,) = world.reading.refunds_of(order.id).refunds
    assert (listed.amount, listed.over_refund, listed.reason) == (Decimal(120), True, "A-to-Z claim with postage")


@pytest.mark.proof
async def test_REF_5_what_the_gateway_refuses_for_good_is_refused_and_gives_the_cap_back(world: World) -> None:
    order = await paid_order(world, allow_over_refund=True)
    assert "amount_too_large" in await why_refused(await world.refund(order, amount="120.00"))
    await (await world.refund(order, amount="100.00")).ends("succeeded")
    assert await money_back(order) == [Decimal("100.00")]


# ---- REF-12: a second person ----


async def test_REF_12_a_click_over_the_limit_waits_for_another_person(world: World) -> None:
    case = await approved_return(world, approval={"returnless": True}, refund_limits={"USD": "60.00"})
    await case.reaches("awaiting_buyer_refund")
    told = await case.update("buyer_refund", actor="seller:jane", reason="reviewed")
    assert "waits for a second person" in told.message
    waiting = (await case.reaches("refunding_buyer")).waiting_for
    assert waiting is not None
    assert waiting.what.startswith("a second person to confirm refund")
    refund = world.refund_story(f"RF-{case.id}-B1")
    assert (await refund.reaches("awaiting_confirmation")).facts["requested_by"] == "seller:jane"
    with pytest.raises(Refused, match="another person must confirm it"):
        await refund.update("refund_confirmed", actor="staff:jane")
    await refund.update("refund_confirmed", actor="seller:tom")
    order_id = (await case.ends("completed")).facts["order_id"]
    (listed,) = (one for one in world.reading.refunds_of(order_id).refunds if one.confirmed_by)
    assert (listed.requested_by, listed.confirmed_by) == ("seller:jane", "seller:tom")


# ---- REF-8, REF-9 ----


@pytest.mark.proof
async def test_REF_8_a_full_refund_names_no_amount_and_takes_what_is_left(world: World) -> None:
    order = await paid_order(world)
    await (await world.refund(order, amount="1.00")).ends("succeeded")
    rest = await (await world.refund(order)).ends("succeeded")
    assert rest.facts["amount"] == "99.00"
    assert "nothing is left to refund" in await why_refused(await world.refund(order))


@pytest.mark.proof
async def test_REF_9_the_original_payment_refused_for_good_leaves_room_for_a_manual_refund(world: World) -> None:
    order = await paid_order(world)
    await world.sandbox.add_fault("gateway", "refuse", "POST /v1/refunds", code="charge_disputed")
    assert "charge_disputed" in await why_refused(await world.refund(order, amount="40.00"))

    by_cheque = await world.refund(order, amount="40.00", way="manual", reference="CHK-77")

    await by_cheque.ends("succeeded")
    assert await money_back(order) == []
    refused, manual = world.reading.refunds_of(order.id).refunds
    assert (refused.state, refused.failure_reason) == (RefundState.REFUSED, "charge_disputed")
    assert (manual.state, manual.way, manual.reference) == (RefundState.SUCCEEDED, Way.MANUAL, "CHK-77")
    assert world.reading.refunds_of(order.id).buyer.left == Decimal(60)


async def test_REF_9_the_buyer_gets_it_from_the_sellers_own_account(world: World) -> None:
    order = await paid_order(world, account=f"acct_{world.tag}")
    await (await world.refund(order, amount="5.00")).ends("succeeded")
    (refund,) = (await order.effects()).refunds
    assert (refund.account, refund.payment_intent) == (f"acct_{world.tag}", order.request.paid_with[0].reference)


# ---- REF-10: they can be listed, and add up ----


async def test_REF_10_the_orders_refunds_are_listed_with_amount_reason_who_and_when_and_add_up(
    world: World,
) -> None:
    order = await world.simple_order(buyer_method="pm_card_pendingRefund")
    await order.reaches("cancel_window")
    await (await world.refund(order, amount="10.00", reason="late", requested_by="seller:jane")).reaches("pending")
    await (await world.refund(order, amount="20.00", way="manual", requested_by="staff:lee")).ends("succeeded")
    await (await world.refund(order, amount="90.00")).ends("refused")

    refunds = world.reading.refunds_of(order.id)

    pending, manual = refunds.refunds
    assert (pending.amount, pending.reason, pending.requested_by, pending.state) == (
        Decimal(10), "late", "seller:jane", RefundState.PENDING,
    )  # fmt: skip
    assert (manual.amount, manual.requested_by, manual.state) == (Decimal(20), "staff:lee", RefundState.SUCCEEDED)
    assert pending.reserved_at <= manual.reserved_at
    assert (pending.settled_at, manual.settled_at is not None) == (None, True)
    totals = refunds.buyer
    assert (totals.paid, totals.refunded, totals.pending, totals.left) == (
        Decimal(100), Decimal(20), Decimal(10), Decimal(70),
    )  # fmt: skip
