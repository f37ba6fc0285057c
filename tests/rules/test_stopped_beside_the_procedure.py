"""Staff stop a case that waits for what is beside its procedure: the mail server, the books, a limit's watch, the
gateway's word (CAN-1, NTF-1, NTF-3, REF-6)."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from activities.database import Books
from models.case import CaseStatus
from models.failures import Category
from models.refunds import RefundState
from tests.return_story import PAID_EACH, ReturnStory, returning
from tests.rules.slow_partners import FAULTS, is_met
from tests.rules.staff_cancel import (
    assert_order_accounted_for,
    comes_to_its_stop,
    pauses_pass,
    staff_letters,
    started_again,
    stopped,
)
from tests.stages import order_at, refund_at
from tests.world import CaseStory, World, eventually

pytestmark = pytest.mark.proof


def waits_for(who: str) -> Callable[[CaseStatus], bool]:
    return lambda seen: any(wait and wait.who == who for wait in (seen.waiting_for, *seen.also_waiting_for))


def by_staff(seen: CaseStatus) -> bool:
    return any("by staff" in step.what for step in seen.timeline)


# ---- the mail server ----


async def keeps_its_end(case: CaseStory, outcome: str) -> None:
    """Staff's stop only cuts the wait for the mail server short."""
    await case.shows("that it waits for the mail server", waits_for("mail server"))
    await case.handle.cancel()
    await case.ends(outcome)
    standing = case.world.reading.standing(case.handle.id)
    assert standing is not None
    assert (standing.stage, standing.ended) == (outcome, True)
    assert case.world.reading.timeline(case.handle.id)[-1].what == "cancelled by staff after its end"
    assert await started_again(case) in ("refused", "succeeded")


async def test_NTF_1_an_order_that_waits_only_for_the_mail_server_keeps_its_end_when_staff_stop_it(
    world: World,
) -> None:
    order = await world.simple_order()
    await order.placed()
    await world.sandbox.add_fault("mail", "error", times=None)
    await order.update(
        "shipment",
        shipment_id="s1",
        carrier="UPS",
        tracking_number="1Z1",
        lines=[{"sku": order.request.lines[0].sku, "quantity": 2}],
    )
    await keeps_its_end(order, "shipped")


async def test_NTF_1_a_return_that_waits_only_for_the_mail_server_keeps_its_end_when_staff_stop_it(
    world: World,
) -> None:
    case = await (await returning(world)).approved("awaiting_buyer_refund", returnless=True)
    await world.sandbox.add_fault("mail", "error", times=None)
    await case.click()
    await keeps_its_end(case, "completed")
    assert (await case.money()).buyer == 2 * PAID_EACH


async def pending_for_a_week(world: World) -> tuple[ReturnStory, CaseStory]:
    """A return of one unit of two, whose refund is pending so long that staff are mailed, in vain."""
    seller, supplier = await world.seller(), await world.supplier()
    order = await world.simple_order(seller, supplier=supplier, buyer_method="pm_card_pendingRefund")
    await order.shipped()
    case = ReturnStory.of(await world.return_of(order, quantity=1), order, seller, supplier)
    await case.approved("awaiting_buyer_refund", returnless=True)
    await case.click()
    refund = world.refund_story(f"RF-{case.id}-B1")
    await refund.reaches("pending")
    await world.sandbox.add_fault("mail", "error", times=None)
    for _ in range(8):
        await refund.forward(hours=25)
    await refund.reaches("pending")
    return case, refund


