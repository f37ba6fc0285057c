"""A refund that succeeded fails days later: its amount is refundable again, its return reopens, people are told
(REF-7)."""

import asyncio
import threading
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session

from activities.database import return_reopenings
from models.case import CaseStatus
from models.contract import NUMBERS
from models.ids import refund_workflow_id
from models.records import ReopenReturn, ReturnReopened
from models.refunds import GatewayUpdate, RefundState
from starter.client.send import CaseEnded, record_event, send_event
from tests.case_story import CaseStory, OrderStory, Refused
from tests.eventually import eventually
from tests.return_story import COST_EACH, PAID_EACH, ReturnStory, returning, shipped_order
from tests.rules.staff_cancel import stopped
from tests.stages import say, taken_back
from tests.world import World

pytestmark = pytest.mark.proof

PAID, COST = 2 * PAID_EACH, 2 * COST_EACH


async def completed(world: World, **approval: Any) -> ReturnStory:
    """A return with both refunds made."""
    case = await (await returning(world)).approved(**approval)
    await case.track()
    await case.receive()
    await case.credit(f"{COST}")
    await case.reaches("awaiting_buyer_refund")
    await case.click()
    await case.ends("completed")
    return case


def buyer_refund(case: ReturnStory, number: str = "1") -> CaseStory:
    return _refund(case, f"B{number}")


def seller_refund(case: ReturnStory, number: str = "1") -> CaseStory:
    return _refund(case, f"S{number}")


def _refund(case: ReturnStory, number: str) -> CaseStory:
    ident = f"RF-{case.id}-{number}"
    return CaseStory(case.stack, case.stack.client.get_workflow_handle(refund_workflow_id(ident)), ident)


async def told(world: World, to: str, subject: str, containing: str) -> None:
    async def look() -> bool:
        return any(containing in (one.text or "") for one in await world.sandbox.mails(to=to, subject=subject))

    await eventually(look, bool, f"{to} is not told: {subject}, {containing}")


async def left(order: OrderStory) -> Decimal:
    return (await order.books()).refunds.buyer.left


# ---- the refund itself ----


@pytest.mark.parametrize("way", ["update", "signal"])
async def test_REF_7_what_fails_after_it_succeeded_is_refundable_again_and_people_are_told(
    world: World, way: str
) -> None:
    order, seller, _ = await shipped_order(world)
    refund = await world.refund(order)
    ident = (await refund.ends("succeeded")).facts["gateway_refund_id"]
    assert await left(order) == 0
    await world.sandbox.settle_refund(refund.id, "failed")
    word = GatewayUpdate.model_validate(
        refund.event(actor="gateway:stripe", status="failed", gateway_refund_id=ident, reason="account closed")
    )
    send = send_event if way == "update" else record_event
    await send(world.client, refund.handle.id, "gateway_update", word)

    status = await refund.ends("failed")
    assert "account closed" in status.timeline[-1].what
    assert (await left(order), world.reading.refund(refund.id).state) == (PAID, RefundState.FAILED)
    await told(world, seller.email, f"A refund for order {order.id} was not made", "account closed")
    await told(world, str(world.settings.mail_staff), refund.id, "failed after it had succeeded")
    again = await world.refund(order)
    await again.ends("succeeded")
    assert sum(one.amount for one in (await order.effects()).refunds if one.status == "succeeded") == PAID


async def test_REF_7_a_late_word_that_the_gateway_does_not_confirm_gives_nothing_back(world: World) -> None:
    order, *_ = await shipped_order(world)
    refund = await world.refund(order, amount="40.00")
    await taken_back(refund, at_the_gateway=False)
    status = await refund.ends("succeeded")
    assert "the gateway itself says succeeded" in status.rejected_events[-1].reason
    assert (await left(order), world.reading.refund(refund.id).state) == (PAID - 40, RefundState.SUCCEEDED)


