"""Words that fit the contract and still can't be used are answered and recorded, and no case is stuck (RET-16)."""

from decimal import Decimal
from typing import Any

import pytest

from models.contract import REFUND_TAKEN_BACK
from models.refunds import Direction, RefundState
from starter.sandbox.facts import RmaPolicy, SupplierSeed
from tests.case_story import CaseStory, Refused
from tests.eventually import eventually
from tests.return_story import returning, shipped_order
from tests.rules.test_refund_exactly_once import gateway_refund_id, paid_order
from tests.world import World

pytestmark = pytest.mark.proof

ODD_TEXTS = {"empty": "", "blank": "   ", "a novel": "No. " * 1000}


async def early(world: World, *events: tuple[str, dict[str, Any]], quantity: int | None = None) -> CaseStory:
    """A return that hears these before a worker looks at it for the first time; the worker is there afterwards."""
    order, *_ = await shipped_order(world)
    queue = f"away-{world.tag}"
    case = await world.return_of(order, task_queue=queue, quantity=quantity)
    for name, fields in events:
        await case.signal(name, **fields)
    return case


def rejections(status: Any) -> list[str]:
    return [one.name for one in status.rejected_events]


# ---- the supplier's web service (RET-8) ----


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
async def test_RET_8_a_service_may_write_any_address_with_its_number(world: World, text: str) -> None:
    supplier = await world.supplier(rma="service")
    await world.sandbox.put_supplier(supplier.supplier_id, SupplierSeed(return_address=text))
    case = await returning(world, supplier=supplier)
    status = await (await case.approved()).status()
    assert status.facts["rma_number"]
    assert status.facts["return_address"] == (text[:2000].strip() or supplier.return_address)


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
async def test_RET_8_a_service_may_refuse_in_any_words(world: World, text: str) -> None:
    supplier = await world.supplier(rma="service")
    seed = SupplierSeed(rma=RmaPolicy.REFUSED, rma_refusal=text)
    await world.sandbox.put_supplier(supplier.supplier_id, seed)
    case = await returning(world, supplier=supplier)
    await case.approved("rma_refused")
    await case.withdraw()
    await case.ends("withdrawn")


# ---- the marketplace refunds by itself (RET-18) ----


async def test_RET_18_an_amount_finer_than_its_currency_is_refused(world: World) -> None:
    case = await (await returning(world)).approved()
    with pytest.raises(Refused, match="smallest unit"):
        await case.update("channel_update", status="refunded_by_channel", amount="10.005")
    await case.withdraw()
    status = await case.ends("withdrawn")
    assert not status.facts["refunded_by_channel"]


async def test_RET_18_an_unusable_amount_that_came_early_is_recorded_and_staff_are_told(world: World) -> None:
    refunded = {"status": "refunded_by_channel", "amount": "10.005", "actor": "channel:ebay"}
    case = await early(world, ("channel_update", refunded))
    async with world.worker(f"away-{world.tag}"):
        await case.update("seller_approval", decision="rejected", reason="worn")
        status = await case.ends("rejected")
    assert rejections(status) == ["channel_update"]

    async def staff_are_told() -> bool:
        mails = await world.sandbox.mails(to=str(world.settings.mail_staff))
        return any(case.id in (mail.text or "") and "can't be booked" in (mail.text or "") for mail in mails)

    await eventually(staff_are_told, bool, "staff are not told")


async def test_RET_18_REF_3_each_refund_of_the_marketplace_counts_against_the_cap(world: World) -> None:
    case = await (await returning(world)).approved()
    for number, amount in enumerate(("10.00", "40.00"), 1):
        await case.update("channel_update", actor="channel:ebay", status="refunded_by_channel", amount=amount)
        refund = world.refund_story(f"RF-{case.id}-B{number}")
        await refund.reaches("succeeded")
    assert world.reading.refunds_of(case.order.id).buyer.left == Decimal("50.00")
    too_much = await world.refund(case.order, amount="50.01")
    await too_much.ends("refused")
    await case.track()
    await case.receive()
    await case.credit("63.00")
    await case.ends("completed")


# ---- approvals and ids ----


@pytest.mark.parametrize("fee", ["1000.00", "0.005"])
async def test_REF_4_an_early_approval_that_can_not_be_holds_up_no_withdrawal(world: World, fee: str) -> None:
    approval = {"decision": "approved", "return_fee": fee}
    case = await early(world, ("seller_approval", approval), ("withdrawal", {"reason": "keeps it"}))
    async with world.worker(f"away-{world.tag}"):
        status = await case.ends("withdrawn")
    assert rejections(status) == ["seller_approval"]
    assert world.reading.return_view(case.id).outcome == "withdrawn"


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_RET_16_an_event_under_the_id_of_another_one_is_not_taken_for_it(world: World, way: str) -> None:
    case = await (await returning(world)).approved()
    tracking = await case.signal("return_tracking", carrier="UPS", tracking_number="1Z")
    await case.reaches("in_transit")
    memo = {"number": f"CM-{case.id}", "date": "2026-03-01", "amount": "63.00", "currency": "USD"}
    if way == "signal":
        await case.signal("credit_memo", event_id=tracking["event_id"], **memo)
        status = await case.shows("the rejection", lambda seen: seen.rejected_count == 1)
        assert "used by return_tracking already" in status.rejected_events[0].reason
    else:
        with pytest.raises(Refused, match="used by return_tracking already"):
            await case.update("credit_memo", event_id=tracking["event_id"], **memo)
    await case.receive()
    await case.credit("63.00")
    await case.reaches("awaiting_buyer_refund")


