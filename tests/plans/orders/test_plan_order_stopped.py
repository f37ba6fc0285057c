"""Staff press Cancel on an order, at every stage and while every partner is asked: a fact, never lost (CAN-1,
CAN-2, REF-6)."""

from decimal import Decimal
from typing import Any

import pytest

from models.failures import Category
from models.refunds import RefundState
from tests.plans.orders.order_rig import MINUTE, Order, Stock, request
from tests.plans.rig import Troubled
from workflows.engine.case import Effect, SendMail
from workflows.orders.effects import (
    AnnounceTracking,
    Authorize,
    Capture,
    LookUpArrival,
    Place,
    SaveCharge,
    SearchStock,
    StopShipping,
    VoidAuthorization,
    WriteDown,
)
from workflows.orders.purchase_orders import records_of

TWO = (Stock("A"), Stock("LAMP", warehouse="omaha"))
ONE_REFUSES = (Stock("A"), Stock("LAMP", warehouse="omaha", refuses=True))
LAMP = {"sku": "LAMP", "quantity": 3}


def stopped(order: Order) -> Order:
    order.stops().rest()
    return order


def told(order: Order) -> str:
    """All that staff were told by mail."""
    return "\n".join(one.facts["what"] for one in order.rig.mails() if one.template == "staff_alert")


def assert_over(order: Order) -> None:
    assert (order.outcome, order.rig.is_over) == ("stopped", True), order.rig.plan
    assert order.facts.closing_message == "stopped by staff; what had to be undone was undone"
    assert "the workflow was cancelled by staff" in order.steps


def assert_nothing_is_left(order: Order) -> None:
    """Of an order that was not with a supplier."""
    assert_over(order)
    assert not order.was_sent
    assert order.facts.lines.open == {}
    assert all(one.state in ("voided", "declined", "expired", "captured") for one in order.facts.charges)
    captured, refunded = order.money
    assert captured == refunded
    assert order.begun.count("stop-shipping") == 1
    (cessation,) = order.facts.cessations
    assert (cessation.kind, cessation.quantities) == ("cancelled", {"A": 2})


# ---- before it is with a supplier ----


def at(stage: str) -> Order:
    """An order that waits for a person or the clock at this stage."""
    settings: dict[str, dict[str, Any]] = {
        "awaiting_release": {"auto_release": False},
        "awaiting_payment": {"payment_method": "pm_bad"},
    }
    order = Order(**settings.get(stage, {})).rest()
    if stage == "on_hold":
        order.happens("hold", reason="ask the buyer")
        order.passes(minutes=31)
    assert order.stage == stage
    return order


@pytest.mark.parametrize("stage", ["awaiting_release", "awaiting_payment", "cancel_window", "on_hold"])
def test_CAN_1_an_order_that_staff_stop_before_it_is_sent_leaves_nothing_behind(stage: str) -> None:
    order = stopped(at(stage))
    assert_nothing_is_left(order)
    (cessation,) = order.facts.cessations
    assert (cessation.reason, cessation.fault, cessation.by) == ("stopped by staff", "seller", "staff:temporal")
    assert told(order) == ""


def while_asked(effect: type[Effect]) -> Order:
    """An order whose last question to a partner is not answered."""
    order = Order()
    order.held.add(effect)
    order.rest()
    if effect not in (WriteDown, Authorize):
        order.passes(minutes=31)
    if effect is LookUpArrival:
        order = Order().rest().time_jumps(minutes=31)
        order.held.add(effect)
        order.happens("cancel_request")
    assert order.facts.is_in_flight(effect)
    return order


@pytest.mark.parametrize("effect", [WriteDown, Authorize, SearchStock, Capture, LookUpArrival])
def test_CAN_1_an_order_that_staff_stop_while_a_partner_is_asked_leaves_nothing_behind(
    effect: type[Effect],
) -> None:
    order = while_asked(effect).stops()
    order.rig.settle()
    order.held.clear()
    order.rest()
    assert_nothing_is_left(order)


@pytest.mark.parametrize("effect", [WriteDown, Authorize, SearchStock, Capture, LookUpArrival])
def test_CAN_1_a_stop_in_one_task_with_the_partners_answer_leaves_nothing_behind(effect: type[Effect]) -> None:
    order = while_asked(effect)
    order.held.clear()
    for one in list(order.rig.pending):
        assert order.rig.answer(one)
    assert_nothing_is_left(stopped(order))


@pytest.mark.parametrize("effect", [Authorize, Capture])
def test_CAN_1_what_the_gateway_was_asked_is_waited_for_and_then_given_back(effect: type[Effect]) -> None:
    order = while_asked(effect).stops()
    order.rig.settle()
    assert (order.stage, order.outcome) == ("cancelling", None)
    assert [wait.who for wait in order.rig.plan.waits][:1] == ["gateway"]
    order.held.clear()
    order.rest()
    assert set(order.money) == {Decimal("63.00") if effect is Capture else Decimal(0)}


