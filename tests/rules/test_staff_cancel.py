"""Staff press Cancel in the Temporal UI: at each stage in which a case can wait, and beside what is under way.

It is a fact: the database says so, no money is lost or moved twice, and a later start of the same id is no second
case. What a plan makes of it, wherever it comes, is tried without a server (`tests/plans`): here the engine
carries it out (CAN-1, RET-15, REF-6).
"""

import asyncio
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session
from temporalio.client import WorkflowExecutionStatus

from activities.database import Database
from models.case import CaseStatus
from models.records import BookCreditMemo
from models.refunds import RefundState
from starter.client.start import open_order
from starter.sandbox.facts import Effects
from tests.case_story import CaseStory, OrderStory
from tests.return_story import COST_EACH, PAID_EACH, Money, returning
from tests.rules.staff_cancel import (
    assert_order_accounted_for,
    comes_to_its_stop,
    pauses_pass,
    started_again,
    stopped,
)
from tests.stages import WAITS, return_at, standing_at
from tests.world import World

pytestmark = pytest.mark.proof

PAID, COST = 2 * PAID_EACH, 2 * COST_EACH
STOPPABLE = [(kind, stage) for kind, stage in WAITS if kind != "refund"]


def money_moved(effects: Effects) -> list[tuple[str, Decimal]]:
    """Refunds at the gateway by our id."""
    return sorted((one.metadata["backhaul_id"], one.amount) for one in effects.refunds)


def by_staff(seen: CaseStatus) -> bool:
    return any("by staff" in step.what for step in seen.timeline)


@pytest.mark.parametrize(("kind", "stage"), STOPPABLE)
async def test_CAN_1_RET_15_REF_6_a_case_that_staff_stop_is_accounted_for_at_every_stage(
    world: World, kind: str, stage: str
) -> None:
    order, case = await standing_at(world, kind, stage)
    before = money_moved(await order.effects())
    await case.handle.cancel()
    await case.shows("that staff stop it", by_staff)
    await world.sandbox.clear_faults()
    await pauses_pass(case)
    await comes_to_its_stop(case)
    if kind == "order":
        await assert_order_accounted_for(order)
    else:
        # What was on its way goes on by itself; nothing else moves.
        assert money_moved(await order.effects()) == before
        known = (await order.books()).refunds.refunds
        sent = [one for one in known if one.state is not RefundState.RESERVED]
        assert sorted((one.refund_id, one.amount) for one in sent) == before
    assert await started_again(case) == "refused"
    assert money_moved(await order.effects()) == before


@pytest.mark.parametrize("stage", ["sending", "pending"])
async def test_REF_6_a_refund_cant_be_stopped(world: World, stage: str) -> None:
    order, refund = await standing_at(world, "refund", stage)
    await refund.handle.cancel()
    await refund.shows("the answer", lambda seen: any("can't be stopped" in step.what for step in seen.timeline))
    await world.sandbox.clear_faults()
    await pauses_pass(refund, "pending")
    assert (await refund.handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)
    await refund.ends("succeeded")
    assert money_moved(await order.effects()) == [(refund.id, Decimal("40.00"))]


# ---- before a worker has looked ----


async def unseen(world: World, kind: str, queue: str) -> tuple[OrderStory, CaseStory]:
    """A case that was started while its worker is away, and its order."""
    order = await world.simple_order(task_queue=queue if kind == "order" else None)
    if kind == "order":
        return order, order
    await order.shipped()
    return order, await world.return_of(order, task_queue=queue)


async def test_RET_2_a_return_that_staff_stop_before_a_worker_looks_holds_no_units(world: World) -> None:
    queue = f"away-{world.tag}"
    order, case = await unseen(world, "return", queue)
    await case.handle.cancel()
    async with world.worker(queue):
        await case.reaches("stopped")
        again = await world.return_of(order)
        await again.reaches("awaiting_approval")


async def test_CAN_1_an_order_that_staff_stop_before_a_worker_looks_moves_nothing(world: World) -> None:
    queue = f"away-{world.tag}"
    order, case = await unseen(world, "order", queue)
    await case.handle.cancel()
    async with world.worker(queue):
        await comes_to_its_stop(case)
    effects = await order.effects()
    assert (effects.refunds, effects.payment_intents) == ((), ())
    again = await open_order(world.client, order.request, task_queue=world.task_queue)
    assert again.already


# ---- beside what is under way ----


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


class SlowToBook:
    """A database that keeps a credit memo waiting before it counts it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_asked = threading.Event()
        self.go_on = threading.Event()
        write = Database._write

        def slow(database: Database, work: Callable[[Session, Any], Any], ask: Any) -> Any:
            if isinstance(ask, BookCreditMemo):
                self.is_asked.set()
                self.go_on.wait(30)
            return write(database, work, ask)

        monkeypatch.setattr(Database, "_write", slow)


async def test_RET_12_a_credit_memo_that_is_being_booked_when_staff_stop_its_return_is_counted_and_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = SlowToBook(monkeypatch)
    case = await return_at(world, "awaiting_credit")
    await case.credit(f"{COST}", f"CM-{case.id}")
    assert await asyncio.to_thread(database.is_asked.wait, 20)
    await case.handle.cancel()
    await case.shows("that staff stop it", by_staff)
    database.go_on.set()
    await comes_to_its_stop(case)
    assert world.reading.return_view(case.id).credited == COST
    assert await case.alerts_staff(f"CM-{case.id} over {COST} USD")
    assert (await case.order.effects()).refunds == ()


async def test_NTF_1_a_return_that_waits_only_for_the_mail_server_keeps_its_end_when_staff_stop_it(
    world: World,
) -> None:
    case = await (await returning(world)).approved("awaiting_buyer_refund", returnless=True)
    await world.sandbox.add_fault("mail", "error", times=None)
    await case.click()
    await case.shows(
        "that it waits for the mail server",
        lambda seen: any(
            wait and wait.who == "mail server" for wait in (seen.waiting_for, *seen.also_waiting_for)
        ),
    )
    await case.handle.cancel()
    await case.ends("completed")
    standing = case.stack.reading.standing(case.handle.id)
    assert standing is not None
    assert (standing.stage, standing.ended) == ("completed", True)
    assert case.stack.reading.timeline(case.handle.id)[-1].what == "cancelled by staff after its end"
    assert (await case.money()).buyer == PAID
