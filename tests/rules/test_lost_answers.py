"""A partner did the work and its answer was lost; the next try comes at once, after an hour, or when the partner
has long forgotten the key: done once all the same (REF-6, CAN-4, RET-8)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from sqlmodel import Session
from temporalio.exceptions import ApplicationError

from activities.database import Database
from models.failures import Category
from models.message import Message
from models.records import BookCreditMemo, OpenOrder, OpenReturn, ReserveRefund, SaveRefund
from starter.sandbox.facts import Effects
from tests.case_story import CaseStory, OrderStory
from tests.return_story import ReturnStory, returning
from tests.rules.staff_cancel import pauses_pass
from tests.world import World
from workflows.engine.calls import SPREAD

pytestmark = pytest.mark.proof

LATER = [timedelta(0), timedelta(hours=1), timedelta(days=2)]
"""The gateway forgets a key after a day."""
Lose = Callable[[], Awaitable[None]]


class Begun(NamedTuple):
    """The case that asked, and its order."""

    case: CaseStory
    order: OrderStory


# ---- what is asked: each is brought right before it, then the answer gets lost ----


async def the_charge(world: World, lose: Lose) -> Begun:
    await lose()
    order = await world.simple_order()
    return Begun(order, order)


async def in_its_window(world: World) -> OrderStory:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    return order


async def the_end_of_the_window(world: World, lose: Lose) -> Begun:
    order = await in_its_window(world)
    await lose()
    await order.forward(minutes=30, seconds=1)
    return Begun(order, order)


async def a_cancel(world: World, lose: Lose) -> Begun:
    order = await in_its_window(world)
    await lose()
    await order.signal("cancel_request", reason="no stock")
    return Begun(order, order)


async def a_shipment(world: World, lose: Lose) -> Begun:
    order = await world.simple_order()
    await order.placed()
    await lose()
    lines = [{"sku": order.request.lines[0].sku, "quantity": 2}]
    await order.signal("shipment", shipment_id="s1", carrier="UPS", tracking_number="1Z1", lines=lines)
    return Begun(order, order)


async def a_direct_refund(world: World, lose: Lose) -> Begun:
    order = await in_its_window(world)
    await lose()
    return Begun(await world.refund(order, amount="25.00"), order)


async def a_credited_return(world: World, lose: Lose) -> Begun:
    back = await (await returning(world)).approved(returnless=False)
    await back.track()
    await back.receive()
    await lose()
    await back.credit("63.00")
    refund = world.refund_story(f"RF-{back.id}-S1")
    await refund.reaches("sending")
    return Begun(refund, back.order)


async def a_return_to_a_service(world: World, lose: Lose) -> Begun:
    back = await returning(world, supplier=await world.supplier(rma="service"))
    await back.reaches("awaiting_approval")
    await lose()
    await back.approve()
    return Begun(back, back.order)


class Movement(NamedTuple):
    """One thing that must happen once: how it is begun, the partner's call, how often the connector looks before
    it sends, what the case comes to, and what must be found at the partners."""

    begin: Callable[[World, Lose], Awaitable[Begun]]
    partner: str
    call: str
    looks: int
    comes_to: str
    found: Callable[[Effects], list[Any]]
    once: list[Any]


MOVEMENTS = {
    "charge": Movement(
        the_charge,
        *("gateway", "POST /v1/payment_intents$", 0, "awaiting_shipment"),
        lambda effects: [one.amount for one in effects.payment_intents],
        [63],
    ),
    "capture": Movement(
        the_end_of_the_window,
        *("gateway", "POST /v1/payment_intents/.*/capture", 0, "awaiting_shipment"),
        lambda effects: [one.amount for one in effects.captures],
        [63],
    ),
    "void": Movement(
        a_cancel,
        *("gateway", "POST /v1/payment_intents/.*/cancel", 0, "cancelled"),
        lambda effects: [(one.status, one.amount) for one in effects.payment_intents],
        [("canceled", 63)],
    ),
    "buyer's refund": Movement(
        a_direct_refund,
        *("gateway", "POST /v1/refunds", 1, "succeeded"),
        lambda effects: [one.amount for one in effects.refunds],
        [25],
    ),
    "seller's refund": Movement(
        a_credited_return,
        *("gateway", "POST /v1/refunds", 0, "succeeded"),
        lambda effects: [one.amount for one in effects.refunds],
        [63],
    ),
    "supplier order": Movement(
        the_end_of_the_window,
        *("supplier", "PUT /v1/orders/", 1, "awaiting_shipment"),
        lambda effects: [one.lines[0]["quantity"] for one in effects.supplier_orders],
        [2],
    ),
    "RMA": Movement(
        a_return_to_a_service,
        *("supplier", "PUT /v1/rmas/", 0, "awaiting_tracking"),
        lambda effects: [one.state for one in effects.rmas],
        ["issued"],
    ),
    "tracking number": Movement(
        a_shipment,
        *("shop", "PUT .*/shipments/", 0, "shipped"),
        lambda effects: [one.tracking_number for one in effects.shipments],
        ["1Z1"],
    ),
    "shipping list": Movement(
        a_cancel,
        *("shop", "PUT .*/shipping-list", 0, "cancelled"),
        lambda effects: [one.state for one in effects.stops],
        ["stopped"],
    ),
}


async def effects_of(begun: Begun) -> Effects:
    """What happened for this case's order."""
    effects = await begun.order.effects()
    return effects.model_copy(
        update={"rmas": tuple(one for one in effects.rmas if one.return_id == begun.case.id)}
    )


