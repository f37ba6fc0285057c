"""A cancel, and a hold before it, at every place round the window's end and each answer after it: the order is
cancelled or sent, never both and never neither (CAN-3, CAN-4)."""

import itertools
from datetime import timedelta

import pytest

from tests.plans.orders.order_rig import MINUTE, NOON, SECOND, Order, Stock, request
from tests.plans.orders.outcomes import check_exactly_one

PLACES = ("before it", "after it, in one task", "after it, in a task of its own")
ROUNDS = 7
"""The window closes; then answer by answer until the order is with its suppliers."""
POSITIONS = tuple(itertools.product(range(ROUNDS), PLACES))
STOCKS = {
    "in stock": (Stock("A"),),
    "two warehouses": (Stock("A", 1), Stock("A", 1, "omaha")),
    "second source": (Stock("A", second_source=True),),
    "refused once": (Stock("A", refuses=True), Stock("A", warehouse="omaha")),
}
Position = tuple[int, str]


def played(stock: str, cancel: Position, hold: Position | None, arrived: bool) -> Order:
    """An order a second before its window closes; then each answer in turn, with cancel and hold in their places.

    `arrived`: whether the server had the cancel in time, wherever it is handled.
    """
    order = Order(request(), stock=STOCKS[stock], careful=False).in_its_window()
    order.rig.clock(30 * MINUTE - SECOND)
    closes = NOON + 30 * MINUTE
    order.arrivals = dict.fromkeys(("e1", "e2"), closes - SECOND if arrived else closes + SECOND)

    def says(position: Position) -> None:
        if hold == position:
            order.hears("hold", reason="look at it first")
        if cancel == position:
            order.hears("cancel_request")
        check_exactly_one(order)

    for number in range(ROUNDS):
        before, in_one_task, after = ((number, place) for place in PLACES)
        says(before)
        if number == 0:
            order.rig.settle()
            order.rig.now = closes
        elif order.rig.pending:
            order.rig.settle()
            order.rig.answer(order.rig.pending[0])
        says(in_one_task)
        order.rig.settle()
        says(after)
        order.rig.settle()
    return order


def ends(order: Order) -> str:
    """Let it come to its end; gives what became of it: cancelled, or sent to a supplier."""
    order.rest()
    if order.stage == "on_hold":
        order.happens("resume", reason="it is right")
    check_exactly_one(order)
    if order.outcome == "cancelled":
        return "cancelled"
    assert order.stage == "awaiting_shipment", order.stage
    assert order.was_sent
    return "sent"


def cancel_of(order: Order) -> tuple[bool, str]:
    (one,) = order.facts.cancels
    said = order.reply(one.event.event_id)
    assert said is not None, "it is undecided for ever"
    return said


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("stock", STOCKS)
def test_CAN_4_wherever_a_cancel_comes_the_order_is_cancelled_or_sent_and_never_both(
    stock: str, arrived: bool
) -> None:
    seen = set()
    for cancel in POSITIONS:
        order = played(stock, cancel, None, arrived)
        sent_when_heard = order.was_sent and not order.facts.accepted_cancel
        end = ends(order)
        accepted, message = cancel_of(order)
        assert accepted is (end == "cancelled"), (cancel, message)
        if cancel == POSITIONS[0]:
            assert end == "cancelled", "it came in the window"
        elif not arrived:
            assert end == "sent", f"it came after the window: {cancel}"
        elif end == "sent":
            assert sent_when_heard, f"it was in time, and nothing was sent: {cancel}"
        seen.add(end)
    assert seen == {"cancelled", "sent"}


@pytest.mark.parametrize(("stock", "arrived"), [("in stock", True), ("refused once", False)])
def test_CAN_4_wherever_a_hold_comes_before_a_cancel_it_is_one_of_both(stock: str, arrived: bool) -> None:
    seen = set()
    for hold, cancel in itertools.combinations_with_replacement(POSITIONS, 2):
        order = played(stock, cancel, hold, arrived)
        was_on_hold = order.facts.hold is not None and not order.was_sent
        end = ends(order)
        accepted, _ = cancel_of(order)
        assert accepted is (end == "cancelled"), (hold, cancel)
        if hold == POSITIONS[0]:
            assert end == "cancelled", f"a held order is never too late to cancel: {cancel}"
        assert end == "cancelled" or not (was_on_hold and arrived)
        seen.add(end)
    assert seen == {"cancelled", "sent"}


@pytest.mark.parametrize("seconds", [-2, -1, 0, 1])
def test_CAN_3_handled_before_the_boundary_it_counts_and_handled_at_it_the_server_decides(seconds: int) -> None:
    order = Order(careful=False).in_its_window()
    order.rig.now = NOON + 30 * MINUTE + timedelta(seconds=seconds)
    order.arrivals["e1"] = NOON + 30 * MINUTE
    order.hears("cancel_request")
    order.rest()
    assert ends(order) == ("cancelled" if seconds < 0 else "sent")
    assert ("arrival:e1" in order.begun) is (seconds >= 0)