def test_CAN_1_an_order_that_staff_stop_in_its_first_task_is_written_down_and_moves_nothing() -> None:
    order = Order()
    order.rig.settle()
    assert_nothing_is_left(stopped(order))
    assert order.begun == ["open", "stop-shipping"]


def test_CAN_1_an_order_that_can_not_be_written_down_ends_at_once() -> None:
    order = Order()
    order.troubled[WriteDown] = Troubled("Internal: no such column", Category.INTERNAL, alert=True)
    order.held.add(WriteDown)
    order.rest()
    order.held.clear()
    order.held.add(WriteDown)
    stopped(order)
    assert_over(order)
    assert (order.begun, order.facts.is_open) == (["open"], False)


def test_CAN_1_a_refused_order_that_staff_stop_is_refused() -> None:
    order = Order()
    order.rig.settle()
    order.seller = None
    order.stops().rest()
    assert (order.outcome, order.begun, order.rig.is_over) == ("refused", ["open"], True)


def test_CAN_6_the_automatic_refund_of_the_buyer_that_a_stop_comes_before_is_not_begun_and_named() -> None:
    order = Order(auto_refund_buyer=True).rest()
    order.held.add(StopShipping)
    order.happens("cancel_request")
    order.stops().rest()
    assert (order.outcome, order.facts.refunds) == (None, ())
    order.held.clear()
    order.rest()
    assert_nothing_is_left(order)
    assert order.facts.refunds == ()
    assert "the automatic refund of the buyer was cut off" in told(order)


def test_CAN_6_a_refund_of_the_buyer_that_is_under_way_goes_on_by_itself() -> None:
    order = Order(auto_refund_buyer=True).rest()
    order.refund_states = ["not yet"]
    order.happens("cancel_request")
    order.time_jumps(minutes=1)
    assert_nothing_is_left(stopped(order))
    assert [one.state for one in order.facts.refunds] == ["asked"]


def test_RET_16_what_comes_while_a_stopped_order_ends_is_answered() -> None:
    order = Order().rest()
    order.held.add(VoidAuthorization)
    order.stops().rest()
    order.happens("cancel_request")
    assert order.reply("e1") == (True, "the order is being cancelled already")
    order.held.clear()
    order.rest()
    assert_nothing_is_left(order)
    assert not order.happens("cancel_request")


def test_CAN_11_what_came_early_of_a_stopped_order_is_answered() -> None:
    order = Order().rest()
    order.ships("s1", A=1)
    stopped(order)
    assert order.facts.rejected[-1].reason == "the order is stopped (CAN-11)"


def test_REF_6_a_refund_of_the_seller_that_had_not_begun_is_made() -> None:
    """The money was taken, the order cancelled, and the database slow when staff lost patience."""
    order = Order().rest()
    order.held.add(Capture)
    order.passes(minutes=31)
    order.happens("hold", reason="look at it first")
    order.held = {SaveCharge}
    order.rest()
    order.happens("cancel_request", reason="no stock")
    order.stops().rest()
    assert not order.facts.refunds
    order.held.clear()
    order.rest()
    assert_nothing_is_left(order)
    assert [(one.refund_id, one.amount) for one in order.facts.refunds] == [("RF-1001-OS1", Decimal("63.00"))]


@pytest.mark.parametrize("fate", [RefundState.FAILED, RefundState.REFUSED, "in doubt"])
def test_REF_11_a_refund_that_a_stop_asks_for_and_that_does_not_succeed_is_named(fate: str) -> None:
    order = while_asked(Capture).stops()
    order.refund_states = [fate]
    order.held.clear()
    order.rest()
    assert_over(order)
    assert "RF-1001-OS1" in told(order)


# ---- with a supplier ----


def with_suppliers() -> Order:
    return Order(request({}, LAMP), stock=TWO).placed()


def test_CAN_2_an_order_that_staff_stop_after_it_was_sent_stays_bought_and_charged_and_is_named() -> None:
    order = stopped(with_suppliers())
    assert_over(order)
    assert order.facts.lines.open == {"A": 2, "LAMP": 3}
    assert order.money == (Decimal("157.50"), Decimal(0))
    assert told(order) == (
        "order 1001 was stopped while it is with suppliers: nothing was called back; "
        "order 1001-1 was accepted by sup-reno; order 1001-2 was accepted by sup-omaha; "
        "the seller was charged 157.50 USD, refunds of 0 USD were asked for"
    )
    assert not {"void:1", "stop-shipping"} & set(order.begun)


def test_CAN_2_a_supplier_that_has_not_answered_is_not_waited_for_and_named() -> None:
    order = Order(request({}, LAMP), stock=TWO).rest()
    order.held.add(Place)
    order.passes(minutes=31)
    order.held.clear()
    order.rig.answer(order.rig.pending[0])
    order.held.add(Place)
    assert_over(stopped(order))
    assert [(one.order.number, one.state) for one in records_of(order.facts)] == [
        ("1001-1", "accepted"),
        ("1001-2", "unknown"),
    ]
    assert "order 1001-2 was on its way, its answer is not known; ask sup-omaha" in told(order)
    assert "order 1001-2 was on its way to sup-omaha, warehouse omaha: its answer is not known" in order.steps


