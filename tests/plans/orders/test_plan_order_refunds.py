"""What goes back to the seller of an order that came to nothing, whatever becomes of the refund (ORD-7, REF-6,
REF-7, REF-11)."""

from decimal import Decimal
from typing import Any

import pytest

from models.partners import ChargeAnswer, ChargeState
from models.refunds import RefundResult, RefundState
from tests.plans.orders.order_rig import Order, Stock, request
from workflows.engine.case import StepsSaved
from workflows.orders.effects import SaveCharge
from workflows.refunds.attempts import MakeRefund

LAMP = {"sku": "LAMP", "quantity": 3}
REFUND = "RF-1001-OS1"


def half_refused(*fates: RefundState | str, **settings: Any) -> Order:
    """An order of A, that ships, and LAMP, that nobody has: what was collected for it goes back."""
    stock = (Stock("A"), Stock("LAMP", warehouse="omaha", refuses=True))
    order = Order(request({}, LAMP), stock=stock, **settings).in_its_window()
    order.refund_states = list(fates)
    return order.passes(minutes=31)


def result(state: RefundState, **more: bool) -> RefundResult:
    return RefundResult(
        refund_id=REFUND,
        state=state,
        amount=Decimal("94.50"),
        currency="USD",
        reason="account closed",
        direction="broker_to_seller",
        **more,
    )


def states(order: Order) -> list[tuple[str, str]]:
    return [(one.refund_id, one.state) for one in order.facts.refunds]


def alerts(order: Order) -> list[str]:
    return [one.facts["what"] for one in order.rig.mails() if one.template == "staff_alert"]


def test_REF_3_only_what_the_database_knows_to_be_paid_is_refunded() -> None:
    stock = (Stock("A"), Stock("LAMP", warehouse="omaha", refuses=True))
    order = Order(request({}, LAMP), stock=stock).in_its_window()
    order.held.add(SaveCharge)
    order.passes(minutes=31)
    assert (order.stage, states(order)) == ("awaiting_shipment", [])
    order.held.clear()
    order.rest()
    assert states(order) == [(REFUND, "succeeded")]
    assert "seller refunded: 94.50 USD" in order.steps


def test_REF_3_what_is_saved_already_is_refunded_at_once() -> None:
    stock = (Stock("A"), Stock("LAMP", warehouse="omaha", refuses=True))
    order = Order(request({}, LAMP), stock=stock).in_its_window()
    order.held.add(SaveCharge)
    order.rig.take(StepsSaved(count=1000))
    order.passes(minutes=31)
    assert states(order) == [(REFUND, "succeeded")]


def test_REF_3_what_the_gateway_really_collected_is_what_counts() -> None:
    """Less than was asked for: more than that never goes back."""
    order = Order(stock=(Stock("A", refuses=True),)).in_its_window()
    order.capture_says = ChargeAnswer(charge_id="CH-1", state=ChargeState.CAPTURED, captured=Decimal("60.00"))
    order.passes(minutes=31)
    assert (order.outcome, order.money) == ("voided", (Decimal("60.00"), Decimal("60.00")))


@pytest.mark.parametrize("fate", [RefundState.FAILED, RefundState.REFUSED])
def test_ORD_7_a_refund_that_did_not_succeed_is_named_to_staff_and_holds_up_nothing(fate: RefundState) -> None:
    order = half_refused(fate)
    order.ships("s1", A=2)
    assert order.outcome == "shipped"
    (told,) = alerts(order)
    assert told.startswith(f"refund {REFUND} of the seller did not succeed")
    assert order.money == (Decimal("157.50"), Decimal("94.50"))


def test_REF_11_a_refund_in_doubt_is_named_and_looked_for_again_under_its_own_id() -> None:
    order = half_refused("in doubt", "in doubt", RefundState.SUCCEEDED, refund_retry_days=2)
    assert states(order) == [(REFUND, "in_doubt")]
    order.ships("s1", A=2)
    assert order.outcome is None, "it is not over while money is in doubt"
    assert order.rig.plan.waits[0].who == "staff"
    order.passes(days=5)
    assert order.outcome == "shipped"
    made = [one for one in order.rig.begun if isinstance(one, MakeRefund)]
    assert [(one.refund_id, one.again, one.amount) for one in made] == [
        (REFUND, False, Decimal("94.50")),
        (REFUND, True, Decimal("94.50")),
        (REFUND, True, Decimal("94.50")),
    ]
    assert alerts(order) == [
        f"refund {REFUND} of the seller is in doubt: as it is: refused; look whether it was made"
    ]