@pytest.mark.parametrize("later", LATER, ids=lambda later: f"{later}" if later else "at once")
@pytest.mark.parametrize("name", MOVEMENTS)
async def test_REF_6_CAN_4_RET_8_what_was_done_is_done_once_whenever_it_is_tried_again(
    world: World, name: str, later: timedelta
) -> None:
    movement, longest = MOVEMENTS[name], later * (1 + SPREAD)
    await world.sandbox.clear_requests()

    async def lose() -> None:
        """The first looks pass, the work is done, its answer is lost, and then nobody is let in for so long."""
        fault = world.sandbox.add_fault
        if movement.looks:
            await fault(movement.partner, "delay", "GET", seconds=0, times=movement.looks)
        await fault(movement.partner, "drop_after", movement.call)
        if later:
            await fault(movement.partner, "rate_limit", retry_after=int(later.total_seconds()), times=None)

    begun = await movement.begin(world, lose)
    case = begun.case
    if later:
        await case.shows("the trouble", lambda seen: any("it is tried again" in one.what for one in seen.timeline))
        assert movement.found(await effects_of(begun)) == movement.once, "the partner did it"
        await world.sandbox.clear_faults()
        await world.sandbox.advance_clock(longest.total_seconds())
        await case.forward(seconds=longest.total_seconds())
    await pauses_pass(case, movement.comes_to)
    assert (await case.status()).stage == movement.comes_to

    assert movement.found(await effects_of(begun)) == movement.once
    sent = await world.sandbox.requests(movement.partner)
    assert [one.fault for one in sent if one.fault == "drop_after"] == ["drop_after"], "an answer was lost"


async def test_REF_6_two_equal_refunds_of_one_charge_whose_answers_are_lost_are_two(world: World) -> None:
    order = await in_its_window(world)
    await world.sandbox.add_fault("gateway", "drop_after", "POST /v1/refunds", times=2)
    refunds = [await world.refund(order, amount="10.00", reason="goodwill") for _ in range(2)]
    await asyncio.gather(*(refund.ends("succeeded") for refund in refunds))
    made = (await order.effects()).refunds
    assert [(one.amount, one.charge) for one in made] == [(Decimal(10), made[0].charge)] * 2
    assert {one.metadata["backhaul_id"] for one in made} == {refund.id for refund in refunds}


# ---- the books did it, and their answer was lost ----


class ForgetfulBooks:
    """Books that write what they are told, and lose the answers while they are `cut_off`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kind: type[Message], *, for_good: bool) -> None:
        self.cut_off = True
        self.lost = 0
        write = Database._write

        def forgetful(books: Database, work: Callable[[Session, Any], Any], ask: Any) -> Any:
            answer = write(books, work, ask)
            if isinstance(ask, kind) and self.cut_off:
                self.lost += 1
                self.cut_off = for_good
                outage = Category.PARTNER_UNAVAILABLE.value
                raise ApplicationError("the books: connection lost", type=outage, non_retryable=for_good)
            return answer

        monkeypatch.setattr(Database, "_write", forgetful)


@pytest.mark.parametrize("kind", [OpenOrder, OpenReturn, ReserveRefund, SaveRefund, BookCreditMemo])
async def test_REF_6_RET_12_what_the_books_wrote_is_written_once_when_their_answer_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: type[Message]
) -> None:
    books = ForgetfulBooks(monkeypatch, kind, for_good=False)
    back = await (await returning(world)).approved()
    await back.track()
    await back.receive()
    await back.credit("63.00")
    await back.click(amount="40.00")
    await back.ends("completed")
    assert books.lost == 1
    view = world.reading.return_view(back.id)
    assert (view.credited, [memo.amount for memo in view.credit_memos]) == (Decimal(63), [Decimal(63)])
    refunds = (await back.order.books()).refunds.refunds
    assert sorted(one.amount for one in refunds) == [Decimal(40), Decimal(63)]
    assert sorted(one.amount for one in (await back.order.effects()).refunds) == [Decimal(40), Decimal(63)]
    assert len((await back.order.effects()).payment_intents) == 1


async def test_RET_12_a_credit_memo_booked_an_hour_before_its_answer_is_heard_counts_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = ForgetfulBooks(monkeypatch, BookCreditMemo, for_good=True)
    back: ReturnStory = await (await returning(world)).approved()
    await back.track()
    await back.receive()
    await back.credit("20.00")
    await back.shows("the trouble", lambda seen: any("it is tried again" in one.what for one in seen.timeline))
    await back.forward(hours=1)
    books.cut_off = False
    await back.forward(hours=1)
    status = await back.shows("the credit", lambda seen: seen.facts["credited"] != "0")
    assert (status.facts["credited"], status.rejected_count) == ("20.00", 0)
    assert [memo.amount for memo in world.reading.return_view(back.id).credit_memos] == [Decimal(20)]
