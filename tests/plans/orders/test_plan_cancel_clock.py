"""Whether a cancel request came in time says the server's clock (CAN-3)."""

from datetime import datetime, timedelta

import pytest

from tests.plans.orders.order_rig import MINUTE, NOON, SECOND, Order
from tests.plans.orders.outcomes import assert_nothing_was_sent_or_taken
from workflows.orders.partner_calls import call_of

CLOSES = NOON + 30 * MINUTE
ACCEPTED = (True, "cancelled: changed their mind")
TOO_LATE = (
    False,
    "already fulfilled: the cancel window closed at 2026-03-02 12:30:00 UTC; "
    "once shipped it can be returned (CAN-2)",
)


# ---- CAN-3: by the server's clock ----


@pytest.mark.parametrize(
    ("arrived", "accepted"),
    [
        (CLOSES - SECOND, True),
        (CLOSES - timedelta(microseconds=1), True),
        (CLOSES, False),
        (CLOSES + SECOND, False),
        (None, False),
    ],
)
def test_CAN_3_a_request_that_is_handled_late_counts_by_its_arrival(
    arrived: datetime | None, accepted: bool
) -> None:
    """Every worker was down until after the window."""
    order = Order().in_its_window()
    order.time_jumps(minutes=45)
    order.arrivals["e1"] = arrived
    order.says("cancel_request")
    assert order.reply("e1") is None
    assert order.begun == ["open", "charge:1", "arrival:e1"], "nothing goes on while it is undecided"
    order.rest()
    assert order.reply("e1") == (ACCEPTED if accepted else TOO_LATE)
    assert order.was_sent is not accepted
    if accepted:
        assert_nothing_was_sent_or_taken(order)


def test_CAN_3_what_is_asked_names_this_run_and_the_whole_event() -> None:
    order = Order().in_its_window()
    order.time_jumps(minutes=45).says("cancel_request")
    (look,) = order.rig.pending
    call, asked = call_of(order.facts, look, "run-7")
    said = asked.model_dump()
    assert (call.name, said["workflow_id"], said["run_id"]) == ("event_arrival", "order-1001", "run-7")
    assert (said["event_name"], said["event_id"]) == ("cancel_request", "e1")
    assert said["event"]["reason"] == "changed their mind"


def test_CAN_3_what_the_sender_claims_about_the_time_decides_nothing() -> None:
    order = Order().in_its_window()
    order.time_jumps(minutes=45)
    order.arrivals["e1"] = CLOSES + SECOND
    order.happens("cancel_request", occurred_at=(CLOSES - 20 * MINUTE).isoformat())
    assert (order.reply("e1"), order.was_sent) == (TOO_LATE, True)


def test_CAN_3_of_two_requests_around_the_boundary_the_one_in_time_counts() -> None:
    order = Order().in_its_window().time_jumps(minutes=45)
    order.arrivals |= {"e1": CLOSES - SECOND, "e2": CLOSES + SECOND}
    order.hears("cancel_request", actor="seller:jane", reason="no stock")
    order.hears("cancel_request")
    order.rest()
    assert order.reply("e1") == (True, "cancelled: no stock")
    assert order.reply("e2") == (True, "the order is being cancelled already")
    (cessation,) = order.facts.cessations
    assert (cessation.reason, cessation.evidence["requested at"]) == ("no stock", (CLOSES - SECOND).isoformat())


def test_CAN_3_of_two_late_requests_each_is_answered_by_its_own_arrival() -> None:
    order = Order().in_its_window().time_jumps(minutes=45)
    order.arrivals |= {"e1": CLOSES + SECOND, "e2": CLOSES - SECOND}
    order.hears("cancel_request")
    order.hears("cancel_request")
    order.rest()
    assert (order.reply("e1"), order.reply("e2")) == (TOO_LATE, ACCEPTED)
    assert_nothing_was_sent_or_taken(order)


@pytest.mark.parametrize("before", [SECOND, timedelta(0), -SECOND])
def test_CAN_3_the_boundary_is_exact(before: timedelta) -> None:
    order = Order().in_its_window()
    order.arrivals["e1"] = CLOSES - before
    order.rig.clock(30 * MINUTE - before) if before > timedelta(0) else order.time_jumps(
        seconds=(30 * MINUTE - before).total_seconds()
    )
    order.happens("cancel_request")
    assert (order.outcome == "cancelled") is (before > timedelta(0))


# ---- a hold at the window's end ----


def test_CAN_2_a_held_order_can_be_cancelled_although_hold_and_late_cancel_are_seen_at_once() -> None:
    order = Order().in_its_window().time_jumps(minutes=45)
    order.hears("hold", reason="look at it first")
    order.hears("cancel_request")
    order.rest()
    assert order.reply("e2") == ACCEPTED
    assert_nothing_was_sent_or_taken(order)
    assert "arrival:e2" not in order.begun


def test_CAN_2_a_cancel_in_one_task_with_the_end_of_the_window_of_a_held_order_is_accepted() -> None:
    order = Order().in_its_window()
    order.happens("hold", reason="look at it first")
    order.time_jumps(minutes=30).hears("cancel_request")
    order.rest()
    assert order.reply("e2") == ACCEPTED


def test_CAN_3_a_hold_that_is_released_in_the_same_task_does_not_help_a_late_cancel() -> None:
    order = Order().in_its_window().time_jumps(minutes=45)
    order.arrivals["e3"] = CLOSES + SECOND
    order.hears("hold", reason="look at it first")
    order.hears("resume", reason="it is right")
    order.hears("cancel_request")
    order.rest()
    assert (order.reply("e3"), order.was_sent) == (TOO_LATE, True)
