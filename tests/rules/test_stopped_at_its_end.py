"""Staff stop a case while it comes to its end, or while two parts of it are under way: nothing is lost, and no
part goes on without the others."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.database import Books
from models.failures import Category
from models.message import Message
from models.records import BookCreditMemo
from tests.return_story import ReturnStory, returning
from tests.rules.staff_cancel import comes_to_its_stop
from tests.rules.test_refund_taken_back import COST, seller_refund
from tests.world import PATIENCE, CaseStory, World, eventually

ASKED_TO_STOP = PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED


@contextmanager
def books_that_dawdle(world: World, case: CaseStory) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The next write of this case's standing waits in the middle; gives `waiting` and `go_on`."""
    waiting, go_on = threading.Event(), threading.Event()

    def hold(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("UPDATE case_file") and case.handle.id in str(parameters) and not go_on.is_set():
            waiting.set()
            go_on.wait(PATIENCE)

    event.listen(world.engine, "before_cursor_execute", hold)
    try:
        yield waiting, go_on
    finally:
        go_on.set()
        event.remove(world.engine, "before_cursor_execute", hold)


async def hears_of_the_stop(case: CaseStory) -> bool:
    raw = (await case.handle.describe()).raw_description
    return any(one.state == ASKED_TO_STOP for one in raw.pending_activities)


async def test_REF_6_no_part_of_a_stopped_return_refunds_after_the_stop(world: World) -> None:
    case = await (await returning(world)).approved()
    await case.track()
    await case.receive()
    await case.reaches("awaiting_credit")
    with books_that_dawdle(world, case) as (waiting, go_on):
        await case.credit(f"{COST}")
        assert await asyncio.to_thread(waiting.wait, PATIENCE), "the seller's refund is not begun"
        await case.handle.cancel()
        await eventually(lambda: hears_of_the_stop(case), bool, "the case does not hear of its stop")
        go_on.set()
        await comes_to_its_stop(case)
    assert await case.money() == (Decimal(0), Decimal(0))
    with pytest.raises(RPCError, match="not found"):  # no refund began after the stop
        await seller_refund(case).handle.describe()


async def waiting_for_its_last_mails(world: World) -> ReturnStory:
    """A rejected return whose buyer can't be told, since the mail server is away."""
    case = await returning(world)
    await case.reaches("awaiting_approval")
    buyer = str(case.order.request.buyer.email)
    await world.sandbox.add_fault("mail", "drop_before", buyer, times=None)
    await case.update("seller_approval", decision="rejected", reason="worn")
    await case.shows("the last e-mails", lambda seen: "e-mails" in str(seen.waiting_for))
    return case


async def test_RET_4_a_return_that_staff_stop_while_its_last_mails_wait_keeps_its_end(world: World) -> None:
    case = await waiting_for_its_last_mails(world)
    await case.handle.cancel()
    status = await case.ends("rejected")
    assert "cancelled by staff after its end" in status.timeline[-1].what
    assert (await case.handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    view = world.reading.return_view(case.id)
    assert view.listed.standing is not None
    assert (view.outcome, view.listed.standing.ended) == ("rejected", True)
    assert view.timeline[-1].what == status.timeline[-1].what
    again = await world.return_of(case.order)
    await again.reaches("awaiting_approval")


@contextmanager
def books_that_do_not_take(kind: type[Message]) -> Iterator[threading.Event]:
    """They don't take what is of this kind; gives the word that they do again."""
    books_are_back, write = threading.Event(), Books._write

    def perhaps(books: Books, work: Callable[[Session, Any], Any], ask: Any) -> Any:
        if isinstance(ask, kind) and not books_are_back.is_set():
            raise ApplicationError("the books do not answer", type=Category.PARTNER_UNAVAILABLE.value)
        return write(books, work, ask)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Books, "_write", perhaps)
        yield books_are_back


async def stopped_while_its_credit_is_booked(world: World) -> ReturnStory:
    """A withdrawn return whose supplier's credit the books don't take yet: there staff press Cancel."""
    case = await (await returning(world)).approved()
    with books_that_do_not_take(BookCreditMemo) as books_are_back:
        await case.credit("20.00", f"CM-{case.id}")
        await case.withdraw()
        await case.reaches("withdrawn")
        await case.handle.cancel()
        await case.shows("the stop", lambda seen: any("by staff" in step.what for step in seen.timeline))
        books_are_back.set()
        await case.ends("withdrawn")
    return case


async def test_RET_12_a_credit_that_is_being_booked_when_staff_stop_an_ended_return_is_kept(world: World) -> None:
    case = await stopped_while_its_credit_is_booked(world)
    assert [memo.number for memo in world.reading.return_view(case.id).credit_memos] == [f"CM-{case.id}"]
    assert await case.alerts_staff(f"CM-{case.id} over 20.00 USD")