async def test_RET_5_REF_4_fees_that_take_all_leave_nothing_to_click_for(world: World) -> None:
    case = await (await returning(world)).approved(restocking_percent="100")
    await case.track()
    await case.receive()
    await case.credit("63.00")
    status = await case.ends("completed")
    assert "nothing is left for the buyer" in status.facts["buyer_refund"]
    assert await case.money() == (Decimal(0), Decimal("63.00"))


# ---- the gateway's and a refund's word (REF-7) ----


async def test_REF_7_a_wrong_word_that_a_pending_refund_failed_gives_nothing_back(world: World) -> None:
    order = await paid_order(world, "pm_card_pendingRefund")
    refund = await world.refund(order, amount="100.00")
    await refund.reaches("pending")
    word = {"actor": "gateway:stripe", "gateway_refund_id": await gateway_refund_id(order)}
    await refund.update("gateway_update", status="failed", **word)
    status = await refund.shows("the rejection", lambda seen: seen.rejected_count == 1)
    assert "the gateway itself says pending" in status.rejected_events[0].reason
    assert world.reading.refunds_of(order.id).buyer.left == 0
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.update("gateway_update", status="succeeded", **word)
    await refund.ends("succeeded")


async def test_REF_7_failed_and_succeeded_in_one_breath_are_decided_by_the_gateway(world: World) -> None:
    order = await paid_order(world, "pm_card_pendingRefund")
    queue = f"away-{world.tag}"
    async with world.worker(queue):
        refund = await world.refund(order, amount="100.00", task_queue=queue)
        await refund.reaches("pending")
    await world.sandbox.settle_refund(refund.id, "succeeded")
    word = {"actor": "gateway:stripe", "gateway_refund_id": await gateway_refund_id(order)}
    await refund.signal("gateway_update", status="failed", **word)
    await refund.signal("gateway_update", status="succeeded", **word)
    async with world.worker(queue):
        await refund.ends("succeeded")
    assert world.reading.refund(refund.id).state is RefundState.SUCCEEDED


@pytest.mark.parametrize("amount", ["63.00", "0", "10.005"])
async def test_REF_7_a_return_believes_only_of_its_own_refunds_that_they_were_taken_back(
    world: World, amount: str
) -> None:
    case = await (await returning(world)).approved()
    await case.track()
    foreign = {
        "refund_id": "RF-of-another-S1",
        "state": "failed",
        "amount": amount,
        "currency": "USD",
        "direction": Direction.BROKER_TO_SELLER.value,
    }
    await case.handle.signal(REFUND_TAKEN_BACK, foreign)
    status = await case.shows("the rejection", lambda seen: seen.rejected_count == 1)
    assert "made no refund RF-of-another-S1" in status.rejected_events[0].reason
    await case.receive()
    await case.credit("63.00")
    await case.reaches("awaiting_buyer_refund")
    await case.click()
    await case.ends("completed")
    assert await case.money() == (Decimal("100.00"), Decimal("63.00"))


# ---- what was said of a return that ends without it ----


async def test_RET_12_a_credit_for_a_return_that_is_withdrawn_is_told_to_staff(world: World) -> None:
    case = await (await returning(world)).approved()
    await case.credit("20.00", number=f"CM-{case.id}")
    await case.shows("the credit", lambda seen: Decimal(seen.facts["credited"]) == 20)
    await case.withdraw()
    await case.ends("withdrawn")

    async def staff_are_told() -> bool:
        mails = await world.sandbox.mails(to=str(world.settings.mail_staff))
        return any(f"CM-{case.id} over 20.00 USD" in (mail.text or "") for mail in mails)

    await eventually(staff_are_told, bool, "staff are not told")


async def test_RET_16_what_was_said_of_a_return_that_never_opens_is_answered(world: World) -> None:
    case = await early(
        world,
        ("buyer_refund", {"reason": "goods are back"}),
        ("credit_memo", {"number": "CM-1", "date": "2026-03-01", "amount": "1.00", "currency": "USD"}),
        quantity=3,
    )
    async with world.worker(f"away-{world.tag}"):
        status = await case.ends("refused")
    assert sorted(rejections(status)) == ["buyer_refund", "credit_memo"]


async def test_RET_16_what_was_said_of_a_return_that_staff_stop_is_answered(world: World) -> None:
    case = await returning(world)
    await case.reaches("awaiting_approval")
    await case.click()
    await case.credit("20.00", number=f"CM-{case.id}")
    await case.handle.cancel()
    status = await case.reaches("stopped")
    assert rejections(status) == ["buyer_refund"]
    assert [memo.number for memo in world.reading.return_view(case.id).credit_memos] == [f"CM-{case.id}"]


async def test_RET_16_hundreds_of_long_notes_are_written_down_in_parts(world: World) -> None:
    case = await returning(world)
    await case.reaches("awaiting_approval")
    for _ in range(450):
        await case.signal("return_tracking", carrier="UPS", tracking_number="1Z", note="long " * 399)
    await case.withdraw()
    status = await case.ends("withdrawn")
    kept = [step.what for step in world.reading.return_view(case.id).timeline]
    assert len(kept) > 450
    assert kept[-len(status.timeline) :] == [step.what for step in status.timeline], "the last ones are shown"
