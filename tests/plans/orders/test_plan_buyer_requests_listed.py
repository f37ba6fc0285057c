"""Buyers who want to cancel stand in a worklist until their sellers have answered (CAN-7, CAN-8, NTF-6)."""

from datetime import timedelta

from models.worklists import Work
from tests.plans.orders.asking_buyers import amazon, asks, on_hold
from tests.plans.orders.order_rig import NOON, Order
from workflows.orders.view import view


def work(order: Order) -> tuple[Work, ...]:
    return view(order.facts, order.rig.plan).work


def test_CAN_7_a_buyers_wish_stands_in_its_worklist_from_the_first_moment_on_with_its_deadline() -> None:
    order = amazon().in_its_window()
    assert work(order) == ()
    assert asks(order)
    assert work(order) == (Work.BUYER_WANTS_TO_CANCEL,)
    order.passes(minutes=31)
    assert work(order) == (Work.BUYER_WANTS_TO_CANCEL,)
    assert [one.due for one in order.rig.plan.waits] == [NOON + timedelta(days=2)]


def test_CAN_8_it_leaves_the_list_with_the_answer_and_stays_when_none_came_in_time() -> None:
    granted, declined, late = on_hold(), on_hold(), on_hold()
    assert granted.happens("cancel_request", actor="seller:jane", reason="granted")
    assert declined.happens("resume", actor="seller:jane", reason="it is packed")
    late.passes(days=3)
    assert [work(one) for one in (granted, declined, late)] == [(), (), (Work.BUYER_WANTS_TO_CANCEL,)]


def test_NTF_6_what_the_seller_itself_holds_is_no_buyers_wish() -> None:
    order = amazon().in_its_window()
    assert order.happens("hold", actor="seller:jane", reason="wait for the paper")
    order.passes(minutes=31)
    assert (order.stage, work(order)) == ("on_hold", ())