def test_REF_7_a_pending_refund_takes_days_and_the_order_is_seen_where_it_stands() -> None:
    order = half_refused("pending")
    assert states(order) == [(REFUND, "pending")]
    assert not order.facts.is_settling
    order.passes(days=3)
    order.refund_states = []
    order.ships("s1", A=2)
    assert (states(order), order.outcome) == ([(REFUND, "succeeded")], "shipped")


def test_REF_7_a_refund_that_failed_after_it_had_succeeded_is_named_to_staff() -> None:
    order = half_refused()
    order.rig.report(result(RefundState.FAILED))
    order.rest()
    assert states(order) == [(REFUND, "failed_afterwards")]
    assert f"refund {REFUND} of 94.50 USD failed after it had succeeded: account closed" in order.steps
    assert alerts(order) == [f"refund {REFUND} of the seller failed after it had succeeded: account closed"]
    assert order.begun.count(f"refund:{REFUND}:1") == 1


def test_REF_7_told_twice_it_is_written_once() -> None:
    order = half_refused()
    for _ in range(2):
        order.rig.report(result(RefundState.FAILED))
        order.rest()
    assert len([step for step in order.steps if "failed after it had succeeded" in step]) == 1


def test_REF_7_that_it_failed_afterwards_is_not_forgotten_when_its_success_is_heard_later() -> None:
    order = half_refused("not yet")
    order.rig.report(result(RefundState.FAILED, taken_back=True))
    order.refund_states = []
    order.rest()
    assert states(order) == [(REFUND, "failed_afterwards")]


@pytest.mark.parametrize("fate", ["not yet", "pending", "no answer"])
def test_REF_7_a_failure_that_is_heard_before_the_childs_end_is_no_success_that_was_taken_back(fate: str) -> None:
    order = half_refused(fate)
    order.rig.report(result(RefundState.FAILED))
    order.refund_states = []
    order.rest()
    assert states(order) == [(REFUND, "failed")]
    assert not any("after it had succeeded" in step for step in order.steps)
    assert alerts(order) == [f"refund {REFUND} of the seller did not succeed: account closed"]


def test_REF_11_a_refund_that_the_gateway_does_not_answer_is_shown_in_doubt_and_not_asked_for_again() -> None:
    order = half_refused("no answer", refund_retry_days=2)
    assert (states(order), order.facts.is_settling) == ([(REFUND, "in_doubt")], False)
    assert (order.money[1], alerts(order)) == (Decimal("94.50"), []), "its own workflow tells staff"
    order.ships("s1", A=2)
    order.passes(days=9)
    assert (order.outcome, order.begun.count(f"refund:{REFUND}:2")) == (None, 0)
    order.refund_states = []
    order.rest()
    assert (states(order), order.outcome) == ([(REFUND, "succeeded")], "shipped")


def test_REF_11_staff_who_stop_an_order_do_not_wait_for_a_refund_in_doubt() -> None:
    order = half_refused("no answer")
    order.stops().rest()
    assert (order.outcome, order.rig.is_over) == ("stopped", True)


@pytest.mark.parametrize("state", [RefundState.SUCCEEDED, RefundState.FAILED])
def test_REF_11_a_refund_in_doubt_that_becomes_known_is_not_asked_for_again(state: RefundState) -> None:
    order = half_refused("in doubt")
    order.rig.report(result(state))
    order.passes(days=10)
    assert states(order) == [(REFUND, state.value)]
    assert f"refund {REFUND}, which was in doubt, is {state.value} after all" in order.steps
    assert order.begun.count(f"refund:{REFUND}:2") == 0


def test_REF_7_a_word_about_a_refund_that_the_order_did_not_make_moves_nothing() -> None:
    order = Order().placed()
    order.rig.report(result(RefundState.FAILED))
    order.rest()
    assert (order.facts.refunds, order.facts.rejected_count) == ((), 1)


def test_REF_6_a_refund_whose_id_belongs_to_another_request_is_asked_for_under_the_next_one() -> None:
    order = half_refused("id taken")
    assert states(order) == [(REFUND, "refused"), ("RF-1001-OS2", "succeeded")]
    assert order.money == (Decimal("157.50"), Decimal("94.50"))
    assert alerts(order) == []


def test_ORD_7_two_rounds_of_refusals_are_two_refunds_that_add_up() -> None:
    stock = (
        Stock("A"),
        Stock("LAMP", 2, "omaha", refuses=True),
        Stock("LAMP", 1, "salem"),
        Stock("PAD", 9, "salem", refuses=True),
    )
    order = Order(request({}, LAMP, {"sku": "PAD"}), stock=stock).placed()
    captured, refunded = order.money
    assert captured - refunded == order.facts.lines.cost_due
    assert {one.state for one in order.facts.refunds} == {"succeeded"}