def test_CAN_2_what_a_supplier_says_in_one_task_with_the_stop_counts() -> None:
    order = Order().rest()
    order.held.add(Place)
    order.passes(minutes=31)
    order.held.clear()
    order.rig.answer(order.rig.pending[0])
    assert_over(stopped(order))
    assert [one.state for one in records_of(order.facts)] == ["accepted"]


def test_CAN_2_an_order_that_looks_for_another_source_is_stopped_with_what_it_has() -> None:
    stock = (*ONE_REFUSES, Stock("LAMP", warehouse="salem"))
    order = Order(request({}, LAMP), stock=stock).rest()
    order.held.add(Place)
    order.passes(minutes=31)
    order.held = {SearchStock}
    order.rest()
    assert_over(stopped(order))
    assert [one.state for one in order.facts.purchases] == ["accepted", "refused"]
    assert "order 1001-1 was accepted by sup-reno" in told(order)


def test_REF_6_a_sellers_refund_on_its_way_goes_on_by_itself() -> None:
    order = Order(request({}, LAMP), stock=ONE_REFUSES).rest()
    order.refund_states = ["pending"]
    order.passes(minutes=31)
    assert_over(stopped(order))
    assert [one.state for one in order.facts.refunds] == ["pending"]
    assert "the seller was charged 157.50 USD, refunds of 94.50 USD were asked for" in told(order)


@pytest.mark.parametrize("effect", [StopShipping, SaveCharge])
def test_ORD_7_an_order_that_all_suppliers_refused_is_given_back_although_staff_stop_it(
    effect: type[Effect],
) -> None:
    order = Order(stock=(Stock("A", refuses=True),)).rest()
    order.held.add(effect)
    order.passes(minutes=31)
    order.stops().rest()
    order.held.clear()
    order.rest()
    assert_over(order)
    assert order.money == (Decimal("63.00"), Decimal("63.00"))
    assert "stop-shipping" in order.begun


def test_ORD_9_a_shop_that_was_not_told_is_not_waited_for_and_named() -> None:
    order = Order().placed()
    order.held.add(AnnounceTracking)
    order.ships("s1", A=1)
    order.time_jumps(minutes=1)
    assert_over(stopped(order))
    assert "the shop may not have the tracking number of shipment s1" in told(order)


# ---- at its end ----


def test_NTF_1_an_order_that_waits_only_for_the_mail_server_keeps_its_end_when_staff_stop_it() -> None:
    order = Order().placed()
    order.held.add(SendMail)
    order.ships("s1", A=2)
    assert (order.outcome, order.rig.is_over) == ("shipped", False)
    assert order.rig.plan.waits[0].what == "send the last e-mails"
    order.time_jumps(minutes=1)
    stopped(order)
    assert (order.outcome, order.rig.is_over) == ("shipped", True)
    assert order.steps[-1] == "cancelled by staff after its end"
    assert order.facts.cessations == ()


def test_CAN_2_the_return_of_a_late_cancel_is_opened_although_staff_stop_the_order_at_its_end() -> None:
    order = Order().placed()
    order.happens("cancel_request")
    order.held.add(SendMail)
    order.ships("s1", A=2)
    order.stops()
    order.rig.settle()
    order.held.clear()
    order.rest()
    assert "goes on as return RR-1001-late-cancel" in order.steps


# ---- at any moment ----

STORIES: dict[str, tuple[str, ...]] = {
    "shipped": (),
    "cancelled": ("cancel_request",),
    "held": ("hold",),
    "cancelled late": ("clock", "cancel_request"),
}


def tell(order: Order, story: str) -> None:
    for name in STORIES[story]:
        if name == "clock":
            order.time_jumps(minutes=40)
        else:
            order.says(name, reason="look at it first")


@pytest.mark.parametrize("stock", [TWO, ONE_REFUSES, (Stock("LAMP"),), ()])
@pytest.mark.parametrize("story", STORIES)
def test_CAN_1_CAN_2_wherever_a_stop_comes_it_is_a_fact_and_the_money_is_accounted_for(
    story: str, stock: tuple[Stock, ...]
) -> None:
    for moment in range(60):
        order = Order(request({}, LAMP), stock=stock, careful=False)
        order.rig.settle()
        for number in range(moment):
            if number == 3:
                tell(order, story)
            if number == 5:
                order.rig.now += 31 * MINUTE
            order.rig.settle()
            if order.rig.pending:
                order.rig.answer(order.rig.pending[0])
        order.rig.restart() if moment % 3 == 0 else None
        order.stops().rest()
        facts = order.facts
        assert order.rig.is_over, (moment, order.rig.plan)
        assert facts.stopped_at is not None or facts.outcome not in (None, "stopped")
        captured, refunded = order.money
        assert captured - refunded == (facts.lines.cost_due if captured else 0)
        assert facts.charge is None or facts.charge.state == "captured", "money is still held"
        assert not (order.was_sent and facts.accepted_cancel)
        if facts.outcome == "stopped" and order.was_sent and facts.lines.open:
            assert "nothing was called back" in told(order)
