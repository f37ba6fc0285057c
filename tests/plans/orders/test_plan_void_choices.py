"""Nobody had the items, and the seller chooses what becomes of the order (ORD-8)."""

from decimal import Decimal

import pytest

from models.case import Who
from models.partners import ChargeState
from models.worklists import Work
from tests.plans.orders.order_rig import Order, request
from tests.plans.orders.void_stages import LEFT_ONE, NOT_HERE, voided
from workflows.orders.effects import CheckSpecialOrder
from workflows.orders.view import view


def test_ORD_8_the_money_goes_back_while_the_seller_chooses() -> None:
    order = voided()
    assert [one.state for one in order.facts.charges] == [ChargeState.VOIDED]
    wait = order.rig.plan.waits[0]
    assert (wait.who, wait.what) == (Who.SELLER, "buy 2 x A elsewhere, let the buyer wait, or cancel")
    assert wait.since == order.facts.cessations[0].at
    assert wait.due is not None
    assert (wait.due - wait.since).days == 7
    seen = view(order.facts, order.rig.plan)
    assert seen.work == (Work.TO_CHOOSE,)
    assert seen.deadlines == {"choose_until": wait.due}
    assert order.mail("voided")["choose_until"] == wait.due.isoformat()


def test_ORD_8_a_buyers_charge_that_was_collected_goes_back_at_once() -> None:
    order = voided(stock=(NOT_HERE,))
    assert order.money == (Decimal("63.00"), Decimal("63.00"))
    assert order.stage == "awaiting_choice"


def test_ORD_8_who_does_not_choose_is_reminded_and_then_it_stays_voided() -> None:
    order = voided().passes(days=6)
    reminders = [one for one in order.mails if one.startswith("choice_reminder")]
    assert reminders == ["choice_reminder to seller"] * 2
    assert order.stage == "awaiting_choice"
    order.passes(days=2)
    assert order.outcome == "voided"
    assert "nobody has chosen in time: it stays voided" in order.steps


def test_ORD_8_without_days_to_choose_it_ends_at_once() -> None:
    assert Order(stock=(), choice_days=0).rest().passes(minutes=31).outcome == "voided"


def test_ORD_8_bought_elsewhere_it_stays_voided_and_can_be_claimed() -> None:
    order = voided()
    assert order.happens("choice_after_void", choice="source_elsewhere")
    assert order.outcome == "voided"
    assert "2 x A: the seller buys them elsewhere" in order.steps
    assert order.facts.lines.counts[0].voided == 2


@pytest.mark.parametrize("automatic", [True, False])
def test_ORD_8_CAN_6_cancelled_with_the_buyer_it_is_refunded_as_any_cancelled_order(automatic: bool) -> None:
    order = voided(auto_refund_buyer=automatic)
    assert order.happens("choice_after_void", choice="cancel", reason="the buyer does not want to wait")
    assert order.outcome == "cancelled"
    assert ("refund:RF-1001-OB1:1" in order.begun) is automatic
    assert order.reply("e1") == (True, "cancelled: the buyer does not want to wait")
    assert "stop-shipping" in order.begun


def test_ORD_8_a_cancel_request_is_the_same_choice() -> None:
    order = voided(auto_refund_buyer=True)
    assert order.happens("cancel_request")
    assert order.outcome == "cancelled"
    assert "refund:RF-1001-OB1:1" in order.begun


def test_ORD_8_CAN_5_an_ebay_order_is_cancelled_by_the_buyers_request_there_alone() -> None:
    order = voided(order=request(channel="ebay", channel_order_id="11-22"))
    assert not order.happens("choice_after_void", choice="cancel")
    assert order.stage == "awaiting_choice"
    assert order.happens("choice_after_void", choice="cancel", channel_reference="C-7")
    assert order.outcome == "cancelled"


def test_ORD_8_some_is_bought_elsewhere_and_the_rest_waits() -> None:
    order = voided(auto_refund_buyer=True)
    assert order.happens("choice_after_void", choice="source_elsewhere", **LEFT_ONE)
    assert order.stage == "awaiting_choice"
    assert order.happens("choice_after_void", choice="special_order")
    assert order.stage == "awaiting_stock"
    assert order.facts.waiting == {"A": 1}
    assert not order.happens("choice_after_void", choice="special_order"), "nothing is left to choose for"
    order.happens("cancel_request")
    assert order.outcome == "cancelled"
    assert "refund:RF-1001-OB1:1" not in order.begun, "the buyer gets what the seller bought"


def test_ORD_8_no_more_is_chosen_for_than_is_voided() -> None:
    order = voided()
    assert not order.happens("choice_after_void", choice="special_order", lines=[{"sku": "A", "quantity": 3}])
    assert not order.happens("choice_after_void", choice="special_order", lines=[{"sku": "B", "quantity": 1}])
    assert not Order().placed().happens("choice_after_void", choice="special_order")


def test_ORD_8_CLM_1_what_is_claimed_or_refunded_does_not_wait() -> None:
    order = voided()
    order.special_order_refused = "2 of A are claimed as bought elsewhere (CLM-1)"
    assert order.happens("choice_after_void", choice="special_order")
    assert order.reply("e1") == (False, "2 of A are claimed as bought elsewhere (CLM-1)")
    assert order.stage == "awaiting_choice"
    assert order.facts.lines.counts[0].voided == 2
    assert order.facts.rejected_count == 0, "no fault of the sender"
    assert order.happens("choice_after_void", choice="source_elsewhere")
    assert order.outcome == "voided"


def test_ORD_8_its_sender_hears_of_it_when_the_database_has_said_so() -> None:
    order = voided()
    order.held = {CheckSpecialOrder}
    order.happens("choice_after_void", choice="special_order")
    assert order.reply("e1") is None
    assert order.rig.plan.waits[0].who is Who.BOOKS
    order.held = set()
    order.rest()
    assert order.reply("e1") == (True, "2 x A wait for stock")


def test_RET_24_what_becomes_of_a_replacement_is_decided_in_its_return() -> None:
    free = request(
        {"unit_price": "0.00"}, order_id="RP.RR-1001-1", replaces="RR-1001-1", payment=None, currency="USD"
    )
    order = Order(free, stock=(), choice_days=7).rest().passes(minutes=31)
    assert order.outcome == "voided"
