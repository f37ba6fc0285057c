"""From the broker's queue to a supplier: after the window, within the hour, without anyone's help (ORD-4)."""

from datetime import timedelta

from models.case import SlaState
from tests.plans.orders.order_rig import MINUTE, NOON, SECOND, Order
from workflows.orders.effects import Place
from workflows.orders.view import view


def alerts(order: Order) -> list[str]:
    return [one.facts["who_acts"] for one in order.rig.mails() if one.key == "mail:alert-handoff"]


def sla(order: Order) -> SlaState:
    return view(order.facts, order.rig.plan).sla_state


def test_ORD_4_an_order_stays_in_the_queue_for_its_window_and_then_goes_by_itself() -> None:
    order = Order().in_its_window()
    (wait,) = order.rig.plan.waits
    assert (wait.who, wait.due, order.rig.plan.wake_at) == ("clock", NOON + 30 * MINUTE, NOON + 30 * MINUTE)
    order.rig.clock(30 * MINUTE - SECOND)
    assert order.stage == "cancel_window"
    order.rig.clock(SECOND)
    assert order.stage == "awaiting_shipment"
    assert order.facts.handed_off_at == NOON + 30 * MINUTE


def test_ORD_4_window_and_limit_are_the_sellers_settings() -> None:
    order = Order(cancel_window_minutes=5, handoff_minutes=20).rest()
    assert order.facts.cancel_until == NOON + 5 * MINUTE
    assert order.facts.handoff_due == NOON + 20 * MINUTE
    assert order.rig.plan.timer == "5-minute cancel window"


def test_ORD_4_an_order_in_time_is_not_flagged() -> None:
    order = Order().placed().passes(hours=2)
    assert (sla(order), alerts(order)) == (SlaState.ON_TIME, [])


def test_ORD_4_with_the_supplier_down_it_is_flagged_to_staff_once_and_goes_on_when_it_is_back() -> None:
    order = Order().in_its_window()
    order.held.add(Place)
    order.passes(minutes=59)
    assert sla(order) is SlaState.ON_TIME
    order.passes(minutes=2)
    assert (sla(order), alerts(order)) == (SlaState.BREACHED, ["supplier"])
    order.held.clear()
    order.passes(hours=3)
    assert (order.stage, sla(order), alerts(order)) == ("awaiting_shipment", SlaState.BREACHED, ["supplier"])
    assert "60-minute limit to reach a supplier: not kept" in order.steps


def test_ORD_4_waiting_for_a_payment_method_is_flagged_too() -> None:
    order = Order(payment_method=None).rest().passes(minutes=61)
    assert (sla(order), alerts(order)) == (SlaState.BREACHED, ["seller"])


def test_ORD_4_a_held_order_is_flagged_too() -> None:
    order = Order().in_its_window()
    order.happens("hold", reason="ask the buyer")
    order.passes(minutes=61)
    assert (order.stage, sla(order), alerts(order)) == ("on_hold", SlaState.BREACHED, ["seller"])


def test_ORD_4_before_its_release_an_order_is_not_the_brokers_and_not_late() -> None:
    order = Order(auto_release=False).rest().passes(hours=5)
    assert (sla(order), order.rig.plan.wake_at) == (SlaState.ON_TIME, None)


def test_ORD_4_a_cancelled_or_voided_order_is_not_flagged_later() -> None:
    cancelled = Order().in_its_window()
    cancelled.happens("hold", reason="ask the buyer")
    cancelled.passes(minutes=40)
    cancelled.happens("cancel_request")
    voided = Order(stock=()).in_its_window().passes(minutes=31)
    for order in (cancelled, voided):
        assert order.outcome in ("cancelled", "voided")
        assert (sla(order), alerts(order)) == (SlaState.ON_TIME, [])


def test_ORD_4_there_is_one_timer_and_it_is_the_next_one() -> None:
    order = Order().in_its_window()
    assert order.rig.plan.wake_at == NOON + timedelta(minutes=30)
    order.happens("hold", reason="ask the buyer")
    order.passes(minutes=31)
    assert order.rig.plan.wake_at == NOON + timedelta(minutes=60)
    order.happens("resume", reason="all is well")
    assert order.rig.plan.wake_at == order.rig.now + timedelta(days=5)