async def test_REF_7_a_late_word_about_another_refund_gives_nothing_back(world: World) -> None:
    order, *_ = await shipped_order(world)
    refund = await world.refund(order, amount="40.00")
    await refund.ends("succeeded")
    await say(refund, "failed", "re_of_another")
    status = await refund.ends("succeeded")
    assert "another refund's" in status.rejected_events[-1].reason
    assert await left(order) == PAID - 40


@pytest.mark.parametrize("word", ["succeeded", "pending"])
async def test_REF_7_other_late_words_are_answered_and_change_nothing(world: World, word: str) -> None:
    order, *_ = await shipped_order(world)
    refund = await world.refund(order, amount="40.00")
    ident = (await refund.ends("succeeded")).facts["gateway_refund_id"]
    with pytest.raises(CaseEnded):
        await say(refund, word, ident)
    assert await left(order) == PAID - 40


async def test_REF_7_the_same_late_word_twice_gives_back_once(world: World) -> None:
    order, *_ = await shipped_order(world)
    refund = await world.refund(order, amount="40.00")
    await taken_back(refund)
    ident = (await refund.ends("failed")).facts["gateway_refund_id"]
    await say(refund, "failed", ident)
    status = await refund.shows("that it had failed", lambda seen: seen.timeline[-1].what.endswith("already"))
    assert (status.stage, status.rejected_count) == ("failed", 0), "the same news is no fault of its sender"
    assert (await left(order), world.reading.refund(refund.id).state) == (PAID, RefundState.FAILED)


async def test_REF_7_a_refund_made_elsewhere_is_not_taken_back_by_a_gateway(world: World) -> None:
    order, *_ = await shipped_order(world)
    refund = await world.refund(order, amount="40.00", way="manual", requested_by="staff:lee")
    await refund.ends("succeeded")
    await say(refund, "failed", "re_1")
    status = await refund.ends("succeeded")
    assert status.rejected_count == 1
    assert await left(order) == PAID - 40


async def test_REF_7_a_refund_that_fails_while_its_success_is_written_is_taken_back(world: World) -> None:
    order, *_ = await shipped_order(world, buyer_method="pm_card_pendingRefund")
    queue = f"away-{world.tag}"
    async with world.worker(queue):
        refund = await world.refund(order, amount="40.00", task_queue=queue)
        ident = (await refund.reaches("pending")).facts["gateway_refund_id"]
    for word in ("succeeded", "failed"):
        await refund.signal("gateway_update", actor="gateway:stripe", status=word, gateway_refund_id=ident)
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await world.sandbox.settle_refund(refund.id, "failed")
    async with world.worker(queue):
        await refund.ends("failed")
    assert await left(order) == PAID


# ---- the return that still runs ----


async def test_REF_7_a_running_return_waits_for_a_new_click(world: World) -> None:
    case = await (await returning(world)).approved()
    await case.click()
    await case.track()
    await case.reaches("in_transit")
    await buyer_refund(case).ends("succeeded")
    await case.forward(days=9)
    await taken_back(buyer_refund(case))
    status = await case.shows("that it waits again", lambda seen: "awaiting_buyer_refund" in _stages(seen))
    assert status.facts["buyer_refunds"] == []
    await case.click()
    await case.receive()
    await case.credit(f"{COST}")
    await case.ends("completed")
    assert await case.money() == (PAID, COST)


async def test_REF_7_a_running_return_makes_the_sellers_refund_again(world: World) -> None:
    case = await (await returning(world)).approved()
    await case.track()
    await case.receive()
    await case.credit(f"{COST}")
    await case.reaches("awaiting_buyer_refund")
    await taken_back(seller_refund(case))
    status = await case.reaches("refunding_seller")
    assert status.waiting_for is not None
    assert status.waiting_for.who == "staff"
    await case.click()
    await case.shows("the buyer's refund", lambda seen: bool(seen.facts["buyer_refunds"]))
    await case.forward(days=4)
    await case.ends("completed")
    assert await case.money() == (PAID, COST)


# ---- the return that was completed ----