async def test_REF_6_a_refund_that_succeeded_is_no_failure_to_its_return_when_staff_stop_its_last_mail(
    world: World,
) -> None:
    case, refund = await pending_for_a_week(world)
    ident = (await refund.status()).facts["gateway_refund_id"]
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.signal("gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id=ident)
    await keeps_its_end(refund, "succeeded")
    await world.sandbox.clear_faults()
    await case.ends("completed")
    assert (await case.money()).buyer == PAID_EACH


# ---- the books ----


class BooksAway:
    """Books that do not answer until they are back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.away = False
        write = Books._write

        def perhaps(books: Books, work: Callable[[Session, Any], Any], ask: Any) -> Any:
            if self.away:
                raise ApplicationError("the books do not answer", type=Category.PARTNER_UNAVAILABLE.value)
            return write(books, work, ask)

        monkeypatch.setattr(Books, "_write", perhaps)


async def until_it_waits_for_them(case: CaseStory) -> None:
    """Half a minute of tries passes on the case's clock."""

    async def said() -> bool:
        if waits_for("books")(await case.status()):
            return True
        await case.forward(seconds=10)
        return False

    await eventually(said, bool, f"{case.id} does not say that it waits for the books")


async def test_CAN_1_an_order_that_staff_stop_while_it_waits_for_the_books_is_undone_and_then_written_down(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = BooksAway(monkeypatch)
    order = await order_at(world, "cancel_window")
    books.away = True
    await order.update("hold", reason="ask the buyer")
    await order.forward(minutes=31)
    await until_it_waits_for_them(order)
    await order.handle.cancel()
    await eventually(order.effects, lambda seen: bool(seen.stops), "it is not undone while the books are away")
    standing = world.reading.standing(order.handle.id)
    assert standing is not None
    assert standing.stage == "cancel_window", "the books are away"
    books.away = False
    await pauses_pass(order)
    await comes_to_its_stop(order)
    await assert_order_accounted_for(order)
    assert await started_again(order) == "refused"


async def test_REF_6_a_refund_that_staff_stop_while_it_waits_for_the_books_to_reserve_it_moves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = BooksAway(monkeypatch)
    order = await order_at(world, "cancel_window")
    books.away = True
    refund = await world.refund(order, amount="40.00")
    await until_it_waits_for_them(refund)
    await refund.handle.cancel()
    await refund.shows("that staff stop it", by_staff)
    books.away = False
    await pauses_pass(refund)
    await comes_to_its_stop(refund)
    assert (await order.effects()).refunds == ()
    assert (await order.books()).refunds.buyer.left == Decimal(100)


async def test_REF_6_a_refund_whose_success_the_books_did_not_get_before_staff_stopped_it_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = BooksAway(monkeypatch)
    order, refund = await refund_at(world, "pending")
    ident = (await refund.status()).facts["gateway_refund_id"]
    books.away = True
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.signal("gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id=ident)
    await until_it_waits_for_them(refund)
    await refund.handle.cancel()
    await refund.shows("that staff stop it", by_staff)
    books.away = False
    await pauses_pass(refund)
    await comes_to_its_stop(refund)
    totals = world.reading.refunds_of(order.id).buyer
    assert (totals.pending, totals.left) == (Decimal(40), Decimal(60))
    assert f"refund {refund.id} was stopped while succeeded: look at the gateway" in await staff_letters(order)
    assert await started_again(refund) == "succeeded"
    assert [one.status for one in (await order.effects()).refunds] == ["succeeded"]


# ---- a limit's watch ----


@pytest.mark.parametrize("minutes", [30, 61], ids=["before the limit", "after the limit"])
async def test_ORD_4_an_order_that_staff_stop_while_its_handoff_is_watched_is_not_told_of_afterwards(
    world: World, minutes: int
) -> None:
    order = await order_at(world, "awaiting_payment")
    await order.forward(minutes=minutes)
    late = minutes > 60
    if late:
        await order.shows("the limit", lambda seen: seen.sla_state == "breached")
    await stopped(order)
    assert (await order.handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert ("not with a supplier in time" in await staff_letters(order)) is late
    standing = world.reading.standing(order.handle.id)
    assert standing is not None
    assert standing.sla_state == ("breached" if late else "on_time")
    await assert_order_accounted_for(order)


# ---- the gateway's word ----


@pytest.mark.parametrize("fault", FAULTS)
async def test_REF_6_a_pending_refund_that_staff_stop_while_the_gateway_is_asked_again_stays_under_the_cap(
    world: World, fault: str
) -> None:
    order, refund = await refund_at(world, "pending")
    await world.sandbox.clear_requests()
    await world.sandbox.add_fault("gateway", fault, "GET /v1/refunds", **FAULTS[fault])
    clock = asyncio.create_task(refund.forward(hours=25))
    await refund.shows(
        "that the gateway is asked", lambda seen: "say how the refund stands" in str(seen.waiting_for)
    )
    await is_met(refund, "gateway", fault)
    clock.cancel()
    await refund.handle.cancel()
    await world.sandbox.clear_faults()
    await pauses_pass(refund)
    await comes_to_its_stop(refund)
    assert world.reading.refund(refund.id).state is RefundState.PENDING
    assert world.reading.refunds_of(order.id).buyer.left == Decimal(60)
    assert f"refund {refund.id} was stopped while pending: look at the gateway" in await staff_letters(order)
    assert len((await order.effects()).refunds) == 1
