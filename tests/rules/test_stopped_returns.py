"""Staff stop a return where goods or money are out of its hands: what is under way ends as it must, the books and
staff know of it, and its number is no second return (RET-15, RET-12, REF-6, REF-7)."""

import asyncio
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import pytest
from sqlmodel import Session
from temporalio.client import WorkflowExecutionStatus

from activities.database import Books
from models.records import BookCreditMemo
from models.refunds import GatewayUpdate, RefundState
from models.returns import ReturnRequest
from starter.client.send import send_event
from starter.client.start import open_return
from tests.return_story import COST_EACH, PAID_EACH, Money, ReturnStory, returning
from tests.rules.slow_partners import FAULTS, is_met
from tests.rules.staff_cancel import comes_to_its_stop, pauses_pass, stopped
from tests.stages import reopened_return_at, return_at
from tests.world import Refused, World, eventually

PAID, COST = 2 * PAID_EACH, 2 * COST_EACH


async def is_no_second_return(case: ReturnStory) -> None:
    """Opened again under its number, it stays as it ended."""
    before = case.world.reading.return_view(case.id)
    request = ReturnRequest.model_validate(
        {
            "return_id": case.id,
            "order_id": case.order.id,
            "lines": [{"sku": case.sku, "quantity": 1, "reason": "x"}],
        }
    )
    again = await open_return(case.world.client, request, task_queue=case.world.task_queue)
    assert again.already
    assert case.world.reading.return_view(case.id) == before


# ---- goods ----


@pytest.mark.parametrize("fault", FAULTS)
async def test_RET_15_a_return_that_staff_stop_while_the_rma_service_is_asked_says_so_to_staff(
    world: World, fault: str
) -> None:
    await world.sandbox.clear_requests()
    await world.sandbox.add_fault("supplier", fault, "PUT /v1/rmas/", **FAULTS[fault])
    case = await returning(world, supplier=await world.supplier(rma="service"))
    await case.approved("awaiting_rma")
    await is_met(case, "supplier", fault)

    await case.handle.cancel()
    await world.sandbox.clear_faults()
    await pauses_pass(case)
    await comes_to_its_stop(case)

    assert await case.alerts_staff(f"{case.supplier.supplier_id} was asked for an RMA number")
    assert world.reading.return_view(case.id).listed.rma_number is None
    assert (await case.order.effects()).refunds == ()
    # Nothing came back, so the units may be returned again (RET-2); the supplier knows one RMA per return.
    again = await world.return_of(case.order)
    await again.reaches("awaiting_approval")
    issued = [rma.return_id for rma in (await world.effects()).rmas if rma.return_id == case.id]
    assert len(issued) <= 1
    if fault == "drop_after":
        assert issued == [case.id]
    await is_no_second_return(case)


@pytest.mark.parametrize(
    ("stage", "named"),
    [
        ("awaiting_tracking", "the buyer was told to send the goods to"),
        ("expired", "the buyer was told to send the goods to"),
        ("in_transit", "its goods are on their way to"),
        ("awaiting_credit", "has goods of it"),
    ],
)
async def test_RET_15_goods_that_are_under_way_when_staff_stop_their_return_are_named_to_staff(
    world: World, stage: str, named: str
) -> None:
    case = await return_at(world, stage)
    await stopped(case)
    (letter,) = await case.alerts_staff("nothing was called back")
    assert named in str(letter.text)
    assert case.supplier.supplier_id in str(letter.text)


@pytest.mark.parametrize("stage", ["awaiting_approval", "awaiting_rma", "rma_refused", "awaiting_buyer_refund"])
async def test_RET_15_a_return_that_staff_stop_before_anything_is_under_way_needs_nobody(
    world: World, stage: str
) -> None:
    case = await return_at(world, stage)
    await stopped(case)
    assert await case.staff_letters("nothing was called back") == []


# ---- a credit memo ----