async def test_REF_7_a_completed_return_reopens_for_a_new_click(world: World) -> None:
    case = await completed(world, return_fee="7.50")
    numbers = await case.attribute(NUMBERS)
    await taken_back(buyer_refund(case))

    status = await case.reaches("awaiting_buyer_refund")
    assert status.waiting_for is not None
    assert status.waiting_for.who == "seller"
    assert await case.attribute(NUMBERS) == numbers is not None
    standing = world.reading.standing(case.handle.id)
    assert standing is not None
    assert (standing.stage, standing.ended) == ("awaiting_buyer_refund", False)
    await case.seller_letter(f"Return {case.id} is open again")

    await case.forward(days=31)
    reminded = [
        step.what for step in (await case.status()).timeline if "reminded to refund the buyer" in step.what
    ]
    assert reminded, "nobody is reminded while days pass"
    assert (await case.status()).stage == "awaiting_buyer_refund"
    await case.click()
    await case.ends("completed")
    assert await case.money() == (PAID - Decimal("7.50"), COST)
    view = world.reading.return_view(case.id)
    assert (view.outcome, view.fees) == ("completed", Decimal("7.50"))
    assert view.listed.rma_number in (numbers or ())


async def test_REF_7_a_completed_return_reopens_to_refund_the_seller_again(world: World) -> None:
    case = await completed(world)
    await taken_back(seller_refund(case))
    await case.reaches("refunding_seller")
    await case.forward(days=4)
    await case.ends("completed")
    assert await case.money() == (PAID, COST)


async def test_REF_7_both_refunds_of_a_completed_return_are_taken_back(world: World) -> None:
    case = await completed(world)
    await taken_back(buyer_refund(case))
    await taken_back(seller_refund(case))
    await case.shows(
        "both are owed", lambda seen: {"awaiting_buyer_refund", "refunding_seller"} <= set(_stages(seen))
    )
    await case.click()
    await case.shows("the buyer's refund", lambda seen: bool(seen.facts["buyer_refunds"]))
    await case.forward(days=4)
    await case.ends("completed")
    assert await case.money() == (PAID, COST)


async def test_REF_7_what_was_refunded_again_may_be_taken_back_again(world: World) -> None:
    case = await completed(world)
    await taken_back(buyer_refund(case))
    for opening in (2, 3):
        await case.reaches("awaiting_buyer_refund")
        await case.click()
        await case.ends("completed")
        if opening == 2:
            await taken_back(buyer_refund(case, "2"))
    assert await case.money() == (PAID, COST)


async def test_REF_7_a_reopened_return_takes_only_what_settles_it(world: World) -> None:
    case = await completed(world)
    await taken_back(buyer_refund(case))
    await case.reaches("awaiting_buyer_refund")
    for event in (case.approve, case.track, case.receive, case.withdraw):
        with pytest.raises(Refused, match="open again only to refund again"):
            await event()
    await case.credit("1.00", number=f"late-{case.id}")
    await case.update("channel_update", actor="channel:ebay", status="refunded_by_channel", amount=f"{PAID}")
    await case.ends("completed")
    assert (await case.money()).buyer == 0
    assert await left(case.order) == 0
    assert await case.alerts_staff(f"late-{case.id}")


async def test_REF_7_a_return_that_staff_stopped_stays_so_and_staff_are_told(world: World) -> None:
    case = await (await returning(world)).approved()
    await case.click()
    await case.track()
    await case.reaches("in_transit")
    await buyer_refund(case).reaches("succeeded")
    await stopped(case)
    await taken_back(buyer_refund(case))
    await buyer_refund(case).ends("failed")
    await told(world, str(world.settings.mail_staff), buyer_refund(case).id, "failed after it had succeeded")
    assert (await case.status()).stage == "stopped"
    assert await left(case.order) == PAID