class SlowToBook:
    """Books that keep a credit memo waiting before they count it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.are_asked = threading.Event()
        self.go_on = threading.Event()
        write = Books._write

        def slow(books: Books, work: Callable[[Session, Any], Any], ask: Any) -> Any:
            if isinstance(ask, BookCreditMemo):
                self.are_asked.set()
                self.go_on.wait(30)
            return write(books, work, ask)

        monkeypatch.setattr(Books, "_write", slow)


async def test_RET_12_a_credit_memo_that_is_being_booked_when_staff_stop_its_return_is_counted_and_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = SlowToBook(monkeypatch)
    case = await return_at(world, "awaiting_credit")
    await case.credit(f"{COST}", f"CM-{case.id}")
    assert await asyncio.to_thread(books.are_asked.wait, 20)
    await case.handle.cancel()
    await case.shows("that staff stop it", lambda seen: any("by staff" in step.what for step in seen.timeline))
    books.go_on.set()
    await comes_to_its_stop(case)
    assert world.reading.return_view(case.id).credited == COST
    assert await case.alerts_staff(f"CM-{case.id} over {COST} USD")
    assert (await case.order.effects()).refunds == ()


async def test_RET_12_what_was_credited_to_a_return_that_staff_stop_is_named_to_staff(world: World) -> None:
    case = await return_at(world, "awaiting_credit")
    await case.credit("20.00", f"CM-{case.id}")
    await case.shows("the credit", lambda seen: seen.facts["credited"] == "20.00")
    await stopped(case)
    assert await case.alerts_staff(f"CM-{case.id} over 20.00 USD")
    assert world.reading.return_view(case.id).credited == 20


# ---- refunds ----


@pytest.mark.parametrize(("stage", "side"), [("refunding_buyer", "B1"), ("refunding_seller", "S1")])
async def test_REF_6_a_refund_that_is_under_way_when_staff_stop_its_return_is_named_and_goes_on(
    world: World, stage: str, side: str
) -> None:
    case = await return_at(world, stage)
    refund = world.refund_story(f"RF-{case.id}-{side}")
    assert await stopped(case) == stage
    assert await case.alerts_staff(f"refund {refund.id} goes on by itself")
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)
    await refund.ends("succeeded")
    assert await case.money() == (Money(PAID, Decimal(0)) if side == "B1" else Money(Decimal(0), COST))
    totals = world.reading.refunds_of(case.order.id)
    assert (totals.buyer.refunded, totals.seller.refunded) == await case.money()
    await is_no_second_return(case)


@pytest.mark.parametrize(("stage", "side"), [("refunding_buyer", "B1"), ("refunding_seller", "S1")])
async def test_REF_6_a_refund_that_staff_stop_under_its_return_is_asked_for_again_and_made_once(
    world: World, stage: str, side: str
) -> None:
    """The other way round: the refund is stopped, and its return goes on: by a new click, or after three days."""
    case = await return_at(world, stage)
    refund = world.refund_story(f"RF-{case.id}-{side}")
    ident = (await refund.status()).facts["gateway_refund_id"]
    await stopped(refund)
    await case.shows("that it did not succeed", lambda seen: any("ended without" in s.what for s in seen.timeline))
    assert world.reading.refund(refund.id).state is RefundState.PENDING
    told = await eventually(
        lambda: world.sandbox.mails(to=str(world.settings.mail_staff), subject=refund.id),
        bool,
        "staff are not told",
    )
    assert any("look at the gateway" in str(letter.text) for letter in told)
    with pytest.raises(Refused, match="can't be withdrawn"):
        await case.withdraw()

    if side == "B1":
        await case.reaches("awaiting_buyer_refund")
        await case.click(amount="1.00")  # this very refund is asked for again, whatever the click says
    else:
        await case.forward(days=3, seconds=1)
    await refund.reaches("pending")
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.update("gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id=ident)
    fact = "buyer_refunds" if side == "B1" else "seller_refund"
    await case.shows("that it is refunded", lambda seen: bool(seen.facts[fact]))
    assert len((await case.order.effects()).refunds) == 1


async def test_RET_18_REF_3_the_marketplaces_refund_is_booked_beside_one_that_staff_stopped(world: World) -> None:
    case = await return_at(world, "refunding_buyer")
    await stopped(world.refund_story(f"RF-{case.id}-B1"))
    await case.shows("that it did not succeed", lambda seen: any("ended without" in s.what for s in seen.timeline))
    left = world.reading.refunds_of(case.order.id).buyer.left
    await case.update("channel_update", status="refunded_by_channel", amount="1.00")
    await world.refund_story(f"RF-{case.id}-B2").reaches("refused" if left < 1 else "succeeded")
    assert world.reading.refund(f"RF-{case.id}-B1").state is RefundState.PENDING


@pytest.mark.parametrize("word", ["succeeded", "failed"])
@pytest.mark.parametrize(("stage", "side"), [("refunding_buyer", "B1"), ("refunding_seller", "S1")])
async def test_REF_6_a_return_hears_of_a_stopped_refund_that_the_gateways_word_brought_to_its_end(
    world: World, stage: str, side: str, word: Literal["succeeded", "failed"]
) -> None:
    case = await return_at(world, stage)
    refund = world.refund_story(f"RF-{case.id}-{side}")
    ident = (await refund.status()).facts["gateway_refund_id"]
    await stopped(refund)
    await case.shows("that it did not succeed", lambda seen: any("ended without" in s.what for s in seen.timeline))
    await world.sandbox.settle_refund(refund.id, word)
    said = GatewayUpdate.model_validate(
        refund.event(actor="gateway:stripe", status=word, gateway_refund_id=ident, reason=None)
    )
    await send_event(world.client, refund.handle.id, "gateway_update", said)
    await case.shows("its end", lambda seen: any(f"is {word} after all" in s.what for s in seen.timeline))

    if word == "failed":  # it is made anew, under another id
        if side == "B1":
            await case.click()
        else:
            await case.forward(days=3, seconds=1)
        again = world.refund_story(f"RF-{case.id}-{side[0]}2")
        await again.reaches("pending")
        await world.sandbox.settle_refund(again.id, "succeeded")
        await again.forward(hours=25)
    fact = "buyer_refunds" if side == "B1" else "seller_refund"
    await case.shows("that it is refunded", lambda seen: bool(seen.facts[fact]))
    refunds = (await case.order.effects()).refunds
    assert [one.status for one in refunds].count("succeeded") == 1


# ---- opened again after a refund failed (REF-7) ----


@pytest.mark.parametrize("stage", ["awaiting_buyer_refund", "refunding_seller", "refunding_buyer"])
async def test_REF_7_a_return_that_staff_stop_after_it_was_opened_again_owes_what_failed_and_staff_know(
    world: World, stage: str
) -> None:
    case, failed = await reopened_return_at(world, stage)
    before = await case.money()
    assert await stopped(case) == stage
    assert await case.alerts_staff(f"refund {failed} failed and is not made again")
    view = world.reading.return_view(case.id)
    assert view.outcome == "stopped"
    assert (view.decision, view.listed.tracking_number, view.credited) == ("approved", "1ZBACK", COST)
    assert world.reading.refund(failed).state is RefundState.FAILED
    # What was on its way goes on; nothing else moves.
    assert await case.money() == before
    totals = world.reading.refunds_of(case.order.id)
    assert totals.buyer.left == (PAID if stage == "awaiting_buyer_refund" else 0)
    assert (await case.handle.describe()).status is WorkflowExecutionStatus.CANCELED
    await is_no_second_return(case)