async def test_REF_7_a_return_that_still_sends_its_last_mails_opens_again_after_them(world: World) -> None:
    seller = await world.seller()
    case = await (await returning(world, seller)).approved(returnless=True, stage="awaiting_buyer_refund")
    await world.sandbox.add_fault("mail", "delay", str(case.order.request.buyer.email), times=None, seconds=2.0)
    await case.click()
    await case.reaches("completed")
    await taken_back(buyer_refund(case))
    await world.sandbox.clear_faults()
    await case.reaches("awaiting_buyer_refund")
    await case.click()
    await case.ends("completed")
    assert await case.money() == (PAID, Decimal(0))


async def both_are_made_again(case: ReturnStory) -> None:
    def both_awaited(seen: CaseStatus) -> bool:
        waits = [seen.waiting_for, *seen.also_waiting_for]
        return {"refunding_seller", "awaiting_buyer_refund"} <= {wait.stage for wait in waits if wait is not None}

    await case.shows("that both are waited for", both_awaited)
    await case.click()
    await case.shows("the buyer's refund", lambda seen: bool(seen.facts["buyer_refunds"]))
    await case.forward(days=4)
    await case.ends("completed")
    assert await case.money() == (PAID, COST)


async def test_REF_7_two_refunds_that_are_taken_back_during_the_last_mails_are_both_made_again(
    world: World,
) -> None:
    case = await (await returning(world)).approved()
    await case.track()
    await case.receive()
    await case.credit(f"{COST}")
    await case.reaches("awaiting_buyer_refund")
    await world.sandbox.add_fault("mail", "drop_before", str(case.order.request.buyer.email), times=None)
    await case.click()
    await case.reaches("completed")
    for refund in (buyer_refund(case), seller_refund(case)):
        await taken_back(refund)
    heard = "failed after it had succeeded"
    await case.shows("both", lambda seen: sum(heard in step.what for step in seen.timeline) == 2)
    await world.sandbox.clear_faults()
    await both_are_made_again(case)


async def test_REF_7_a_refund_that_is_taken_back_while_its_return_opens_again_is_made_again_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, go_on, reopen_return = threading.Event(), threading.Event(), return_reopenings.reopen_return

    def dawdle(session: Session, ask: ReopenReturn) -> ReturnReopened:
        opening.set()
        go_on.wait(20)
        return reopen_return(session, ask)

    case = await completed(world)
    monkeypatch.setattr(return_reopenings, "reopen_return", dawdle)
    await taken_back(seller_refund(case))
    assert await asyncio.to_thread(opening.wait, 20), "the return does not open again"
    await taken_back(buyer_refund(case))
    heard = f"{buyer_refund(case).id} of {PAID} USD failed after it had succeeded"
    await case.shows("the second", lambda seen: any(heard in step.what for step in seen.timeline))
    go_on.set()
    await both_are_made_again(case)


async def test_REF_7_an_order_whose_refund_is_taken_back_says_so(world: World) -> None:
    order = await world.simple_order(await world.seller(auto_refund_buyer=True))
    await order.reaches("cancel_window")
    await order.update("cancel_request", reason="changed their mind")
    await order.ends("cancelled")
    refund = world.refund_story(f"RF-{order.id}-OB1")
    await taken_back(refund)
    await refund.ends("failed")
    assert await left(order) == PAID
    await told(world, str(world.settings.mail_staff), refund.id, "failed after it had succeeded")


@pytest.mark.parametrize("damage", [{}, {"refund_id": "x"}, {"state": "failed", "extra": 1}])
async def test_RET_16_a_damaged_word_from_a_refund_is_recorded_and_changes_nothing(
    world: World, damage: dict[str, Any]
) -> None:
    case = await (await returning(world)).approved()
    await case.handle.signal("refund_taken_back", damage)
    await case.handle.signal("refund_taken_back", args=[])
    status = await case.shows("both rejections", lambda seen: seen.rejected_count == 2)
    assert status.stage == "awaiting_tracking"


def _stages(status: Any) -> list[str]:
    waits = [status.waiting_for, *status.also_waiting_for]
    return [wait.stage for wait in waits if wait is not None]
